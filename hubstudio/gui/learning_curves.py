"""What the charts show of a training, as plain numbers: from events while it runs, from the run folder later."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hubstudio.core.events import EpochDone, Phase
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder


@dataclass(frozen=True)
class EpochNumbers:
    """One epoch of a training."""

    phase: Phase
    epoch: int
    loss: float
    validation_loss: float
    accuracy: float
    validation_accuracy: float
    learning_rate: float | None = None
    """As the epoch began; None where it was not written down."""


Epoch = EpochNumbers | EpochDone


@dataclass(frozen=True)
class Curve:
    """One measure over the epochs, which are counted through both phases of a fine-tuning."""

    phases: tuple[Phase, ...] = ()
    epochs: tuple[int, ...] = ()
    """Number of each epoch within its phase."""
    training: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    planned: int = 1
    """Epochs there will be in all: the width of the chart."""
    boundary: int = 0
    """Epochs of the head alone before fine-tuning; 0 where there is only one phase."""

    def __len__(self) -> int:
        return len(self.training)


@dataclass(frozen=True)
class LearningCurves:
    """Both measures of one training."""

    loss: Curve = Curve()
    accuracy: Curve = Curve()
    history: tuple[Epoch, ...] = ()
    """All that is known of each epoch."""


@dataclass(frozen=True)
class RunCurves:
    """A finished run, to be laid over others."""

    name: str
    history: tuple[Epoch, ...]
    highlighted: bool = False

    @cached_property
    def curves(self) -> LearningCurves:
        """Its measures; the width is that of the epochs it has."""
        phases = [row.phase for row in self.history]
        head = phases.count(Phase.HEAD)
        return _curves(self.history, len(phases), head if head < len(phases) else 0)


def curves_of(history: Sequence[Epoch], plan: Plan) -> LearningCurves:
    """Return the curves of a training by ``plan`` that has come this far."""
    return _curves(history, *_span([row.phase for row in history], plan))


def _curves(history: Sequence[Epoch], planned: int, boundary: int) -> LearningCurves:
    phases = tuple(row.phase for row in history)
    epochs = tuple(row.epoch for row in history)

    def curve(training: Iterable[float], validation: Iterable[float]) -> Curve:
        return Curve(phases, epochs, tuple(training), tuple(validation), planned, boundary)

    return LearningCurves(
        curve((row.loss for row in history), (row.validation_loss for row in history)),
        curve((row.accuracy for row in history), (row.validation_accuracy for row in history)),
        tuple(history),
    )


def curves_of_run(run: RunFolder) -> LearningCurves:
    """Return the curves of a finished run. Raises ``StudioError``; rows that make no sense are left out."""
    return curves_of(_epochs(run.history()), run.plan())


def curves_of_history(name: str, rows: Iterable[Mapping[str, str]], *, highlighted: bool = False) -> RunCurves:
    """Return a run by the rows of its ``history.csv``; those that make no sense are left out."""
    return RunCurves(name, tuple(_epochs(rows)), highlighted)


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Return the exponential moving average of ``values``, corrected for its start, as TensorBoard draws it.

    ``s[0] = 0``, ``s[n] = weight * s[n-1] + (1 - weight) * x[n]``, and ``s[n] / (1 - weight ** n)`` is returned:
    without the division the first values would lean towards 0. ``weight`` is at least 0 (nothing changes) and below 1.
    What is no finite number stays as it is and does not count.
    """
    result: list[float] = []
    total, remaining = 0.0, 1.0  # remaining: weight ** n
    for value in values:
        if not math.isfinite(value):
            result.append(value)
            continue
        total = weight * total + (1 - weight) * value
        remaining *= weight
        result.append(total / (1 - remaining))
    return result


def _span(phases: Sequence[Phase], plan: Plan) -> tuple[int, int]:
    if plan.mode is Mode.EXTRACT:
        return max(plan.epochs, len(phases)), 0
    head = phases.count(Phase.HEAD)
    boundary = head if Phase.FINE_TUNE in phases else max(plan.head_epochs, head)
    return max(boundary + plan.epochs, len(phases)), boundary


def _epochs(rows: Iterable[Mapping[str, str]]) -> list[EpochNumbers]:
    return [numbers for row in rows if (numbers := _numbers(row))]


def _numbers(row: Mapping[str, str]) -> EpochNumbers | None:
    names = ("loss", "validation_loss", "accuracy", "validation_accuracy")
    try:
        measured = (float(row[name]) for name in names)
        return EpochNumbers(Phase(row["phase"]), int(row["epoch"]), *measured, learning_rate=_learning_rate(row))
    except (KeyError, TypeError, ValueError):
        return None


def _learning_rate(row: Mapping[str, str]) -> float | None:
    text = row.get("learning_rate")
    return float(text) if text else None
