"""Modules that a person lets run although their graphs touch files or run code, remembered by what is in them.

A digest stands for one module: after the smallest change of its graphs or assets it has to be trusted again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

from filelock import FileLock

from hubstudio.core import path_kinds, paths, whole_files

_VERSION = 1
_DEFINITIONS = ("saved_model.pb", "saved_model.pbtxt")
_CHUNK = 1 << 20
_LOCK_SECONDS = 5.0


def module_digest(folder: Path) -> str:
    """Return the SHA-256 of everything in a module that decides what it does: its graphs and its assets.

    Its weights are numbers only, and differ in a run that fine-tuned them. Raises ``OSError`` if it cannot be read.
    """
    assets = sorted(path for path in (folder / "assets").rglob("*") if path.is_file())
    files = [*(folder / name for name in _DEFINITIONS if (folder / name).is_file()), *assets]
    whole = hashlib.sha256()
    for file in files:
        name = file.relative_to(folder).as_posix().encode("utf-8", "surrogatepass")
        whole.update(hashlib.sha256(name).digest() + _file_digest(file))
    return whole.hexdigest()


def is_trusted(digest: str) -> bool:
    """Whether somebody has said that the module of this digest may be used."""
    return digest in _remembered()


def remember(digest: str, name: str) -> None:
    """Remember a module as trusted; ``name`` says to people which one it was. Raises ``OSError``.

    Safe with other programs that remember theirs.
    """
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock"), timeout=_LOCK_SECONDS):  # its Timeout is an OSError too
        whole_files.write_text(file, json.dumps({"version": _VERSION, "modules": {**_remembered(), digest: name}}))


def _file() -> Path:
    return paths.home() / "trusted-modules.json"


def _remembered() -> dict[str, str]:
    """Read the list; one that is missing or damaged trusts nothing."""
    try:
        table: Any = json.loads(_file().read_text("utf-8"))
        modules: Any = table["modules"] if table["version"] == _VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(modules, dict):
        return {}
    entries = cast("dict[str, object]", modules)
    return {digest: name for digest, name in entries.items() if isinstance(name, str)}


def _file_digest(file: Path) -> bytes:
    digest = hashlib.sha256()
    with path_kinds.absolute(file).open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
