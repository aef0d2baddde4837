"""How far a download or an archive is, how fast, and how long it will take, told a few times a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BytesFetched, Progress, Report

_WINDOW_SECONDS = 5.0
_SECONDS_BETWEEN_REPORTS = 0.1


class Meter:
    """Counts bytes; speed is the mean of the last seconds, so that it neither jumps nor lags."""

    def __init__(self, handle: str, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._handle = handle
        self._report = report
        self._clock = clock
        self._done = 0
        self._total: int | None = None
        self._seen: deque[tuple[float, int]] = deque()

    def begin(self, done: int, total: int | None) -> None:
        """Start at ``done`` bytes that were here before."""
        self._done, self._total = done, total
        self._seen = deque([(self._clock(), done)])
        self._tell(0.0)

    def advance(self, count: int) -> None:
        """Count bytes that came."""
        self._done += count
        now = self._clock()
        if now - self._seen[-1][0] >= _SECONDS_BETWEEN_REPORTS:
            self._seen.append((now, self._done))
            while self._seen[0][0] < now - _WINDOW_SECONDS and len(self._seen) > 2:
                self._seen.popleft()
            self._tell(self._speed(now))

    def end(self) -> None:
        """Tell that all is here."""
        self._total = self._done
        self._tell(self._speed(self._clock()))

    def _speed(self, now: float) -> float:
        since, before = self._seen[0]
        return (self._done - before) / max(now - since, 1e-6) if self._done > before else 0.0

    def _tell(self, speed: float) -> None:
        left = (self._total - self._done) / speed if self._total is not None and speed else None
        self._report(BytesFetched(self._handle, self._done, self._total, speed, left))


class UnpackingMeter:
    """Tells how much of an archive is unpacked, and ends it when the person asks for that."""

    def __init__(self, report: Report, cancel: CancelToken, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._cancel = cancel
        self._clock = clock
        self._told = float("-inf")

    def __call__(self, done: int, total: int) -> None:
        """Take the bytes read so far. Raises ``Cancelled``."""
        self._cancel.check()
        if self._clock() - self._told >= _SECONDS_BETWEEN_REPORTS:
            self._told = self._clock()
            self._report(Progress(done // 1000, max(total // 1000, 1), "kB unpacked"))
