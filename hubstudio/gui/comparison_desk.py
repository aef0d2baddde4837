"""A shoot-out of backbones on the project's photos: one after the other, each when the engine has nothing better to do.

Each backbone is a job of its own. So its row is there as soon as it is known, and what the person asks for meanwhile
only waits for the backbone at hand to step aside; that one begins again afterwards. All are tried on the photos, parts
and head that the plan had at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender
from hubstudio.core.engine import Engine
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Event, FeaturesDone, PhotosRead, Progress, Report
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.engine_work import EngineWork
from hubstudio.gui.jobs import Jobs

_KIND = "compare"
_OF_THE_BACKBONE = (
    "backbone", "features", "mode", "unfreeze", "head_epochs", "fine_tune_learning_rate", "train_batch_norm",
    "image_size",
)  # fmt: skip
"""What a plan says of how its own backbone is used."""


@dataclass(frozen=True)
class _Tried:
    backbone: str
    contenders: tuple[Contender, ...]


class ComparisonDesk(QObject):
    """Holds the results of the last comparison, and which backbones are still to come."""

    changed = Signal()  # results, or which backbone it is at
    progressed = Signal(object)  # Progress of the backbone at hand
    failed = Signal(object)  # StudioError that ended the comparison

    def __init__(
        self, jobs: Jobs, work: EngineWork, plan: Callable[[], Plan | None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs, self._work, self._plan = jobs, work, plan
        self.contenders: tuple[Contender, ...] = ()
        self.chosen: tuple[str, ...] = ()
        """Handles that are compared, in the order of the shelf."""
        self._terms: Plan | None = None
        """What all of them are tried by."""
        self._was_outdated = False
        self._to_come: list[str] = []
        work.work_came.connect(self._step_aside)
        work.went_idle.connect(self._go_on)
        jobs.reported.connect(self._on_reported)
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.crashed.connect(self._on_crashed)

    @property
    def is_going_on(self) -> bool:
        """Whether backbones are still to come."""
        return bool(self._to_come)

    @property
    def is_waiting(self) -> bool:
        """Whether it stands still for something the person asked for."""
        return self.is_going_on and self._jobs.current(_KIND) is None

    @property
    def at_hand(self) -> str:
        """Handle of the backbone that is tried now, or next; empty if none is."""
        return self._to_come[0] if self._to_come else ""

    @property
    def is_outdated(self) -> bool:
        """Whether the results are of other photos, parts or settings of the head than the plan has now."""
        plan = self._plan()
        return self._terms is not None and (plan is None or _terms(plan) != self._terms)

    def start(self, backbones: Sequence[str]) -> None:
        """Compare these; the results of a former comparison go."""
        self.cancel()
        plan = self._plan()
        if plan is None:
            return
        self._terms, self._was_outdated = _terms(plan), False
        self.contenders, self.chosen, self._to_come = (), tuple(backbones), list(backbones)
        self.changed.emit()
        self._go_on()

    def cancel(self) -> None:
        """Stop; what is known stays."""
        self._to_come.clear()
        self._jobs.drop(_KIND)
        self.changed.emit()

    def clear(self) -> None:
        """Forget everything: other photos begin."""
        self.contenders = self.chosen = ()
        self._terms, self._was_outdated = None, False
        self.cancel()

    def look_at_plan(self) -> None:
        """Tell if the results are of something else than the plan has now, or are no longer."""
        if self.is_outdated != self._was_outdated:
            self._was_outdated = self.is_outdated
            self.changed.emit()

    def _go_on(self) -> None:
        terms = self._terms
        if not self._to_come or not terms or not self._work.is_idle or self._jobs.current(_KIND):
            return
        backbone = self._to_come[0]

        def tried(engine: Engine, report: Report, cancel: CancelToken) -> _Tried:
            return _Tried(backbone, tuple(engine.compare(terms, [backbone], report, cancel)))

        self._work.fill_time(_KIND, tried)
        self.changed.emit()

    def _step_aside(self) -> None:
        if self._jobs.drop(_KIND):
            self.changed.emit()

    def _on_reported(self, kind: str, event: Event) -> None:
        if kind == _KIND and isinstance(event, Progress | PhotosRead | FeaturesDone):
            what = event.what if isinstance(event, Progress) else "photos"
            self.progressed.emit(Progress(event.done, event.total, what))

    def _on_finished(self, kind: str, result: object) -> None:
        if kind == _KIND and isinstance(result, _Tried):
            self._to_come.remove(result.backbone)
            self.contenders += result.contenders
            self.changed.emit()
            self._go_on()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == _KIND:  # of the photos: what one backbone cannot do is told in its row
            self._to_come.clear()
            self.changed.emit()
            self.failed.emit(error)

    def _on_crashed(self, kind: str, _report: str, was_wanted: bool) -> None:
        if kind == _KIND and was_wanted:
            self._to_come.clear()
            self.changed.emit()


def _terms(plan: Plan) -> Plan:
    """Return what a comparison takes of a plan: photos, parts and head; the rest is as in any plan."""
    usual = Plan(plan.photos)
    rest: dict[str, Any] = {name: getattr(usual, name) for name in _OF_THE_BACKBONE}
    return replace(plan, epochs=plan.head_epochs if plan.mode is Mode.FINE_TUNE else plan.epochs, **rest)
