"""What a step computes depends neither on which lengths of batches were seen before it nor on what goes with it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from hubstudio.ml.training_steps import TrainingSteps

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
    entropy: Any = keras.metrics.SparseCategoricalCrossentropy("cross_entropy", from_logits=True)
    model.compile("adam", loss, metrics=[entropy, "accuracy"], jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def batch(number: int, *, weighted: bool) -> Batch:
    random, length = np.random.default_rng(number), LENGTHS[number]
    photos, labels = random.random((length, 32, 32, 3), np.float32), random.integers(0, 3, (length, 1)).astype(np.int32)
    return photos, labels, random.random(length, np.float32) if weighted else None


def state(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)]


def trained(model: keras.Model, numbers: range, *, weighted: bool) -> list[np.ndarray]:
    steps = TrainingSteps(model, batch(0, weighted=weighted))
    for number in numbers:
        steps.train(batch(number, weighted=weighted), [0.01], LENGTHS[number])
    return state(model)


def assert_same(model: list[np.ndarray], other: list[np.ndarray]) -> None:
    for one, another in zip(model, other, strict=True):
        np.testing.assert_array_equal(one, another)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_training_that_goes_on_at_a_short_batch_is_the_same_training(*, weighted: bool) -> None:
    whole = network()
    after_one = trained(whole, range(1), weighted=weighted)
    wanted = trained(whole, range(1, 4), weighted=weighted)
    going_on = network()
    for variable, value in zip((*going_on.variables, *going_on.optimizer.variables), after_one, strict=True):
        variable.assign(value)
    assert_same(trained(going_on, range(1, 4), weighted=weighted), wanted)


RATES = [0.03, 0.001, 0.01, 0.02, 0.005]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("together", [2, 5])
def test_steps_together_are_the_same_steps(*, weighted: bool, together: int) -> None:
    photos, labels, weights = batch(0, weighted=weighted)  # 32 rows: four steps on 7 of them, one on 4

    def result(at_once: int) -> tuple[list[np.ndarray], list[float], list[float]]:
        model = network()
        steps = TrainingSteps(model, batch(0, weighted=weighted))
        entropies, accuracies = list[float](), list[float]()
        for first in range(0, 5, at_once):
            rows = slice(7 * first, 7 * (first + at_once))
            some = photos[rows], labels[rows], None if weights is None else weights[rows]
            stepped = steps.train(some, RATES[first : first + at_once], 7)
            entropies += stepped.cross_entropy
            accuracies += stepped.accuracy
        return state(model), entropies, accuracies

    one_by_one, others = result(1), result(together)
    assert len(one_by_one[1]) == 5
    assert one_by_one[1:] == others[1:]
    assert_same(one_by_one[0], others[0])


def test_each_step_is_measured_by_itself_before_it_moves_anything() -> None:
    model = network()
    photos, labels, _ = batch(0, weighted=False)
    logits = model(photos[:20], training=True)  # batch-norm: by these photos' own statistics
    wanted = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels[:20], logits)
    stepped = TrainingSteps(model, batch(0, weighted=False)).train((photos, labels, None), [0.01, 0.01], 20)
    assert len(stepped.cross_entropy) == len(stepped.accuracy) == 2
    assert stepped.cross_entropy[0] == pytest.approx(float(wanted), rel=1e-5)
    assert stepped.accuracy[0] == pytest.approx(np.mean(logits.numpy().argmax(1) == labels[:20, 0]))


def test_the_last_rate_is_what_the_optimizer_is_left_with() -> None:
    model = network()
    TrainingSteps(model, batch(0, weighted=False)).train(batch(0, weighted=False), [0.5, 0.25], 16)
    assert float(model.optimizer.learning_rate) == 0.25


class _Greedy(keras.layers.Layer):
    """Wants more memory than there is as soon as it sees a number above a thousand."""

    def call(self, values: Any) -> Any:
        """Return the values."""
        side = tf.where(tf.reduce_max(values) > 1000.0, 10**7, 1)
        return values + 0.0 * tf.reduce_max(tf.random.uniform(tf.stack([side, side])))


@pytest.mark.parametrize("fitting", [0, 2])
def test_steps_before_memory_ran_out_count(fitting: int) -> None:
    def greedy() -> tuple[keras.Model, TrainingSteps]:
        model = network()
        model = keras.Sequential([keras.Input((32, 32, 3)), _Greedy(), *model.layers])
        entropy: Any = keras.metrics.SparseCategoricalCrossentropy("cross_entropy", from_logits=True)
        loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=[entropy, "accuracy"], jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        return model, TrainingSteps(model, batch(0, weighted=False))

    photos, labels, _ = batch(0, weighted=False)
    too_large = photos.copy()
    too_large[7 * fitting] = 2000.0
    (model, steps), (other, other_steps) = greedy(), greedy()
    before = state(model)
    if fitting:
        stepped = steps.train((too_large, labels, None), RATES, 7)
        assert stepped == other_steps.train((photos[: 7 * fitting], labels[: 7 * fitting], None), RATES[:fitting], 7)
    else:
        with pytest.raises(tf.errors.ResourceExhaustedError):
            steps.train((too_large, labels, None), RATES, 7)
    wanted = state(other) if fitting else before
    moving = [variable.path for variable in (*model.variables, *model.optimizer.variables)]
    for path, one, another in zip(moving, state(model), wanted, strict=True):
        if "moving_" not in path and "learning_rate" not in path:
            np.testing.assert_array_equal(one, another, err_msg=path)


def test_a_step_is_traced_once_whatever_the_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    model, traces = network(), 0
    step = TrainingSteps._step

    def counted(self: TrainingSteps, *batch: Any) -> Any:
        nonlocal traces
        traces += 1
        return step(self, *batch)

    monkeypatch.setattr(TrainingSteps, "_step", counted)
    steps = TrainingSteps(model, batch(0, weighted=False))
    steps.train(batch(0, weighted=False), [0.01], 32)
    at_first = traces
    for number in range(1, 4):
        steps.train(batch(number, weighted=False), [0.01] * number, LENGTHS[number] // number)
    assert traces == at_first > 0


def test_testing_takes_any_length_and_no_weights() -> None:
    model = network()
    TrainingSteps(model, batch(0, weighted=True))
    for number in (0, 1):
        photos, labels, _ = batch(number, weighted=True)
        measured = model.test_on_batch(photos, labels, return_dict=True)
        np.testing.assert_allclose(measured["accuracy"], np.mean(model(photos).numpy().argmax(1) == labels[:, 0]))
