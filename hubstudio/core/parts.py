"""The parts of a split, and the names that people give them."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """What a photo is used for."""

    TRAINING = "train"
    VALIDATION = "validation"
    TEST = "test"
    LEFT_OUT = "left-out"


USED_PARTS = (Part.TRAINING, Part.VALIDATION, Part.TEST)

_NAMES = {
    Part.TRAINING: ("train", "training", "trainset", "train_set", "training_set"),
    Part.VALIDATION: ("validation", "val", "valid", "dev", "valset", "val_set", "validation_set"),
    Part.TEST: ("test", "testing", "testset", "test_set", "holdout", "eval"),
    Part.LEFT_OUT: ("left-out", "left out", "unused"),
}
_BY_NAME = {name: part for part, names in _NAMES.items() for name in names}


def part_named(text: str) -> Part | None:
    """Return the part that a folder's name or a table's cell means, in any case: 'Train', 'val', 'TEST'."""
    return _BY_NAME.get(text.strip().casefold())
