"""Sorting as people do: 'photo 9' before 'photo 10'."""

from __future__ import annotations

import re


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key in which runs of digits count as numbers and case does not matter first."""
    parts = re.split(r"(\d+)", text.casefold())
    key = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)
    return (*key, (2, 0, text))
