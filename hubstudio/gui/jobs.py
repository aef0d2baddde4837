"""Which jobs the lanes work on, one of each kind: a newer one takes the place of the former."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from hubstudio.core.errors import StudioError
from hubstudio.core.events import Event, Progress
from hubstudio.gui.lane import Job, Lane


class Jobs(QObject):
    """Hands jobs to the lanes and tells how those end that are still wanted; others end unheard."""

    busy_changed = Signal(str, object)  # kind, Progress; None when it ended
    reported = Signal(str, object)  # kind, Event
    finished = Signal(str, object)  # kind, result
    failed = Signal(str, object)  # kind, StudioError
    cancelled = Signal(str)  # kind
    crashed = Signal(str, str, bool)  # kind, traceback, whether the job was still wanted

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine_lane = Lane("engine lane", self)
        self.reading_lane = Lane("reading lane", self)
        self.dividing_lane = Lane("dividing lane", self)  # of its own: a check may take long, or stand still
        self.fetching_lane = Lane("fetching lane", self)  # of its own: downloads go on while a training runs
        self.shelf_lane = Lane("shelf lane", self)  # of its own: a look at the modules waits for no download
        self._lanes = (self.dividing_lane, self.reading_lane, self.shelf_lane, self.fetching_lane, self.engine_lane)
        self._current: dict[str, Job] = {}
        for lane in self._lanes:
            lane.event_reported.connect(self._on_event)
            lane.job_finished.connect(self._on_finished)
            lane.job_failed.connect(self._on_failed)
            lane.job_cancelled.connect(self._on_cancelled)
            lane.job_crashed.connect(self._on_crashed)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What runs or waits."""
        return tuple(self._current)

    def current(self, kind: str) -> Job | None:
        """Return the job of that kind that runs or waits."""
        return self._current.get(kind)

    def submit(self, lane: Lane, job: Job) -> None:
        """Queue a job; a former one of its kind is cancelled and ends unheard."""
        if former := self._current.get(job.kind):
            former.cancel.cancel()
        self._current[job.kind] = job
        self.busy_changed.emit(job.kind, Progress(0, 0))
        lane.submit(job)

    def cancel(self, kind: str) -> None:
        """Cancel the job of that kind, if one runs or waits."""
        if job := self._current.get(kind):
            job.cancel.cancel()

    def drop(self, kind: str) -> bool:
        """Cancel the job of that kind and let nothing of it arrive any more; whether its result was still wanted."""
        job = self._current.pop(kind, None)
        if job is None:
            return False
        was_wanted = not job.cancel.is_cancelled
        job.cancel.cancel()
        self.busy_changed.emit(kind, None)
        return was_wanted

    def close(self, seconds: float) -> bool:
        """Cancel everything and wait for the lanes to end; False if one still works after ``seconds`` of its own."""
        for lane in self._lanes:
            lane.cancel_all()
        have_ended = [lane.close(seconds) for lane in self._lanes]
        return all(have_ended)

    def _on_event(self, job: Job, event: Event) -> None:
        if self._current.get(job.kind) is job:
            self.reported.emit(job.kind, event)

    def _on_finished(self, job: Job, result: object) -> None:
        if self._ended(job):
            self.finished.emit(job.kind, result)

    def _on_failed(self, job: Job, error: StudioError) -> None:
        if self._ended(job):
            self.failed.emit(job.kind, error)

    def _on_cancelled(self, job: Job) -> None:
        if self._ended(job):
            self.cancelled.emit(job.kind)

    def _on_crashed(self, job: Job, report: str) -> None:
        self.crashed.emit(job.kind, report, self._ended(job))

    def _ended(self, job: Job) -> bool:
        """Forget the job; False if a newer one of its kind has taken its place."""
        if self._current.get(job.kind) is not job:
            return False
        del self._current[job.kind]
        self.busy_changed.emit(job.kind, None)
        return True
