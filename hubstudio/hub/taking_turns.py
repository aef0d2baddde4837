"""Only one program at a time fetches a module: ours by a lock that ends with its process, TF Hub's by its own."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from hubstudio.core import hub_lock, module_cache
from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BytesFetched, Report
from hubstudio.core.module_places import EntryPaths

_LOOK_SECONDS = 0.1
_SECONDS_BETWEEN_REPORTS = 0.5


@contextmanager
def alone(handle: str, entry: EntryPaths, report: Report, cancel: CancelToken) -> Generator[None]:
    """Wait until nobody else fetches this module, then keep others from it; what a killed one left is swept away."""
    entry.folder.parent.mkdir(parents=True, exist_ok=True)
    waiting = _Waiting(handle, entry, report, cancel)
    lock = FileLock(entry.lock)
    while not _acquired(lock):
        waiting.rest()
    try:
        while not (ours := hub_lock.take(entry)):
            hub_lock.sweep(entry)
            waiting.rest()
        try:
            yield
        finally:
            hub_lock.give_back(entry, ours)
    finally:
        lock.release()


class _Waiting:
    """Tells how far the other program is."""

    def __init__(self, handle: str, entry: EntryPaths, report: Report, cancel: CancelToken) -> None:
        self._handle = handle
        self._entry = entry
        self._report = report
        self._cancel = cancel
        self._told = 0.0

    def rest(self) -> None:
        self._cancel.check()
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_REPORTS:
            self._told = now
            self._report(BytesFetched(self._handle, module_cache.begun_bytes(self._entry), None, 0.0, None))
        time.sleep(_LOOK_SECONDS)


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
