"""Modules that are being fetched: started, queued behind each other, followed and cancelled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.errors import StudioError
from hubstudio.core.events import BytesFetched, Event, Progress, Report
from hubstudio.gui.engine_work import EngineWork
from hubstudio.gui.jobs import Jobs

PREFIX = "fetch "
"""What the kinds of these jobs begin with; the handle follows."""


class Stage(StrEnum):
    """What is done with a module that was asked for."""

    WAITING = "waiting"
    FETCHING = "fetching"
    CHECKING = "checking"


@dataclass(frozen=True)
class Download:
    """How far one module is."""

    handle: str
    stage: Stage = Stage.WAITING
    done: int = 0
    total: int | None = None
    sentence: str = ""

    @property
    def fraction(self) -> float:
        """How much of it is here, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def has_known_share(self) -> bool:
        """Whether a bar can show how far it is."""
        return self.stage is Stage.WAITING or (self.stage is Stage.FETCHING and bool(self.total))

    @property
    def rest(self) -> str:
        """What a card says beside its bar: speed and time left."""
        return self.sentence.partition(", ")[2]


class Downloads(QObject):
    """One module is fetched at a time: two would share one line, and each is looked into by TensorFlow at its end."""

    changed = Signal(str)  # handle: started, further, or ended
    finished = Signal(str, object)  # handle, BackboneInfo
    failed = Signal(str, object)  # handle, StudioError
    cancelled = Signal(str)  # handle

    def __init__(self, jobs: Jobs, work: EngineWork, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._work = jobs, work
        self._going_on: dict[str, Download] = {}
        jobs.reported.connect(self._on_reported)
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.cancelled.connect(self._on_cancelled)
        jobs.crashed.connect(self._on_crashed)

    def of(self, handle: str) -> Download | None:
        """Return how far a module is, or None if it is not being fetched."""
        return self._going_on.get(handle)

    @property
    def going_on(self) -> tuple[Download, ...]:
        """All that are being fetched or wait, in their order."""
        return tuple(self._going_on.values())

    @property
    def is_checking(self) -> bool:
        """Whether one is being unpacked or looked into, which takes the whole computer."""
        return any(download.stage is Stage.CHECKING for download in self._going_on.values())

    def start(self, handle: str) -> None:
        """Fetch a module, once the others are here; one that is under way goes on."""
        if handle in self._going_on:
            return
        self._going_on[handle] = Download(handle)
        self._work.fetch(
            _kind(handle), lambda engine, report, cancel: engine.fetch(handle, _begun(handle, report), cancel)
        )
        self.changed.emit(handle)

    def cancel(self, handle: str) -> None:
        """Stop fetching a module; what is here stays, to go on from."""
        if self._jobs.drop(_kind(handle)):
            self._end(handle)
            self.cancelled.emit(handle)

    def _on_reported(self, kind: str, event: Event) -> None:
        former = self._going_on.get(kind.removeprefix(PREFIX)) if kind.startswith(PREFIX) else None
        if former is None:
            return
        self._going_on[former.handle] = _further(former, event)
        self.changed.emit(former.handle)

    def _on_finished(self, kind: str, info: object) -> None:
        if self._end_of(kind):
            assert isinstance(info, BackboneInfo)
            self.finished.emit(kind.removeprefix(PREFIX), info)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if self._end_of(kind):
            self.failed.emit(kind.removeprefix(PREFIX), error)

    def _on_cancelled(self, kind: str) -> None:
        if self._end_of(kind):
            self.cancelled.emit(kind.removeprefix(PREFIX))

    def _on_crashed(self, kind: str, _report: str, was_wanted: bool) -> None:
        if was_wanted:  # else the same module may be under way again
            self._on_cancelled(kind)

    def _end_of(self, kind: str) -> bool:
        handle = kind.removeprefix(PREFIX)
        is_ours = kind.startswith(PREFIX) and handle in self._going_on
        if is_ours:
            self._end(handle)
        return is_ours

    def _end(self, handle: str) -> None:
        self._going_on.pop(handle, None)
        self.changed.emit(handle)


def _kind(handle: str) -> str:
    return f"{PREFIX}{handle}"


def _begun(handle: str, report: Report) -> Report:
    """Say that the turn has come, before the server has answered."""
    report(BytesFetched(handle, 0, None, 0.0, None))
    return report


def _further(download: Download, event: Event) -> Download:
    if isinstance(event, BytesFetched):
        sentence = str(event) if event.done else ""
        return replace(download, stage=Stage.FETCHING, done=event.done, total=event.total, sentence=sentence)
    if isinstance(event, Progress):
        return replace(download, stage=Stage.CHECKING, sentence="")
    return download
