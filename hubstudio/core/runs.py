"""The runs of a project as rows: what came of each, and what people wrote about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from hubstudio.core import path_kinds, whole_files
from hubstudio.core.errors import RunError, StudioError
from hubstudio.core.natural_order import natural_key
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import CLASSES, METRICS, MODEL, PLAN, SPLIT, RunFolder
from hubstudio.core.unfinished_runs import SUFFIX

NOTE = "note.txt"
_LONGEST_NOTE = 10_000
_MOST_REMEMBERED = 500


@dataclass(frozen=True)
class RunRow:
    """A run as a list shows it. One that cannot be read has a ``problem`` and little else."""

    path: Path
    plan: Plan | None = None
    validation_accuracy: float | None = None
    best_phase: str = ""
    best_epoch: int = 0
    stopped_early: bool = False
    seconds: float | None = None
    when: datetime | None = None
    """When it was finished, in local time."""
    notes: tuple[str, ...] = ()
    """What the training had to say."""
    note: str = ""
    """What a person wrote about it."""
    problem: str = ""
    """Why the run cannot be used, in a sentence."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name


def list_runs(folder: Path) -> list[RunRow]:
    """Return the finished and the damaged runs in a folder, newest name first.

    Reads only what has changed since the last time; for the first time it may take a moment with many runs.
    """
    names = sorted(path_kinds.names_in(folder), key=natural_key, reverse=True)
    return [_row(folder / name) for name in names if _may_be_run(folder / name)]


def read_note(run: Path) -> str:
    """Return what a person wrote about a run; nothing if there is no note or it cannot be read."""
    try:
        with (run / NOTE).open("rb") as file:
            return file.read(_LONGEST_NOTE * 4).decode("utf-8", "replace").strip()[:_LONGEST_NOTE]
    except (OSError, ValueError):
        return ""


def write_note(run: Path, text: str) -> None:
    """Keep what a person writes about a run; an empty text removes the note. Raises ``RunError``."""
    text = text.strip()[:_LONGEST_NOTE]
    try:
        if text:
            whole_files.write_text(run / NOTE, text + "\n")
        else:
            (run / NOTE).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise RunError(
            f"The note on '{run.name}' could not be saved.",
            found=f"{path_kinds.reason(error)}.",
            next_step="Check that the run's folder is there and can be written to, and that the disk is not full.",
        ) from error


def _may_be_run(path: Path) -> bool:
    if path.name.startswith(".") or path.name.endswith(SUFFIX) or not path_kinds.is_folder(path):
        return False
    return any(path_kinds.exists(path / name) for name in (PLAN, METRICS, MODEL, CLASSES, SPLIT))


def _row(path: Path) -> RunRow:
    try:
        RunFolder.open(path)
    except StudioError as error:
        return RunRow(path, problem=error.found or error.what, note=read_note(path))
    row = _known(path, _stamp(path / METRICS), _stamp(path / PLAN))
    return replace(row, note=read_note(path))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _known(path: Path, metrics_stamp: object, plan_stamp: object) -> RunRow:
    """Read a run once as long as its files stay as they are."""
    del plan_stamp
    try:
        run = RunFolder(path)
        return _read(run.plan(), run.metrics(), path, metrics_stamp)
    except StudioError as error:
        return RunRow(path, problem=str(error))
    except (ValueError, RecursionError) as error:
        return RunRow(path, problem=f"'{METRICS}' could not be read: {error}.")


def _read(plan: Plan, metrics: dict[str, Any], path: Path, stamp: object) -> RunRow:
    seconds = metrics.get("seconds")
    total = cast("dict[str, object]", seconds).get("total") if isinstance(seconds, dict) else None
    notes = metrics.get("notes")
    return RunRow(
        path,
        plan,
        validation_accuracy=_number(metrics.get("validation_accuracy")),
        best_phase=str(metrics.get("best_phase", "")),
        best_epoch=int(_number(metrics.get("best_epoch")) or 0),
        stopped_early=metrics.get("stopped_early") is True,
        seconds=_number(total),
        when=_time(stamp),
        notes=tuple(str(note) for note in cast("list[object]", notes)) if isinstance(notes, list) else (),
    )


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < float("inf") else None  # type: ignore[arg-type]


def _stamp(file: Path) -> tuple[float, int] | None:
    try:
        status = file.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime, status.st_size


def _time(stamp: object) -> datetime | None:
    if not isinstance(stamp, tuple):
        return None
    try:
        return datetime.fromtimestamp(cast("tuple[float, int]", stamp)[0]).astimezone()
    except (OverflowError, OSError, ValueError):
        return None
