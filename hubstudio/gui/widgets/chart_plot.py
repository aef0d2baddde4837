"""The plot of a chart: axes and lines, drawn by pyqtgraph, which is imported when the first one is made."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from hubstudio.gui.chart_contents import ChartContents, Measure, Series, Smoothed, value_range
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.qt_types import CHART_LIBRARY
from hubstudio.gui.theme import Colours
from hubstudio.gui.widgets.run_lines import Drawing, RunLines
from hubstudio.gui.widgets.run_looks import LineStyle, line_styles, overlay_styles, run_colour

_HALF_A_NUMBER = 0.055  # of the height: a number that is cut at the edge is not drawn at all
_FINE_POINTS = 4000  # beyond it dashes and smooth edges cannot be seen and cost time


class ChartPlot:
    """Draws contents within a span. ``widget`` lets the mouse through to what it stands in."""

    def __init__(self, measure: Measure) -> None:
        self._pg: Any = importlib.import_module(CHART_LIBRARY)  # Any: it has no types
        self._measure = measure
        self.view: Any = _bare_plot(self._pg, measure)
        self.widget: QWidget = self.view
        self.boundary: Any = self._pg.InfiniteLine(angle=90, movable=False)
        self.view.addItem(self.boundary)
        self.runs = [RunLines(self._pg, self.view)]
        self._span: EpochSpan | None = None
        self._range = (0.0, 0.0)
        self._drawn: tuple[ChartContents, EpochSpan, Colours] | None = None
        self._shown = 0

    @property
    def lines(self) -> tuple[Smoothed, ...]:
        """The lines that are drawn for each run, in the order of the contents."""
        return tuple(run.lines for run in self.runs[: self._shown])

    @property
    def area(self) -> QRectF:
        """Where the lines are, in what the widget stands in; so are all places that this tells or is told."""
        box = self.view.getViewBox().sceneBoundingRect()
        return QRectF(self.view.mapFromScene(box).boundingRect()).translated(QPointF(self.widget.pos()))

    def epoch_at(self, x: float) -> float:
        """Return the place on the axis at a pixel."""
        area, span = self.area, self._span or EpochSpan.whole(1)
        return span.low + (x - area.left()) / max(area.width(), 1) * span.width

    def pixel_of(self, epoch: float, value: float) -> QPointF:
        """Return where a point of a line is."""
        area, span, (low, high) = self.area, self._span or EpochSpan.whole(1), self._range
        across, up = (epoch - span.low) / span.width, (value - low) / (high - low)
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    def render(self, painter: QPainter, place: QRectF, fineness: float) -> None:
        """Paint the plot elsewhere, with so many pixels to one of the screen's."""
        if self._drawn is None:
            return
        contents, span, colours = self._drawn
        self._draw_runs(contents, span, colours, fineness)
        self.view.render(painter, place, self.widget.rect())
        self._draw_runs(contents, span, colours)

    def draw(self, contents: ChartContents, span: EpochSpan, colours: Colours) -> None:
        """Show the contents; lines that are as they were are not touched."""
        self._set_span(span)
        self.boundary.setPos(contents.boundary + 0.5)
        self.boundary.setVisible(contents.boundary > 0)
        self._draw_runs(contents, span, colours)
        self._set_range(value_range(self._measure, contents, self.lines, span))
        if self._drawn is None or self._drawn[2] is not colours:
            self._paint_in(colours)
        self._drawn = contents, span, colours

    def _draw_runs(self, contents: ChartContents, span: EpochSpan, colours: Colours, fineness: float = 1.0) -> None:
        series = contents.series
        self._shown = len(series)
        while len(self.runs) < len(series):  # kept when runs go: others come
            self.runs.append(RunLines(self._pg, self.view))
        points = sum(min(len(one.curve), int(span.width) + 2) for one in series) * (4 if contents.smoothing else 2)
        for one, run in zip(series, self.runs, strict=False):
            training, validation = _styles(one, contents, colours)
            styles = training.times(fineness), validation.times(fineness)
            is_fine = points <= _FINE_POINTS
            run.show(one, Drawing(styles, colours, span, contents.smoothing, is_fine, contents.is_overlay))
        for run in self.runs[len(series) :]:
            run.clear()

    def _set_span(self, span: EpochSpan) -> None:
        if span != self._span:
            self._span = span
            self.view.setXRange(span.low, span.high, padding=0)
            self.view.getAxis("bottom").setTickSpacing(levels=[(_whole_step(span.width), 0)])

    def _set_range(self, wanted: tuple[float, float]) -> None:
        low, high = wanted
        step = _round_step(high - low, 6)
        uppermost = math.floor(high / step + 1e-9) * step  # of the lines with a number
        wanted = low, max(high, uppermost + _HALF_A_NUMBER * (high - low))
        if wanted != self._range:
            self._range = wanted
            self.view.setYRange(*wanted, padding=0)
            self.view.getAxis("left").setTickSpacing(levels=[(step, 0)])

    def _paint_in(self, colours: Colours) -> None:
        self.view.setBackground(QColor(colours.surface))
        for name in ("bottom", "left"):
            axis = self.view.getAxis(name)
            axis.setPen(QColor(colours.border))
            axis.setTextPen(QColor(colours.muted))
        self.boundary.setPen(QPen(QColor(colours.muted), 0, Qt.PenStyle.DotLine))


def _styles(series: Series, contents: ChartContents, colours: Colours) -> tuple[LineStyle, LineStyle]:
    if not contents.is_overlay:
        return line_styles(colours)
    return overlay_styles(run_colour(series.look, colours), colours, highlighted=series.highlighted)


def _bare_plot(pg: Any, measure: Measure) -> Any:
    """Return a plot that only shows: mouse and keys are for the chart around it."""

    def tick_texts(values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [measure.tick(value * scale, spacing * scale) for value in values]

    plot = pg.PlotWidget()
    plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAccessibleName(f"{measure.title} lines")
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.getViewBox().disableAutoRange()
    plot.showGrid(x=False, y=True, alpha=0.5)
    left, bottom = plot.getAxis("left"), plot.getAxis("bottom")
    left.tickStrings = tick_texts
    bottom.setStyle(tickLength=-4, hideOverlappingLabels=False)  # else the last epoch would have no number
    plot.getPlotItem().layout.setContentsMargins(1, 1, 8, 1)  # where half of that number stands
    left.setStyle(tickLength=0, maxTickLevel=0)
    left.setZValue(-1)  # its lines across the chart go below what was measured
    return plot


def _round_step(size: float, ticks: int) -> float:
    """Return a round distance that divides ``size`` into about so many parts."""
    power = 10 ** math.floor(math.log10(size / ticks))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= size / ticks)


def _whole_step(epochs: float) -> int:
    """Return the distance of ticks, a round number, so that about eight fit."""
    return max(1, round(_round_step(epochs, 8)))
