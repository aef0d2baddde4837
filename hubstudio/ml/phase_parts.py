"""What a phase of training is told, where it is, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import Phase, PhaseEnd, Report
from hubstudio.ml.training_state import Arrays


@dataclass(frozen=True)
class Score:
    """How an epoch did on validation; greater is better: accuracy first, the lower loss among equals."""

    accuracy: float
    loss: float

    def beats(self, other: Score | None) -> bool:
        """Whether this is better than ``other``."""
        return other is None or (self.accuracy, -self.loss) > (other.accuracy, -other.loss)


@dataclass(frozen=True)
class PhaseResult:
    """What a phase came to. Without a best epoch (``best`` None) the model is as it was before."""

    best: Score | None
    best_epoch: int
    epochs_done: int
    why: PhaseEnd
    """Why it ended."""
    mixed: bool = False
    """Whether its steps computed in mixed precision."""

    @property
    def stopped(self) -> bool:
        """Whether a person stopped it."""
        return self.why is PhaseEnd.STOPPED


@dataclass(frozen=True)
class PhasePlan:
    """A phase's fixed numbers."""

    phase: Phase
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    warm_up: float = 0.05
    """Share of the phase in which the rate rises."""
    patience: int = 0
    """Epochs without a better one after which it ends; 0 for never."""
    follows_batch_norm: bool = False
    """Whether batch-norm statistics move, so that they belong to what is kept."""


@dataclass(frozen=True)
class Place:
    """Where a phase is; with the weights and the optimizer's state, all that is needed to go on."""

    epoch: int = 1
    row: int = 0
    """Training rows of this epoch that are done."""
    batch: int = 0
    loss_sum: float = 0.0
    right: int = 0
    batch_size: int = 0
    """Photos in a step; smaller than planned once a batch did not fit into memory."""
    mixed: bool | None = None
    """Whether steps compute in mixed precision; None until that was found out."""
    best: Score | None = None
    best_epoch: int = 0
    epochs_done: int = 0
    patient_from: int = 0
    """Epoch from which patience counts: where a finished training goes on, it begins anew."""

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Place:
        """Build one from what ``asdict`` made of it."""
        best = table["best"]
        values: dict[str, Any] = {**table, "best": Score(**best) if best else None}
        return cls(**values)


@dataclass(frozen=True)
class Snapshot:
    """A phase at one moment, to be written down."""

    place: Place
    arrays: Arrays
    epochs: int = 0
    """Of the phase, as planned."""

    def to_table(self) -> dict[str, Any]:
        """Return the place as plain values."""
        return asdict(self.place)


@dataclass(frozen=True)
class Surroundings:
    """What a phase reports to, asks, and is kept by."""

    report: Report
    cancel: CancelToken
    clock: Callable[[], float]
    keep: Callable[[Phase, int, Callable[[], Snapshot]], None] = field(default=lambda phase, epoch, snapshot: None)
    """Called after every batch or few batches, with a way to make a snapshot, which takes time."""
    keep_now: Callable[[Phase, int, Snapshot], object] = field(default=lambda phase, epoch, snapshot: None)
    """Called where a snapshot has to be written down at once."""
    ended: Callable[[Phase, Snapshot, PhaseResult], None] = field(default=lambda phase, snapshot, result: None)
    """Called once the phase is over, before the best epoch's weights are put back."""
