"""What is trained on and what is validated on: rows of stored photos with labels, read where they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.photo_counts import LOPSIDED
from hubstudio.core.photos import Photo
from hubstudio.core.plan import ClassWeights, Plan
from hubstudio.ml.photo_store import StoredPhotos

Rows = NDArray[np.int64]
_VIEW_DRAW = 1  # tells these random numbers from those that shuffle


Inputs = Callable[[Rows, int], Any]
"""Gives a model's float32 inputs for some rows in an epoch, where some are other values in each; 0 is validation."""


@dataclass(frozen=True)
class Examples:
    """Model inputs and class numbers of some rows."""

    inputs: Inputs
    labels: NDArray[np.int32]
    class_weights: NDArray[np.float32] | None = None
    """``[classes]``: how much a photo of each class counts in the loss; None if all count alike."""

    @classmethod
    def of(cls, values: NDArray[Any], labels: NDArray[np.int32]) -> Examples:
        """Return examples on an array in memory."""
        return cls(lambda rows, _: np.asarray(values[rows], np.float32), labels)

    def batch(self, rows: Rows, epoch: int) -> tuple[Any, NDArray[np.int32]]:
        """Return the inputs of some rows and their labels ``[rows, 1]``."""
        return self.inputs(rows, epoch), self.labels[rows, np.newaxis]

    def weights(self, rows: Rows) -> NDArray[np.float32] | None:
        """Return how much each of some rows counts, ``[rows]``, or None if all count alike."""
        return None if self.class_weights is None else self.class_weights[self.labels[rows]]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Data:
    """The photos of a run, by row: those that train first, then those that validate."""

    stored: StoredPhotos
    labels: NDArray[np.int32]
    training: Rows
    validation: Rows
    class_weights: NDArray[np.float32] | None
    views: NDArray[np.float32] | None = None
    """``[views, training, features]`` of varied training photos, if there are any."""

    @classmethod
    def of(
        cls, stored: StoredPhotos, photos: Sequence[Photo], training: int, classes: Sequence[str], plan: Plan
    ) -> Data:
        """Number the classes of stored photos, of which the first ``training`` train and the others validate."""
        numbers = {name: number for number, name in enumerate(classes)}
        labels = np.array([numbers[photos[place].class_name] for place in stored.places], np.int32)
        rows = np.arange(len(labels))
        is_weighed = weighs_classes(plan, labels[:training])
        weights = balancing_weights(labels[:training], len(numbers)) if is_weighed else None
        return cls(stored, labels, rows[:training], rows[training:], weights)

    def examples(self, rows: Rows, inputs: Inputs) -> Examples:
        """Return some rows, with inputs by row of the stored photos."""
        return Examples(lambda places, epoch: inputs(rows[places], epoch), self.labels[rows], self.class_weights)

    def features(self, rows: Rows) -> Examples:
        """Return some rows as features."""
        features = self.stored.features
        return self.examples(rows, lambda places, _: features[places])

    def varied_features(self, seed: int) -> Examples:
        """Return the training rows as features of another view in each epoch, the photo as it is among them."""
        views, features = self.views, self.stored.features
        if views is None:
            return self.features(self.training)

        def inputs(rows: Rows, epoch: int) -> NDArray[np.float32]:
            drawn = np.random.default_rng((seed, epoch, _VIEW_DRAW)).integers(len(views) + 1, size=len(self.training))
            chosen = views[drawn[rows] - 1, rows]
            return np.where(drawn[rows, np.newaxis] == 0, features[rows], chosen)

        return self.examples(self.training, inputs)

    @property
    def digest(self) -> str:
        """What tells whether a checkpoint is about just these rows: the same photos by content, in the same order."""
        content = hashlib.blake2b(b"".join(self.stored.digests), digest_size=16)
        for values in (self.labels, self.training):
            content.update(np.ascontiguousarray(values).tobytes())
        return content.hexdigest()


def weighs_classes(plan: Plan, labels: NDArray[np.int32]) -> bool:
    """Whether small classes are to count as much as large ones, among these labels of training photos."""
    if plan.class_weights is not ClassWeights.AUTO:
        return plan.class_weights is ClassWeights.ON
    counts = np.bincount(labels)
    return bool(counts.max() >= LOPSIDED * counts[counts > 0].min())


def balancing_weights(labels: NDArray[np.int32], classes: int) -> NDArray[np.float32]:
    """Return ``[classes]`` weights under which every class counts alike, 1 on the mean photo: photos / (classes · own).

    As scikit-learn's ``class_weight="balanced"`` (King and Zeng, Political Analysis 9, 2001).
    """
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)
