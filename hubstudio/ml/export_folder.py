"""The folder an export goes to: what in it is ours to replace, and how finished files are put there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubstudio.core import whole_files
from hubstudio.core.errors import ExportError
from hubstudio.core.run_folder import RunFolder

LABELS, USAGE, RECORD = "labels.txt", "README.md", "export.json"


@dataclass(frozen=True)
class ExportFolder:
    """A folder for the exports of one run. ``export.json`` in it says which files are ours."""

    path: Path
    model_digest: str
    """SHA-256 of the run's model file: exports of another one are not mixed in."""
    known: tuple[str, ...]
    """Names of the models that earlier exports of this run left here."""

    @classmethod
    def open(cls, path: Path, run: RunFolder, wanted: Iterable[str]) -> ExportFolder:
        """Look at the folder before anything is made.

        Raises ``ExportError`` if a file of another origin or the export of another run is in the way.
        """
        digest = hashlib.sha256(run.model.read_bytes()).hexdigest()
        record = _read_record(path / RECORD)
        known = tuple(name for name in record.get("files", ()) if (path / name).exists())
        if known and record.get("model") != digest:
            raise ExportError(
                f"'{path}' holds the export of another run.",
                found=f"Found: {', '.join(known)}, with labels of its own.",
                next_step="Choose another export folder, or empty that one.",
            )
        ours = {*known, LABELS, USAGE, RECORD} if record else set[str]()
        for name in (*wanted, LABELS, USAGE, RECORD):
            if (path / name).exists() and name not in ours:
                raise ExportError(
                    f"'{path / name}' is in the way.",
                    found="It is not from an earlier export.",
                    next_step="Choose another export folder.",
                )
        return cls(path, digest, known)

    def take(self, made: Sequence[Path], labels: Sequence[str], usage: str) -> None:
        """Put finished models in place, one after the other, with labels, instructions and the record."""
        for model in made:
            _put_in_place(model, self.path / model.name)
        files = sorted({*self.known, *(model.name for model in made)})
        lines = "".join(label.replace("\n", " ") + "\n" for label in labels)
        whole_files.write_bytes(self.path / LABELS, lines.encode("utf-8", "surrogateescape"))
        whole_files.write_text(self.path / USAGE, usage)
        record = {"made_by": "Hub Studio", "model": self.model_digest, "files": files}
        whole_files.write_text(self.path / RECORD, json.dumps(record, indent=2) + "\n")


def _read_record(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("made_by") == "Hub Studio" else {}


def _put_in_place(made: Path, target: Path) -> None:
    if not target.is_dir():
        made.replace(target)
        return
    former = made.with_name(f"former-{made.name}")  # a folder cannot be replaced in one step: it steps aside first
    target.rename(former)
    try:
        made.rename(target)
    except OSError:
        former.rename(target)
        raise
    shutil.rmtree(former)
