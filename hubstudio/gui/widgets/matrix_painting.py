"""How the confusion matrix looks: blue where the model is right, red where it is not, the number in every cell."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from hubstudio.core.measures import Evaluation
from hubstudio.gui.theme import Colours

_GAP = 3
_ROUNDING = 4.0
_UPRIGHT_FROM = 56  # narrower columns have their names written upwards
_MOST_HEADER = 110


class MatrixPainter:
    """Paints one matrix with cells of one size."""

    def __init__(self, painter: QPainter, evaluation: Evaluation, colours: Colours, size: QSize) -> None:
        self._painter = painter
        self._evaluation = evaluation
        self._colours = colours
        self._size = size
        self._cells = QRect()
        self._offset = QPoint()
        self._most_right = max((row[place] for place, row in enumerate(evaluation.confusion)), default=0) or 1
        self._most_wrong = max((max(row) for row in _mistakes(evaluation)), default=0) or 1

    @staticmethod
    def header_height(metrics: QFontMetrics, column_width: int, widest_name: int) -> int:
        """Return the room above the cells for the names of the columns."""
        if column_width >= _UPRIGHT_FROM:
            return metrics.height() + 6
        return min(widest_name + 4, _MOST_HEADER)

    def paint(self, cells: QRect, offset: QPoint) -> None:
        """Paint the part of the matrix that is seen through ``cells`` when scrolled by ``offset``."""
        self._cells, self._offset = cells, offset
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rows, columns = self._in_view()
        self._paint_names(rows, columns)
        self._painter.setClipRect(cells)
        for row in rows:
            for column in columns:
                self._paint_cell(row, column)

    def paint_cursor(self, row: int, column: int, *, is_active: bool) -> None:
        """Frame the cell of the cursor."""
        pen = QPen(QColor(self._colours.text), 2 if is_active else 1)
        self._painter.setPen(pen)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRoundedRect(self._box(row, column).adjusted(1, 1, -1, -1), _ROUNDING, _ROUNDING)

    def _in_view(self) -> tuple[range, range]:
        count = len(self._evaluation.classes)
        first_row = self._offset.y() // self._size.height()
        first_column = self._offset.x() // self._size.width()
        last_row = (self._offset.y() + self._cells.height()) // self._size.height() + 1
        last_column = (self._offset.x() + self._cells.width()) // self._size.width() + 1
        return range(first_row, min(last_row, count)), range(first_column, min(last_column, count))

    def _box(self, row: int, column: int) -> QRect:
        left = self._cells.left() + column * self._size.width() - self._offset.x()
        top = self._cells.top() + row * self._size.height() - self._offset.y()
        return QRect(left, top, self._size.width() - _GAP, self._size.height() - _GAP)

    def _paint_names(self, rows: range, columns: range) -> None:
        self._painter.setPen(QColor(self._colours.muted))
        left, top = self._cells.left(), self._cells.top()
        self._painter.setClipRect(QRect(0, top, left, self._cells.height()))
        for row in rows:
            box = self._box(row, 0)
            self._paint_name(row, QRect(0, box.top(), left - 8, box.height()), Qt.AlignmentFlag.AlignLeft)
        self._painter.setClipRect(QRect(left, 0, self._cells.width(), top))
        for column in columns:
            box = self._box(0, column)
            self._paint_column_name(column, QRect(box.left(), 0, box.width(), top - 4))

    def _paint_column_name(self, column: int, box: QRect) -> None:
        if self._size.width() >= _UPRIGHT_FROM:
            self._paint_name(column, box, Qt.AlignmentFlag.AlignHCenter)
            return
        self._painter.save()
        self._painter.translate(box.left(), box.bottom())
        self._painter.rotate(-90)
        self._paint_name(column, QRect(0, 0, box.height(), box.width()), Qt.AlignmentFlag.AlignLeft)
        self._painter.restore()

    def _paint_name(self, place: int, box: QRect, side: Qt.AlignmentFlag) -> None:
        name = " ".join(self._evaluation.classes[place].split("\n"))
        text = self._painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, box.width())
        self._painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_cell(self, row: int, column: int) -> None:
        photos = self._evaluation.confusion[row][column]
        ground = self._ground(photos, is_right=row == column)
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(ground)
        box = self._box(row, column)
        self._painter.drawRoundedRect(box, _ROUNDING, _ROUNDING)
        if photos or row == column:
            self._painter.setPen(readable_on(ground))
            self._painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{photos:,}")

    def _ground(self, photos: int, *, is_right: bool) -> QColor:
        if not photos:
            return mixed(self._colours.track, self._colours.surface, 0.35)
        most = self._most_right if is_right else self._most_wrong
        colour = self._colours.matrix_right if is_right else self._colours.matrix_wrong
        return mixed(colour, self._colours.surface, 0.3 + 0.55 * photos / most)


def mixed(colour: str, ground: str, share: float) -> QColor:
    """Return ``share`` of a colour on a ground."""
    one, other = QColor(colour), QColor(ground)
    return QColor.fromRgbF(
        one.redF() * share + other.redF() * (1 - share),
        one.greenF() * share + other.greenF() * (1 - share),
        one.blueF() * share + other.blueF() * (1 - share),
    )


def readable_on(ground: QColor) -> QColor:
    """Return black or white, whichever stands out more (WCAG 2.2 relative luminance)."""
    return QColor("#000000") if luminance(ground) > 0.179 else QColor("#ffffff")


def luminance(colour: QColor) -> float:
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.2)."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mistakes(evaluation: Evaluation) -> list[list[int]]:
    return [[count for place, count in enumerate(row) if place != own] or [0]
            for own, row in enumerate(evaluation.confusion)]  # fmt: skip
