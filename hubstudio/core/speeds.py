"""Speeds that were measured on this computer, kept for the next time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from hubstudio.core import paths, whole_files
from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cost import Speed
from hubstudio.core.plan import Plan
from hubstudio.core.processor import processor_name, usable_cores

MEASURING_VERSION = 5
"""Raise it when the measurement changes: what was kept before counts no longer."""
_MOST_KEPT = 500
_LOCK_SECONDS = 5.0


def kept(folder: Path, features: str, size: int) -> Speed | None:
    """Return what was measured for the module in ``folder``, this endpoint and image size, on this machine; or None.

    A module that was changed, another processor or another TensorFlow counts as never measured.
    """
    table = _read().get(_key(folder, features, size))
    try:
        return Speed.from_table(cast("dict[str, Any]", table)) if isinstance(table, dict) else None
    except (TypeError, KeyError, ValueError):
        return None


def kept_for(plan: Plan, info: BackboneInfo) -> Speed | None:
    """Return what was measured for a backbone, probed at the plan's endpoint, at the plan's image size; or None.

    ``Speed.covers`` says whether all that the plan does was measured.
    """
    return kept(info.folder, info.features_name, size_for(plan, info))


def size_for(plan: Plan, info: BackboneInfo) -> int:
    """Return the side in pixels of the photos that the plan sends through the backbone."""
    return plan.image_size or info.input_size or info.default_size


def keep(folder: Path, features: str, speed: Speed) -> None:
    """Keep a measurement; steps of fine-tuning that were measured before stay if the new one has none.

    Safe with other programs that keep theirs. A disk that refuses costs only the next measurement.
    """
    with contextlib.suppress(OSError, Timeout):
        file = _file()
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            before = kept(folder, features, speed.image_size)
            if before and not speed.steps:
                speed = replace(speed, steps=before.steps)
            tables = _read()
            key = _key(folder, features, speed.image_size)
            tables.pop(key, None)
            tables[key] = speed.to_table()
            newest = dict(list(tables.items())[-_MOST_KEPT:])
            whole_files.write_text(file, json.dumps(newest, indent=1))


def _file() -> Path:
    return paths.cache_folder() / "speeds.json"


def _read() -> dict[str, object]:
    """Return what is kept by key; nothing if the file is missing or damaged."""
    try:
        content = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}


def _key(folder: Path, features: str, size: int) -> str:
    parts = (*_machine(), _stamp(folder), features, str(size))
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _stamp(folder: Path) -> str:
    """Return what tells one module from another, and from what was in its place before."""
    for name in ("saved_model.pb", "saved_model.pbtxt"):
        with contextlib.suppress(OSError):
            found = (folder / name).stat()
            return f"{folder} {found.st_size} {found.st_mtime_ns}"
    return str(folder)


@cache
def _machine() -> tuple[str, ...]:
    """Return what speed depends on beside the module: processor, cores, accelerator, TensorFlow."""
    try:
        tensorflow = version("tensorflow")
    except PackageNotFoundError:
        tensorflow = ""
    accelerator = Path("/proc/driver/nvidia/version").exists() and os.environ.get("CUDA_VISIBLE_DEVICES", "all")
    processor = (platform.machine(), processor_name(), str(usable_cores()))
    return (str(MEASURING_VERSION), *processor, str(accelerator), tensorflow)
