"""The photos of a class as small squares."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication

from hubstudio.gui.class_photos import ClassPhotos
from hubstudio.gui.theme import Colours, colours_of
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.photo_painting import draw_photo, sized_font
from hubstudio.gui.widgets.tile_grid import TileGrid

_RING, _ROUNDING = 3, 8.0


class PhotoGrid(TileGrid):
    """One tile per photo; several can be selected."""

    delete_pressed = Signal()
    least_width, gap = 128, 8

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(thumbnails)
        self._shown = ClassPhotos("", ())
        self.setObjectName("photos_of_class")
        self.setAccessibleName("Photos")
        self.setSelectionMode(TileGrid.SelectionMode.ExtendedSelection)

    def show_class(self, shown: ClassPhotos) -> None:
        """Show the photos of a class."""
        self._shown = shown
        apart = shown.left_out or shown.unreadable
        self.show_tiles(shown.paths, [shown.text(path) if apart else path.name for path in shown.paths])

    def selected_paths(self) -> list[Path]:
        """Return the selected photos from top to bottom."""
        return [self._shown.paths[row] for row in self.selected_rows()]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete is told."""
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
            return
        super().keyPressEvent(event)

    def picture_side(self) -> int:
        """Return a side that is enough for tiles of every width of the window."""
        return 160

    def photos_of(self, row: int) -> list[Path]:
        """Return the one photo."""
        return [self._shown.paths[row]]

    def paint_tile(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paint a photo, faded if it is not used, with a ring if it is selected."""
        colours, path = colours_of(self.palette()), self._shown.paths[row]
        state = self._shown.state(path)
        is_selected = self.is_selected(row)
        if is_selected or self.has_focus_at(row) or self.is_hovered(row):
            colour = colours.accent if is_selected or self.has_focus_at(row) else colours.muted
            painter.setPen(QPen(QColor(colour), _RING if is_selected else 1.5))
            painter.setBrush(QColor(colours.accent_soft) if is_selected else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -1.5), _ROUNDING, _ROUNDING)
        square = QRectF(rect).adjusted(5, 5, -5, -5)
        mark = "?" if self.pictures.is_unreadable(path) else ""
        draw_photo(painter, square, self.pictures.picture(path), colours, mark=mark, faded=bool(state))
        if state:
            self._paint_state(painter, square, state, colours)

    def _paint_state(self, painter: QPainter, square: QRectF, state: str, colours: Colours) -> None:
        font = sized_font(self, 0.85)
        metrics = QFontMetrics(font)
        words = metrics.elidedText(state, Qt.TextElideMode.ElideRight, round(square.width()) - 20)
        line = QRectF(square.left() + 5, square.bottom() - metrics.height() - 8,
                      metrics.horizontalAdvance(words) + 10, metrics.height() + 3)  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.surface))
        painter.drawRoundedRect(line, 4, 4)
        painter.setPen(QColor(colours.text))
        painter.setFont(font)
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, words)
        painter.setFont(QApplication.font())
