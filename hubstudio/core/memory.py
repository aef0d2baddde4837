"""How much memory there is for a training, and what to say if it is not enough."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from hubstudio.core.cost import Cost, bytes_text
from hubstudio.core.errors import StudioError

_FINE_TUNING = "fine-tune"
_GROUP = Path("/sys/fs/cgroup")


class TooLargeError(StudioError):
    """A training is not begun, or not gone on with, since it may not fit into memory.

    Raised by a taker of ``RunStarted``: before anything is computed, so an interrupted training stays as it was.
    """


def memory_in_use() -> int:
    """Return the bytes this process has in memory now; 0 where the system does not say."""
    try:
        return psutil.Process().memory_info().rss
    except (psutil.Error, OSError):
        return 0


def available_memory(group: Path = _GROUP) -> int | None:
    """Return the bytes this process may come to hold: what it has already, and what the system can still give.

    Predictions count the whole process, so they compare with this. ``group`` is where Linux tells of a container's
    limit, which the free memory of the computer knows nothing of. None where the system does not say.
    """
    try:
        given = psutil.virtual_memory().available
    except (psutil.Error, OSError):
        return None
    left = _left_in(group)
    return memory_in_use() + (given if left is None else min(given, left))


def refusal_text(cost: Cost | None, free: int | None, *, plan_is_fixed: bool = False) -> str:
    """Return why a training of this cost should be thought over: figures, and what would make it smaller.

    Empty if it fits, or if one of both is not known. ``plan_is_fixed``: it goes on by the plan that it began with.
    """
    if cost is None or free is None or cost.memory_bytes <= free:
        return ""
    return (
        f"The training is predicted to take {bytes_text(cost.memory_bytes)} of memory; {bytes_text(free)} are free. "
        f"It would come to a standstill, or be ended by the system. "
        f"Close other programs, or {'train anew with' if plan_is_fixed else 'choose'} "
        f"{_what_takes_less(fine_tunes=_FINE_TUNING in cost.stretches)}."
    )


def doubt_text(guess: int | None, free: int | None, *, fine_tunes: bool, can_wait: bool) -> str:
    """Return why a training whose backbone was not measured should be thought over; ``guess`` is in bytes.

    ``can_wait``: it will be measured. Empty if it fits by that guess, or if one of both is not known.
    """
    if guess is None or free is None or guess <= free:
        return ""
    return (
        f"By its image size and batch, the training may take around {bytes_text(guess)} of memory; "
        f"{bytes_text(free)} are free. This is a guess: the backbone has not been measured on this computer. "
        f"{'Wait until time and memory are shown here, or choose' if can_wait else 'Close other programs, or choose'} "
        f"{_what_takes_less(fine_tunes=fine_tunes)}."
    )


def _what_takes_less(*, fine_tunes: bool) -> str:
    advice = "a smaller batch size, fewer blocks that move," if fine_tunes else "a smaller backbone"
    return f"{advice} or a smaller image size"


def _left_in(group: Path) -> int | None:
    """Return what a control group of Linux may still take; None if there is no limit."""
    with contextlib.suppress(OSError, ValueError):
        most = int((group / "memory.max").read_text("ascii"))  # 'max' where there is no limit
        # Pages of files are given back when they are needed, so they are as good as free.
        lines = (group / "memory.stat").read_text("ascii").splitlines()
        table = dict(line.split(" ", 1) for line in lines if " " in line)
        taken = int((group / "memory.current").read_text("ascii")) - int(table.get("inactive_file", "0"))
        return max(most - taken, 0)
    return None
