"""A lane: one QThread that does jobs one after the other and tells of them in signals."""

from __future__ import annotations

import queue
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled, StudioError
from hubstudio.core.events import BatchDone, BytesFetched, Event, FeaturesDone, PhotosRead, Progress, Report
from hubstudio.gui.qt_types import make_all_types

Work = Callable[[Report, CancelToken], object]
_SECONDS_BETWEEN_EVENTS = 0.05  # a view cannot show more, and each one costs the window's thread a moment


@dataclass(frozen=True, eq=False)
class Job:
    """Work for a lane; ``kind`` says who waits for it."""

    kind: str
    work: Work
    cancel: CancelToken = field(default_factory=CancelToken)


class Lane(QThread):
    """Jobs queue behind each other; every job ends in exactly one of finished, failed, cancelled, crashed.

    All signals carry Python objects and arrive in the thread of the receiver.
    """

    event_reported = Signal(object, object)  # Job, Event
    job_finished = Signal(object, object)  # Job, result
    job_failed = Signal(object, object)  # Job, StudioError
    job_cancelled = Signal(object)  # Job
    job_crashed = Signal(object, str)  # Job, traceback

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._waiting: list[Job] = []
        self._is_closed = False

    def submit(self, job: Job) -> Job:
        """Queue a job; starts the thread on the first one. After ``close`` nothing is done any more."""
        if self._is_closed:  # answers that were under way when the window closed may still ask for more
            return job
        self._waiting.append(job)
        self._jobs.put(job)
        if not self.isRunning():
            make_all_types()
            self.start()
        return job

    def cancel_all(self) -> None:
        """Cancel what runs or waits, and take nothing more."""
        self._is_closed = True
        for job in list(self._waiting):  # the thread takes jobs out of it meanwhile
            job.cancel.cancel()

    def close(self, seconds: float) -> bool:
        """Cancel what runs or waits; wait until the thread has ended, or return False if it has not in that time."""
        self.cancel_all()
        self._jobs.put(None)
        return self.wait(QDeadlineTimer(round(seconds * 1000)))

    def run(self) -> None:
        """Do jobs until ``close``. Called by Qt in the lane's own thread."""
        while (job := self._jobs.get()) is not None:
            self._do(job)
            self._waiting.remove(job)

    def _do(self, job: Job) -> None:
        try:
            job.cancel.check()
            result = job.work(self._reporter(job), job.cancel)
        except Cancelled:
            self.job_cancelled.emit(job)
        except StudioError as error:
            self.job_failed.emit(job, error)
        except BaseException:  # the lane's border: what nobody foresaw goes to the crash dialog, whole
            self.job_crashed.emit(job, traceback.format_exc())
        else:
            self.job_finished.emit(job, result)

    def _reporter(self, job: Job) -> Report:
        last: tuple[type[object], float] = (object, 0.0)

        def report(event: Event) -> None:
            nonlocal last
            now = time.monotonic()
            if isinstance(event, BatchDone | BytesFetched | FeaturesDone | PhotosRead | Progress) and not _ends(event):
                if type(event) is last[0] and now - last[1] < _SECONDS_BETWEEN_EVENTS:  # another one begins a stage
                    return
                last = type(event), now
            self.event_reported.emit(job, event)

        return report


def _ends(event: BatchDone | BytesFetched | FeaturesDone | PhotosRead | Progress) -> bool:
    if isinstance(event, BatchDone):
        return event.batch == event.batches
    return event.done == event.total
