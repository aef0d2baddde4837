"""A run on disk: readable files, written whole, read back with clear words when something is wrong.

A run folder holds ``plan.toml``, ``classes.txt``, ``split.csv`` (file, class, part), ``history.csv``, ``model.keras``,
``metrics.json`` (with the versions it was made with) and ``training.npz`` (for more epochs).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hubstudio.core import path_kinds
from hubstudio.core.cost import RunCost
from hubstudio.core.errors import RunError
from hubstudio.core.events import EpochDone, PhaseEnd
from hubstudio.core.parts import Part
from hubstudio.core.photos import Photo, PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.selection import root_of
from hubstudio.core.split import Split
from hubstudio.core.split_file import csv_text, split_text

PLAN, CLASSES, SPLIT, HISTORY, MODEL, METRICS = (
    "plan.toml", "classes.txt", "split.csv", "history.csv", "model.keras", "metrics.json",
)  # fmt: skip
TRAINING_STATE = "training.npz"
"""What more epochs begin with: last and best weights, and the optimizer's state. It may be deleted."""
_HISTORY_COLUMNS = (
    "phase", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate", "is_best",
)  # fmt: skip


@dataclass(frozen=True)
class ContinuedFrom:
    """The finished run that another one goes on from."""

    run: str
    epochs: int
    """Of the mode's main phase that it had behind it: 0 if a fine-tuning had not come to its blocks."""


@dataclass(frozen=True)
class RunSummary:
    """What a run came to: the content of ``metrics.json`` and of ``train --json``."""

    run: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    backbone: str
    mode: str
    epochs: int
    """Epochs trained in the mode's main phase (the head's when extracting, the blocks' when fine-tuning)."""
    best_epoch: int
    """Epoch of that phase whose weights were kept; 0 if the head-only weights were.

    A fine-tuning that was stopped while its head learned has no other phase: both numbers are the head's then.
    """
    best_phase: str
    validation_accuracy: float
    validation_loss: float
    stopped_early: bool
    """Whether a person stopped it; a phase that ends by itself is told in ``ended``."""
    seconds: dict[str, float]
    """``features``, ``training`` and ``total``."""
    image_size: int
    features: int
    features_name: str = ""
    """Endpoint whose features were used; empty for the backbone's own vector."""
    runtime: str = ""
    """What the frozen backbone ran through: ``tensorflow``, ``openvino``."""
    computed_photos: int = 0
    """Photos that went through it in this run; the features of the others were known."""
    decided: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the plan left to be decided: learning rates, how much each class counts, the digest of the backbone."""
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict[str, str])
    cost: RunCost | None = None
    """What it was predicted to take and what it took; None in runs of early versions."""
    ended: dict[str, str] = field(default_factory=dict[str, str])
    """Why each phase of epochs ended, in their order: ``all_epochs``, ``no_better``, ``stopped``, ``broken_off``.

    Empty in runs of early versions.
    """
    continued_from: ContinuedFrom | None = None
    """The run whose history and weights this one began with, if it went on from one."""

    @property
    def last_end(self) -> PhaseEnd | None:
        """Why the last phase of epochs ended; None if that is not known."""
        return PhaseEnd(list(self.ended.values())[-1]) if self.ended else None

    def to_table(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RunFolder:
    """A finished run, opened for reading."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Check that ``path`` is a complete run. Raises ``RunError``."""
        path = path_kinds.absolute(path)
        if not path_kinds.is_folder(path):
            raise _no_run(path)
        missing = [name for name in (PLAN, CLASSES, SPLIT, MODEL, METRICS) if not path_kinds.is_file(path / name)]
        if missing:
            raise RunError(
                f"'{path}' is not a complete run.",
                found=f"Missing: {', '.join(missing)}.",
                next_step="Give the folder that 'train --out' wrote, or train again.",
            )
        return cls(path)

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / MODEL

    def plan(self) -> Plan:
        """Return the plan the run was made by."""
        return Plan.load(self.path / PLAN)

    def classes(self) -> tuple[str, ...]:
        """Return the class names in the order of the model's outputs."""
        return tuple(_unescaped(line) for line in self._text(CLASSES).removesuffix("\n").split("\n"))

    def split(self) -> list[tuple[str, str, Part]]:
        """Return (file relative to the photo folder, class, part) of every photo; what follows is not needed here."""
        rows = csv.reader(io.StringIO(self._text(SPLIT), newline=""))
        try:
            next(rows)
            return [(file, name, Part(part)) for file, name, part, *_ in rows]
        except (ValueError, StopIteration) as error:
            raise self._damaged(SPLIT, error) from error

    def photos_of(self, part: Part) -> list[Photo]:
        """Return the photos of one part, where the plan says they are."""
        root = root_of(Path(self.plan().photos))
        return [Photo(root / file, name) for file, name, own in self.split() if own is part]

    def digests_of(self, *parts: Part) -> frozenset[bytes]:
        """Return the digests of the photos' contents in these parts; runs of early versions know none."""
        rows = csv.reader(io.StringIO(self._text(SPLIT), newline=""))
        wanted = {part.value for part in parts}
        return frozenset(bytes.fromhex(row[3]) for row in rows if len(row) > 3 and row[2] in wanted and row[3])

    def history(self) -> list[dict[str, str]]:
        """Return the rows of ``history.csv``."""
        return list(csv.DictReader(io.StringIO(self._text(HISTORY), newline="")))

    def metrics(self) -> dict[str, Any]:
        """Return ``metrics.json``."""
        try:
            return dict(json.loads(self._text(METRICS)))
        except (ValueError, TypeError) as error:
            raise self._damaged(METRICS, error) from error

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> RunError:
        return RunError(
            f"'{name}' of the run '{self.path.name}' could not be read.",
            found=f"{error}.",
            next_step="Restore the run folder from a copy, or train again.",
        )


