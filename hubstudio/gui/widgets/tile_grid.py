"""Tiles in as many equal columns as fit, painted only where they are seen: ten cost as much as 20,000."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip, QWidget

from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.visible_thumbnails import VisibleThumbnails
from hubstudio.gui.widgets.keyed_list import KeyedList

_PER_WHEEL_STEP = 3
_MOST_AHEAD = 400
"""Pictures asked for when those in sight are fewer; more in sight are asked for all the same."""


class TileDelegate(QStyledItemDelegate):
    """Tells the list how large a tile is; the grid paints them itself, all in one go."""

    def __init__(self, grid: TileGrid) -> None:
        super().__init__(grid)
        self._tiles = grid

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return a tile's size with the gap below it."""
        del option, index
        return self._tiles.cell


class TileGrid(KeyedList):
    """Subclasses say what a tile shows, and paint it."""

    opened = Signal(int)  # row
    least_width, gap = 160, 12

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cell = QSize(self.least_width, self.least_width)
        self.columns = 1
        self.pictures = VisibleThumbnails(thumbnails, self)
        self._tile_width = self.least_width
        self._hovered = -1
        self._rows_of: dict[Path, int] = {}
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.timeout.connect(self._ask)
        self.setItemDelegate(TileDelegate(self))
        self._set_up()
        self.pictures.arrived.connect(self._on_picture)
        self.entered.connect(self._on_entered)
        self.doubleClicked.connect(self._on_double_clicked)

    def _set_up(self) -> None:
        self.setProperty("role", "tiles")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setDragEnabled(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)

    def tile_height(self, width: int) -> int:
        """Return how high a tile of that width is."""
        return width

    def paint_tile(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paint one tile."""
        raise NotImplementedError

    def photos_of(self, row: int) -> Iterable[Path]:
        """Return the photos a tile shows."""
        raise NotImplementedError

    def picture_side(self) -> int:
        """Return the side of the pictures to ask for, before the screen's scale."""
        return self.least_width

    def tip(self, row: int) -> str:
        """Return what is told on hover."""
        return self.text(row)

    def is_selected(self, row: int) -> bool:
        """Whether a tile is selected."""
        return self.selectionModel().isSelected(self.texts.index(row))

    def is_hovered(self, row: int) -> bool:
        """Whether the mouse is over a tile."""
        return row == self._hovered

    def has_focus_at(self, row: int) -> bool:
        """Whether the keyboard acts on a tile."""
        return self.hasFocus() and row == self.currentIndex().row()

    def first_in_sight(self) -> int:
        """Return the row of the first tile that is at least partly seen."""
        return self.rows_between(0, 0).start

    def tile_rect(self, row: int) -> QRect:
        """Return where a tile is in the viewport. The outer ones stand at the very edges, unlike a list's cells."""
        left = row % self.columns * (self._tile_width + self.gap)
        top = row // self.columns * self.cell.height() - self.verticalScrollBar().value()
        return QRect(left, top, self._tile_width, self.cell.height() - self.gap)

    def rows_between(self, top: int, bottom: int) -> range:
        """Return the rows with tiles between two heights of the viewport."""
        offset, height = self.verticalScrollBar().value(), self.cell.height()
        first = max(0, (top + offset) // height) * self.columns
        return range(first, max(first, min(len(self.keys), ((bottom + offset) // height + 1) * self.columns)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tiles in sight, and ask for their photos."""
        painter = QPainter(self.viewport())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        for row in self.rows_between(event.rect().top(), event.rect().bottom()):
            rect = self.tile_rect(row)
            if rect.intersects(event.rect()):
                self.paint_tile(painter, row, rect)
        painter.end()
        if not self._asking.isActive():
            self._asking.start(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width among the columns; the scroll bar's room is kept free, so that nothing jumps."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        room = max(40, self.maximumViewportSize().width() - bar)
        self.columns = max(1, (room + self.gap) // (self.least_width + self.gap))
        self._tile_width = (room - self.gap * (self.columns - 1)) // self.columns
        cell = QSize((room - 1) // self.columns, self.tile_height(self._tile_width) + self.gap)
        if cell != self.cell:
            self.cell = cell
            self.verticalScrollBar().setSingleStep(max(20, cell.height() // _PER_WHEEL_STEP))
            self.scheduleDelayedItemsLayout()
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens a tile."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and self.currentIndex().isValid() and self.state() is not QListView.State.EditingState:
            self.opened.emit(self.currentIndex().row())
            return
        super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget where the mouse was."""
        super().leaveEvent(event)
        self._hover(-1)

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell what a tile is when the mouse rests on it."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            row = self.indexAt(event.pos()).row()
            QToolTip.showText(event.globalPos(), self.tip(row) if row >= 0 else "", self.viewport())
            return True
        return super().viewportEvent(event)

    def _ask(self) -> None:
        """Ask for the photos in sight from the middle outwards, then for some of a page above and below."""
        height = self.viewport().height()
        seen = self.rows_between(0, height)
        near = self.rows_between(-height, 2 * height)
        middle = seen.start + len(seen) / 2
        self._rows_of = {}
        for row in sorted(near, key=lambda row: (row not in seen, abs(row - middle))):
            if row not in seen and len(self._rows_of) >= _MOST_AHEAD:
                break
            for path in self.photos_of(row):
                self._rows_of.setdefault(path, row)
        self.pictures.want(list(self._rows_of), round(self.picture_side() * self.devicePixelRatioF()))

    def _on_picture(self, path: Path) -> None:
        if path in self._rows_of:
            self.viewport().update(self.tile_rect(self._rows_of[path]))

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.opened.emit(index.row())

    def _on_entered(self, index: QModelIndex) -> None:
        self._hover(index.row())

    def _hover(self, row: int) -> None:
        for changed in {self._hovered, row} - {-1}:
            self.viewport().update(self.tile_rect(changed))
        self._hovered = row
