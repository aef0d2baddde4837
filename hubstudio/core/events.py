"""What happens during a run, as facts. The window and the command line draw from the same ones.

Order: ``PhotosRead`` as often as need be; ``RunStarted``; any number of the others; then ``RunFinished``. The engine
ends a run that does not end well with an exception; the face that shows it makes ``RunCancelled`` of ``Cancelled`` and
``RunFailed`` of an error.
``elapsed`` is in seconds since the run began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hubstudio.core.cost import Cost
from hubstudio.core.errors import StudioError
from hubstudio.core.plan import Mode


class Phase(StrEnum):
    """The stretches of a training."""

    FEATURES = "features"
    HEAD = "head"
    FINE_TUNE = "fine-tune"
    SAVING = "saving"


@dataclass(frozen=True)
class PhotosRead:
    """``done`` of ``total`` photos were read before a run starts, or compared; what is known is not read again."""

    done: int
    total: int
    what: str
    elapsed: float


@dataclass(frozen=True)
class RunStarted:
    """Photos are listed and split, the backbone is understood."""

    run: Path
    backbone: str
    mode: Mode
    classes: tuple[str, ...]
    counts: dict[str, int]
    elapsed: float = 0.0
    cost: Cost | None = None
    """What it is predicted to take, if the backbone's speed is known."""
    resumed: bool = False
    """Whether a run goes on that was interrupted; the epochs it has behind it are told once more."""
    epochs_before: int = 0
    """Of another run, that this one goes on from."""


class PhaseEnd(StrEnum):
    """Why a phase has ended."""

    ALL_EPOCHS = "all_epochs"
    NO_BETTER = "no_better"
    STOPPED = "stopped"
    BROKEN_OFF = "broken_off"
    """It could not go on; a note says why."""


@dataclass(frozen=True)
class PhaseStarted:
    """A stretch begins; ``epochs`` is 0 where it has none."""

    phase: Phase
    epochs: int
    elapsed: float


@dataclass(frozen=True)
class FeaturesDone:
    """``done`` of ``total`` photos went through the backbone, in either mode."""

    done: int
    total: int
    elapsed: float


@dataclass(frozen=True)
class BatchDone:
    """A step of ``batches`` in this epoch, or some quick ones up to ``batch``; ``loss`` is the epoch's mean so far."""

    phase: Phase
    epoch: int
    batch: int
    batches: int
    loss: float
    elapsed: float
    photos: int = 0
    """Photos of this epoch that are done."""
    of_photos: int = 0


@dataclass(frozen=True)
class PhaseEnded:
    """A phase of epochs is over; ``best_epoch`` is 0 if none of them was better than what was there before."""

    phase: Phase
    why: PhaseEnd
    best_epoch: int
    elapsed: float


@dataclass(frozen=True)
class CheckpointKept:
    """All up to here is on disk: whatever happens now, the run can go on from here."""

    phase: Phase
    epoch: int
    elapsed: float


@dataclass(frozen=True)
class EpochDone:
    """An epoch is trained and validated. ``is_best`` if no epoch of the run was better so far."""

    phase: Phase
    epoch: int
    epochs: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    """As the epoch began; it follows a schedule."""
    is_best: bool
    elapsed: float


@dataclass(frozen=True)
class Note:
    """A sentence for the person: a photo left out, the head-only weights kept, and why."""

    text: str
    elapsed: float


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` items of a job that is no training: evaluation, prediction, export."""

    done: int
    total: int
    what: str = "photos"


@dataclass(frozen=True)
class RunFinished:
    """The run folder is complete. The only end that the engine itself reports."""

    run: Path
    best_phase: Phase
    best_epoch: int
    validation_accuracy: float
    stopped_early: bool
    elapsed: float


@dataclass(frozen=True)
class RunCancelled:
    """The person stopped the run before there was anything to keep; no run folder was left. Made by a face."""

    elapsed: float
    can_go_on: bool = False
    """Whether the run was only laid aside, and can go on from its last checkpoint."""


@dataclass(frozen=True)
class RunFailed:
    """The run ended with a problem; no finished run folder was left. Made by a face."""

    error: StudioError
    elapsed: float


@dataclass(frozen=True)
class BytesFetched:
    """A module is being downloaded; ``total`` is None where the server does not say how much there is."""

    handle: str
    done: int
    total: int | None
    bytes_per_second: float
    seconds_left: float | None

    @property
    def fraction(self) -> float:
        """How much is here, 0 to 1; 0 while nobody knows."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def __str__(self) -> str:
        here = f"{self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB" if self.total else f"{self.done / 1e6:.1f} MB"
        left = "" if self.seconds_left is None else f", {_time_text(self.seconds_left)} left"
        return f"Downloading: {here}, {_speed_text(self.bytes_per_second)}{left}"


def _speed_text(bytes_per_second: float) -> str:
    if bytes_per_second < 100_000:
        return f"{bytes_per_second / 1e3:.0f} kB/s"
    return f"{bytes_per_second / 1e6:.1f} MB/s"


def _time_text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


TrainingEvent = (
    PhotosRead
    | RunStarted
    | PhaseStarted
    | FeaturesDone
    | BatchDone
    | PhaseEnded
    | CheckpointKept
    | EpochDone
    | Note
    | RunFinished
    | RunCancelled
    | RunFailed
)
Event = TrainingEvent | Progress | BytesFetched
Report = Callable[[Event], None]
"""Takes events as they happen, in the working thread; it must return quickly."""


def ignore(event: Event) -> None:
    """Take an event and do nothing: for callers that only want the result."""
    del event
