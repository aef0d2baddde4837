"""Learning curves as files: the numbers as CSV, a picture as PNG; written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hubstudio.core import path_kinds, whole_files
from hubstudio.core.errors import StudioError
from hubstudio.core.split_file import csv_text
from hubstudio.gui.learning_curves import Epoch, RunCurves

COLUMNS = (
    "run", "phase", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate",
)  # fmt: skip


def curves_csv(runs: Iterable[RunCurves]) -> str:
    """Return one line for each epoch of each run, as measured; what was not written down is left empty."""
    return csv_text(COLUMNS, [_row(run.name, epoch) for run in runs for epoch in run.history])


def save(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raises ``StudioError``."""
    try:
        whole_files.write_bytes(path, content)
    except OSError as error:
        raise StudioError(
            f"'{path.name}' could not be written.",
            found=f"{error.strerror or error}.",
            next_step="Choose another folder, or check that this one can be written to.",
        ) from error


def named(chosen: str, suffix: str) -> Path:
    """Return the file a person chose, with a suffix if it was left out and no other file has that name."""
    path = Path(chosen)
    longer = path.with_name(path.name + suffix)
    return path if path.suffix or path_kinds.is_taken(longer) else longer


def _row(name: str, epoch: Epoch) -> tuple[object, ...]:
    numbers = (epoch.loss, epoch.accuracy, epoch.validation_loss, epoch.validation_accuracy)
    rate = "" if epoch.learning_rate is None else repr(epoch.learning_rate)
    return (name, epoch.phase.value, epoch.epoch, *map(repr, numbers), rate)
