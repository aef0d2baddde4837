"""What lies over a chart: the line through one epoch with its numbers in a box, the range being drawn, the focus."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from hubstudio.gui.chart_reading import Reading, ReadingDot, ReadingRow, without_first_column
from hubstudio.gui.theme import Colours, colours_of
from hubstudio.gui.widgets.chart_plot import ChartPlot
from hubstudio.gui.widgets.run_looks import LineStyle, line_styles, overlay_styles, paint_key, run_colour

_PADDING, _GAP, _KEY = 8, 10, 20
_AWAY = 12  # from the line through the epoch
_SMALLEST_LETTERS = 8  # pixels
_SHORTEST_NAME, _LONGEST_NAME = 36, 110


class ChartHover(QWidget):
    """Paints over the plot and lets the mouse through. Places are asked for while painting: the plot may resize."""

    def __init__(self, plot: ChartPlot, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._plot = plot
        self._reading: Reading | None = None
        self._band: tuple[float, float] | None = None
        self._has_focus = False

    @property
    def reading(self) -> Reading | None:
        """The numbers that are shown."""
        return self._reading

    @property
    def band(self) -> tuple[float, float] | None:
        """The range that is being drawn, in pixels."""
        return self._band

    def show_reading(self, reading: Reading | None) -> None:
        """Show the numbers at another epoch, or none."""
        if reading != self._reading:
            self._reading = reading
            self.update()

    def show_band(self, band: tuple[float, float] | None) -> None:
        """Show a range, in pixels, or none."""
        self._band = band
        self.update()

    def show_focus(self, has_focus: bool) -> None:
        """Show whether keys come here."""
        self._has_focus = has_focus
        self.update()

    def box_of(self, reading: Reading) -> QRectF:
        """Return where the box is: beside its epoch, and whole within the chart."""
        heights = [self._plot.pixel_of(reading.place, dot.value).y() for dot in reading.dots]
        x, y = self._plot.pixel_of(reading.place, 0).x(), sum(heights) / len(heights) if heights else 0.0
        box = _ReadingBox(reading, self.font(), colours_of(self.palette()), self.width())
        return box.place(QPointF(x, y), self._plot.area, QRectF(self.rect()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it all."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = colours_of(self.palette())
        if self._band:
            self._paint_band(painter, self._band, colours)
        if self._reading:
            self._paint_reading(painter, self._reading, colours)
        if self._has_focus:
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _paint_band(self, painter: QPainter, band: tuple[float, float], colours: Colours) -> None:
        area = self._plot.area
        left, right = sorted(min(max(x, area.left()), area.right()) for x in band)
        ground = QColor(colours.accent)
        ground.setAlphaF(0.15)
        painter.fillRect(QRectF(left, area.top(), right - left, area.height()), ground)
        painter.setPen(QPen(QColor(colours.accent), 1))
        for x in (left, right):
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_reading(self, painter: QPainter, reading: Reading, colours: Colours) -> None:
        area = self._plot.area
        x = self._plot.pixel_of(reading.place, 0).x()
        painter.setPen(QPen(QColor(colours.muted), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        for dot in reading.dots:
            point = self._plot.pixel_of(reading.place, dot.value)
            painter.setPen(QPen(QColor(colours.surface), 1.5))
            painter.setBrush(QColor(_style_of(dot, reading, colours).colour))
            painter.drawEllipse(point, 4, 4)
        box = _ReadingBox(reading, self.font(), colours, self.width())
        box.paint(painter, self.box_of(reading))


@dataclass(frozen=True)
class _Columns:
    """Widths of the box's columns."""

    name: float
    cells: tuple[float, ...]

    @property
    def width(self) -> float:
        """Of all of them, with the key."""
        return _KEY + _GAP + self.name + sum(_GAP + cell for cell in self.cells)


