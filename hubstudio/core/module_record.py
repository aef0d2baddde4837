"""Our note beside a fetched module: every file's size and digest, so that damage is seen later, whoever did it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hubstudio.core import path_kinds, whole_files

_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """One file as it was unpacked."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ModuleRecord:
    """What was fetched."""

    handle: str
    source: str
    """Where it was asked for, without what may be secret: no user, no query."""
    files: dict[str, FileFacts]
    """By path inside the module, with '/'."""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        whole_files.write_text(path, json.dumps(asdict(self), indent=1))

    def missing(self, folder: Path) -> str:
        """Return which file is not there or has another size, as a clause; '' if all are as they were."""
        for name, facts in self.files.items():
            path = folder / name
            if not path_kinds.is_file(path):
                return f"{name} is missing"
            found = path.stat().st_size
            if found != facts.bytes:
                return f"{name} has {found:,} bytes instead of {facts.bytes:,}"
        return ""

    def altered(self, folder: Path) -> str:
        """Return which file differs from what was fetched, every byte read, as a clause; '' if none does."""
        if missing := self.missing(folder):
            return missing
        for name, facts in self.files.items():
            if file_facts(folder / name) != facts:
                return f"{name} was altered or damaged"
        return ""


def load_record(path: Path) -> ModuleRecord | None:
    """Return what is noted at ``path``; None if nothing readable is."""
    try:
        table = json.loads(path.read_text("utf-8"))
        files = {
            str(name): FileFacts(int(facts["bytes"]), str(facts["sha256"])) for name, facts in table["files"].items()
        }
        return ModuleRecord(str(table["handle"]), str(table["source"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def file_facts(path: Path) -> FileFacts:
    """Read a file's facts."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_BYTES_AT_ONCE):
            digest.update(piece)
            size += len(piece)
    return FileFacts(size, digest.hexdigest())
