"""Tells backbones of the same name apart: by the version, the owner, or whatever else differs in their handles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from hubstudio.gui.shelf import ShelfRow

Parts = list[str]


def with_names_apart(rows: Sequence[ShelfRow]) -> tuple[ShelfRow, ...]:
    """Return the rows with names that differ; those of the catalogue keep theirs."""
    alike: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        alike[row.name.casefold()].append(row.handle)
    return tuple(row if row.row else _told_apart(row, alike[row.name.casefold()]) for row in rows)


def _told_apart(row: ShelfRow, handles: Sequence[str]) -> ShelfRow:
    differs = difference(row.handle, handles) if len(handles) > 1 else ""
    return replace(row, title=f"{row.name} ({differs})") if differs else row


def difference(handle: str, others: Sequence[str]) -> str:
    """Return what a handle has between what all have at their beginning and all at their end: '3' or 'me/big/3'."""
    every = [_parts(one) for one in others]
    first = _shared(every)
    last = _shared([parts[first:][::-1] for parts in every])
    parts = _parts(handle)
    return "/".join(parts[first : len(parts) - last])


def _parts(handle: str) -> Parts:
    return [part for part in re.split(r"[/\\]", handle) if part]


def _shared(lists: Sequence[Parts]) -> int:
    """Return how many parts all begin with."""
    count = 0
    for parts in zip(*lists, strict=False):
        if len(set(parts)) > 1:
            break
        count += 1
    return count
