"""The classes as cards that are painted, not built: name, count, a few photos, how many compared to the largest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QLineEdit, QStyleOptionViewItem, QWidget

from hubstudio.core.photos import Photo, PhotoSet, count_of
from hubstudio.gui.theme import Colours, colours_of
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.photo_painting import draw_card, draw_photo, sized_font
from hubstudio.gui.widgets.tile_grid import TileDelegate, TileGrid

_FEWEST, _MOST, _SIDE, _BETWEEN = 4, 8, 62, 6
_SIDES, _TOP, _BOTTOM, _SPACE, _BAR = 15, 12, 15, 8, 6
_PIXELS_ASKED = 80
_OUT_OF_SIGHT = QRect(-1000, -1000, 100, 20)
_Index = QModelIndex | QPersistentModelIndex


class ClassDelegate(TileDelegate):
    """Edits a class's name where it stands."""

    def __init__(self, grid: ClassGrid) -> None:
        super().__init__(grid)
        self._grid = grid

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:  # noqa: N802
        """Return a field with the name, beside the list: what is within one, a screen reader does not meet."""
        del option
        editor = QLineEdit(self._grid.name(index.row()), self._grid.parentWidget() or parent)
        editor.setObjectName("class_name")
        editor.setAccessibleName(f"New name of {self._grid.name(index.row())}")
        editor.selectAll()
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:  # noqa: N802
        """Leave what is typed alone, whatever changes around it."""

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:  # noqa: N802
        """Tell of the new name; the classes change when the photos do."""
        del model
        assert isinstance(editor, QLineEdit)
        self._grid.name_typed.emit(self._grid.name(index.row()), editor.text().strip())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: N802
        """Put the field over the name, as far as that is in sight."""
        del option
        viewport = self._grid.viewport()
        shown = self._grid.name_rect(index.row()) & viewport.rect()
        around = editor.parentWidget()
        assert around is not None
        editor.setGeometry(shown.translated(viewport.mapTo(around, QPoint())) if shown.isValid() else _OUT_OF_SIGHT)


class ClassGrid(TileGrid):
    """One tile per class."""

    name_typed = Signal(str, str)  # class, what it shall be called
    least_width = _FEWEST * (_SIDE + _BETWEEN) - _BETWEEN + 2 * _SIDES

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(thumbnails)
        self._photo_set: PhotoSet | None = None
        self._largest = 1
        self.setObjectName("classes")
        self.setAccessibleName("Classes")
        self.setItemDelegate(ClassDelegate(self))
        self.setSelectionMode(TileGrid.SelectionMode.SingleSelection)
        self.verticalScrollBar().valueChanged.connect(self.updateEditorGeometries)

    def show_classes(self, photo_set: PhotoSet, names: Sequence[str]) -> None:
        """Show these classes in this order."""
        self._photo_set = photo_set
        counts = photo_set.counts
        self._largest = max(counts.values(), default=1)
        self.show_tiles(tuple(names), [f"{name}, {count_of(counts[name], 'photo')}" for name in names])

    def name(self, row: int) -> str:
        """Return a class's name."""
        return str(self.keys[row])

    def name_rect(self, row: int) -> QRect:
        """Return the room for the name of a class, and somewhat more."""
        rect = self.tile_rect(row)
        return QRect(rect.left() + 8, rect.top() + _TOP - 6, rect.width() - 16, self._line() + 12)

    def rename(self, row: int) -> None:
        """Let the person type another name."""
        self.go_to(row)
        self.edit(self.texts.index(row))

    def tip(self, row: int) -> str:
        """Return the whole name, and what can be done."""
        return f"{self.text(row)}\nEnter shows its photos, F2 renames it"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 renames."""
        if event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self.rename(self.currentIndex().row())
            return
        super().keyPressEvent(event)

    def tile_height(self, width: int) -> int:
        """Return the height of name, photos and bar."""
        _, side = _fitting(width - 2 * _SIDES)
        return _TOP + self._line() + _SPACE + round(side) + _SPACE + _BAR + _BOTTOM

    def picture_side(self) -> int:
        """Return a side that is enough for photos of every width of the window."""
        return _PIXELS_ASKED

    def photos_of(self, row: int) -> list[Path]:
        """Return the few photos on a card."""
        count, _ = _fitting(self.tile_rect(row).width() - 2 * _SIDES)
        photos = self._photo_set.of_class(self.name(row)) if self._photo_set else ()
        return [photo.path for photo in spread(photos, count)]

    def paint_tile(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paint one class."""
        colours = colours_of(self.palette())
        draw_card(
            painter,
            QRectF(rect),
            colours,
            selected=self.is_selected(row),
            focused=self.has_focus_at(row),
            hovered=self.is_hovered(row),
        )
        inner = rect.adjusted(_SIDES, _TOP, -_SIDES, -_BOTTOM)
        count = self._photo_set.counts[self.name(row)] if self._photo_set else 0
        self._paint_words(painter, inner, self.name(row), f"{count:,}", colours)
        _, side = _fitting(inner.width())
        top = inner.top() + self._line() + _SPACE
        for place, path in enumerate(self.photos_of(row)):
            square = QRectF(inner.left() + place * (side + _BETWEEN), top, side, side)
            mark = "?" if self.pictures.is_unreadable(path) else ""
            draw_photo(painter, square, self.pictures.picture(path), colours, mark=mark)
        _paint_bar(painter, QRectF(inner.left(), inner.bottom() + 1 - _BAR, inner.width(), _BAR),
                   count / max(1, self._largest), colours)  # fmt: skip

    def _paint_words(self, painter: QPainter, rect: QRect, name: str, count: str, colours: Colours) -> None:
        line = QRect(rect.left(), rect.top(), rect.width(), self._line())
        small, large = sized_font(self, 1.0), sized_font(self, 1.15, bold=True)
        painter.setFont(small)
        painter.setPen(QColor(colours.muted))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, count)
        line.setRight(line.right() - QFontMetrics(small).horizontalAdvance(count) - 10)
        painter.setFont(large)
        painter.setPen(QColor(colours.text))
        shown = QFontMetrics(large).elidedText(" ".join(name.split()), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def _line(self) -> int:
        return QFontMetrics(sized_font(self, 1.15, bold=True)).height()


def spread(photos: Sequence[Photo], count: int) -> Sequence[Photo]:
    """Return so many photos, taken evenly from the whole list: neighbours are often nearly the same shot."""
    return photos if len(photos) <= count else [photos[place * len(photos) // count] for place in range(count)]


def _fitting(width: int) -> tuple[int, float]:
    """Return how many photos fit into a width, and the side with which they fill it."""
    count = min(max((width + _BETWEEN) // (_SIDE + _BETWEEN), _FEWEST), _MOST)
    return count, min((width - _BETWEEN * (count - 1)) / count, _SIDE * 1.3)


def _paint_bar(painter: QPainter, rect: QRectF, share: float, colours: Colours) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours.track))
    painter.drawRoundedRect(rect, 3, 3)
    if share > 0:
        painter.setBrush(QColor(colours.accent))
        painter.drawRoundedRect(QRectF(rect.left(), rect.top(), max(rect.height(), share * rect.width()), _BAR), 3, 3)
