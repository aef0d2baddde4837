"""Exporting a trained model: written in a process of its own, run again on photos, then handed over."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import EXPORT_FORMATS, ExportedFile, Prediction
from hubstudio.core.errors import ExportError
from hubstudio.core.events import Progress, Report, ignore
from hubstudio.core.parts import Part
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml import converters
from hubstudio.ml.child_process import ChildFailed, ChildProcess
from hubstudio.ml.export_folder import ExportFolder
from hubstudio.ml.export_usage import usage
from hubstudio.ml.prediction import predict
from hubstudio.ml.saved_models import TrainedModel

CHECK_PHOTOS = 20
TOLERANCE = 1e-3
"""Largest difference of any probability from the app's own answer that an export may show."""


def export(
    run: RunFolder,
    trained: TrainedModel,
    formats: Sequence[str],
    out: Path,
    report: Report,
    cancel: CancelToken,
) -> list[ExportedFile]:
    """Write each format into ``out``; nothing is put there before all are made and answer like the app.

    Earlier exports of the same run are replaced, anything else is left alone. The photos for the check are validation
    photos: the test part stays locked. Raises ``ExportError`` or ``Cancelled``.
    """
    out = path_kinds.absolute(out)
    try:
        folder = ExportFolder.open(out, run, [converters.FILE_NAMES[name] for name in formats])
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=out) as workplace:
            making = _Making(run, Path(workplace), *_expected(run, trained, Path(workplace), cancel), cancel)
            checked = making.make_all(formats, report)
            names = [*folder.known, *(made.name for made, _ in checked.values())]
            known = [name for name, file in converters.FILE_NAMES.items() if file in names]
            folder.take([made for made, _ in checked.values()], trained.classes, usage(trained, known))
    except OSError as error:
        raise ExportError(
            f"The model could not be exported to '{out}'.",
            found=f"{error.strerror or error}.",
            next_step="Choose another folder, or free some space.",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it holds something, or was never made: both are fine
            out.rmdir()
    return [
        ExportedFile(name, out / made.name, _bytes(out / made.name), len(making.photos), difference)
        for name, (made, difference) in checked.items()
    ]


@dataclass(frozen=True)
class _Making:
    """What making and checking each format of one export needs."""

    run: RunFolder
    workplace: Path
    photos: list[Path]
    expected: list[Prediction]
    """The app's own answers for the photos."""
    cancel: CancelToken

    def make_all(self, formats: Sequence[str], report: Report) -> dict[str, tuple[Path, float]]:
        """Return for every format where it was made and how far its answers are from the app's."""
        report(Progress(0, len(formats), "formats"))
        checked: dict[str, tuple[Path, float]] = {}
        with ChildProcess() as child:
            for done, name in enumerate(formats, 1):
                made = self.workplace / converters.FILE_NAMES[name]
                checked[name] = (made, self._make(child, name, made))
                report(Progress(done, len(formats), "formats"))
        return checked

    def _make(self, child: ChildProcess, name: str, made: Path) -> float:
        try:
            child.run(converters.write, name, self.run.model, made, cancel=self.cancel)
            scores = child.run(converters.answers_of, name, made, self.photos, cancel=self.cancel)
        except ChildFailed as error:
            raise ExportError(
                f"The model could not be written as {EXPORT_FORMATS[name]}.",
                found=f"{error}.",
                next_step="Choose another format; the run itself is safe.",
            ) from error
        difference = _largest_difference(scores, self.expected)
        if difference > TOLERANCE:
            raise ExportError(
                f"The {name} file does not answer like the app and was not kept.",
                found=f"Probabilities differ by up to {difference:.3g} on {len(self.photos)} photos.",
                next_step="Choose another format, and please report the backbone.",
            )
        return difference


def _expected(
    run: RunFolder, trained: TrainedModel, workplace: Path, cancel: CancelToken
) -> tuple[list[Path], list[Prediction]]:
    """Return some validation photos that can be read, or pictures of noise without any, with the app's answers."""
    files = [photo.path for photo in run.photos_of(Part.VALIDATION)]
    spread = files[:: max(1, len(files) // CHECK_PHOTOS)][:CHECK_PHOTOS]
    answered = [answer for answer in predict(trained, spread, ignore, cancel) if not answer.error]
    if not answered:
        answered = predict(trained, _noise(workplace), ignore, cancel)
    return [answer.file for answer in answered], answered


def _noise(folder: Path) -> list[Path]:
    random = np.random.default_rng(0)
    files = [folder / f"noise-{number}.png" for number in range(4)]
    for file in files:
        Image.fromarray(random.integers(0, 256, (130, 170, 3), dtype=np.uint8)).save(file)
    return files


def _largest_difference(scores: list[list[float]], expected: list[Prediction]) -> float:
    own = np.array([list(prediction.scores.values()) for prediction in expected])
    return float(np.abs(np.array(scores) - own).max())


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
