"""Photos and cards as lists paint them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontInfo, QImage, QPainter, QPen, QTransform
from PySide6.QtWidgets import QWidget

from hubstudio.gui.theme import Colours

_ROUNDING = 6.0
_CARD_ROUNDING = 10.0
_FADED = 0.3


def draw_photo(
    painter: QPainter, rect: QRectF, picture: QImage | None, colours: Colours, *, mark: str = "", faded: bool = False
) -> None:
    """Draw a rounded photo, or its place with a mark in it."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.track))
    if picture is None or faded:
        painter.drawRoundedRect(rect, _ROUNDING, _ROUNDING)
    if picture is None:
        painter.setPen(QColor(colours.muted))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, mark)
        return
    brush = QBrush(picture)
    scale = rect.width() / picture.width()
    brush.setTransform(QTransform(scale, 0, 0, scale, rect.left(), rect.top()))
    painter.setBrush(brush)
    if faded:
        painter.setOpacity(_FADED)
    painter.drawRoundedRect(rect, _ROUNDING, _ROUNDING)
    painter.setOpacity(1.0)


def draw_card(
    painter: QPainter, rect: QRectF, colours: Colours, *, selected: bool, focused: bool, hovered: bool
) -> None:
    """Draw a card's ground and frame."""
    frame, width = colours.border, 1.0
    if selected or focused:
        frame, width = colours.accent, 2.0
    elif hovered:
        frame = colours.muted
    painter.setPen(QPen(QColor(frame), width))
    painter.setBrush(QColor(colours.accent_soft if selected else colours.surface))
    inset = width / 2
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), _CARD_ROUNDING, _CARD_ROUNDING)


def sized_font(widget: QWidget, factor: float, *, bold: bool = False) -> QFont:
    """Return the widget's font, larger or smaller, as the style sheet's steps are."""
    font = QFont(widget.font())
    font.setPixelSize(max(11, round(QFontInfo(font).pixelSize() * factor)))
    font.setBold(bold)
    return font
