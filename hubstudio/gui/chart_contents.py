"""What one chart shows and says: its runs, the numbers at an epoch, the table. Knows nothing of Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hubstudio.core.events import Phase
from hubstudio.core.run_state import percent
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.learning_curves import Curve, smoothed

NOTHING = Curve()
OWN_LOOK = 0
"""Look of the run that is going on or chosen; those of the runs laid over it are counted from 1."""


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


@dataclass(frozen=True)
class Series:
    """One run in a chart."""

    name: str
    curve: Curve
    look: int = OWN_LOOK
    highlighted: bool = False


@dataclass(frozen=True)
class Smoothed:
    """Both lines of a run as they are drawn over the measured ones."""

    training: tuple[float, ...]
    validation: tuple[float, ...]


@dataclass(frozen=True)
class ChartContents:
    """All that a chart shows. The own run has the chart for itself until others are laid over it."""

    own: Curve = NOTHING
    others: tuple[Series, ...] = ()
    smoothing: float = 0.0
    """Weight of the moving average; 0 draws what was measured alone."""
    own_name: str = "This run"
    own_is_hidden: bool = False
    is_overlay: bool = False
    """Whether runs are told apart, also while only one of them is left to see."""

    @property
    def series(self) -> tuple[Series, ...]:
        """The runs that are drawn, the own one first."""
        hidden = self.is_overlay and (self.own_is_hidden or self.own == NOTHING)
        return self.others if hidden else (Series(self.own_name, self.own), *self.others)

    @property
    def epochs(self) -> int:
        """Epochs there will be in all: the width of the chart."""
        return max((max(series.curve.planned, len(series.curve)) for series in self.series), default=1)

    @property
    def measured(self) -> int:
        """The last epoch that any run has a number for."""
        return max((len(series.curve) for series in self.series), default=0)

    @property
    def boundary(self) -> int:
        """Where the head alone ended, of the own run or, without it, of the highlighted one."""
        ranked = sorted(self.series, key=lambda series: (series.look != OWN_LOOK, not series.highlighted))
        return ranked[0].curve.boundary if ranked else 0


def smoothed_curve(curve: Curve, weight: float) -> Smoothed:
    """Return both lines of a run, smoothed; as measured where the weight is 0."""
    if not weight:
        return Smoothed(curve.training, curve.validation)
    return Smoothed(tuple(smoothed(curve.training, weight)), tuple(smoothed(curve.validation, weight)))


def description(measure: Measure, contents: ChartContents) -> str:
    """Return the chart in one sentence."""
    told = [(series, _last_of(measure, series.curve)) for series in contents.series if len(series.curve)]
    if not told:
        return f"{measure.title}: nothing measured yet"
    if not contents.is_overlay:
        return f"{measure.title}: {told[0][1]}"
    return f"{measure.title} of {len(told)} runs: " + "; ".join(f"{series.name}, {last}" for series, last in told)


def _last_of(measure: Measure, curve: Curve) -> str:
    training, validation = measure.text(curve.training[-1]), measure.text(curve.validation[-1])
    where = f"epoch {curve.epochs[-1]}"
    if curve.boundary:
        where += " of the head" if curve.phases[-1] is Phase.HEAD else " of the fine-tuning"
    return f"training {training}, validation {validation} at {where}"


def table_of(measure: Measure, contents: ChartContents) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows of the chart's table, always as measured.

    The own run stands last: it may still grow, and rows that are only appended leave the place in the table alone.
    """
    if not contents.is_overlay:
        return ("Epoch", "Training", "Validation"), list(_rows(measure, contents.own))
    ordered = sorted(contents.series, key=lambda series: series.look == OWN_LOOK)
    rows = [(series.name, *row) for series in ordered for row in _rows(measure, series.curve)]
    return ("Run", "Epoch", "Training", "Validation"), rows


def _rows(measure: Measure, curve: Curve) -> Iterable[tuple[str, ...]]:
    for phase, epoch, *values in zip(curve.phases, curve.epochs, curve.training, curve.validation, strict=True):
        name = f"Head {epoch}" if curve.boundary and phase is Phase.HEAD else str(epoch)
        yield (name, *map(measure.text, values))


def value_range(
    measure: Measure, contents: ChartContents, lines: tuple[Smoothed, ...], span: EpochSpan
) -> tuple[float, float]:
    """Return the lowest and highest value to show for the epochs of a span, with some room.

    ``lines`` are those drawn for the series: smoothed ones lag behind, and leave the range of what was measured there.
    """
    seen = slice(max(span.first - 1, 0), max(span.last, 0))
    drawn = [line for run in lines for line in (run.training, run.validation)]
    if contents.smoothing:
        drawn += [line for series in contents.series for line in (series.curve.training, series.curve.validation)]
    finite = [values for line in drawn if (values := list(filter(math.isfinite, line[seen])))]
    if not finite:
        return 0.0, 1.0
    low, high = min(map(min, finite)), max(map(max, finite))
    room = max((high - low) * 0.06, 0.01)
    top = min(high + room, 1.005) if measure.is_share else high + room
    return max(0.0, low - room), top
