"""How far a training is, drawn from its events by one pure function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from statistics import median

from hubstudio.core.cost import Cost
from hubstudio.core.errors import StudioError
from hubstudio.core.events import (
    BatchDone,
    BytesFetched,
    CheckpointKept,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseEnd,
    PhaseEnded,
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
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    SUSPENDED = "suspended"
    FAILED = "failed"


@dataclass(frozen=True)
class Pace:
    """How many photos went by, and when: over the last seconds, so that it follows what is going on."""

    counts: tuple[tuple[int, float], ...] = ()
    """Photos so far and the time, oldest first."""

    def at(self, photos: int, elapsed: float) -> Pace:
        """Return the pace once so many photos were done by then."""
        if self.counts and photos < self.counts[-1][0]:  # another count has begun
            return Pace(((photos, elapsed),))
        too_close = len(self.counts) > 1 and elapsed - self.counts[-2][1] < _PACE_STEP
        counts = self.counts[:-1] if too_close else self.counts
        old = sum(elapsed - time > _PACE_SECONDS for _, time in counts)
        return Pace((*counts[max(old - 1, 0) :], (photos, elapsed)))

    @property
    def photos_per_second(self) -> float | None:
        """Photos in a second; None while there is less than a moment to count in."""
        if not self.counts or self.counts[-1][1] - self.counts[0][1] < _PACE_MOMENT:
            return None
        return (self.counts[-1][0] - self.counts[0][0]) / (self.counts[-1][1] - self.counts[0][1])


_USUAL_EPOCHS = 5
_PREPARING_SECONDS = 30.0  # from which on what an epoch prepares no longer counts for much
_WAITING = 3  # epochs without a better one that are worth a word
_PACE_SECONDS = 5.0
_PACE_MOMENT = 0.3
_PACE_STEP = 0.1


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
    photos: int = 0
    """Photos of this epoch, or of the features, that are done."""
    of_photos: int = 0
    photos_per_second: float | None = None
    """Lately; None where nothing can be counted yet."""
    cost: Cost | None = None
    """What was predicted."""
    phase_end: PhaseEnded | None = None
    """How the last phase of epochs ended."""
    resumed: bool = False
    """Whether it goes on after an interruption, so that there may be a best epoch although none is known yet."""
    epochs_before: int = 0
    """Of the finished run that this one goes on from."""
    saved_epoch: int = 0
    """Epoch of this phase up to which all is on disk."""
    _pace: Pace = Pace()

    @property
    def is_active(self) -> bool:
        """Whether work is going on, or will as soon as it may."""
        return self.status in (Status.PREPARING, Status.RUNNING, Status.PAUSED, Status.STOPPING)

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
        """Seconds until the run ends at the speed so far; None while it is too early to tell.

        The present phase goes on as its latest epochs did; before there are some, as predicted, since the first one
        also prepares. What comes after takes as long as was predicted, made longer or shorter as the present one is.
        Without a prediction it is only the present phase.
        """
        spent = self.elapsed - self.phase_began
        if self.status is not Status.RUNNING or self.fraction < 0.02 or spent < 0.5:
            return None
        rest = self._rest_of_phase(spent)
        return rest + self._seconds_after(spent + rest)

    def _rest_of_phase(self, spent: float) -> float:
        ends = [epoch.elapsed for epoch in self.history if epoch.phase is self.phase]
        usual = [later - earlier for earlier, later in pairwise(ends)][-_USUAL_EPOCHS:]
        if len(usual) > 1:
            return median(usual) * self.epochs * (1 - self.fraction)
        if not self.epochs and self.photos_per_second:  # of features, many may have been known at the beginning
            return (self.of_photos - self.photos) / self.photos_per_second
        predicted = self._predicted
        if self.epochs and spent < min(predicted, _PREPARING_SECONDS):
            return predicted * (1 - self.fraction)
        return spent / self.fraction - spent

    @property
    def _predicted(self) -> float:
        """Seconds that the present phase was predicted to take; 0 if nothing was."""
        return self.cost.stretches.get(self.phase.value, 0.0) if self.cost and self.phase else 0.0

    def _seconds_after(self, whole: float) -> float:
        """Return what the phases after the present one, which takes ``whole`` seconds in all, will take."""
        if not self.cost or self.phase is None:
            return 0.0
        order = list(self.cost.stretches)
        present = self.phase.value
        if present not in order:
            return 0.0
        predicted = self._predicted
        slower = min(max(whole / predicted, 0.5), 3.0) if predicted > 1.0 else 1.0
        after = order[order.index(present) + 1 :]
        if self.history and Phase.HEAD.value in after:  # what the blocks begin with is prepared once the head is there
            after.remove(Phase.HEAD.value)
        return slower * sum(self.cost.stretches[name] for name in after)

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
            Status.PAUSED: f"Paused in epoch {max(self.epoch, 1)} of {self.epochs}" if self.epochs else "Paused",
            Status.STOPPING: "Stopping after this batch, keeping the best so far",
            Status.CANCELLED: "Training cancelled; nothing of it is kept",
            Status.SUSPENDED: "Training laid aside; it can go on later",
        }[self.status]

    @property
    def sentence(self) -> str:
        """What is going on, plainly, beside ``str``; empty where that says it all."""
        if self.status is Status.FINISHED:
            return self._how_it_ended()
        if self.status is Status.RUNNING and self.phase in (Phase.HEAD, Phase.FINE_TUNE):
            return self._how_it_goes()
        if self.status is Status.RUNNING and self.phase is Phase.FEATURES:
            return "Each photo is read; what the frozen backbone sees in it is computed once and kept."
        return ""

    def _how_it_goes(self) -> str:
        mine = [epoch for epoch in self.history if epoch.phase is self.phase]
        if not mine:
            what = "The head learns to tell the classes apart; the backbone is frozen."
            return what if self.phase is Phase.HEAD else "The backbone's last blocks learn along, in small steps."
        best = next((epoch for epoch in reversed(mine) if epoch.is_best), None)
        if best is None:
            return f"No epoch of this phase was better than the head alone yet, {percent(self._best_accuracy)}."
        where = f"Best so far: {percent(best.validation_accuracy)} on validation, epoch {best.epoch}"
        waiting = mine[-1].epoch - best.epoch
        return f"{where}." if waiting < _WAITING else f"{where}; no better for {waiting} epochs."

    @property
    def _best_accuracy(self) -> float | None:
        return self.best.validation_accuracy if self.best else None

    def _how_it_ended(self) -> str:
        end = self.phase_end
        return ending_sentence(end.why, end.best_epoch, self.epochs_before) if end else ""

    def _running(self) -> str:
        if self.phase is Phase.FEATURES:
            return f"Photo {self.done:,} of {self.total:,} prepared"
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
            state = replace(state, resumed=event.resumed, epochs_before=event.epochs_before)
            return replace(state, status=_working(state), run=event.run, done=0, total=0, cost=event.cost)
        case PhaseStarted():
            return _phase_started(state, event)
        case FeaturesDone():
            state = replace(state, done=event.done, total=event.total, photos=event.done, of_photos=event.total)
            return _with_pace(state, event.done, event.elapsed)
        case BatchDone():
            state = replace(state, epoch=event.epoch, done=event.batch, total=event.batches)
            state = replace(state, photos=event.photos, of_photos=event.of_photos)
            return _with_pace(state, event.epoch * event.of_photos + event.photos, event.elapsed)
        case EpochDone():
            best = event if event.is_best else state.best
            return replace(state, history=(*state.history, event), best=best, epoch=event.epoch, done=1, total=1)
        case PhaseEnded():
            return replace(state, phase_end=event)
        case CheckpointKept():
            return replace(state, saved_epoch=event.epoch)
        case Note():
            return replace(state, notes=(*state.notes, event.text))
        case RunFinished():
            return _finished(state, event)
        case RunCancelled():
            return replace(state, status=Status.SUSPENDED if event.can_go_on else Status.CANCELLED)
        case RunFailed():
            return replace(state, status=Status.FAILED, error=event.error)


def stopping(state: RunState) -> RunState:
    """Return the state once the person has asked to stop."""
    return replace(state, status=Status.STOPPING) if state.is_active else state


def pausing(state: RunState) -> RunState:
    """Return the state once the person has asked to pause."""
    is_working = state.status in (Status.PREPARING, Status.RUNNING)
    return replace(state, status=Status.PAUSED, photos_per_second=None) if is_working else state


def resuming(state: RunState) -> RunState:
    """Return the state once a paused training may go on."""
    if state.status is not Status.PAUSED:
        return state
    return replace(state, status=Status.RUNNING if state.run else Status.PREPARING, _pace=Pace())


def ending_sentence(why: PhaseEnd, best_epoch: int, epochs_before: int = 0) -> str:
    """Return why a run's last phase ended and what is kept of it; nothing if all its epochs were trained.

    With ``epochs_before``, those of the run it went on from, it is also said if none of the new ones was better.
    """
    if 0 < best_epoch <= epochs_before:
        return f"None of the new epochs was better; epoch {best_epoch}, from the run before, is kept."
    if why is PhaseEnd.ALL_EPOCHS:
        return ""
    if why is PhaseEnd.STOPPED:
        return "Stopped as you asked; the best so far is kept."
    if why is PhaseEnd.BROKEN_OFF:
        return "It could not go on to the end; the best so far is kept. A note says why."
    if not best_epoch:
        return "Validation did not get better than with the head alone; keeping that."
    return f"Validation stopped improving at epoch {best_epoch}; keeping that one."


def percent(share: float | None) -> str:
    """Return '95.2 %' for 0.952, and a dash for what was not measured."""
    return "–" if share is None else f"{share * 100:.1f} %"


def _working(state: RunState) -> Status:
    """A wish to stop or to pause outlasts the start of what comes next."""
    return state.status if state.status in (Status.STOPPING, Status.PAUSED) else Status.RUNNING


def _with_pace(state: RunState, photos: int, elapsed: float) -> RunState:
    pace = state._pace.at(photos, elapsed)  # pyright: ignore[reportPrivateUsage] - the state's own module
    shown = None if state.status is Status.PAUSED else pace.photos_per_second
    return replace(state, _pace=pace, photos_per_second=shown)


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
        photos=0,
        of_photos=0,
        photos_per_second=None,
        saved_epoch=0,
        _pace=Pace(),
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
