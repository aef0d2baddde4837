"""A bar of coloured parts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hubstudio.gui.theme import Colours, colours_of


class ShareBar(QWidget):
    """Draws parts of a whole beside each other, and the track where they end. Labels beside it say the numbers."""

    def __init__(self, height: int = 6, gap: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gap = gap
        self._parts: list[tuple[float, str]] = []
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, parts: Sequence[tuple[float, str]]) -> None:
        """Show (share of the whole, name of a colour) from left to right."""
        self._parts = list(parts)
        self.update()

    def sizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(80, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track and parts."""
        del event
        colours = colours_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), 3, 3)
        painter.setClipPath(outline)
        painter.fillRect(self.rect(), QColor(colours.track if not self._gap else colours.surface))
        self._paint_parts(painter, colours)
        painter.end()

    def _paint_parts(self, painter: QPainter, colours: Colours) -> None:
        left = 0.0
        for share, name in self._parts:
            width = share * self.width()
            drawn = QRectF(left, 0, max(0.0, width - self._gap), self.height())
            painter.fillRect(drawn, QColor(getattr(colours, name)))
            left += width
