"""A shoot-out: several backbones, each with a head trained on the same photos, measured on the same validation part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hubstudio.core.measures import wilson_interval


@dataclass(frozen=True)
class Contender:
    """One backbone's result, or why there is none."""

    backbone: str
    """As a plan holds it."""
    name: str
    correct: int = 0
    validation_photos: int = 0
    photos_per_second: float = 0.0
    """Through decoder and frozen backbone, as measured in this comparison."""
    seconds: float = 0.0
    """From the first photo to the trained head."""
    bytes: int = 0
    """Of the module on disk."""
    features: int = 0
    input_size: int = 0
    error: str = ""

    @property
    def accuracy(self) -> float:
        """Share of the validation photos that the best epoch got right, 0 to 1."""
        return self.correct / self.validation_photos if self.validation_photos else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.correct, self.validation_photos)

    def to_table(self) -> dict[str, Any]:
        """Return plain values for JSON, with accuracy and interval; those are None where there is an error."""
        if self.error:
            return {**asdict(self), "accuracy": None, "interval": None}
        return {**asdict(self), "accuracy": self.accuracy, "interval": list(self.interval)}


def best_first(contenders: Iterable[Contender]) -> list[Contender]:
    """Sort by accuracy, the faster one first among equals; those that failed come last, in their own order."""
    return sorted(contenders, key=lambda one: (bool(one.error), -one.accuracy, -one.photos_per_second))
