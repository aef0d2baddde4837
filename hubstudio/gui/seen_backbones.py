"""What a look inside each backbone has shown, kept for the next start: so that every card can tell its time at once.

One file in the cache; a module whose graph was changed since counts as never seen. Only used in the shelf's lane.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from hubstudio.core import paths, whole_files
from hubstudio.core.backbones import BackboneInfo

_MOST = 200


class SeenBackbones:
    """All that were looked into, by handle; each as its own feature vector has it."""

    def __init__(self) -> None:
        self._tables = _read()

    def find(self, handle: str) -> BackboneInfo | None:
        """Return what was seen, if the module is still the same."""
        try:
            table = self._tables[handle]
            if table["stamp"] == _stamp(Path(table["info"]["folder"])):
                return BackboneInfo.from_table(table["info"])
        except (KeyError, TypeError, ValueError):
            pass
        return None

    def keep(self, info: BackboneInfo) -> None:
        """Keep what was seen, without the endpoints: only a new look can tell which of them is used."""
        if info.features_name:
            return
        plain = replace(info, endpoints=()).to_table()
        self._put(info.handle, {"stamp": _stamp(info.folder), "info": plain})

    def refusal(self, handle: str, folder: Path) -> str:
        """Return why a module was refused; empty if it was not, or was changed since."""
        try:
            table = self._tables[handle]
            return str(table["refusal"]) if table["stamp"] == _stamp(folder) else ""
        except (KeyError, TypeError):
            return ""

    def keep_refusal(self, handle: str, folder: Path, why: str) -> None:
        """Keep that a module is of no use, until a look inside shows otherwise."""
        self._put(handle, {"stamp": _stamp(folder), "refusal": why})

    def _put(self, handle: str, table: Mapping[str, Any]) -> None:
        self._tables.pop(handle, None)
        self._tables[handle] = table
        newest = dict(list(self._tables.items())[-_MOST:])
        try:
            whole_files.write_text(_file(), json.dumps(newest))
        except OSError:  # it costs only another look
            return


def _read() -> dict[str, Any]:
    try:
        content = json.loads(_file().read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _stamp(folder: Path) -> list[int]:
    for name in ("saved_model.pb", "saved_model.pbtxt", "tfhub_module.pb"):
        try:
            found = (folder / name).stat()
        except (OSError, ValueError):
            continue
        return [found.st_size, found.st_mtime_ns]
    return []


def _file() -> Path:
    return paths.cache_folder() / "seen_backbones.json"
