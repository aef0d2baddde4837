"""Accuracy and its bounds, confusion, precision and recall: from labels, nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054  # two-sided 95 % of the normal distribution


@dataclass(frozen=True)
class ClassMeasures:
    """How one class fares. ``recall``: share of its photos found; ``precision``: share of its answers that are right.

    None where nothing could be measured (no photo of it, or never answered).
    """

    precision: float | None
    recall: float | None
    f1: float | None
    photos: int


@dataclass(frozen=True)
class Evaluation:
    """A classifier's answers on labelled photos, counted."""

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """``confusion[i][j]``: photos of class i that were called class j."""
    unreadable: tuple[str, ...] = ()
    source: str = "test"
    """'test' for the run's own test part, else the folder."""
    trained_on: int = 0
    """How many of the photos the model was trained or chosen on: their answers say little about new photos."""

    @property
    def photos(self) -> int:
        """Number of photos measured on."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """Number of right answers."""
        return sum(row[index] for index, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return self.correct / self.photos if self.photos else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.correct, self.photos)

    @property
    def per_class(self) -> dict[str, ClassMeasures]:
        """Precision, recall and F1 of every class."""
        return {name: self._class_measures(index) for index, name in enumerate(self.classes)}

    def _class_measures(self, index: int) -> ClassMeasures:
        right = self.confusion[index][index]
        photos = sum(self.confusion[index])
        answers = sum(row[index] for row in self.confusion)
        f1 = 2 * right / (photos + answers) if photos + answers else None
        return ClassMeasures(right / answers if answers else None, right / photos if photos else None, f1, photos)


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval of a share (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927); (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    whole = 1 + z * z / trials
    return max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole)


def confusion_matrix(truth: Sequence[int], answers: Sequence[int], classes: int) -> tuple[tuple[int, ...], ...]:
    """Count pairs of (true class, answered class), both as indices below ``classes``."""
    counts = [[0] * classes for _ in range(classes)]
    for row, column in zip(truth, answers, strict=True):
        counts[row][column] += 1
    return tuple(map(tuple, counts))
