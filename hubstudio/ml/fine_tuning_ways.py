"""The two ways to fine-tune: on photos through the whole backbone, or on what its frozen part made of them, once.

The second gives the same result in less time. It is taken where the photos are the same in every epoch, the backbone
can be cut before its moving blocks, and that is worth it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from hubstudio.core.augmenting import augmented_batch
from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import FeaturesDone, Phase, PhaseStarted
from hubstudio.core.hyper_parameters import FRONT_PASSES
from hubstudio.core.plan import Plan
from hubstudio.ml.border_store import store_borders, worth_cutting
from hubstudio.ml.frozen_border import FrozenBorder, find_border
from hubstudio.ml.model_factory import Classifier
from hubstudio.ml.run_log import RunLog
from hubstudio.ml.training_data import Data, Examples, Rows


@dataclass(frozen=True)
class Way:
    """A compiled model that gives logits, and what it is fed with."""

    model: keras.Model
    training: Examples
    validation: Examples
    from_border: bool


class Ways:
    """Finds the way to fine-tune a classifier on the data of one run."""

    def __init__(
        self, plan: Plan, classifier: Classifier, data: Data, folder: Path, log: RunLog, cancel: CancelToken
    ) -> None:
        self._plan, self._classifier, self._data, self._folder = plan, classifier, data, folder
        self._log, self._cancel = log, cancel

    def find(self, wanted: bool | None = None) -> Way | None:
        """Unfreeze the plan's blocks and return the way; None if asked to stop before it was there.

        ``wanted`` says which way a run has gone before: then it is that one, from a border or not.
        """
        places = self._classifier.unfreeze()
        border = None if wanted is False else self._border(places, is_wanted=bool(wanted))
        return self._from(border) if border else self._through_all()

    def _border(self, places: frozenset[int], *, is_wanted: bool) -> FrozenBorder | None:
        plan, classifier = self._plan, self._classifier
        if plan.train_batch_norm or not plan.augmentation.is_none:
            return None
        if not is_wanted and len(self._data.labels) * plan.epochs < FRONT_PASSES:
            return None
        border = find_border(classifier.backbone.module, classifier.size, places)
        if border is None or is_wanted:
            return border
        photos, free = len(self._data.labels), shutil.disk_usage(self._folder).free
        return border if worth_cutting(border, photos, free) else None

    def _from(self, border: FrozenBorder) -> Way | None:
        data, log = self._data, self._log
        log.report(PhaseStarted(Phase.FEATURES, 0, log.clock()))

        def progress(done: int, total: int) -> None:
            log.report(FeaturesDone(done, total, log.clock()))

        assert data.stored.pixels is not None
        rows = np.arange(len(data.labels))
        values = store_borders(data.stored.pixels.photos, rows, border, self._folder, progress, self._cancel)
        if values is None:
            return None

        def inputs(rows: Rows, epoch: int) -> list[NDArray[np.float32]]:
            del epoch
            return [value[rows] for value in values]

        model = self._classifier.compile_behind(border)
        return Way(model, data.examples(data.training, inputs), data.examples(data.validation, inputs), True)

    def _through_all(self) -> Way:
        data, plan = self._data, self._plan
        pixels = data.stored.pixels
        assert pixels is not None
        count = len(data.labels)

        def inputs(rows: Rows, epoch: int) -> NDArray[np.float32]:
            if not epoch or plan.augmentation.is_none:  # validation is on photos as they are
                return pixels.photos(rows)
            seeds = [(plan.seed, epoch * count + int(row)) for row in rows]
            return augmented_batch(pixels.whole_levels(rows), plan.augmentation, seeds).astype(np.float32)

        model = self._classifier.compile_whole()
        return Way(model, data.examples(data.training, inputs), data.examples(data.validation, inputs), False)
