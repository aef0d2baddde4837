"""What the charts show of a training, as plain numbers: from events while it runs, from the run folder later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class LearningCurves:
    """Both measures of one training."""

    loss: Curve = Curve()
    accuracy: Curve = Curve()


def curves_of(history: Sequence[EpochNumbers | EpochDone], plan: Plan) -> LearningCurves:
    """Return the curves of a training by ``plan`` that has come this far."""
    phases = tuple(row.phase for row in history)
    epochs = tuple(row.epoch for row in history)
    planned, boundary = _span(phases, plan)

    def curve(training: Iterable[float], validation: Iterable[float]) -> Curve:
        return Curve(phases, epochs, tuple(training), tuple(validation), planned, boundary)

    return LearningCurves(
        curve((row.loss for row in history), (row.validation_loss for row in history)),
        curve((row.accuracy for row in history), (row.validation_accuracy for row in history)),
    )


def curves_of_run(run: RunFolder) -> LearningCurves:
    """Return the curves of a finished run. Raises ``StudioError``; rows that make no sense are left out."""
    rows = [numbers for row in run.history() if (numbers := _numbers(row))]
    return curves_of(rows, run.plan())


def _span(phases: Sequence[Phase], plan: Plan) -> tuple[int, int]:
    if plan.mode is Mode.EXTRACT:
        return max(plan.epochs, len(phases)), 0
    head = phases.count(Phase.HEAD)
    boundary = head if Phase.FINE_TUNE in phases else max(plan.head_epochs, head)
    return max(boundary + plan.epochs, len(phases)), boundary


def _numbers(row: dict[str, str]) -> EpochNumbers | None:
    names = ("loss", "validation_loss", "accuracy", "validation_accuracy")
    try:
        return EpochNumbers(Phase(row["phase"]), int(row["epoch"]), *(float(row[name]) for name in names))
    except (KeyError, TypeError, ValueError):
        return None
