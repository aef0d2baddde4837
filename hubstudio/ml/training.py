"""One training run, from a plan to a finished run folder."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from hubstudio.core import path_kinds, speeds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.cost import Cost, PhotoAmount, RunCost, predict
from hubstudio.core.errors import Cancelled, PhotosError, RunError, StudioError, Suspended, TrainingError
from hubstudio.core.events import Phase, PhaseStarted, PhotosRead, Report, RunFinished, RunStarted
from hubstudio.core.intake import read_photos
from hubstudio.core.memory import TooLargeError, memory_in_use
from hubstudio.core.parts import Part
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import (
    CLASSES,
    HISTORY,
    METRICS,
    MODEL,
    PLAN,
    SPLIT,
    TRAINING_STATE,
    ContinuedFrom,
    RunFolder,
    RunSummary,
    require_free,
    write_records,
    write_summary,
)
from hubstudio.core.split import Split
from hubstudio.core.unfinished_runs import UnfinishedRun, require_no_unfinished
from hubstudio.ml.basis import Basis
from hubstudio.ml.checkpoints import Checkpoint, Checkpoints, write_checkpoint
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.going_on import epochs_done, find_checkpoint, last_state, opened
from hubstudio.ml.made_with import made_with
from hubstudio.ml.model_factory import Classifier, FeatureStatistics, build_classifier
from hubstudio.ml.obtaining import obtain, obtain_frozen
from hubstudio.ml.phase_parts import PhaseResult
from hubstudio.ml.phases import Phases
from hubstudio.ml.run_log import RunLog
from hubstudio.ml.run_photos import PIXELS, PhotoCollector, lost_photos_error
from hubstudio.ml.saved_models import save_checked
from hubstudio.ml.training_data import Data

_CHECK_PHOTOS = 16
_KEPT_FILES = frozenset((PLAN, CLASSES, SPLIT, HISTORY, MODEL, METRICS, TRAINING_STATE))


def train(plan: Plan, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
    """Train by a plan into the run folder ``out``. Raises ``StudioError`` or ``Cancelled``."""
    trainer = Trainer(plan.absolute(), report, cancel)
    require_no_unfinished(require_free(out))
    photo_set, split = trainer.read_photos()
    module = trainer.get_module()
    plan = replace(trainer.plan, backbone=module.handle, features=module.features_name)
    unfinished = UnfinishedRun.begin(out, plan, photo_set, split)
    return trainer.run(unfinished, module, photo_set, split)


def resume(run: Path, report: Report, cancel: CancelToken) -> RunSummary:
    """Go on with an unfinished run, to the same result as if it had never ended."""
    unfinished = UnfinishedRun.open(run)
    photo_set, split = unfinished.photos()
    trainer = Trainer(unfinished.plan(), report, cancel)
    return trainer.run(unfinished, trainer.get_module(), photo_set, split, resumed=True)


def continue_run(run: Path, epochs: int, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
    """Train a finished run for more epochs, into a new run folder.

    Raises ``RunError`` if what it ended with is lost, or its plan, its backbone or its photos have changed.
    """
    folder = RunFolder.open(run)
    plan = folder.plan()
    checkpoint = last_state(folder, plan)
    done = epochs_done(checkpoint, plan)
    plan = replace(plan, epochs=done + epochs)
    trainer = Trainer(plan, report, cancel)
    require_no_unfinished(require_free(out))
    photo_set, split = trainer.read_photos(folder.path / SPLIT)
    module = trainer.get_module()
    Basis.of_state(checkpoint.state).require_module(module, folder.path)
    checkpoint = opened(checkpoint, trainer.plan, module)
    unfinished = UnfinishedRun.begin(
        out, trainer.plan, photo_set, split, origin=ContinuedFrom(str(folder.path), done),
        fill=lambda made: Checkpoints(made).write(checkpoint),
    )  # fmt: skip
    return trainer.run(unfinished, module, photo_set, split)


class Trainer:
    """Runs one plan. Holds what the steps of a run share: the plan, the log, the token."""

    def __init__(self, plan: Plan, report: Report, cancel: CancelToken) -> None:
        self.plan = plan
        self.cancel = cancel
        self.log = RunLog(report, cancel)
        self.report = self.log.report
        self.predicted: Cost | None = None

    def read_photos(self, split_file: Path | None = None) -> tuple[PhotoSet, Split]:
        """List, check and divide the plan's photos, by another run's split if one is named."""
        plan = replace(self.plan, split_file=str(split_file)) if split_file else self.plan
        photo_set, split = read_photos(plan, self._photos_read, self.cancel)
        photo_set.require_trainable()
        self.plan.require_output_for(len(photo_set.classes))
        self.cancel.check_before_results()
        return photo_set, split

    def get_module(self) -> FeatureModule:
        """Bring the plan's backbone here, if it is not; load it, unless it stays as it is and is known."""
        get = obtain_frozen if self.plan.mode is Mode.EXTRACT else obtain
        module = get(self.plan.backbone, self.plan.features, self.report, self.cancel, self.log.meter.begin)
        if self.plan.mode is Mode.FINE_TUNE:
            module.whole().require_fine_tuning()
        self.plan = replace(self.plan, backbone=module.handle, features=module.features_name)
        return module

    def run(
        self,
        unfinished: UnfinishedRun,
        module: FeatureModule,
        photo_set: PhotoSet,
        split: Split,
        *,
        resumed: bool = False,
    ) -> RunSummary:
        """Train in the folder of an unfinished run and make a finished one of it.

        Ends in ``StudioError``, ``Suspended`` or ``Cancelled``. The last leaves nothing; neither does an error that
        would come again (photos that are gone may come back), unless the run had been interrupted or learned before.
        """
        keras.utils.set_random_seed(self.plan.seed)
        try:
            with unfinished.held():
                summary = self._run_held(unfinished, module, photo_set, split, resumed=resumed)
            unfinished.finish(_KEPT_FILES)
        except Suspended:
            raise Suspended(unfinished.out) from None
        except Cancelled:
            if resumed and not self.cancel.is_cancelled:  # asked to keep the best, which lies in a checkpoint
                raise Suspended(unfinished.out) from None
            unfinished.discard()
            raise
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise _memory_trouble(unfinished, self.plan) from error
        except OSError as error:
            (unfinished.folder / PIXELS).unlink(missing_ok=True)  # large, and made again when it goes on
            raise _disk_trouble(unfinished, error) from error
        except StudioError as error:
            if not (_can_go_on(unfinished, error) or (resumed and not isinstance(error, TrainingError))):
                unfinished.discard()
            raise
        phase, clock = Phase(summary.best_phase), self.log.clock()
        best = (summary.best_epoch, summary.validation_accuracy, summary.stopped_early)
        self.report(RunFinished(unfinished.out, phase, *best, clock))
        return summary

    def _run_held(
        self,
        unfinished: UnfinishedRun,
        module: FeatureModule,
        photo_set: PhotoSet,
        split: Split,
        *,
        resumed: bool,
    ) -> RunSummary:
        checkpoint, why_anew = find_checkpoint(unfinished, self.plan, module)
        self._started(unfinished, module, photo_set, split, resumed=resumed)
        self.log.write_to(unfinished, checkpoint)
        photos = PhotoCollector(self.plan, unfinished, self.log, self.cancel)
        found = photos.collect(module, photo_set, split)
        data, split = found.data, found.split
        if checkpoint and Basis.of_state(checkpoint.state).photos != data.digest:
            raise lost_photos_error(unfinished, found.lost) if resumed else _photos_changed(unfinished)
        photos.keep_to(found, photo_set)
        if resumed:
            photos.tell_absent(split)
        self.log.basis = replace(Basis.of(self.plan, module), photos=data.digest)
        self.log.features_known(data.stored.computed)
        if checkpoint:
            self.log.go_on_from(checkpoint)
        elif why_anew:
            self.log.begin_anew(why_anew)
        return self._fill(unfinished, module, photo_set, split, data, checkpoint)

    def _photos_read(self, done: int, total: int, what: str) -> None:
        self.cancel.check_before_results()
        self.report(PhotosRead(done, total, what, self.log.clock()))

    def _started(
        self, unfinished: UnfinishedRun, module: FeatureModule, photo_set: PhotoSet, split: Split, *, resumed: bool
    ) -> None:
        info = module.info()
        if speed := speeds.kept_for(self.plan, info):
            self.predicted = predict(self.plan, info, speed, PhotoAmount.of(photo_set, split), memory_in_use())
        name, counts = backbone_name(module.handle), split.counts()
        origin = unfinished.continued_from
        self.report(
            RunStarted(
                unfinished.out,
                name,
                self.plan.mode,
                photo_set.classes,
                counts,
                self.log.clock(),
                self.predicted,
                resumed,
                origin.epochs if origin else 0,
            )
        )
        for problem in photo_set.problems:
            if problem.kind not in _NOT_NOTED and not (problem.kind == "given_split" and problem.is_note):
                self.log.note(problem.message)
        self.cancel.check_before_results()

    def _fill(
        self,
        unfinished: UnfinishedRun,
        module: FeatureModule,
        photo_set: PhotoSet,
        split: Split,
        data: Data,
        checkpoint: Checkpoint | None,
    ) -> RunSummary:
        folder = unfinished.folder
        statistics = FeatureStatistics.of(data.stored.features[data.training])
        classifier = build_classifier(self.plan, module, len(photo_set.classes), statistics)
        phases = Phases(self.plan, classifier, data, folder, self.log, self.cancel)
        head, blocks = phases.train(checkpoint)
        features_seconds = self.log.features_seconds
        training_seconds = self.log.clock() - features_seconds
        self.report(PhaseStarted(Phase.SAVING, 0, self.log.clock()))
        self._save(folder, classifier, [photo.path for photo in split.part(Part.VALIDATION)])
        self.log.meter.weigh(folder)
        write_checkpoint(folder / TRAINING_STATE, phases.last)
        write_records(folder, self.plan, photo_set, split, self.log.history)
        summary = self._summary(unfinished, classifier, photo_set, split, data, head, blocks)
        seconds = {"features": features_seconds, "training": training_seconds, "total": self.log.clock()}
        cost = RunCost(self.predicted, self.log.meter.cost())
        summary = replace(summary, seconds={name: round(value, 3) for name, value in seconds.items()}, cost=cost)
        write_summary(folder, summary)
        return summary

    def _save(self, folder: Path, classifier: Classifier, validation: Sequence[Path]) -> None:
        note = save_checked(classifier, folder / MODEL, validation[:_CHECK_PHOTOS], self.cancel)
        if note:
            self.log.note(note)

    def _summary(
        self,
        unfinished: UnfinishedRun,
        classifier: Classifier,
        photo_set: PhotoSet,
        split: Split,
        data: Data,
        head: PhaseResult,
        blocks: PhaseResult | None,
    ) -> RunSummary:
        main, module = blocks or head, classifier.module
        kept = blocks.best if blocks and blocks.best else head.best
        assert kept is not None
        fine_tuned = bool(blocks and blocks.best_epoch)
        return RunSummary(
            run=str(unfinished.out),
            classes=photo_set.classes,
            counts=split.counts(),
            backbone=module.handle,
            mode=self.plan.mode.value,
            epochs=main.epochs_done,
            best_epoch=main.best_epoch,
            best_phase=(Phase.FINE_TUNE if fine_tuned else Phase.HEAD).value,
            validation_accuracy=kept.accuracy,
            validation_loss=kept.loss,
            stopped_early=main.stopped,
            seconds={},
            image_size=module.size(self.plan.image_size),
            features=module.features,
            features_name=module.features_name,
            runtime=data.stored.runtime,
            computed_photos=self.log.computed_photos,
            decided=self._decided(classifier, data, photo_set.classes, blocks),
            notes=tuple(self.log.notes),
            versions=made_with(),
            ended=_ends(head, blocks),
            continued_from=unfinished.continued_from,
        )

    def _decided(
        self, classifier: Classifier, data: Data, classes: Sequence[str], blocks: PhaseResult | None
    ) -> dict[str, Any]:
        """Return what the plan left open and the run has decided."""
        decided: dict[str, Any] = {
            "backbone_digest": classifier.module.digest,
            "class_weights": _weights_by_class(data, classes),
            "learning_rate": classifier.rate(Phase.HEAD),
        }
        if self.plan.mode is Mode.FINE_TUNE:
            decided |= {
                "fine_tune_learning_rate": classifier.rate(Phase.FINE_TUNE),
                "moved_blocks": [block.name for block in classifier.moving_blocks],
                "frozen_part_once": self.log.from_border,
                "mixed_precision": bool(blocks and blocks.mixed),
            }
        return decided


