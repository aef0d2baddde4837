"""Which photos are meant: where they are, which of them are left out, and what their classes are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".tab", ".txt"))


@dataclass(frozen=True)
class Selection:
    """Folders and tables of photos, with the person's choices among them."""

    sources: tuple[Path, ...]
    """Folders of class folders, class folders, and tables with a path and a label in each line."""
    left_out: frozenset[Path] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Class names as found, and as wanted; two of one name are one class."""
    split_file: Path | None = None
    """A ``split.csv`` whose parts are to be kept."""


def is_table(source: Path) -> bool:
    """Whether a source is a table by its name; asks no disk."""
    return source.suffix.casefold() in TABLE_SUFFIXES


def root_of(source: Path) -> Path:
    """Return what names of photos from ``source`` are relative to: the folder itself, or the table's."""
    return source.parent if is_table(source) else source
