"""How well features carry over, judged on pictures that the generator paints and no network was trained on.

Variants are chosen by these sets alone. The classifier and the splits are those by which photo sets are reported
(``tests/benchmarks/backbone_probe.py``): logistic regression on standardised features, stratified 80/20 splits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .pool import Order, painted

SEED = 990_001
"""No recipe has it: the classes are new, even those of families that were trained on."""
SETS = {
    "new_things": {"silhouette": 20, "jointed": 20, "pile": 12, "sign": 8},
    "new_fills": {"texture": 16, "leaves": 8, "pile": 8, "scatter": 4, "fractal": 8},
    "molecules": {"molecule": 32},
    "letters": {"letter": 32},
}
"""Families and classes of each set; molecules and letters are of families that nothing is trained on."""
_EXAMPLES = 25
_BATCH = 32

Extract = Callable[[npt.NDArray[np.float32]], Any]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """The figures of one set."""

    name: str
    pictures: int
    classes: int
    accuracy: float
    pictures_per_second: float

    def __str__(self) -> str:
        """Return a line of the table."""
        return (
            f"{self.name:12} {self.pictures:>6} pictures {self.classes:>4} classes  "
            f"accuracy {self.accuracy:.3f}  {self.pictures_per_second:>5.0f} pictures/s"
        )


def probe(extract: Extract, size: int, workers: int, share: float = 1.0, splits: int = 3) -> list[Result]:
    """Measure features on every set; ``share`` takes only a part of the classes."""
    results = []
    for name, families in SETS.items():
        orders = [
            Order(SEED, family, number, 0, _EXAMPLES, size)
            for family, count in families.items()
            for number in range(max(1, round(count * share)))
        ]
        pictures = np.concatenate(list(painted(orders, workers)))
        labels = np.repeat(np.arange(len(orders)), _EXAMPLES)
        features, seconds = _features(extract, pictures)
        scores = [accuracy(features, labels, seed) for seed in range(splits)]
        rate = len(pictures) / seconds
        results.append(Result(name, len(pictures), len(orders), float(np.mean(scores)), rate))
    return results


def _features(extract: Extract, pictures: npt.NDArray[np.uint8]) -> tuple[Features, float]:
    """Return the features and the seconds they took, after one batch to warm up."""
    batches = [
        pictures[start : start + _BATCH].astype(np.float32) / np.float32(255)
        for start in range(0, len(pictures), _BATCH)
    ]
    extract(batches[0])
    started = time.perf_counter()
    rows = [np.asarray(extract(batch), np.float32) for batch in batches]
    return np.concatenate(rows), time.perf_counter() - started


def accuracy(features: Features, labels: npt.NDArray[np.int64], seed: int) -> float:
    """Return the accuracy of a linear classifier on one random stratified 80/20 split."""
    train, test = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(features, labels))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    classifier.fit(features[train], labels[train])
    return float(classifier.score(features[test], labels[test]))