_NOT_NOTED = frozenset(
    ("copies", "look_alikes", "series", "small", "left_out", "left_out_given", "not_photos", "empty_class", "lopsided")
)
"""Kinds of problems that a run's notes do not keep: all is as it should be, or the plan itself says it."""


def _photos_changed(unfinished: UnfinishedRun) -> TrainingError:
    return TrainingError(
        f"'{unfinished.out.name}' cannot go on from the other run: its photos have changed since.",
        next_step="Put them back as they were, or train anew by its plan.",
    )


def _disk_trouble(unfinished: UnfinishedRun, error: OSError) -> RunError:
    if isinstance(error, FileExistsError):
        found, first = "Something that came there meanwhile has its name", "Move that away"
    else:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        found, first = path_kinds.reason(error), "Free some space" if is_full else "Put that right"
    return RunError(
        f"The run could not be written to '{unfinished.out}'.",
        found=f"{found}.",
        next_step=f"{first}, and go on where it was: hubstudio train --resume '{unfinished.out}'.",
    )


def _can_go_on(unfinished: UnfinishedRun, error: StudioError) -> bool:
    """Whether something was learned that would be lost, or what was wrong may be put right.

    A run that was refused before it began has learned nothing, even if it holds what another one ended with.
    """
    if isinstance(error, TrainingError | TooLargeError):
        return False
    return isinstance(error, RunError | PhotosError) or Checkpoints(unfinished.folder).are_there


def _memory_trouble(unfinished: UnfinishedRun, plan: Plan) -> RunError:
    return RunError(
        "The training needs more memory than there is.",
        found=f"It ran out with {plan.batch_size} photos in a batch.",
        next_step=f"Close other programs and go on where it was: hubstudio train --resume '{unfinished.out}'. Or train "
        "again with fewer blocks, a smaller image size, or a smaller backbone.",
    )


def _ends(head: PhaseResult, blocks: PhaseResult | None) -> dict[str, str]:
    ends = {Phase.HEAD: head} | ({Phase.FINE_TUNE: blocks} if blocks else {})
    return {phase.value: result.why.value for phase, result in ends.items()}


def _weights_by_class(data: Data, classes: Sequence[str]) -> dict[str, float]:
    """Return how much a photo of each class counts; nothing if all count alike."""
    weights = data.class_weights
    return {} if weights is None else dict(zip(classes, map(float, weights), strict=True))
