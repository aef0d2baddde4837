"""What a step computes does not depend on which lengths of batches the process has seen before it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from hubstudio.ml.any_length import trace_for_any_length

LENGTHS = (32, 23, 32, 23)
Batch = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, strides=2, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3),
            layers.Conv2D(16, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def batch(number: int, *, weighted: bool) -> Batch:
    random, length = np.random.default_rng(number), LENGTHS[number]
    photos, labels = random.random((length, 32, 32, 3), np.float32), random.integers(0, 3, (length, 1)).astype(np.int32)
    return photos, labels, random.random(length, np.float32) if weighted else None


def state(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]


def trained(model: keras.Model, numbers: range, *, weighted: bool) -> list[np.ndarray]:
    trace_for_any_length(model, batch(0, weighted=weighted))
    for number in numbers:
        photos, labels, weights = batch(number, weighted=weighted)
        model.train_on_batch(photos, labels, sample_weight=weights)
    return state(model)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_training_that_goes_on_at_a_short_batch_is_the_same_training(*, weighted: bool) -> None:
    whole = network()
    after_one = trained(whole, range(1), weighted=weighted)
    wanted = trained(whole, range(1, 4), weighted=weighted)
    going_on = network()
    for variable, value in zip((*going_on.variables, *going_on.optimizer.variables), after_one, strict=True):
        variable.assign(value)
    for one, other in zip(trained(going_on, range(1, 4), weighted=weighted), wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_step_is_traced_once_whatever_the_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    model, traces = network(), 0
    step = model.train_step

    def counted(data: object) -> object:
        nonlocal traces
        traces += 1
        return step(data)

    monkeypatch.setattr(model, "train_step", counted)
    trace_for_any_length(model, batch(0, weighted=False))
    model.train_on_batch(*batch(0, weighted=False))
    at_first = traces
    for number in range(1, 4):
        model.train_on_batch(*batch(number, weighted=False))
    assert traces == at_first


def test_testing_takes_any_length_and_no_weights() -> None:
    model = network()
    trace_for_any_length(model, batch(0, weighted=True))
    for number in (0, 1):
        photos, labels, _ = batch(number, weighted=True)
        measured = model.test_on_batch(photos, labels, return_dict=True)
        np.testing.assert_allclose(measured["accuracy"], np.mean(model(photos).numpy().argmax(1) == labels[:, 0]))
