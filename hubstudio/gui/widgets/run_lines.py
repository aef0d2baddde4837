"""The lines of one run in a plot: what was measured, smoothed lines over it, and markers on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from hubstudio.gui.chart_contents import NOTHING, Series, Smoothed, smoothed_curve
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.theme import Colours
from hubstudio.gui.widgets.run_looks import SYMBOL_SIZE, LineStyle, marker

_MARKERS = 7  # on a line across the chart
_NO_LINES = Smoothed((), ())
_MOST_POINTS = 800  # a line; more than a chart has columns of pixels cannot be told apart


@dataclass(frozen=True)
class Drawing:
    """How a run is drawn; nothing is drawn again while this, the run and the span stay the same."""

    styles: tuple[LineStyle, LineStyle]
    """Of training and validation."""
    colours: Colours
    span: EpochSpan
    smoothing: float
    is_fine: bool
    """Whether dashes and smooth edges can be afforded."""
    has_markers: bool


class RunLines:
    """Training and validation of one run. Runs that end beyond the span cost no more than what is seen of them."""

    def __init__(self, pg: Any, view: Any) -> None:
        self.measured: tuple[Any, Any] = (view.plot(), view.plot())
        self.averaged: tuple[Any, Any] = (view.plot(), view.plot())
        self.markers: Any = pg.ScatterPlotItem(pxMode=True)
        view.addItem(self.markers)
        self.lines = _NO_LINES
        """Both lines as they are read: smoothed where smoothing is on."""
        self._series = Series("", NOTHING)
        self._drawing: Drawing | None = None

    def show(self, series: Series, drawing: Drawing) -> None:
        """Show another state of the run; the same one again costs nothing."""
        former, former_drawing = self._series, self._drawing
        if series == former and drawing == former_drawing:
            return
        self._series, self._drawing = series, drawing
        if former_drawing is None or (series.curve, drawing.smoothing) != (former.curve, former_drawing.smoothing):
            self.lines = smoothed_curve(series.curve, drawing.smoothing)
        is_same_place = former_drawing is not None and drawing.span == former_drawing.span
        if not (is_same_place and series.curve == former.curve):
            _fill(self.measured, Smoothed(series.curve.training, series.curve.validation), drawing.span)
        if drawing.smoothing or (former_drawing and former_drawing.smoothing):
            _fill(self.averaged, self.lines if drawing.smoothing else _NO_LINES, drawing.span)
        self._paint(series, drawing)
        self._mark(series, drawing)

    def clear(self) -> None:
        """Show nothing."""
        if self._drawing is not None:
            self._series, self._drawing, self.lines = Series("", NOTHING), None, _NO_LINES
            for items in (self.measured, self.averaged):
                _fill(items, _NO_LINES, EpochSpan.whole(1))
            self.markers.setData([], [])

    def _paint(self, series: Series, drawing: Drawing) -> None:
        behind = tuple(style.behind(drawing.colours) for style in drawing.styles)
        above = int(series.highlighted)
        for item, style in zip(self.measured, behind if drawing.smoothing else drawing.styles, strict=True):
            _dress(item, style, drawing, has_dots=len(series.curve) < 3)  # one epoch makes no line yet
            item.setZValue(-1 if drawing.smoothing else above)
        for item, style in zip(self.averaged, drawing.styles, strict=True):
            _dress(item, style, drawing, has_dots=False)
            item.setZValue(above)

    def _mark(self, series: Series, drawing: Drawing) -> None:
        values = self.lines.validation
        places = _marked(len(values), drawing.span, series.look) if drawing.has_markers else []
        seen = [place for place in places if math.isfinite(values[place - 1])]
        self.markers.setData(
            seen,
            [values[place - 1] for place in seen],
            symbol=marker(series.look),
            size=SYMBOL_SIZE + 2 * series.highlighted,
            brush=QColor(drawing.styles[1].colour),
            pen=_rim(drawing.colours),
        )
        self.markers.setZValue(2 + series.highlighted)


def _rim(colours: Colours) -> QPen:
    """Return the pen that keeps markers apart from the lines that they lie on."""
    pen = QPen(QColor(colours.surface), 1)
    pen.setCosmetic(True)  # else it would grow with the marker's path, over all of it
    return pen


def _fill(items: tuple[Any, Any], lines: Smoothed, span: EpochSpan) -> None:
    for item, values in zip(items, (lines.training, lines.validation), strict=True):
        item.setData(*_drawable(values, span))


def _dress(item: Any, style: LineStyle, drawing: Drawing, *, has_dots: bool) -> None:
    item.setPen(style.pen(dashes=drawing.is_fine))
    item.opts["antialias"] = drawing.is_fine
    item.setSymbol("o" if has_dots else None)
    item.setSymbolSize(6)
    item.setSymbolPen(QPen(Qt.PenStyle.NoPen))
    item.setSymbolBrush(QColor(style.colour))


def _drawable(values: Sequence[float], span: EpochSpan) -> tuple[list[int], list[float]]:
    """Return places and values in view, and those just beside it that lines lead to.

    Left out is what is no number: a diverged loss would end Qt in a crash.
    """
    first = max(span.first - 1, 1)
    seen = values[first - 1 : span.last + 1]
    places = [place for place, value in enumerate(seen, first) if math.isfinite(value)]
    return thinned(places, [value for value in seen if math.isfinite(value)])


def thinned(places: list[int], values: list[float]) -> tuple[list[int], list[float]]:
    """Return fewer points that look the same: of each handful of neighbours the lowest and the highest."""
    handful = math.ceil(2 * len(places) / _MOST_POINTS)
    if handful <= 2:
        return places, values
    kept: list[int] = []
    for first in range(0, len(places), handful):
        part = range(first, min(first + handful, len(places)))
        kept += sorted({min(part, key=values.__getitem__), max(part, key=values.__getitem__)})
    return [places[index] for index in kept], [values[index] for index in kept]


def _marked(count: int, span: EpochSpan, look: int) -> list[int]:
    """Return the epochs that have a marker: spread over the span, each run's elsewhere, and the last one."""
    step = max(1, math.ceil(span.width / _MARKERS))
    first, last = max(span.first, 1), min(span.last, count)
    places = [place for place in range(first, last + 1) if (place + look * step // _MARKERS) % step == 0]
    return [*places, last] if last >= first and last not in places else places
