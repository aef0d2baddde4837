"""Predictions as CSV, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from hubstudio.core import whole_files
from hubstudio.core.engine import Prediction
from hubstudio.core.errors import StudioError


def predictions_csv(predictions: Sequence[Prediction]) -> str:
    """Return file, label and confidence, then one column per class; a file without an answer keeps its line empty."""
    classes = list(dict.fromkeys(name for prediction in predictions for name in prediction.scores))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "label", "confidence", *classes))
    writer.writerows(_row(prediction, classes) for prediction in predictions)
    return text.getvalue()


def save_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write the CSV, whole or not at all. Raises ``StudioError``."""
    content = predictions_csv(predictions).encode("utf-8", "surrogateescape")
    try:
        whole_files.write_bytes(path, content)
    except OSError as error:
        raise StudioError(
            f"'{path.name}' could not be written.",
            found=f"{error.strerror or error}.",
            next_step="Choose another folder, or check that this one can be written to.",
        ) from error


def _row(prediction: Prediction, classes: Sequence[str]) -> list[str]:
    if not prediction.scores:
        return [str(prediction.file), "", "", *("" for _ in classes)]
    scores = [f"{prediction.scores[name]:.6f}" if name in prediction.scores else "" for name in classes]
    return [str(prediction.file), prediction.label, f"{prediction.confidence:.6f}", *scores]
