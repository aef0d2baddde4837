"""Sorting as people do: 'photo 9' before 'photo 10'."""

from __future__ import annotations

import re


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key in which runs of digits count as numbers and case does not matter first."""
    parts = re.split(r"(\d+)", text.casefold())
    # int() refuses more digits than this, and no one counts so far.
    key = tuple((0, int(part), "") if part.isdecimal() and len(part) < 4000 else (1, 0, part) for part in parts if part)
    return (*key, (2, 0, text))
