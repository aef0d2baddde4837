"""Waiting with a deadline: the only place where these tests let time pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 90.0  # seconds; far more than anything needs, for machines that are busy with other things
_PAUSE = 0.1

Found = TypeVar("Found")


class TooLateError(AssertionError):
    """Something did not happen in time."""


def wait_until(
    look: Callable[[], Found | None],
    what: str,
    *,
    patience: float = PATIENCE,
    state: Callable[[], str] = lambda: "",
    pause: float = _PAUSE,
) -> Found:
    """Call ``look`` until it returns something true, and return that. ``state`` tells how things stood in the end."""
    end = time.monotonic() + patience
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise TooLateError(f"{what}: not within {patience:.0f} s\n{state()}")
        time.sleep(pause)
