"""What a run remembers of itself while it is made: history, notes, time; written down so that it can go on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import Cost
from hubstudio.core.events import CheckpointKept, EpochDone, Event, Note, Phase, PhaseEnd, PhaseStarted, Report
from hubstudio.core.unfinished_runs import RunProgress, UnfinishedRun
from hubstudio.ml.basis import Basis
from hubstudio.ml.checkpoints import Checkpoint, Checkpoints
from hubstudio.ml.cost_meter import CostMeter
from hubstudio.ml.phase_parts import PhaseResult, Place, Score, Snapshot

_ASLEEP_SECONDS = 300.0
"""Between two signs of life, from which on the computer is taken to have slept."""


class Clock:
    """Seconds that a run has worked: without the time it was paused or the computer slept."""

    def __init__(self, cancel: CancelToken, spent: float = 0.0) -> None:
        self._cancel = cancel
        self._spent = spent
        self._last = time.monotonic()
        self._paused = cancel.paused_seconds

    def __call__(self) -> float:
        """Return the seconds so far."""
        now, paused = time.monotonic(), self._cancel.paused_seconds
        step = now - self._last - (paused - self._paused)
        self._last, self._paused = now, paused
        if step < _ASLEEP_SECONDS:
            self._spent += max(step, 0.0)
        return self._spent


class RunLog:
    """History, notes and checkpoints of one run. Passes events on as they come."""

    def __init__(self, report: Report, cancel: CancelToken) -> None:
        self.clock = Clock(cancel)
        self.meter = CostMeter(self.clock)
        self.history: list[EpochDone] = []
        self.notes: list[str] = []
        self.head: PhaseResult | None = None
        """What the head's phase came to, once it is over."""
        self.blocks: PhaseResult | None = None
        """What the blocks' phase came to, once it is over."""
        self.basis: Basis | None = None
        """What the epochs rest on, once the photos are read."""
        self.features_seconds = 0.0
        """That had passed when the features of all photos were known."""
        self.computed_photos = 0
        """Photos that went through the backbone for that."""
        self.from_border = False
        """Whether the blocks learn from what the frozen part has made of the photos."""
        self._cancel = cancel
        self._report = report
        self._unfinished: UnfinishedRun | None = None
        self._checkpoints: Checkpoints | None = None
        self._told = RunProgress()

    def report(self, event: Event) -> None:
        """Pass an event on, and remember what the run folder will hold of it."""
        if isinstance(event, EpochDone):
            self.history.append(event)
        elif isinstance(event, Note):
            self.notes.append(event.text)
        elif isinstance(event, PhaseStarted):
            self.meter.enter(event.phase.value)
            self._tell(RunProgress(event.phase.value, 0, event.epochs, self.clock()))
        self._report(event)

    def note(self, text: str) -> None:
        """Tell a sentence, once."""
        if text not in self.notes:
            self.report(Note(text, self.clock()))

    def write_to(self, unfinished: UnfinishedRun, checkpoint: Checkpoint | None) -> None:
        """Keep from now on all that is needed to go on, in this folder, which says from where it would.

        While features are brought back and until the training is beyond its checkpoint, that remains the place.
        """
        self._unfinished = unfinished
        self._checkpoints = Checkpoints(unfinished.folder)
        if checkpoint:
            self._told = unfinished.progress
            self._tell(_progress_of(checkpoint))

    def features_known(self, computed: int) -> None:
        """Remember when the features of all photos were known, and how many had to be ``computed`` for that."""
        self.features_seconds, self.computed_photos = self.clock(), computed

    def begin_anew(self, why: str) -> None:
        """Tell that all begins from the beginning although there was a checkpoint."""
        self._told = RunProgress()
        self.note(why)

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Remember what a checkpoint says, and tell its epochs again."""
        state = checkpoint.state
        self.clock = Clock(self._cancel, float(state["seconds"]))
        self.meter = CostMeter(self.clock, Cost(**state["cost"]))
        self.features_seconds, self.computed_photos = state["features_seconds"], state["computed_photos"]
        self.notes = list(dict.fromkeys((*state["notes"], *self.notes)))
        self.head, self.blocks = _result(state["head"]), _result(state.get("blocks"))
        for row in state["history"]:
            values: dict[str, Any] = {**row, "phase": Phase(row["phase"])}
            self.report(EpochDone(**values))

    def keep(self, phase: Phase, epoch: int, snapshot: Callable[[], Snapshot]) -> None:
        """Write a checkpoint if one is due, or the person has paused."""
        if self._checkpoints and (self._checkpoints.is_due or self._cancel.is_paused):
            self.keep_now(phase, epoch, snapshot())

    def keep_now(self, phase: Phase, epoch: int, snapshot: Snapshot, *, is_over: bool = False) -> Checkpoint:
        """Write a checkpoint and return it; a disk that refuses is noted, and the training goes on without."""
        checkpoint = self._checkpoint(phase, snapshot, is_over=is_over)
        if self._checkpoints is None:
            return checkpoint
        try:
            self._checkpoints.write(checkpoint)
        except OSError as error:
            self.note(f"No checkpoint could be written ({path_kinds.reason(error)}); the training goes on without.")
            return checkpoint
        self._tell(_progress_of(checkpoint))
        self._report(CheckpointKept(phase, epoch, self.clock()))
        return checkpoint

    def _checkpoint(self, phase: Phase, snapshot: Snapshot, *, is_over: bool) -> Checkpoint:
        """Return all that is needed to go on from a moment of a phase."""
        state = {
            "phase": phase.value,
            "is_over": is_over,
            "place": snapshot.to_table(),
            "epochs": snapshot.epochs,
            "head": asdict(self.head) if self.head else None,
            "blocks": asdict(self.blocks) if self.blocks else None,
            "history": [asdict(epoch) for epoch in self.history],
            "notes": self.notes,
            "seconds": self.clock(),
            "features_seconds": self.features_seconds,
            "computed_photos": self.computed_photos,
            "cost": self.meter.cost().to_table(),
            "basis": self.basis.to_table() if self.basis else None,
            "from_border": self.from_border,
        }
        return Checkpoint(state, snapshot.arrays)

    def _tell(self, progress: RunProgress) -> None:
        if self._unfinished is None or not progress.is_beyond(self._told):
            return
        self._told = progress
        with contextlib.suppress(OSError):  # it only says where the run is; going on does not need it
            self._unfinished.tell(progress)


def snapshot_of(checkpoint: Checkpoint) -> Snapshot:
    """Return the moment of its phase that a checkpoint holds."""
    return Snapshot(Place.from_table(checkpoint.state["place"]), dict(checkpoint.arrays))


def _progress_of(checkpoint: Checkpoint) -> RunProgress:
    state = checkpoint.state
    return RunProgress(state["phase"], snapshot_of(checkpoint).place.epochs_done, state["epochs"], state["seconds"])


def _result(table: Mapping[str, Any] | None) -> PhaseResult | None:
    if table is None:
        return None
    best = table["best"]
    values: dict[str, Any] = {**table, "best": Score(**best) if best else None, "why": PhaseEnd(table["why"])}
    return PhaseResult(**values)
