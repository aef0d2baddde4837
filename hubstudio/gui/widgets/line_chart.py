"""Training and validation as two lines over the epochs. Imports pyqtgraph when the first chart is made."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.events import Phase
from hubstudio.core.run_state import percent
from hubstudio.gui.learning_curves import Curve
from hubstudio.gui.qt_types import CHART_LIBRARY
from hubstudio.gui.theme import Colours, colours_of

_MANY_POINTS = 1000  # beyond it dashes and smooth edges cannot be seen and cost time


@dataclass(frozen=True)
class Measure:
    """What a chart shows: its name, and how its numbers are written."""

    title: str
    is_share: bool = False

    def text(self, value: float) -> str:
        """Return a number for a person."""
        if not math.isfinite(value):
            return "–"
        return percent(value) if self.is_share else f"{value:.3f}"

    def tick(self, value: float, spacing: float) -> str:
        """Return a number beside the axis, as exact as the distance of the ticks asks for."""
        if self.is_share:
            value, spacing = value * 100, spacing * 100
        places = max(0, -math.floor(math.log10(spacing) + 1e-9)) if spacing > 0 else 0
        return f"{value:.{places}f} %" if self.is_share else f"{value:.{places}f}"


LOSS = Measure("Loss")
ACCURACY = Measure("Accuracy", is_share=True)


class LineChart(QWidget):
    """A chart that only draws anew what has changed; its accessible description says where the lines stand."""

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measure = measure
        self._curve = Curve()
        self._range = (0.0, 1.0)
        self.setObjectName(f"{measure.title.casefold()}_chart")
        self.setAccessibleName(f"{measure.title} chart")
        self.setAccessibleDescription(description(measure, self._curve))
        self.setMinimumHeight(200)
        pg: Any = importlib.import_module(CHART_LIBRARY)  # Any: it has no types
        self._plot: Any = _bare_plot(pg, measure)
        self._lines: tuple[Any, Any] = (self._plot.plot(), self._plot.plot())
        self._boundary: Any = pg.InfiniteLine(angle=90, movable=False)
        self._boundary.setVisible(False)
        self._plot.addItem(self._boundary)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._plot, 1)
        layout.addLayout(_below())
        self._paint_in(colours_of(self.palette()))
        self._set_span(self._curve)
        self._plot.setYRange(*self._range, padding=0)

    @property
    def curve(self) -> Curve:
        """What is shown."""
        return self._curve

    def show_curve(self, curve: Curve) -> None:
        """Show another state of the lines; the same one again costs nothing."""
        if curve == self._curve:
            return
        former, self._curve = self._curve, curve
        if (curve.planned, curve.boundary) != (former.planned, former.boundary):
            self._set_span(curve)
        for line, values in zip(self._lines, (curve.training, curve.validation), strict=True):
            line.setData(*_drawable(values))
        self._set_range(_range_of((*curve.training, *curve.validation), self._measure))
        if _look(curve) != _look(former):
            self._paint_in(colours_of(self.palette()))
        self.setAccessibleDescription(description(self._measure, curve))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._paint_in(colours_of(self.palette()))

    def _set_span(self, curve: Curve) -> None:
        self._plot.setXRange(0.5, curve.planned + 0.5, padding=0)
        step = _whole_step(curve.planned)
        self._plot.getAxis("bottom").setTickSpacing(levels=[(step, 0)])
        self._boundary.setPos(curve.boundary + 0.5)
        self._boundary.setVisible(curve.boundary > 0)

    def _set_range(self, wanted: tuple[float, float]) -> None:
        if wanted != self._range:
            self._range = wanted
            self._plot.setYRange(*wanted, padding=0)
            step = _round_step(wanted[1] - wanted[0], 6)
            self._plot.getAxis("left").setTickSpacing(levels=[(step, 0)])

    def _paint_in(self, colours: Colours) -> None:
        few = len(self._curve.training) <= _MANY_POINTS
        self._plot.setBackground(QColor(colours.surface))
        for line, style in zip(self._lines, line_styles(colours), strict=True):
            line.setPen(style.pen(dashes=few))
            line.opts["antialias"] = few
            line.setSymbol("o" if len(self._curve.training) < 3 else None)  # one epoch makes no line yet
            line.setSymbolSize(6)
            line.setSymbolPen(None)
            line.setSymbolBrush(QColor(style.colour))
        for name in ("bottom", "left"):
            axis = self._plot.getAxis(name)
            axis.setPen(QColor(colours.border))
            axis.setTextPen(QColor(colours.muted))
        self._boundary.setPen(QPen(QColor(colours.muted), 0, Qt.PenStyle.DotLine))


@dataclass(frozen=True)
class LineStyle:
    """How one line looks; dashes tell the lines apart without colour."""

    name: str
    colour: str
    dashed: bool

    def pen(self, *, dashes: bool = True) -> QPen:
        """Return the pen, for a chart or its legend."""
        pen = QPen(QColor(self.colour), 2)
        pen.setCosmetic(True)
        if self.dashed and dashes:
            pen.setDashPattern([4, 1.5])
        return pen


def line_styles(colours: Colours) -> tuple[LineStyle, LineStyle]:
    """Return the looks of training and validation."""
    return LineStyle("training", colours.training, False), LineStyle("validation", colours.validation, True)


class Legend(QWidget):
    """Says which line is which."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        for place, name in enumerate(("training", "validation")):
            label = QLabel(name)
            label.setProperty("role", "muted")
            row.addSpacing(7 * place)
            row.addWidget(_LegendKey(place))
            row.addWidget(label)