class _ReadingBox:
    """The box with the numbers: a title, columns, a line for each run or part.

    Where it is narrow, names are shortened, then a column is left out, then the letters get smaller.
    """

    def __init__(self, reading: Reading, font: QFont, colours: Colours, width: float) -> None:
        self._reading, self._colours = reading, colours
        self._font, self._bold = QFont(font), QFont(font)
        self._bold.setBold(True)
        self._set_letters(max(11, round(QFontMetrics(font).height() * 0.72)))
        self._fit(width - 2 * _PADDING - 4)

    @property
    def size(self) -> QSizeF:
        """How large it is."""
        lines = 1 + bool(self._reading.columns) + len(self._reading.rows) + bool(self._reading.note)
        title = QFontMetrics(self._bold).horizontalAdvance(_capital(self._reading.title))
        width = max(self._columns.width, title) + 2 * _PADDING
        return QSizeF(width, lines * self._line + 2 * _PADDING - 2)

    def place(self, point: QPointF, area: QRectF, chart: QRectF) -> QRectF:
        """Return the box where it covers little: beside a point, and above or below, where the point is not.

        It is never outside the chart.
        """
        size, x = self.size, point.x()
        is_right = x + _AWAY + size.width() <= chart.right() - 2 or x - area.left() < area.right() - x
        left = x + _AWAY if is_right else x - _AWAY - size.width()
        left = max(chart.left() + 2, min(left, chart.right() - 2 - size.width()))
        wanted = area.top() + 6 if point.y() > area.center().y() else area.bottom() - 6 - size.height()
        top = max(chart.top() + 2, min(wanted, chart.bottom() - 2 - size.height()))
        return QRectF(QPointF(left, top), size)

    def paint(self, painter: QPainter, box: QRectF) -> None:
        """Draw it."""
        painter.setPen(QPen(QColor(self._colours.border), 1))
        ground = QColor(self._colours.surface)
        ground.setAlphaF(0.94)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 6, 6)
        line = QRectF(box.left() + _PADDING, box.top() + _PADDING - 1, box.width() - 2 * _PADDING, self._line)
        self._write(painter, line, _capital(self._reading.title), self._colours.text, is_bold=True)
        if self._reading.columns:
            line.translate(0, self._line)
            self._write_cells(painter, line, self._reading.columns, self._colours.muted)
        for row in self._reading.rows:
            line.translate(0, self._line)
            self._paint_row(painter, line, row)
        if self._reading.note:
            line.translate(0, self._line)
            self._write(painter, line, self._reading.note, self._colours.muted)

    def _paint_row(self, painter: QPainter, line: QRectF, row: ReadingRow) -> None:
        key = QRectF(line.left(), line.top(), _KEY, self._line)
        paint_key(painter, key, [_key_style(row, self._colours)], row.look)
        name = QRectF(key.right() + _GAP / 2, line.top(), self._columns.name + _GAP / 2, self._line)
        shown = self._metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, int(name.width()))
        self._write(painter, name, shown, self._colours.muted if row.look is None else self._colours.text)
        self._write_cells(painter, line, row.cells, self._colours.text)

    def _write_cells(self, painter: QPainter, line: QRectF, cells: tuple[str, ...], colour: str) -> None:
        right = line.left() + self._columns.width
        for text, width in reversed(list(zip(cells, self._columns.cells, strict=True))):
            self._write(painter, QRectF(right - width, line.top(), width + 1, self._line), text, colour, at_right=True)
            right -= width + _GAP

    def _write(
        self, painter: QPainter, place: QRectF, text: str, colour: str, *, at_right: bool = False, is_bold: bool = False
    ) -> None:
        painter.setFont(self._bold if is_bold else self._font)
        painter.setPen(QColor(colour))
        side = Qt.AlignmentFlag.AlignRight if at_right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, int(side | Qt.AlignmentFlag.AlignVCenter), text)

    def _fit(self, room: float) -> None:
        if self._reading.can_spare_first and self._measured(room).width > room:
            self._reading = without_first_column(self._reading)
        while self._measured(room).width > room and self._font.pixelSize() > _SMALLEST_LETTERS:
            self._set_letters(self._font.pixelSize() - 1)
        self._columns = self._measured(room)

    def _set_letters(self, pixels: int) -> None:
        self._font.setPixelSize(pixels)
        self._bold.setPixelSize(pixels)
        self._metrics = QFontMetrics(self._font)
        self._line = self._metrics.height() + 2.0

    def _measured(self, room: float) -> _Columns:
        reading = self._reading
        table = [row.cells for row in reading.rows] + ([reading.columns] if reading.columns else [])
        cells = tuple(max(self._advance(text) for text in column) for column in zip(*table, strict=True))
        free = room - _Columns(0, cells).width
        names = max((self._advance(row.name) for row in reading.rows), default=0)
        return _Columns(max(min(names, free, _LONGEST_NAME), _SHORTEST_NAME), cells)

    def _advance(self, text: str) -> float:
        return self._metrics.horizontalAdvance(text) + 1


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _style_of(dot: ReadingDot, reading: Reading, colours: Colours) -> LineStyle:
    is_overlay = any(row.look is not None for row in reading.rows)
    styles = overlay_styles(run_colour(dot.look, colours), colours) if is_overlay else line_styles(colours)
    return styles[dot.is_validation]


def _key_style(row: ReadingRow, colours: Colours) -> LineStyle:
    if row.look is None:
        return line_styles(colours)[row.is_validation]
    return overlay_styles(run_colour(row.look, colours), colours)[1]
