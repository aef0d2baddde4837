"""The confusion matrix as a picture: one cell for every pair of classes, with a cursor that the arrow keys move."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from hubstudio.core.measures import Evaluation
from hubstudio.core.photos import count_of
from hubstudio.gui.theme import colours_of
from hubstudio.gui.widgets.matrix_painting import MatrixPainter

_SMALLEST_CELL = QSize(34, 28)
_LARGEST_CELL = QSize(110, 52)
_FAR = 1_000_000
_MOVES: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Home: (0, -_FAR),
    Qt.Key.Key_End: (0, _FAR),
    Qt.Key.Key_PageUp: (-10, 0),
    Qt.Key.Key_PageDown: (10, 0),
}


class ConfusionMatrix(QAbstractScrollArea):
    """Paints only the cells in view, so that a hundred classes cost no more than ten."""

    cell_changed = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confusion_matrix")
        self.setAccessibleName("Confusion matrix")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._evaluation: Evaluation | None = None
        self._cell = (0, 0)
        self._size = _SMALLEST_CELL
        self._left, self._top = 0, 0
        self.verticalScrollBar().valueChanged.connect(self.viewport().update)
        self.horizontalScrollBar().valueChanged.connect(self.viewport().update)

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self._cell

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show another matrix; the cursor goes to its most frequent mistake."""
        self._evaluation = evaluation
        self._measure()
        self.updateGeometry()
        self.viewport().update()
        self.set_cell(*worst_cell(evaluation))

    def set_cell(self, row: int, column: int) -> None:
        """Move the cursor, at most to the edge."""
        if not self._evaluation:
            return
        last = len(self._evaluation.classes) - 1
        self._cell = (min(max(row, 0), last), min(max(column, 0), last))
        self._scroll_to_cell()
        self.setAccessibleDescription(cell_text(self._evaluation, *self._cell))
        self.viewport().update()
        self.cell_changed.emit(*self._cell)

    def cell_at(self, point: QPoint) -> tuple[int, int] | None:
        """Return the cell below a point of the viewport."""
        if not self._evaluation or point.x() < self._left or point.y() < self._top:
            return None
        column = (point.x() - self._left + self.horizontalScrollBar().value()) // self._size.width()
        row = (point.y() - self._top + self.verticalScrollBar().value()) // self._size.height()
        count = len(self._evaluation.classes)
        return (row, column) if row < count and column < count else None

    def sizeHint(self) -> QSize:
        """Ask for room for large cells."""
        count = len(self._evaluation.classes) if self._evaluation else 4
        height = min(self._top + count * _LARGEST_CELL.height(), 620)
        return QSize(self._left + min(count, 12) * _LARGEST_CELL.width(), height)

    def minimumSizeHint(self) -> QSize:
        """Make do with small cells, and with scrolling beyond a dozen of them."""
        count = len(self._evaluation.classes) if self._evaluation else 4
        height = self._top + min(count, 12) * _SMALLEST_CELL.height()
        return QSize(self._left + min(count, 6) * _SMALLEST_CELL.width(), height + 14)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor."""
        move = _MOVES.get(event.key())
        if move is None:
            super().keyPressEvent(event)
            return
        self.set_cell(self._cell[0] + move[0], self._cell[1] + move[1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor where the mouse is."""
        if cell := self.cell_at(event.position().toPoint()):
            self.set_cell(*cell)

    def viewportEvent(self, event: QEvent) -> bool:
        """Say on hover what a cell means."""
        if isinstance(event, QHelpEvent) and self._evaluation:
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), cell_text(self._evaluation, *cell) if cell else "")
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the cells."""
        super().resizeEvent(event)
        self._measure()

    def focusInEvent(self, event: QEvent) -> None:
        """Show the cursor as active."""
        self.viewport().update()

    def focusOutEvent(self, event: QEvent) -> None:
        """Show the cursor as resting."""
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what is in view."""
        del event
        if not self._evaluation:
            return
        painter = QPainter(self.viewport())
        painting = MatrixPainter(painter, self._evaluation, colours_of(self.palette()), self._size)
        painting.paint(
            QRect(QPoint(self._left, self._top), self.viewport().rect().bottomRight()),
            QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value()),
        )
        painting.paint_cursor(*self._cell, is_active=self.hasFocus())
        painter.end()

    def _measure(self) -> None:
        """Decide the cells' size by the room there is."""
        if not self._evaluation:
            return
        names = self._evaluation.classes
        widest = max(self.fontMetrics().horizontalAdvance(name) for name in names) + 10
        self._left = min(widest, 150, max(60, self.viewport().width() // 3))
        across = self.viewport().width() - self._left
        width = _fitting(across, len(names), _SMALLEST_CELL.width(), _LARGEST_CELL.width())
        self._top = MatrixPainter.header_height(self.fontMetrics(), width, widest)
        room = self.viewport().height() - self._top
        height = _fitting(room, len(names), _SMALLEST_CELL.height(), _LARGEST_CELL.height())
        self._size = QSize(width, height)
        self._set_bar(Qt.Orientation.Horizontal, len(names) * width, across)
        self._set_bar(Qt.Orientation.Vertical, len(names) * height, room)

    def _set_bar(self, orientation: Qt.Orientation, size: int, room: int) -> None:
        is_across = orientation is Qt.Orientation.Horizontal
        bar = self.horizontalScrollBar() if is_across else self.verticalScrollBar()
        bar.setRange(0, max(0, size - room))
        bar.setPageStep(max(1, room))
        bar.setSingleStep(self._size.width() if is_across else self._size.height())

    def _scroll_to_cell(self) -> None:
        row, column = self._cell
        for bar, place, size, room in (
            (self.horizontalScrollBar(), column, self._size.width(), self.viewport().width() - self._left),
            (self.verticalScrollBar(), row, self._size.height(), self.viewport().height() - self._top),
        ):
            if place * size < bar.value():
                bar.setValue(place * size)
            elif (place + 1) * size > bar.value() + room:
                bar.setValue((place + 1) * size - room)


def cell_text(evaluation: Evaluation, row: int, column: int) -> str:
    """Return what a cell says: 'pansy taken for iris: 3 photos'."""
    truth, answer = evaluation.classes[row], evaluation.classes[column]
    photos = evaluation.confusion[row][column]
    if row == column:
        return f"{truth} recognised: {photos:,} of {count_of(sum(evaluation.confusion[row]), 'photo')}"
    return f"{truth} taken for {answer}: {count_of(photos, 'photo')}"


def worst_cell(evaluation: Evaluation) -> tuple[int, int]:
    """Return the most frequent mistake, or the first cell where there is none."""
    mistakes = [
        (photos, row, column)
        for row, line in enumerate(evaluation.confusion)
        for column, photos in enumerate(line)
        if row != column and photos
    ]
    if not mistakes:
        return 0, 0
    _, row, column = max(mistakes, key=lambda mistake: (mistake[0], -mistake[1], -mistake[2]))
    return row, column


def _fitting(room: int, count: int, smallest: int, largest: int) -> int:
    return min(max(room // count, smallest), largest)
