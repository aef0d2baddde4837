"""One training run, from a plan to a finished run folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio import __version__
from hubstudio.core import speeds, whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.cost import Cost, PhotoAmount, RunCost, predict
from hubstudio.core.errors import Cancelled, PhotosError, RunError, StudioError
from hubstudio.core.events import (
    EpochDone,
    Event,
    Note,
    Phase,
    PhaseStarted,
    PhotosRead,
    Report,
    RunFinished,
    RunStarted,
)
from hubstudio.core.intake import read_photos
from hubstudio.core.parts import Part
from hubstudio.core.photo_check import unreadable_problem
from hubstudio.core.photo_counts import LOPSIDED
from hubstudio.core.photos import Photo, PhotoSet
from hubstudio.core.plan import ClassWeights, Mode, Plan
from hubstudio.core.run_folder import MODEL, RunSummary, require_free, write_records, write_summary
from hubstudio.core.split import Split
from hubstudio.ml.cost_meter import CostMeter
from hubstudio.ml.hub_module import HubModule
from hubstudio.ml.model_factory import Classifier, FeatureStatistics, build_classifier
from hubstudio.ml.obtaining import obtain
from hubstudio.ml.photo_store import StoredPhotos, store_photos
from hubstudio.ml.saved_models import save_checked
from hubstudio.ml.training_loop import Examples, PhasePlan, PhaseResult, Score, balancing_weights, train_phase

_PIXELS = "pixels.npy"  # in the folder that is being made; gone before it is finished
_CHECK_PHOTOS = 16


@dataclass(frozen=True)
class Data:
    """What is trained on and what is validated on, by row of the stored photos."""

    stored: StoredPhotos
    labels: NDArray[np.int32]
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    class_weights: NDArray[np.float32] | None

    @classmethod
    def of(
        cls, stored: StoredPhotos, photos: Sequence[Photo], training: int, classes: Sequence[str], plan: Plan
    ) -> Data:
        """Number the classes of stored photos, of which the first ``training`` train and the others validate."""
        numbers = {name: number for number, name in enumerate(classes)}
        labels = np.array([numbers[photos[place].class_name] for place in stored.places], np.int32)
        rows = np.arange(len(labels))
        weights = (
            balancing_weights(labels[:training], len(numbers)) if weighs_classes(plan, labels[:training]) else None
        )
        return cls(stored, labels, rows[:training], rows[training:], weights)

    def features(self, rows: NDArray[np.int64]) -> Examples:
        """Return some rows as features."""
        return Examples(self.stored.features[rows], self.labels[rows], self.class_weights)

    def photos(self, rows: NDArray[np.int64]) -> Examples:
        """Return some rows as pixels, which were stored too."""
        assert self.stored.pixels is not None
        pixels = _Rows(self.stored.pixels, rows)
        return Examples(pixels, self.labels[rows], self.class_weights)  # type: ignore[arg-type]


class _Rows:
    """Some rows of an array on disk, in an order of their own, without reading them all."""

    def __init__(self, array: NDArray[np.uint8], rows: NDArray[np.int64]) -> None:
        self._array = array
        self._rows = rows

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self._array[self._rows[places]]


def weighs_classes(plan: Plan, labels: NDArray[np.int32]) -> bool:
    """Whether small classes are to count as much as large ones, among these labels of training photos."""
    if plan.class_weights is not ClassWeights.AUTO:
        return plan.class_weights is ClassWeights.ON
    counts = np.bincount(labels)
    return bool(counts.max() >= LOPSIDED * counts[counts > 0].min())


class Trainer:
    """Runs one plan. Holds what the steps of a run share: the clock, the history, the notes, the token."""

    def __init__(self, plan: Plan, out: Path, report: Report, cancel: CancelToken) -> None:
        self.plan = plan
        self.out = require_free(out)
        self.cancel = cancel
        self.history: list[EpochDone] = []
        self.notes: list[str] = []
        self.meter = CostMeter(self.clock)
        self.predicted: Cost | None = None
        self._report = report
        self._began = time.monotonic()

    def run(self) -> RunSummary:
        """Train and write the run folder. Raises ``StudioError`` or ``Cancelled``; then no folder is left."""
        keras.utils.set_random_seed(self.plan.seed)
        self.plan = self.plan.absolute()
        photo_set, split = read_photos(self.plan, self._photos_read, self.cancel)
        photo_set.require_trainable()
        self.cancel.check_before_results()
        module = obtain(self.plan.backbone, self.plan.features, self.report, self.cancel, self.meter.begin)
        if self.plan.mode is Mode.FINE_TUNE:
            module.require_fine_tuning()
        self.plan = replace(self.plan, backbone=module.handle, features=module.features_name)
        self._started(module, photo_set, split)
        try:
            with whole_files.whole_folder(self.out) as folder:
                summary = self._fill(folder, module, photo_set, split)
        except tf.errors.ResourceExhaustedError as error:
            raise StudioError(
                "The training needs more memory than there is.",
                found=f"It ran out with {self.plan.batch_size} photos in a batch.",
                next_step="Train again with a smaller batch size, fewer blocks, or a smaller backbone.",
            ) from error
        except OSError as error:
            raise RunError(
                f"The run could not be written to '{self.out}'.",
                found=f"{error.strerror or 'Something is there already'}.",
                next_step="Free some space or choose another folder, and train again.",
            ) from error
        self.report(
            RunFinished(
                self.out,
                Phase(summary.best_phase),
                summary.best_epoch,
                summary.validation_accuracy,
                summary.stopped_early,
                self.clock(),
            )
        )
        return summary

    def clock(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self._began

    def report(self, event: Event) -> None:
        """Pass an event on, and keep what the run folder will hold of it."""
        if isinstance(event, EpochDone):
            self.history.append(event)
        elif isinstance(event, Note):
            self.notes.append(event.text)
        elif isinstance(event, PhaseStarted):
            self.meter.enter(event.phase.value)
        self._report(event)

    def _photos_read(self, done: int, total: int, what: str) -> None:
        self.cancel.check_before_results()
        self.report(PhotosRead(done, total, what, self.clock()))

    def _started(self, module: HubModule, photo_set: PhotoSet, split: Split) -> None:
        info = module.info()
        if speed := speeds.kept_for(self.plan, info):
            self.predicted = predict(self.plan, info, speed, PhotoAmount.of(photo_set, split))
        name, counts = backbone_name(module.handle), split.counts()
        started = RunStarted(self.out, name, self.plan.mode, photo_set.classes, counts, self.clock(), self.predicted)
        self.report(started)
        for problem in photo_set.problems:
            if problem.kind not in _NOT_NOTED:
                self.report(Note(problem.message, self.clock()))
        self.cancel.check_before_results()

    def _fill(self, folder: Path, module: HubModule, photo_set: PhotoSet, split: Split) -> RunSummary:
        data, split = self._store(folder, module, photo_set, split)
        features_seconds = self.clock()
        statistics = FeatureStatistics.of(data.stored.features[data.training])
        classifier = build_classifier(self.plan, module, len(photo_set.classes), statistics)
        head, blocks = self._train(classifier, data)
        training_seconds = self.clock() - features_seconds
        self.report(PhaseStarted(Phase.SAVING, 0, self.clock()))
        self._save(folder, classifier, [photo.path for photo in split.part(Part.VALIDATION)])
        self.meter.weigh(folder)
        del data  # Windows does not remove a file that is still mapped into memory
        (folder / _PIXELS).unlink(missing_ok=True)
        write_records(folder, self.plan, photo_set, split, self.history)
        summary = self._summary(module, photo_set, split, head, blocks)
        seconds = {"features": features_seconds, "training": training_seconds, "total": self.clock()}
        cost = RunCost(self.predicted, self.meter.cost())
        summary = replace(summary, seconds={name: round(value, 3) for name, value in seconds.items()}, cost=cost)
        write_summary(folder, summary)
        return summary

    def _store(self, folder: Path, module: HubModule, photo_set: PhotoSet, split: Split) -> tuple[Data, Split]:
        photos = [*split.part(Part.TRAINING), *split.part(Part.VALIDATION)]
        self.report(PhaseStarted(Phase.FEATURES, 0, self.clock()))
        pixel_file = folder / _PIXELS if self.plan.mode is Mode.FINE_TUNE else None
        stored = store_photos(
            [photo.path for photo in photos],
            module,
            module.size(self.plan.image_size),
            pixel_file,
            self.report,
            self.cancel,
            self.clock,
        )
        split = self._leave_out(photos, stored, split)
        return Data.of(stored, photos, len(split.part(Part.TRAINING)), photo_set.classes, self.plan), split

    def _leave_out(self, photos: Sequence[Photo], stored: StoredPhotos, split: Split) -> Split:
        if not stored.unreadable:
            return split
        problem = unreadable_problem({photos[place].path: reason for place, reason in stored.unreadable.items()})
        self.report(Note(problem.message, self.clock()))
        split = split.without(photos[place] for place in stored.unreadable)
        filled = {photo.class_name for photo in split.part(Part.TRAINING)}
        empty = sorted({photo.class_name for photo in photos} - filled)
        if empty or not split.part(Part.VALIDATION):
            what = f"The class '{empty[0]}' has no readable photo left to train on." if empty else _NO_VALIDATION
            step = "Add photos to it, or take its folder away." if empty else "Check that the photos are still there."
            raise PhotosError(what, found=problem.message, next_step=step)
        return split

    def _train(self, classifier: Classifier, data: Data) -> tuple[PhaseResult, PhaseResult | None]:
        head = self._train_head(classifier, data)
        if head.best is None:
            raise Cancelled  # stopped before the first epoch was done: there is nothing to keep
        if self.plan.mode is Mode.EXTRACT:
            return head, None
        if head.stopped:
            self.report(Note(_STOPPED_BEFORE_BLOCKS, self.clock()))
            return head, None
        blocks = self._train_blocks(classifier, data, head.best)
        if not blocks.best_epoch:
            self.report(Note(_KEPT_HEAD if blocks.epochs_done else _STOPPED_BEFORE_BLOCKS, self.clock()))
        return head, blocks

    def _train_head(self, classifier: Classifier, data: Data) -> PhaseResult:
        plan = self.plan
        epochs = plan.head_epochs if plan.mode is Mode.FINE_TUNE else plan.epochs
        phase = PhasePlan(Phase.HEAD, epochs, plan.batch_size, plan.learning_rate, plan.seed)
        training, validation = data.features(data.training), data.features(data.validation)
        return self._phase(classifier.head, training, validation, phase, None)

    def _train_blocks(self, classifier: Classifier, data: Data, to_beat: Score) -> PhaseResult:
        plan = self.plan
        classifier.unfreeze_and_compile()
        phase = PhasePlan(Phase.FINE_TUNE, plan.epochs, plan.batch_size, plan.fine_tune_learning_rate, plan.seed)
        training, validation = data.photos(data.training), data.photos(data.validation)
        return self._phase(classifier.inner, training, validation, phase, to_beat)

    def _phase(
        self, model: keras.Model, training: Examples, validation: Examples, plan: PhasePlan, to_beat: Score | None
    ) -> PhaseResult:
        return train_phase(model, training, validation, plan, to_beat, self.report, self.cancel, self.clock)

    def _save(self, folder: Path, classifier: Classifier, validation: Sequence[Path]) -> None:
        self.cancel.check()
        note = save_checked(classifier, folder / MODEL, validation[:_CHECK_PHOTOS])
        if note:
            self.report(Note(note, self.clock()))

    def _summary(
        self, module: HubModule, photo_set: PhotoSet, split: Split, head: PhaseResult, blocks: PhaseResult | None
    ) -> RunSummary:
        main = blocks or head
        kept = blocks.best if blocks and blocks.best else head.best
        assert kept is not None
        fine_tuned = bool(blocks and blocks.best_epoch)
        return RunSummary(
            run=str(self.out),
            classes=photo_set.classes,
            counts=split.counts(),
            backbone=module.handle,
            mode=self.plan.mode.value,
            epochs=main.epochs_done,
            best_epoch=main.best_epoch,
            best_phase=(Phase.FINE_TUNE if fine_tuned else Phase.HEAD).value,
            validation_accuracy=kept.accuracy,
            validation_loss=kept.loss,
            stopped_early=head.stopped or bool(blocks and blocks.stopped),
            seconds={},
            image_size=module.size(self.plan.image_size),
            features=module.features,
            features_name=module.features_name,
            notes=tuple(self.notes),
            versions=_versions(),
        )


_NOT_NOTED = frozenset(
    ("copies", "look_alikes", "series", "small", "left_out", "left_out_given", "not_photos", "empty_class", "lopsided")
)
"""Kinds of problems that a run's notes do not keep: all is as it should be, or the plan itself says it."""
_NO_VALIDATION = "No readable photo is left to validate on."
_STOPPED_BEFORE_BLOCKS = "Stopped before an epoch of fine-tuning was done; the head on the frozen backbone is kept."
_KEPT_HEAD = (
    "Fine-tuning never did better on the validation photos than the head alone; the weights from before it are kept."
)


def _versions() -> dict[str, str]:
    packages = ("tensorflow", "keras", "tensorflow-hub", "numpy", "pillow")
    found = {name: version(name) for name in packages}
    return {"hubstudio": __version__, "python": platform.python_version(), "platform": platform.platform(), **found,
            "gpus": str(len(tf.config.list_physical_devices("GPU")))}  # fmt: skip
