"""What every command is given: the engine's maker, the console, the cancel token; and how it is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from hubstudio.cli.console import Console
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.events import BytesFetched, Event, Note, Progress, TrainingEvent
from hubstudio.core.run_state import RunState, advance

EngineMaker = Callable[[], Engine]


@dataclass
class Context:
    """One command's surroundings."""

    make_engine: EngineMaker
    console: Console
    cancel: CancelToken = field(default_factory=CancelToken)
    has_screen: bool = False
    project_to_open: Path | None = None
    """A project that the window shows once the command is done."""
    training: Path | None = None
    """The run that a training is to become: should it be interrupted, it may be able to go on."""

    def engine(self) -> Engine:
        """Return the engine. Loading it takes seconds: check everything that needs none before."""
        self.cancel.check()
        engine = self.make_engine()
        self.cancel.check()
        return engine


class Reporter:
    """Draws a job's events on the console: the bar from the same state the window shows, notes as messages."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state = RunState()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Progress):
            share = event.done / event.total if event.total else 0.0
            self._console.progress(share, f"{event.done:,} of {event.total:,} {event.what}")
            return
        if isinstance(event, BytesFetched):
            self._console.progress(event.fraction, str(event))
            return
        self._advance(event)

    def _advance(self, event: TrainingEvent) -> None:
        self._state = advance(self._state, event)
        if isinstance(event, Note):
            self._console.message(event.text)
        elif self._state.is_active:
            self._console.progress(self._state.fraction, f"{self._state}{_time_left(self._state.seconds_left)}")


@contextmanager
def interruptible(cancel: CancelToken) -> Generator[None]:
    """Turn the first Ctrl+C or SIGTERM into a suspended token and the second into ``KeyboardInterrupt``."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if cancel.is_cancelled:
            raise KeyboardInterrupt
        cancel.suspend()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", {seconds:.0f} s left" if seconds < 90 else f", {seconds / 60:.0f} min left"
