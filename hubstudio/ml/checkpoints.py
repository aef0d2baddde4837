"""Checkpoints of a training: everything it needs to go on exactly, in files that are whole or absent.

The last two are kept, so that one which a failing disk has spoilt costs only the stretch between them.
"""

from __future__ import annotations

import contextlib
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubstudio.core import whole_files
from hubstudio.core.natural_order import natural_key

CHECKPOINT_VERSION = 2
_KEPT = 2
_STATE = "state"
_PATTERN = "checkpoint-*.npz"
_SECONDS_BETWEEN = 10.0
_SHARE_OF_TIME = 0.05
"""Of a training that writing checkpoints may take: where they are large, they are fewer."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a training was: plain values, and arrays by name."""

    state: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


class Checkpoints:
    """The checkpoints in the folder of one unfinished run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written_at = time.monotonic()
        self._cost = 0.0

    @property
    def is_due(self) -> bool:
        """Whether so much would be lost by now that writing one is worth it."""
        spent = time.monotonic() - self._written_at
        return spent >= max(_SECONDS_BETWEEN, self._cost / _SHARE_OF_TIME)

    def write(self, checkpoint: Checkpoint) -> None:
        """Write one, and remove what is older than the last two. Raises ``OSError``; the others are then as before."""
        began = time.monotonic()
        number = max((_number(file) for file in self._files()), default=0) + 1
        try:
            write_checkpoint(self._folder / f"checkpoint-{number:06}.npz", checkpoint)
        finally:
            self._written_at = time.monotonic()
            self._cost = self._written_at - began
        for file in self._files()[:-_KEPT]:
            with contextlib.suppress(OSError):
                file.unlink()

    @property
    def are_there(self) -> bool:
        """Whether any was written, be it one that cannot be read."""
        return bool(self._files())

    def newest(self) -> Checkpoint | None:
        """Return the newest that can be read; None if there is none, or only of another version."""
        for file in reversed(self._files()):
            if checkpoint := read_checkpoint(file):
                return checkpoint
        return None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(_PATTERN), key=lambda file: natural_key(file.name))


def _number(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def write_checkpoint(file: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all. Raises ``OSError``."""
    state = json.dumps({"version": CHECKPOINT_VERSION, **checkpoint.state}).encode()
    content = BytesIO()
    arrays: dict[str, Any] = {_STATE: np.frombuffer(state, np.uint8), **checkpoint.arrays}
    np.savez(content, **arrays)
    whole_files.write_bytes(file, content.getvalue())


def read_checkpoint(file: Path) -> Checkpoint | None:
    """Return the checkpoint in a file; None if it is missing, damaged or of another version."""
    try:
        # A zip file: every part has a checksum. NumPy leaves a damaged one open, so it is opened here.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        state = json.loads(arrays.pop(_STATE).tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return Checkpoint(state, arrays) if state.get("version") == CHECKPOINT_VERSION else None
