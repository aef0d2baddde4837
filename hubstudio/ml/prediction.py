"""Answers of a trained model: on single photos, and counted on labelled ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import digest_of
from hubstudio.core.engine import Prediction
from hubstudio.core.errors import PhotosError, did_you_mean
from hubstudio.core.events import Progress, Report
from hubstudio.core.measures import Evaluation, confusion_matrix
from hubstudio.core.parts import Part
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.photos import Photo
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.selection import Selection
from hubstudio.ml.model_factory import probabilities
from hubstudio.ml.photo_batches import read_batches
from hubstudio.ml.saved_models import TrainedModel

_BATCH = 8


@dataclass(frozen=True)
class Answer:
    """Probabilities of one photo of a list, or why there are none."""

    place: int
    scores: NDArray[np.float32] | None
    error: str = ""


def answers(trained: TrainedModel, paths: Sequence[Path], report: Report, cancel: CancelToken) -> Iterator[Answer]:
    """Yield an answer for every photo, unreadable ones of a batch after the others."""
    for batch in read_batches(paths, trained.size, _BATCH, cancel):
        if batch.places:
            scores = probabilities(trained.answer(tf.constant(batch.photos)).numpy())
            yield from (Answer(place, row) for place, row in zip(batch.places, scores, strict=True))
        yield from (Answer(place, None, reason) for place, reason in batch.unreadable.items())
        report(Progress(batch.end, len(paths)))


def predict(trained: TrainedModel, files: Sequence[Path], report: Report, cancel: CancelToken) -> list[Prediction]:
    """Classify photos, in the order given."""
    found = sorted(answers(trained, files, report, cancel), key=lambda answer: answer.place)
    return [_prediction(files[answer.place], answer, trained.classes) for answer in found]


def evaluate(
    run: RunFolder, trained: TrainedModel, folder: Path | None, report: Report, cancel: CancelToken
) -> Evaluation:
    """Count right and wrong answers on the run's test part, or on the labelled photos below ``folder``."""
    photos = run.photos_of(Part.TEST) if folder is None else _labelled(folder, run, trained.classes)
    numbers = {name: number for number, name in enumerate(trained.classes)}
    truth: list[int] = []
    said: list[int] = []
    unreadable: list[str] = []
    for answer in answers(trained, [photo.path for photo in photos], report, cancel):
        if answer.scores is None:
            unreadable.append(f"{photos[answer.place].path}: {answer.error}")
        else:
            truth.append(numbers[photos[answer.place].class_name])
            said.append(int(np.argmax(answer.scores)))
    if not truth:
        raise PhotosError(
            "There is no photo to measure on.",
            found=f"{len(unreadable)} files could not be read, the first: {unreadable[0]}." if unreadable else "",
            next_step="Check that the photo folder is still where it was.",
        )
    confusion = confusion_matrix(truth, said, len(trained.classes))
    source = "test" if folder is None else str(folder)
    return Evaluation(trained.classes, confusion, tuple(unreadable), source, _trained_on(run, photos))


def _trained_on(run: RunFolder, photos: Sequence[Photo]) -> int:
    """Count the photos, by their place on disk or their content, that the run trained or validated on."""
    parts = (Part.TRAINING, Part.VALIDATION)
    known = {path_kinds.real(photo.path) for part in parts for photo in run.photos_of(part)}
    contents = run.digests_of(*parts)
    return sum(path_kinds.real(photo.path) in known or digest_of(photo.path) in contents for photo in photos)


def _labelled(folder: Path, run: RunFolder, classes: Sequence[str]) -> list[Photo]:
    """Return the photos of class folders that the model knows. Raises ``PhotosError`` for other classes."""
    photo_set = list_photos(Selection((folder,), renamed=run.plan().selection.renamed))
    for name in photo_set.classes:
        if name not in classes:
            raise PhotosError(
                f"The model knows no class '{name}'.",
                found=did_you_mean(name, classes),
                next_step=f"Name the folders like its classes: {', '.join(classes[:10])}.",
            )
    if not photo_set.photos:
        found = " ".join(problem.message for problem in photo_set.problems)
        raise PhotosError(f"'{folder}' holds no labelled photos.", found=found, next_step="Give one folder per class.")
    return list(photo_set.photos)


def _prediction(file: Path, answer: Answer, classes: Sequence[str]) -> Prediction:
    if answer.scores is None:
        return Prediction(file, {}, answer.error)
    return Prediction(file, {name: float(score) for name, score in zip(classes, answer.scores, strict=True)})
