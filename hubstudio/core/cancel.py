"""How a running job is asked to end: at once, or with the best it has; or to pause."""

from __future__ import annotations

import threading
import time

from hubstudio.core.errors import Cancelled, Suspended

_SECONDS_BETWEEN_LOOKS = 0.2


class CancelToken:
    """Shared between the asking thread and the working one, which polls it between batches."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._stopping = threading.Event()
        self._suspended = threading.Event()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self.paused_seconds = 0.0
        """How long the job has stood still so far."""

    def cancel(self) -> None:
        """Ask the job to end now and to leave nothing behind."""
        self._cancelled.set()
        self._may_go_on.set()

    def suspend(self) -> None:
        """Ask a training to end now so that it can go on later; any other job ends as with ``cancel``."""
        self._suspended.set()
        self.cancel()

    def stop(self) -> None:
        """Ask a training to end now and to keep its best weights so far."""
        self._stopping.set()
        self._may_go_on.set()

    def pause(self) -> None:
        """Let the job stand still where it next looks, until it may go on or is asked to end."""
        if not (self._cancelled.is_set() or self._stopping.is_set()):
            self._may_go_on.clear()

    def resume(self) -> None:
        """Let a paused job go on."""
        self._may_go_on.set()

    @property
    def is_paused(self) -> bool:
        """Whether the job stands still, or will as soon as it looks."""
        return not self._may_go_on.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the job was asked to leave nothing behind."""
        return self._cancelled.is_set()

    @property
    def is_stopping(self) -> bool:
        """Whether a training was asked to keep what it has."""
        return self._stopping.is_set()

    def check_before_results(self) -> None:
        """Raise ``Cancelled`` once ``cancel`` or ``stop`` was called: for work before there is anything to keep."""
        self.check()
        if self._stopping.is_set():
            raise Cancelled

    def check(self) -> None:
        """Raise ``Cancelled`` once ``cancel`` was called; wait here while paused."""
        if not self._may_go_on.is_set():
            self._stand_still()
        if self._cancelled.is_set():
            raise Suspended() if self._suspended.is_set() else Cancelled

    def _stand_still(self) -> None:
        began = time.monotonic()
        while not self._may_go_on.wait(_SECONDS_BETWEEN_LOOKS):  # an end asked for in the moment of pausing
            if self._cancelled.is_set() or self._stopping.is_set():
                break
        self.paused_seconds += time.monotonic() - began
