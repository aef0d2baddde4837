"""The way to the engine: made once, in a lane's thread, and asked for work of which some may wait for better."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.events import Report
from hubstudio.gui.jobs import Jobs
from hubstudio.gui.lane import Job, Lane

EngineMaker = Callable[[], Engine]
EngineCall = Callable[[Engine, Report, CancelToken], object]
WARM_UP = "warm up"


class EngineDoor:
    """Makes the engine when it is first asked for, in a lane's thread: that is when TensorFlow loads."""

    def __init__(self, make: EngineMaker) -> None:
        self._make = make
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine; loading it takes seconds, and whoever asks meanwhile waits."""
        with self._lock:
            if self._engine is None:
                self._engine = self._make()
            return self._engine


class EngineWork(QObject):
    """Hands calls of the engine to the lanes. What the person asked for goes before what only fills the time."""

    work_came = Signal()  # something the person asked for was queued: what fills the time steps aside
    went_idle = Signal()  # nothing that the person asked for runs or waits in the engine's lane

    def __init__(self, jobs: Jobs, make: EngineMaker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._door = EngineDoor(make)
        self._asked: set[str] = set()
        jobs.busy_changed.connect(self._on_busy_changed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing that the person asked for runs or waits in the engine's lane."""
        return not self._asked

    def ask(self, kind: str, call: EngineCall) -> None:
        """Queue what the person asked for."""
        self._asked.add(kind)
        self.work_came.emit()
        self._submit(self._jobs.engine_lane, kind, call)

    def fill_time(self, kind: str, call: EngineCall) -> None:
        """Queue what nobody waits for."""
        self._submit(self._jobs.engine_lane, kind, call)

    def fetch(self, kind: str, call: EngineCall) -> None:
        """Queue a download: in a lane of its own, one after the other, so that it goes on beside a training."""
        self._submit(self._jobs.fetching_lane, kind, call)

    def _submit(self, lane: Lane, kind: str, call: EngineCall) -> None:
        door = self._door
        self._jobs.submit(lane, Job(kind, lambda report, cancel: call(door.engine, report, cancel)))

    def _on_busy_changed(self, kind: str, progress: object) -> None:
        if progress is None and kind in self._asked:
            self._asked.discard(kind)
            if self.is_idle:
                self.went_idle.emit()
