"""A shoot-out of backbones on the project's photos: one after the other, each when the engine has nothing better to do.

Each backbone is a job of its own. So its row is there as soon as it is known, and what the person asks for meanwhile
only waits for the backbone at hand to step aside; that one begins again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from PySide6.QtCore import QObject, Signal

from hubstudio.core.comparison import Contender
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Event, FeaturesDone, PhotosRead, Progress
from hubstudio.core.plan import Plan
from hubstudio.gui.engine_work import EngineWork
from hubstudio.gui.jobs import Jobs

_KIND = "compare"


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

    def start(self, backbones: Sequence[str]) -> None:
        """Compare these; the results of a former comparison go."""
        self.cancel()
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
        self.cancel()

    def _go_on(self) -> None:
        plan = self._plan()
        if not self._to_come or not plan or not self._work.is_idle or self._jobs.current(_KIND):
            return
        backbone = self._to_come[0]
        self._work.fill_time(_KIND, lambda engine, report, cancel: engine.compare(plan, [backbone], report, cancel))
        self.changed.emit()

    def _step_aside(self) -> None:
        if self._jobs.drop(_KIND):
            self.changed.emit()

    def _on_reported(self, kind: str, event: Event) -> None:
        if kind == _KIND and isinstance(event, Progress | PhotosRead | FeaturesDone):
            what = event.what if isinstance(event, Progress) else "photos"
            self.progressed.emit(Progress(event.done, event.total, what))

    def _on_finished(self, kind: str, result: object) -> None:
        if kind == _KIND and self._to_come:
            self._to_come.pop(0)
            self.contenders += tuple(cast("list[Contender]", result))
            self.changed.emit()
            self._go_on()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == _KIND:  # of the photos: what one backbone cannot do is told in its row
            self._to_come.clear()
            self.changed.emit()
            self.failed.emit(error)

    def _on_crashed(self, kind: str, _report: str, _wanted: bool) -> None:
        if kind == _KIND:
            self._to_come.clear()
            self.changed.emit()