def require_free(out: Path) -> Path:
    """Return ``out`` as an absolute path. Raises ``RunError`` if something is there already, or nothing can be."""
    out = path_kinds.absolute(out)
    refusal = path_kinds.refusal(out)
    if refusal:
        raise RunError(f"There can be no folder '{out}'.", found=f"{refusal}.", next_step="Give another name.")
    if path_kinds.is_taken(out) and not path_kinds.is_empty_folder(out):
        raise RunError(f"'{out}' exists already.", next_step="Give a new name; nothing is overwritten.")
    return out


def _no_run(path: Path) -> RunError:
    refusal = path_kinds.refusal(path)
    found = f"{refusal}." if refusal else ""
    return RunError(f"There is no run folder '{path}'.", found=found, next_step="Give the folder 'train --out' wrote.")


def write_records(folder: Path, plan: Plan, photo_set: PhotoSet, split: Split, history: Sequence[EpochDone]) -> None:
    """Write plan, classes, split and history into a folder that is being made."""
    (folder / PLAN).write_text(plan.to_toml(), "utf-8")
    _write(folder / CLASSES, "".join(_escaped(name) + "\n" for name in photo_set.classes))
    _write(folder / SPLIT, split_text(photo_set, split))
    _write(folder / HISTORY, csv_text(_HISTORY_COLUMNS, [_history_row(epoch) for epoch in history]))


def write_summary(folder: Path, summary: RunSummary) -> None:
    """Write ``metrics.json`` into a folder that is being made."""
    _write(folder / METRICS, json.dumps(summary.to_table(), indent=2, ensure_ascii=False) + "\n")


def _history_row(epoch: EpochDone) -> tuple[object, ...]:
    numbers = (epoch.loss, epoch.accuracy, epoch.validation_loss, epoch.validation_accuracy, epoch.learning_rate)
    return (epoch.phase.value, epoch.epoch, *map(repr, numbers), int(epoch.is_best))


def _escaped(name: str) -> str:
    """One line a class, also for the folder whose name holds a line break."""
    return name.replace("\\", "\\\\").replace("\n", "\\n")


def _unescaped(line: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], line)


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
