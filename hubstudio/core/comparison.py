"""A shoot-out: several backbones, each with a head trained on the same photos, measured on the same validation part."""

from __future__ import annotations

from dataclasses import dataclass


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
