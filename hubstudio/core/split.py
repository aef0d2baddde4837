"""Which photos train, which choose the best epoch, and which are kept for the honest test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hubstudio.core.photos import Photo, PhotoSet


class Part(StrEnum):
    """What a photo is used for."""

    TRAINING = "train"
    VALIDATION = "validation"
    TEST = "test"
    LEFT_OUT = "left-out"


@dataclass(frozen=True)
class Shares:
    """How much of every class goes to validation and to test; the rest trains."""

    validation: float = 0.15
    test: float = 0.15


@dataclass(frozen=True)
class Split:
    """Every photo of a set with its part, in the set's order."""

    assigned: tuple[tuple[Photo, Part], ...]

    def part(self, part: Part) -> tuple[Photo, ...]:
        """Return the photos of one part."""
        return tuple(photo for photo, own in self.assigned if own is part)

    def counts(self) -> dict[str, int]:
        """Return the number of photos in training, validation and test."""
        return {part.value: len(self.part(part)) for part in (Part.TRAINING, Part.VALIDATION, Part.TEST)}

    def without(self, photos: Iterable[Photo]) -> Split:
        """Return the split with some photos marked as left out."""
        gone = set(photos)
        return Split(tuple((photo, Part.LEFT_OUT if photo in gone else part) for photo, part in self.assigned))


def split_photos(photo_set: PhotoSet, seed: int, shares: Shares) -> Split:
    """Divide every class by itself (stratified), in an order that only seed and file names decide.

    Each class of at least three photos gets at least one in every part.
    """
    parts: dict[Photo, Part] = {}
    for name in photo_set.classes:
        photos = sorted(photo_set.of_class(name), key=lambda photo: _rank(photo_set.relative_name(photo), seed))
        validation, test = _sizes(len(photos), shares)
        for place, photo in enumerate(photos):
            parts[photo] = _part_at(place, validation, test)
    return Split(tuple((photo, parts[photo]) for photo in photo_set.photos))


def part_counts(photos_per_class: Iterable[int], shares: Shares) -> dict[str, int]:
    """Return what ``split_photos`` would count in each part, without dividing any photo."""
    counts: dict[str, int] = {part.value: 0 for part in (Part.TRAINING, Part.VALIDATION, Part.TEST)}
    for photos in photos_per_class:
        validation, test = _sizes(photos, shares)
        for part, count in zip(counts, (photos - validation - test, validation, test), strict=True):
            counts[part] += count
    return counts


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()


def _sizes(photos: int, shares: Shares) -> tuple[int, int]:
    if photos < 3:
        return 0, 0
    validation = max(1, round(photos * shares.validation))
    test = max(1, round(photos * shares.test))
    while validation + test >= photos:  # a tiny class: training keeps at least one
        validation, test = max(1, validation - 1), max(1, test - 1)
    return validation, test


def _part_at(place: int, validation: int, test: int) -> Part:
    if place < test:
        return Part.TEST
    return Part.VALIDATION if place < test + validation else Part.TRAINING
