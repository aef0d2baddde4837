"""How a running job is asked to end: at once, or with the best it has."""

from __future__ import annotations

import threading

from hubstudio.core.errors import Cancelled


class CancelToken:
    """Shared between the asking thread and the working one, which polls it between batches."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._stopping = threading.Event()

    def cancel(self) -> None:
        """Ask the job to end now and to leave nothing behind."""
        self._cancelled.set()

    def stop(self) -> None:
        """Ask a training to end now and to keep its best weights so far."""
        self._stopping.set()

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
        if self._stopping.is_set():
            raise Cancelled
        self.check()

    def check(self) -> None:
        """Raise ``Cancelled`` once ``cancel`` was called."""
        if self._cancelled.is_set():
            raise Cancelled
