"""A chart as a picture to keep: with its title and a legend, in the colours of the theme, twice as fine as a screen."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QImageWriter, QPainter

from hubstudio.gui.theme import Colours, colours_of
from hubstudio.gui.widgets.chart_legend import legend_styles
from hubstudio.gui.widgets.line_chart import LineChart
from hubstudio.gui.widgets.run_looks import overlay_styles, paint_key, run_colour

_SCALE = 2
_MARGIN, _KEY, _GAP = 14, 24, 7


def chart_png(chart: LineChart, title: str) -> bytes:
    """Return the chart as a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"png")
    if not writer.write(chart_image(chart, title)):
        raise RuntimeError(f"Qt wrote no PNG: {writer.errorString()}")
    return bytes(buffer.data().data())


def chart_image(chart: LineChart, title: str) -> QImage:
    """Return the chart as it stands, without what is only there for the mouse."""
    return _Picture(chart, title).painted()


class _Picture:
    """Title and lines' names, plot, the axis's name, then the runs' names."""

    def __init__(self, chart: LineChart, title: str) -> None:
        self._chart, self._title = chart, title
        self._colours: Colours = colours_of(chart.palette())
        self._font, self._heading = QFont(chart.font()), QFont(chart.font())
        self._heading.setBold(True)
        self._heading.setPixelSize(round(QFontMetrics(self._font).height() * 0.95))
        self._line = QFontMetrics(self._font).height() + 6
        self._plot = chart.plot.widget.size()
        series = chart.contents.series if chart.contents.is_overlay else ()
        self._runs = [(one.name, run_colour(one.look, self._colours), one.look) for one in series]

    def painted(self) -> QImage:
        size = self._size()
        image = QImage(size * _SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(_SCALE)
        image.fill(QColor(self._colours.surface))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = _MARGIN + self._line + 4
        head = QRectF(_MARGIN, _MARGIN, self._plot.width(), self._line)
        self._write(painter, head, self._title, self._heading)
        self._paint_lines(painter, head)
        self._chart.plot.render(painter, QRectF(QPointF(_MARGIN, top), self._plot), _SCALE)
        self._paint_below(painter, top + self._plot.height())
        painter.end()
        return image

    def _size(self) -> QSize:
        lines = 2 + len(self._runs)
        height = 2 * _MARGIN + self._line * lines + 4 + self._plot.height()
        return QSize(self._plot.width() + 2 * _MARGIN, height)

    def _paint_below(self, painter: QPainter, top: int) -> None:
        row = QRectF(_MARGIN, top, self._plot.width(), self._line)
        self._write(painter, row, "epoch", self._font, Qt.AlignmentFlag.AlignHCenter)
        for name, colour, look in self._runs:
            row.translate(0, self._line)
            key = QRectF(row.left(), row.top(), _KEY, self._line)
            paint_key(painter, key, [overlay_styles(colour, self._colours)[1].times(_SCALE)], look)
            self._write(painter, row.adjusted(_KEY + _GAP, 0, 0, 0), self._elided(name, row.width()), self._font)

    def _paint_lines(self, painter: QPainter, row: QRectF) -> None:
        """Say at the row's right end which line is which."""
        right = row.right()
        for style in reversed(legend_styles(self._colours, is_overlay=self._chart.contents.is_overlay)):
            text = QRectF(right - self._advance(style.name), row.top(), self._advance(style.name), self._line)
            self._write(painter, text, style.name, self._font)
            key = QRectF(text.left() - _GAP - _KEY, row.top(), _KEY, self._line)
            paint_key(painter, key, [style.times(_SCALE)])
            right = key.left() - 2 * _GAP

    def _write(
        self,
        painter: QPainter,
        place: QRectF,
        text: str,
        font: QFont,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        painter.setFont(font)
        painter.setPen(QColor(self._colours.text if font is self._heading else self._colours.muted))
        painter.drawText(place, int(side | Qt.AlignmentFlag.AlignVCenter), text)

    def _advance(self, text: str) -> float:
        return QFontMetrics(self._font).horizontalAdvance(text) + 1.0

    def _elided(self, name: str, width: float) -> str:
        room = int(width - _KEY - _GAP)
        return QFontMetrics(self._font).elidedText(name, Qt.TextElideMode.ElideMiddle, room)
