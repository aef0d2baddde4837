"""Arrays in a folder, cut into files that stay below a size: weights, and where a training stands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
LARGEST_FILE = 15 * 2**20
"""Bytes. Some places that lend GPUs hand back no file above 16 MiB."""


def write(folder: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write arrays and facts beside ``folder``, then swap them in: a broken-off call leaves the older ones."""
    new, old = (folder.with_name(folder.name + ending) for ending in (".new", ".old"))
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)
    new.mkdir(parents=True)
    for number, part in enumerate(_parts(arrays)):
        np.savez(new / f"part-{number:02}.npz", **part)
    (new / "facts.json").write_text(json.dumps(dict(facts), indent=1), encoding="utf-8")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def read(folder: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return what ``write`` wrote. Raises ``SystemExit`` if there is nothing."""
    if not (folder / "facts.json").is_file():
        raise SystemExit(f"There is no checkpoint in {folder}. Train first, or give another folder.")
    arrays: Arrays = {}
    for file in sorted(folder.glob("part-*.npz")):
        with np.load(file) as part:
            arrays.update({name: part[name] for name in part.files})
    return arrays, json.loads((folder / "facts.json").read_text(encoding="utf-8"))


def _parts(arrays: Mapping[str, NDArray[Any]]) -> list[Arrays]:
    parts: list[Arrays] = [{}]
    size = 0
    for name, array in arrays.items():
        if size and size + array.nbytes > LARGEST_FILE:
            parts.append({})
            size = 0
        parts[-1][name] = array
        size += array.nbytes
    return parts
