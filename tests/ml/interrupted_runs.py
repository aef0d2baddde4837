"""Trainings that tests break off, and what tells whether two ended alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.core.events import Event
from hubstudio.core.plan import Plan
from hubstudio.ml.engine import LocalEngine

Training = Callable[[Callable[[Event], None], CancelToken], object]
When = Callable[[Event], bool]


def interrupted(plan: Plan, out: Path, when: When, end: Callable[[CancelToken], None] = CancelToken.suspend) -> None:
    """Train until ``when`` says that it is time, and end it there."""
    broken_off(lambda report, cancel: LocalEngine().train(plan, out, report, cancel), when, end)


def broken_off(training: Training, when: When, end: Callable[[CancelToken], None] = CancelToken.suspend) -> None:
    """Do what trains, in whatever way, until ``when`` says that it is time."""
    cancel = CancelToken()

    def report(event: Event) -> None:
        if when(event):
            end(cancel)

    with pytest.raises(Cancelled):
        training(report, cancel)


def weights_of(run: Path) -> list[np.ndarray]:
    """Return all weights of a finished run's model."""
    return [np.array(weight) for weight in keras.models.load_model(run / "model.keras").get_weights()]


def same_result(one: Path, other: Path) -> bool:
    """Whether two runs have the same history and, to the last bit, the same weights."""
    history = (one / "history.csv").read_text() == (other / "history.csv").read_text()
    pairs = zip(weights_of(one), weights_of(other), strict=True)
    return history and all(np.array_equal(first, second) for first, second in pairs)