def _below() -> QHBoxLayout:
    """Return the line below the plot: the unit in the middle, the legend at the right."""
    epoch = QLabel("epoch")
    epoch.setProperty("role", "muted")
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(epoch)
    row.addStretch(1)
    row.addWidget(Legend())
    return row


class _LegendKey(QWidget):
    """A short piece of a line."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place
        self.setFixedSize(20, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(line_styles(colours_of(self.palette()))[self._place].pen())
        painter.drawLine(0, 6, 20, 6)
        painter.end()


def description(measure: Measure, curve: Curve) -> str:
    """Return the chart in one sentence."""
    if not curve.training:
        return f"{measure.title}: nothing measured yet"
    training, validation = measure.text(curve.training[-1]), measure.text(curve.validation[-1])
    where = f"epoch {curve.epochs[-1]}"
    if curve.boundary:
        where += " of the head" if curve.phases[-1] is Phase.HEAD else " of the fine-tuning"
    return f"{measure.title}: training {training}, validation {validation} at {where}"


def table_of(measure: Measure, curve: Curve) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows of the chart's table."""
    rows = [
        (f"Head {epoch}" if curve.boundary and phase is Phase.HEAD else str(epoch), *map(measure.text, values))
        for phase, epoch, *values in zip(curve.phases, curve.epochs, curve.training, curve.validation, strict=True)
    ]
    return ("Epoch", "Training", "Validation"), rows


def _bare_plot(pg: Any, measure: Measure) -> Any:
    """Return a plot that only shows: no menus, no dragging, the wheel scrolls the page."""

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
    bottom.setStyle(tickLength=-4)
    left.setStyle(tickLength=0, maxTickLevel=0)
    return plot


def _drawable(values: Sequence[float]) -> tuple[list[int], list[float]]:
    """Return places and values without those that are no number: a diverged loss would end Qt in a crash."""
    points = [(place, value) for place, value in enumerate(values, 1) if math.isfinite(value)]
    return [place for place, _ in points], [value for _, value in points]


def _look(curve: Curve) -> tuple[bool, bool]:
    """Return whether single points and whether fine strokes are drawn."""
    return len(curve.training) < 3, len(curve.training) <= _MANY_POINTS


def _round_step(size: float, ticks: int) -> float:
    """Return a round distance that divides ``size`` into about so many parts."""
    power = 10 ** math.floor(math.log10(size / ticks))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= size / ticks)


def _whole_step(epochs: int) -> int:
    """Return the distance of ticks, a round number, so that about eight fit."""
    return max(1, round(_round_step(epochs, 8)))


def _range_of(values: Sequence[float], measure: Measure) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    room = max((high - low) * 0.06, 0.01)
    top = min(high + room, 1.005) if measure.is_share else high + room
    return max(0.0, low - room), top
