"""How fast the chosen backbone is here, and what the plan will cost: looked up, or measured in idle time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from hubstudio.core import speeds
from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import Cost, PhotoAmount, Speed, guess_memory, predict
from hubstudio.core.engine import Engine
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Report
from hubstudio.core.memory import memory_in_use
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.backbone_desk import BackboneDesk
from hubstudio.gui.engine_work import EngineWork
from hubstudio.gui.jobs import Jobs
from hubstudio.gui.lane import Job

_MILLISECONDS_BEFORE_MEASURING = 700  # a person who looks through the cards waits for no measurement
_KIND, _LOOK_UP, _COMPARE = "measure", "look up speed", "compare"


@dataclass(frozen=True)
class _Use:
    """What a speed is measured for."""

    handle: str
    features: str
    size: int


@dataclass(frozen=True)
class _Request:
    """What is looked up or measured; the plan may be another one by the time of the answer."""

    use: _Use
    moves: bool
    """Whether for fine-tuning."""

    def is_answered_by(self, speed: Speed | None) -> bool:
        """Whether all that was asked for was found."""
        return speed is not None and (bool(speed.steps) or not self.moves)


@dataclass(frozen=True)
class _Found:
    request: _Request
    speed: Speed | None


class SpeedDesk(QObject):
    """Knows the speed for what the plan uses now. Measures when nothing else is asked of the engine, and gives way."""

    changed = Signal()  # what the plan will cost may be another now

    def __init__(
        self,
        jobs: Jobs,
        work: EngineWork,
        desk: BackboneDesk,
        plan: Callable[[], Plan | None],
        amount: Callable[[], PhotoAmount | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._work, self._desk, self._plan, self._amount = jobs, work, desk, plan, amount
        self.speed: Speed | None = None
        self._use: _Use | None = None
        self._measured: _Request | None = None
        """What the last measurement was begun for."""
        self._vain: set[_Request] = set()
        """What could not be measured: it is not tried again."""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_MILLISECONDS_BEFORE_MEASURING)
        self._soon.timeout.connect(self._measure)
        desk.chosen.connect(self.look_at_plan)
        desk.downloads.changed.connect(self._on_download_changed)
        work.work_came.connect(self._step_aside)
        work.went_idle.connect(self._soon.start)
        jobs.busy_changed.connect(self._on_busy_changed)
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.crashed.connect(self._on_crashed)

    @property
    def is_measuring(self) -> bool:
        """Whether the backbone is being measured."""
        return self._jobs.current(_KIND) is not None

    def cost(self, plan: Plan | None = None) -> Cost | None:
        """Return what a plan will cost, the session's if none is given; None while something of it is not known."""
        plan = plan or self._plan()
        info, amount = self._desk.info, self._amount()
        if not (plan and info and amount and self.speed and self._use == _use_of(plan, info)):
            return None
        return predict(plan, info, self.speed, amount, memory_in_use())

    def guessed_memory(self) -> int | None:
        """Return about how many bytes the session's plan will take, for as long as its cost is not known.

        None where nothing can be guessed either: without photos, or a backbone that was not looked into yet.
        """
        plan, info, amount = self._plan(), self._desk.info, self._amount()
        if not (plan and info and amount):
            return None
        return guess_memory(plan, info, speeds.size_for(plan, info), amount, memory_in_use())

    def is_settled(self, plan: Plan) -> bool:
        """Whether measuring would tell no more of what a plan costs than is known."""
        info = self._desk.info
        if info is None:
            return False
        use = _use_of(plan, info)
        is_measured = self.speed is not None and self._use == use and self.speed.covers(plan)
        return is_measured or _Request(use, _moves(plan)) in self._vain

    def seconds(self) -> Mapping[str, float]:
        """Return how long the plan would take with each backbone of the shelf that was measured, by handle."""
        plan, amount = self._plan(), self._amount()
        if not (plan and amount):
            return {}
        found: dict[str, float] = {}
        for row in self._desk.shelf.rows:
            if row.info and row.speed and (plan.image_size or row.speed.image_size) == row.speed.image_size:
                other = replace(plan, backbone=row.handle, features="")
                found[row.handle] = predict(other, row.info, row.speed, amount).seconds
        if cost := self.cost():
            found[plan.backbone] = cost.seconds
        return found

    def look_at_plan(self) -> None:
        """Look up the speed if the plan uses something else now, and measure it if need be."""
        plan, info = self._plan(), self._desk.info
        use = _use_of(plan, info) if plan and info else None
        if plan and info and use and use != self._use:
            self._use, self.speed = use, None
            self._jobs.drop(_KIND)
            request = _Request(use, _moves(plan))
            self._jobs.submit(
                self._jobs.shelf_lane,
                Job(_LOOK_UP, lambda report, cancel: _Found(request, speeds.kept_for(plan, info))),
            )
        elif use is None:
            self._use, self.speed = None, None
        else:
            self._soon.start()  # fine-tuning may not have been measured yet
        self.changed.emit()

    def _measure(self) -> None:
        plan, use, info = self._plan(), self._use, self._desk.info
        if not plan or not use or not info or self.is_settled(plan) or self._is_busy() or self._amount() is None:
            return
        request = _Request(use, _moves(plan))
        self._measured = request

        def measured(engine: Engine, _: Report, cancel: CancelToken) -> _Found:
            known = speeds.kept_for(plan, info)  # another program may have measured it meanwhile
            return _Found(request, known if known and known.covers(plan) else engine.measure(plan, cancel))

        self._work.fill_time(_KIND, measured)
        self.changed.emit()

    def _is_busy(self) -> bool:
        """Whether something goes on that speeds would come out too low beside, or that may give the speed itself."""
        goes_on = any(map(self._jobs.current, (_KIND, _LOOK_UP, _COMPARE)))
        return goes_on or not self._work.is_idle or self._desk.downloads.is_checking

    def _step_aside(self) -> None:
        self._soon.stop()
        self._jobs.drop(_KIND)

    def _on_busy_changed(self, kind: str, progress: object) -> None:
        if kind in (_COMPARE, "check") and progress is None:  # while photos are read, speeds would come out too low
            self._soon.start()

    def _on_download_changed(self, handle: str) -> None:
        if self._desk.downloads.is_checking:  # by a process that takes all cores
            self._step_aside()
        elif self._desk.downloads.of(handle) is None:
            self._soon.start()

    def _on_finished(self, kind: str, result: object) -> None:
        if kind not in (_KIND, _LOOK_UP):
            return
        assert isinstance(result, _Found)
        use, speed = result.request.use, result.speed
        if kind == _KIND and not result.request.is_answered_by(speed):
            self._vain.add(result.request)  # it has no steps to measure
        if use != self._use:
            return
        self.speed = speed
        if speed and not use.features:
            self._desk.take_speed(use.handle, speed)
        self._soon.start()
        self.changed.emit()

    def _on_crashed(self, kind: str, _report: str, was_wanted: bool) -> None:
        if was_wanted:  # else another may be measured by now
            self._on_failed(kind, None)

    def _on_failed(self, kind: str, _: StudioError | None) -> None:
        if kind == _KIND and self._measured:
            self._vain.add(self._measured)
            self._soon.start()  # fine-tuning may be wanted by now, and possible
            self.changed.emit()


def _use_of(plan: Plan, info: BackboneInfo) -> _Use:
    return _Use(info.handle, plan.features, speeds.size_for(plan, info))


def _moves(plan: Plan) -> bool:
    return plan.mode is Mode.FINE_TUNE
