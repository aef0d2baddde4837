"""How far a training is, drawn from its events by one pure function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from hubstudio.core.errors import StudioError
from hubstudio.core.events import (
    BatchDone,
    BytesFetched,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseStarted,
    PhotosRead,
    Progress,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunStarted,
)


class Status(StrEnum):
    """Where a training stands."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class RunState:
    """All that a view needs to show of a training. ``str()`` is the sentence for the person."""

    status: Status = Status.IDLE
    phase: Phase | None = None
    epoch: int = 0
    epochs: int = 0
    done: int = 0
    total: int = 0
    phase_began: float = 0.0
    elapsed: float = 0.0
    history: tuple[EpochDone, ...] = ()
    best: EpochDone | None = None
    notes: tuple[str, ...] = ()
    run: Path | None = None
    stopped_early: bool = False
    best_epoch: int = 0
    best_phase: Phase | None = None
    validation_accuracy: float | None = None
    error: StudioError | None = None
    fetched: BytesFetched | None = None
    """How much of the backbone is downloaded, while it is."""

    @property
    def is_active(self) -> bool:
        """Whether work is going on."""
        return self.status in (Status.PREPARING, Status.RUNNING, Status.STOPPING)

    @property
    def fraction(self) -> float:
        """How much of the current phase is done, 0 to 1."""
        if self.status is Status.FINISHED:
            return 1.0
        within = self.done / self.total if self.total else 0.0
        if not self.epochs:
            return min(within, 1.0)
        return min((max(self.epoch - 1, 0) + within) / self.epochs, 1.0)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the current phase ends at the speed so far; None while it is too early to tell."""
        spent = self.elapsed - self.phase_began
        if self.status is not Status.RUNNING or self.fraction < 0.02 or spent < 0.5:
            return None
        return spent * (1 - self.fraction) / self.fraction

    def __str__(self) -> str:
        if self.status is Status.RUNNING and self.phase is not None:
            return self._running()
        if self.status is Status.FINISHED:
            return self._finished()
        if self.status is Status.FAILED:
            return str(self.error)
        if self.status is Status.PREPARING and self.fetched:
            return str(self.fetched)
        if self.status is Status.PREPARING and 0 < self.done < self.total:
            return f"Preparing: photo {self.done:,} of {self.total:,} read"
        return {
            Status.IDLE: "Ready to train",
            Status.PREPARING: "Preparing: reading the photo folders and the backbone",
            Status.RUNNING: "Preparing: the photos are divided, the backbone is known",
            Status.STOPPING: "Stopping after this batch, keeping the best so far",
            Status.CANCELLED: "Training stopped before there was anything to keep",
        }[self.status]

    def _running(self) -> str:
        if self.phase is Phase.FEATURES:
            return f"Photo {self.done:,} of {self.total:,} through the backbone"
        if self.phase is Phase.SAVING:
            return "Saving the trained model"
        return f"Epoch {max(self.epoch, 1)} of {self.epochs}"

    def _finished(self) -> str:
        how = "stopped early, " if self.stopped_early else ""
        kept = f"best kept: epoch {self.best_epoch}" if self.best_epoch else self._head_kept()
        return f"Training finished ({how}{kept}, {percent(self.validation_accuracy)} on validation)"

    def _head_kept(self) -> str:
        why = "was no better yet" if self.stopped_early else "did no better"
        return f"head only kept: fine-tuning {why}"


def advance(state: RunState, event: Event) -> RunState:
    """Return the state after ``event``; pure, so that window, command line and tests agree."""
    if isinstance(event, Progress):
        return state
    if isinstance(event, BytesFetched):
        return replace(state, fetched=event, done=event.done, total=event.total or 0)
    state = replace(state, elapsed=max(state.elapsed, event.elapsed), fetched=None)
    match event:
        case PhotosRead():
            return replace(state, done=event.done, total=event.total)
        case RunStarted():
            return replace(state, status=_working(state), run=event.run, done=0, total=0)
        case PhaseStarted():
            return _phase_started(state, event)
        case FeaturesDone():
            return replace(state, done=event.done, total=event.total)
        case BatchDone():
            return replace(state, epoch=event.epoch, done=event.batch, total=event.batches)
        case EpochDone():
            best = event if event.is_best else state.best
            return replace(state, history=(*state.history, event), best=best, epoch=event.epoch, done=1, total=1)
        case Note():
            return replace(state, notes=(*state.notes, event.text))
        case RunFinished():
            return _finished(state, event)
        case RunCancelled():
            return replace(state, status=Status.CANCELLED)
        case RunFailed():
            return replace(state, status=Status.FAILED, error=event.error)


def stopping(state: RunState) -> RunState:
    """Return the state once the person has asked to stop."""
    return replace(state, status=Status.STOPPING) if state.is_active else state


def percent(share: float | None) -> str:
    """Return '95.2 %' for 0.952, and a dash for what was not measured."""
    return "–" if share is None else f"{share * 100:.1f} %"


def _working(state: RunState) -> Status:
    """A wish to stop outlasts the start of what comes next."""
    return Status.STOPPING if state.status is Status.STOPPING else Status.RUNNING


def _phase_started(state: RunState, event: PhaseStarted) -> RunState:
    return replace(
        state,
        status=_working(state),
        phase=event.phase,
        epochs=event.epochs,
        epoch=0,
        done=0,
        total=0,
        phase_began=event.elapsed,
    )


def _finished(state: RunState, event: RunFinished) -> RunState:
    return replace(
        state,
        status=Status.FINISHED,
        run=event.run,
        stopped_early=event.stopped_early,
        best_epoch=event.best_epoch,
        best_phase=event.best_phase,
        validation_accuracy=event.validation_accuracy,
    )
