"""One phase of training: epochs of batches, validated, the best epoch's weights kept; stops within a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import StudioError
from hubstudio.core.events import BatchDone, EpochDone, Phase, PhaseStarted, Report
from hubstudio.core.hyper_parameters import VALIDATION_BATCH

WARM_UP = 0.05  # of a phase


@dataclass(frozen=True)
class Examples:
    """Model inputs (features or photos) and class numbers; rows are read where they lie, on disk or in memory."""

    inputs: NDArray[Any]
    labels: NDArray[np.int32]
    class_weights: NDArray[np.float32] | None = None
    """``[classes]``: how much a photo of each class counts in the loss; None if all count alike."""

    def rows(self, places: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return some rows as float32 inputs and their labels ``[rows, 1]``."""
        return np.asarray(self.inputs[places], np.float32), self.labels[places, np.newaxis]

    def weights(self, places: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """Return how much each of some rows counts, ``[rows]``, or None if all count alike."""
        return None if self.class_weights is None else self.class_weights[self.labels[places]]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Score:
    """How an epoch did on validation; greater is better: accuracy first, the lower loss among equals."""

    accuracy: float
    loss: float

    def beats(self, other: Score | None) -> bool:
        """Whether this is better than ``other``."""
        return other is None or (self.accuracy, -self.loss) > (other.accuracy, -other.loss)


@dataclass(frozen=True)
class PhaseResult:
    """What a phase came to. Without a best epoch (``best`` None) the model is as it was before."""

    best: Score | None
    best_epoch: int
    epochs_done: int
    stopped: bool


@dataclass(frozen=True)
class PhasePlan:
    """A phase's fixed numbers."""

    phase: Phase
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int


def train_phase(
    model: keras.Model,
    training: Examples,
    validation: Examples,
    plan: PhasePlan,
    to_beat: Score | None,
    report: Report,
    cancel: CancelToken,
    clock: Callable[[], float],
) -> PhaseResult:
    """Train a compiled model that gives logits, and leave it with the weights of its best epoch that beats ``to_beat``.

    If none does, it is left as it was. ``cancel.stop`` ends it after the current batch with the best so far; a part of
    an epoch does not count. Raises ``Cancelled`` within a batch, ``StudioError`` if the loss is no number.
    """
    report(PhaseStarted(plan.phase, plan.epochs, clock()))
    best, best_epoch, kept = to_beat, 0, _weights(model)
    done = 0
    for epoch in range(1, plan.epochs + 1):
        trained = _train_epoch(model, training, plan, epoch, report, cancel, clock)
        score = _validate(model, validation, cancel) if trained else None
        if not trained or not score:
            break
        done = epoch
        is_best = score.beats(best)
        if is_best:
            best, best_epoch, kept = score, epoch, _weights(model)
        loss, accuracy = trained
        report(
            EpochDone(
                plan.phase,
                epoch,
                plan.epochs,
                loss,
                accuracy,
                score.loss,
                score.accuracy,
                plan.learning_rate * rate_factor((epoch - 1) / plan.epochs),
                is_best,
                clock(),
            )
        )
    _restore(model, kept)
    return PhaseResult(best if best_epoch else None, best_epoch, done, stopped=done < plan.epochs)


def _train_epoch(
    model: keras.Model,
    training: Examples,
    plan: PhasePlan,
    epoch: int,
    report: Report,
    cancel: CancelToken,
    clock: Callable[[], float],
) -> tuple[float, float] | None:
    """Return mean loss and accuracy, or None if asked to stop."""
    order = np.random.default_rng((plan.seed, epoch)).permutation(len(training))
    batches = list(_batches(order, plan.batch_size))
    mean = _Mean()
    for number, places in enumerate(batches, 1):
        cancel.check()
        if cancel.is_stopping:
            return None
        done = (epoch - 1 + (number - 1) / len(batches)) / plan.epochs
        model.optimizer.learning_rate.assign(plan.learning_rate * rate_factor(done))
        inputs, labels = training.rows(places)
        logs = model.train_on_batch(inputs, labels, sample_weight=training.weights(places), return_dict=True)
        mean.add(logs, len(places))
        if not np.isfinite(mean.loss):
            raise _diverged(plan, epoch)
        report(BatchDone(plan.phase, epoch, number, len(batches), mean.loss, clock()))
    return mean.loss, mean.accuracy


def _validate(model: keras.Model, validation: Examples, cancel: CancelToken) -> Score | None:
    """Return the score on all validation rows, or None if asked to stop."""
    mean = _Mean()
    for places in _batches(np.arange(len(validation)), VALIDATION_BATCH):
        cancel.check()
        if cancel.is_stopping:
            return None
        mean.add(model.test_on_batch(*validation.rows(places), return_dict=True), len(places))
    return Score(mean.accuracy, mean.loss)


def rate_factor(done: float) -> float:
    """Return the share of the learning rate to use once ``done`` (0 to 1) of a phase is over.

    A short linear warm-up, then half a cosine down to a hundredth (Loshchilov and Hutter, SGDR, ICLR 2017).
    """
    if done < WARM_UP:
        return max(done / WARM_UP, 0.05)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


def balancing_weights(labels: NDArray[np.int32], classes: int) -> NDArray[np.float32]:
    """Return ``[classes]`` weights under which every class counts alike, 1 on the mean photo: photos / (classes · own).

    As scikit-learn's ``class_weight="balanced"`` (King and Zeng, Political Analysis 9, 2001).
    """
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32)


class _Mean:
    """Mean of loss and accuracy over photos; Keras gives them for one batch at a time."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._right = self._photos = 0

    def add(self, logs: dict[str, float], photos: int) -> None:
        self._loss += float(logs["cross_entropy"]) * photos
        self._right += round(float(logs["accuracy"]) * photos)  # a count: Keras's float32 is off in the eighth digit
        self._photos += photos

    @property
    def loss(self) -> float:
        return self._loss / self._photos

    @property
    def accuracy(self) -> float:
        return self._right / self._photos


def _batches(places: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for begin in range(0, len(places), size):
        yield places[begin : begin + size]


def _weights(model: keras.Model) -> list[NDArray[np.float32]]:
    return [variable.numpy() for variable in model.variables]


def _restore(model: keras.Model, weights: list[NDArray[np.float32]]) -> None:
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)


def _diverged(plan: PhasePlan, epoch: int) -> StudioError:
    return StudioError(
        "The training went astray: the loss is no number any more.",
        found=f"It happened in epoch {epoch} at a learning rate of {plan.learning_rate:g}.",
        next_step=f"Train again with a lower learning rate, such as {plan.learning_rate / 10:g}.",
    )
