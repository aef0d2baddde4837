"""Writes that are whole or absent: made under another name, then put in place in one step."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hubstudio.core import path_kinds


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 so that a reader sees the old file or the new one, never a part."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial_name(path)
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Generator[Path]:
    """Give an empty folder to fill beside ``path``; it gets that name when the block ends well, else it goes.

    Raises ``FileExistsError`` if something is at ``path`` by then (an empty folder there is replaced).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial_name(path)
    partial.mkdir()
    try:
        yield partial
        if path_kinds.is_empty_folder(path):
            path.rmdir()
        if path_kinds.is_taken(path):
            raise FileExistsError(path)
        partial.rename(path)
    finally:
        if path_kinds.exists(partial):
            shutil.rmtree(partial, ignore_errors=True)


def _partial_name(path: Path) -> Path:
    # Hidden, so that no folder listing mistakes it for something finished; short, since names end at 255 bytes.
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.partial")
