"""Photos as they are and as they are varied, in strips: the original first, its views beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hubstudio.gui.augmentation_preview import VIEWS, Example
from hubstudio.gui.theme import Colours, colours_of
from hubstudio.gui.widgets.photo_painting import draw_photo, sized_font

_GAP, _AFTER_ORIGINAL, _BETWEEN_STRIPS = 6, 14, 28
_LEAST_SIDE, _LARGEST_SIDE = 48, 134
_USUAL_SIDE = 80
"""Strips stand beside each other where their pictures can be as large as this."""
_MOST_COLUMNS = 2


class AugmentedPhotos(QWidget):
    """Paints examples, in as large pictures as fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strips = 0
        self.examples: Sequence[Example] = ()
        self.setObjectName("augmentation_preview")
        self.setAccessibleName("Varied photos")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_strips(self, count: int) -> None:
        """Keep room for that many strips, so that nothing jumps when pictures arrive."""
        if count != self._strips:
            self._strips = count
            self.updateGeometry()
            self.update()

    def show_examples(self, examples: Sequence[Example]) -> None:
        """Show these instead of those before."""
        self.examples = examples
        names = ", ".join(example.path.name for example in examples)
        self.setAccessibleDescription(f"Each as it is and varied {VIEWS} times: {names}" if examples else "")
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Say that fewer strips beside each other need more height."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the caption and all rows."""
        rows = -(-self._strips // self._columns(width))
        return round(self._caption_height() + rows * (self._side(width) + _GAP))

    def sizeHint(self) -> QSize:
        """Ask for one strip's width."""
        width = round(_strip_width(_LARGEST_SIDE))
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Make do with small pictures."""
        return QSize(round(_strip_width(_LEAST_SIDE)), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint strips, or empty places as long as there are no pictures."""
        del event
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        colours = colours_of(self.palette())
        side, columns = self._side(self.width()), self._columns(self.width())
        for strip in range(self._strips):
            row, column = divmod(strip, columns)
            left = column * (_strip_width(side) + _BETWEEN_STRIPS)
            if row == 0:
                self._paint_captions(painter, left, side, colours)
            example = self.examples[strip] if strip < len(self.examples) else None
            top = self._caption_height() + row * (side + _GAP)
            for place, picture in enumerate(_pictures(example)):
                draw_photo(painter, QRectF(left + _offset(place, side), top, side, side), picture, colours)
        painter.end()

    def _paint_captions(self, painter: QPainter, left: float, side: float, colours: Colours) -> None:
        painter.setFont(sized_font(self, 0.92))
        painter.setPen(QColor(colours.muted))
        for place, text in enumerate(("Original", "Varied")):
            rect = QRectF(left + _offset(place, side), 0, side, self._caption_height() - 4)
            painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _caption_height(self) -> int:
        return QFontMetrics(sized_font(self, 0.92)).height() + 4

    def _columns(self, width: float) -> int:
        fitting = int((width + _BETWEEN_STRIPS) // (_strip_width(_USUAL_SIDE) + _BETWEEN_STRIPS))
        return _MOST_COLUMNS if fitting >= _MOST_COLUMNS and self._strips % _MOST_COLUMNS == 0 else 1  # no gaps

    def _side(self, width: float) -> float:
        columns = self._columns(width)
        room = (width - _BETWEEN_STRIPS * (columns - 1)) / columns - _strip_width(0)
        return max(_LEAST_SIDE, min(_LARGEST_SIDE, room / (VIEWS + 1)))


def _strip_width(side: float) -> float:
    return _offset(VIEWS, side) + side


def _offset(place: int, side: float) -> float:
    """Return where a strip's picture begins; its original stands a little apart."""
    return place * (side + _GAP) + (_AFTER_ORIGINAL - _GAP if place else 0)


def _pictures(example: Example | None) -> tuple[QImage | None, ...]:
    return (example.original, *example.views) if example else (None,) * (VIEWS + 1)
