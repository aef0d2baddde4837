"""What the list of runs says of each: finished, damaged, interrupted, and the one that goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from hubstudio.core.plan import Plan
from hubstudio.core.run_state import RunState, Status, percent
from hubstudio.core.runs import RunRow
from hubstudio.gui.run_desk import UnfinishedRow
from hubstudio.gui.wording import duration_text, plan_title, result_text, when_text

_NOTHING = "–"
_LONGEST_TIP = 600


class RunKind(Enum):
    """What can be done with a line of the list follows from this."""

    FINISHED = auto()
    DAMAGED = auto()
    UNFINISHED = auto()
    RUNNING = auto()


@dataclass(frozen=True)
class RunItem:
    """A line of the list."""

    name: str
    kind: RunKind
    title: str
    accuracy: str = _NOTHING
    took: str = ""
    when: str = ""
    notes: tuple[str, ...] = ()
    """What the training had to say."""
    note: str = ""
    """What a person wrote."""
    details: str = ""
    """How it ended, or what is wrong with it, in a sentence."""
    is_used: bool = False
    """Whether Review, Classify and Export work on it."""
    order: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """By which accuracy, time and date are sorted."""

    @property
    def sentence(self) -> str:
        """The line for a screen reader."""
        accuracy = f"{self.accuracy} on validation" if self.kind is RunKind.FINISHED else self.accuracy
        used = "used by Review, Classify and Export" if self.is_used else ""
        notes = f"{len(self.notes)} notes" if len(self.notes) > 1 else "1 note" if self.notes else ""
        mine = f"your note: {self.note}" if self.note else ""
        parts = (self.name, self.title, accuracy, self.took, self.when, used, notes, mine)
        return ", ".join(part for part in parts if part and part != _NOTHING)

    @property
    def tip(self) -> str:
        """What is told on hover."""
        lines = (f"{self.name}: {self.title}", self.details, *(f"• {note}" for note in self.notes))
        return "\n".join(line for line in lines if line)[:_LONGEST_TIP]


def run_items(
    rows: Sequence[RunRow], unfinished: Sequence[UnfinishedRow], used: str, name_of: Callable[[str], str]
) -> list[RunItem]:
    """Return the lines: interrupted trainings first, then the runs as they are given."""
    first = [_unfinished(row, name_of) for row in reversed(unfinished)]
    best = max(rows, key=lambda row: row.validation_accuracy or 0.0, default=None)
    return first + [_finished(row, used, best, name_of) for row in rows]


def running_item(name: str, state: RunState, plan: Plan | None, name_of: Callable[[str], str]) -> RunItem:
    """Return the line of the training that goes on."""
    how = {Status.PAUSED: "paused", Status.STOPPING: "stopping"}.get(state.status, "running")
    return RunItem(name, RunKind.RUNNING, _title(plan, name_of), how)


def _finished(row: RunRow, used: str, best: RunRow | None, name_of: Callable[[str], str]) -> RunItem:
    if row.problem:
        return RunItem(
            row.name, RunKind.DAMAGED, "Could not be read", "damaged", note=row.note, details=row.problem,
            is_used=row.name == used,
        )  # fmt: skip
    took = "" if row.seconds is None else duration_text(row.seconds)
    order = (row.validation_accuracy or 0.0, row.seconds or 0.0, _timestamp(row.when))
    return RunItem(
        row.name,
        RunKind.FINISHED,
        _title(row.plan, name_of),
        percent(row.validation_accuracy),
        took,
        when_text(row.when),
        row.notes,
        row.note,
        _details(row, best if row.name == used else None),
        row.name == used,
        order,
    )


def _details(row: RunRow, best: RunRow | None) -> str:
    """Return how a run ended; of the one in use also whether the ``best`` of all did better."""
    ended = result_text(row.plan, row.best_phase, row.best_epoch, stopped_early=row.stopped_early)
    if best is None or best is row or (best.validation_accuracy or 0.0) <= (row.validation_accuracy or 0.0):
        return ended
    return f"{ended} {best.name} did better on its validation photos: {percent(best.validation_accuracy)}.".strip()


def _unfinished(row: UnfinishedRow, name_of: Callable[[str], str]) -> RunItem:
    return RunItem(
        row.name,
        RunKind.UNFINISHED,
        _title(row.plan, name_of),
        "interrupted",
        when=when_text(row.changed),
        details=f"Interrupted: {row.progress}. It can go on from there.",
        order=(0.0, 0.0, _timestamp(row.changed)),
    )


def _title(plan: Plan | None, name_of: Callable[[str], str]) -> str:
    return plan_title(plan, name_of(plan.backbone)) if plan else "Its plan could not be read"


def _timestamp(when: datetime | None) -> float:
    return when.timestamp() if when else 0.0
