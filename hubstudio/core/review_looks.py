"""How often somebody has looked at a result on the test photos: the more often, the less the number is worth."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.photos import count_of
from hubstudio.core.run_folder import SPLIT

LOOKS = "test-looks.txt"
_TEST_LINE = re.compile(rb',"?test"?,"?([0-9a-f]+)"?$')
MANY_LOOKS = 5
"""From this look on it is said what repeated looking does."""


def record_look(run: Path) -> None:
    """Note in the run folder that its result on the test photos was shown; a folder that cannot be written stays."""
    with suppress(OSError), (run / LOOKS).open("a", encoding="ascii") as file:
        file.write(datetime.now(UTC).isoformat(timespec="seconds") + "\n")


def looks(run: Path) -> int:
    """Return how often the run's result on its test photos was looked at."""
    try:
        return sum(1 for line in (run / LOOKS).read_bytes().splitlines() if line.strip())
    except OSError:
        return 0


def looks_at_test_photos(run: Path) -> int:
    """Return how often these test photos were looked at: in this run, and in those beside it that test most of them."""
    own = _tested(run)
    beside = [run.parent / name for name in path_kinds.names_in(run.parent) if name != run.name]
    return looks(run) + sum(
        count for other in beside if (count := looks(other)) and 2 * len(own & _tested(other)) > len(own)
    )


def looks_text(count: int) -> str:
    """Return the count as a sentence."""
    if count <= 1:
        return "The first look at these test photos."
    return f"Look {count:,} at these test photos."


def flattery_text(count: int) -> str:
    """Return what repeated looking does to the number, from the fifth look on; empty before."""
    if count < MANY_LOOKS:
        return ""
    return (
        f"You have looked at these test photos {count_of(count, 'time')}. Every choice made after a look fits the "
        "model a little to them, so the accuracy shown is better than it will be on new photos. For a number to "
        "publish, test once on photos that were never used."
    )


def _tested(run: Path) -> frozenset[bytes]:
    """Return the digests of a run's test photos; by plain search, since the file may have 100,000 lines."""
    try:
        lines = (run / SPLIT).read_bytes().splitlines()
    except OSError:
        return frozenset()
    return frozenset(found[1] for line in lines if (found := _TEST_LINE.search(line)))
