"""Weights move as the plan says: each at its own rate, clipped together, drawn to where they started, restorable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from hubstudio.core.events import Phase
from hubstudio.core.plan import Optimizer, Output, Plan
from hubstudio.ml.blocks import VariableBlock
from hubstudio.ml.hub_backbone import HubBackbone
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.optimising import ADAMW_DECAY, MOMENTUM, automatic_rate, make_loss, make_optimizer, rate_scales

PLAN = Plan("photos", clip_norm=0.0, weight_decay=0.0)
RATE = 0.01
ANY_OPTIMIZER = pytest.mark.parametrize("optimizer", list(Optimizer))


def variable(*values: float) -> keras.Variable:
    return keras.Variable(np.array(values, np.float32))


def apply(optimizer: keras.optimizers.Optimizer, *pairs: tuple[Sequence[float], keras.Variable]) -> None:
    optimizer.apply([keras.ops.array(gradient, "float32") for gradient, _ in pairs], [own for _, own in pairs])


def first_move(optimizer: Optimizer, gradient: float) -> float:
    """What a variable goes by in the first step: Adam's is the rate itself, Nesterov's momentum looks ahead."""
    return -RATE * ((1 + MOMENTUM) * gradient if optimizer is Optimizer.SGD else np.sign(gradient))


@ANY_OPTIMIZER
def test_a_variable_moves_at_its_own_factor_of_the_rate_from_the_first_step_on(optimizer: Optimizer) -> None:
    full, part = variable(0), variable(0)
    made = make_optimizer(replace(PLAN, optimizer=optimizer), RATE, {id(part): 0.25})
    apply(made, ([3.0], full), ([3.0], part))
    assert full.numpy()[0] == pytest.approx(first_move(optimizer, 3.0), rel=1e-5)
    assert part.numpy()[0] == pytest.approx(0.25 * full.numpy()[0], rel=1e-6)
    for gradient in (1.0, -2.0, 0.5):
        apply(made, ([gradient], full), ([gradient], part))
    assert part.numpy()[0] == pytest.approx(0.25 * full.numpy()[0], rel=1e-5)


@ANY_OPTIMIZER
def test_without_gradients_the_pull_leads_back_towards_the_start(optimizer: Optimizer) -> None:
    pulled, free = variable(1, -2), variable(5)
    plan = replace(PLAN, optimizer=optimizer, start_pull=4.0)
    made = make_optimizer(plan, RATE, {id(pulled): 0.5}, [pulled])
    for own in (pulled, free):
        own.assign(own + 1)
    apply(made, ([0, 0], pulled), ([0], free))
    np.testing.assert_allclose(pulled.numpy() - [1, -2], 1 - RATE * 0.5 * 4, rtol=1e-5)
    assert free.numpy()[0] == 6


def test_the_strongest_pull_ends_at_the_start_and_not_past_it() -> None:
    pulled = variable(1)
    made = make_optimizer(replace(PLAN, start_pull=10.0), 0.5, {}, [pulled])
    pulled.assign([7.0])
    apply(made, ([0], pulled))
    assert pulled.numpy()[0] == 1


def test_without_a_pull_in_the_plan_nothing_is_drawn_anywhere() -> None:
    pulled = variable(1)
    made = make_optimizer(PLAN, RATE, {}, [pulled], [pulled])
    pulled.assign([7.0])
    apply(made, ([0], pulled))
    assert pulled.numpy()[0] == 7


def test_all_gradients_together_are_clipped_and_the_pull_is_not() -> None:
    first, second = variable(0), variable(0)
    plan = replace(PLAN, optimizer=Optimizer.SGD, clip_norm=2.0, start_pull=4.0)
    made = make_optimizer(plan, RATE, {}, [second])
    second.assign([1000.0])
    apply(made, ([30.0], first), ([40.0], second))
    assert first.numpy()[0] == pytest.approx(first_move(Optimizer.SGD, 2 * 0.6), rel=1e-5)
    assert second.numpy()[0] - 1000 == pytest.approx(-RATE * 4 * 1000 + first_move(Optimizer.SGD, 2 * 0.8), rel=1e-4)


def test_a_clip_norm_of_zero_clips_nothing() -> None:
    own = variable(0)
    apply(make_optimizer(replace(PLAN, optimizer=Optimizer.SGD), RATE, {}), ([5000.0], own))
    assert own.numpy()[0] == pytest.approx(first_move(Optimizer.SGD, 5000.0), rel=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "left"), [(Optimizer.ADAMW, 1 - RATE * 0.5 * ADAMW_DECAY), (Optimizer.ADAM, 1.0)]
)
def test_only_adamw_shrinks_weights_by_itself_and_only_those_it_was_given(optimizer: Optimizer, left: float) -> None:
    kernel, bias = variable(8), variable(8)
    plan = replace(PLAN, optimizer=optimizer, weight_decay=0.5)
    apply(make_optimizer(plan, RATE, {}, decayed=[kernel]), ([0], kernel), ([0], bias))
    assert kernel.numpy()[0] == pytest.approx(8 * left, rel=1e-6)
    assert bias.numpy()[0] == 8


# -- inside a model


def network() -> keras.Sequential:
    """Three layers with the same weights at every call; the first is frozen."""
    layers = [
        keras.layers.Dense(6, "tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=seed), name=f"d{seed}")
        for seed in (1, 2)
    ]
    head = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=3), name="head")
    model = keras.Sequential([keras.Input((4,)), *layers, head])
    model.layers[0].trainable = False
    return model


TRAINED = replace(PLAN, clip_norm=1.0, start_pull=8.0, weight_decay=0.05, label_smoothing=0.1)


def compiled(optimizer: Optimizer, *, eager: bool = False) -> keras.Sequential:
    """Compile the network with everything on at once."""
    model, plan = network(), replace(TRAINED, optimizer=optimizer)
    middle, head = model.layers[1].trainable_variables, model.layers[2].trainable_variables
    made = make_optimizer(plan, 0.02, {id(own): 0.3 for own in middle}, middle, head[:1])
    compiling: Any = model.compile
    compiling(optimizer=made, loss=make_loss(plan, 3), run_eagerly=eager, jit_compile=False)
    return model


def batch(number: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    draw = np.random.default_rng(number)
    return draw.normal(0, 1, (8, 4)).astype(np.float32), draw.integers(0, 3, (8, 1)).astype(np.int32)


def train(model: keras.Model, numbers: Sequence[int]) -> None:
    for number in numbers:
        model.train_on_batch(*batch(number))


def values(variables: Sequence[Any]) -> list[NDArray[np.float32]]:
    return [own.numpy() for own in variables]


@ANY_OPTIMIZER
def test_frozen_layers_do_not_move_and_the_others_do(optimizer: Optimizer) -> None:
    model = compiled(optimizer)
    before = values(model.weights)
    train(model, range(3))
    moved = [not np.array_equal(old, new) for old, new in zip(before, values(model.weights), strict=True)]
    assert moved == [False, False, True, True, True, True]


@ANY_OPTIMIZER
def test_a_traced_step_does_what_a_plain_one_does(optimizer: Optimizer) -> None:
    traced, plain = compiled(optimizer), compiled(optimizer, eager=True)
    for model in (traced, plain):
        train(model, range(4))
    for one, other in zip(values(traced.weights), values(plain.weights), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_traced_step_follows_the_rate_as_it_is_set() -> None:
    model = compiled(Optimizer.ADAM)
    train(model, [0])
    model.optimizer.learning_rate.assign(0.0)  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    before = values(model.weights)
    train(model, [1])
    assert all(np.array_equal(old, new) for old, new in zip(before, values(model.weights), strict=True))


@ANY_OPTIMIZER
def test_on_the_starting_weights_a_restored_state_goes_on_exactly(optimizer: Optimizer) -> None:
    first = compiled(optimizer)
    train(first, range(3))
    kept = values(first.weights), values(first.optimizer.variables)
    train(first, [3, 4])
    second = compiled(optimizer)
    second.optimizer.build(second.trainable_variables)
    for variables, former in zip((second.weights, second.optimizer.variables), kept, strict=True):
        for own, value in zip(variables, former, strict=True):
            own.assign(value)
    train(second, [3, 4])
    assert all(np.array_equal(one, two) for one, two in zip(values(first.weights), values(second.weights), strict=True))


def test_a_backbones_own_variables_move_at_the_rate_of_their_block(small_module: Path) -> None:
    module = load_module(str(small_module))
    backbone = HubBackbone(module.features, module)
    scales = rate_scales(module.blocks, 2, 0.25)
    backbone.unfreeze(scales)
    model = keras.Sequential([keras.Input((32, 32, 3)), backbone, keras.layers.Dense(3)])
    by_name = {module.variables[place].name.split(":")[0].replace("/", "."): own for place, own in scales.items()}
    own_scales: Mapping[int, float] = {id(own): by_name[own.name] for own in backbone.trainable_variables}
    before = values(module.variables)
    made = make_optimizer(PLAN, RATE, own_scales, backbone.trainable_variables)
    compiling: Any = model.compile
    compiling(optimizer=made, loss=make_loss(PLAN, 3), jit_compile=False)
    model.train_on_batch(np.random.default_rng(0).random((8, 32, 32, 3), np.float32), np.arange(8)[:, None] % 3)
    largest = {
        own.name.split(":")[0]: np.abs(own.numpy() - old).max()
        for own, old in zip(module.variables, before, strict=True)
        if "moving" not in own.name
    }
    expected = {1: 0.0, 2: 0.25 * RATE, 3: RATE}
    assert largest == {name: pytest.approx(expected[int(name[6])], rel=1e-2) for name in largest}
    assert len(largest) == 9


# -- rates


BLOCKS = [VariableBlock("first", (4, 0)), VariableBlock("second", (1,)), VariableBlock("third", (3, 2))]


@pytest.mark.parametrize(
    ("moved", "scales"),
    [
        (1, {3: 1.0, 2: 1.0}),
        (2, {3: 1.0, 2: 1.0, 1: 0.5}),
        (3, {3: 1.0, 2: 1.0, 1: 0.5, 4: 0.25, 0: 0.25}),
        (99, {3: 1.0, 2: 1.0, 1: 0.5, 4: 0.25, 0: 0.25}),
        (0, {}),
    ],
)
def test_each_block_learns_at_its_share_of_the_rate_of_the_one_behind(moved: int, scales: dict[int, float]) -> None:
    assert rate_scales(BLOCKS, moved, 0.5) == scales


@pytest.mark.parametrize(("optimizer", "factor"), [(Optimizer.ADAM, 2), (Optimizer.ADAMW, 2), (Optimizer.SGD, 4)])
@pytest.mark.parametrize("phase", [Phase.HEAD, Phase.FINE_TUNE])
def test_four_times_the_batch_takes_twice_the_rate_under_adam_and_four_times_under_sgd(
    optimizer: Optimizer, factor: int, phase: Phase
) -> None:
    rate = automatic_rate(optimizer, phase, 8, 1000)
    assert automatic_rate(optimizer, phase, 32, 1000) == pytest.approx(factor * rate)


@ANY_OPTIMIZER
def test_blocks_learn_more_slowly_than_a_head(optimizer: Optimizer) -> None:
    assert automatic_rate(optimizer, Phase.FINE_TUNE, 32, 700) < automatic_rate(optimizer, Phase.HEAD, 32, 700)


@ANY_OPTIMIZER
def test_a_batch_size_that_is_never_filled_does_not_raise_the_rate(optimizer: Optimizer) -> None:
    assert automatic_rate(optimizer, Phase.HEAD, 4096, 50) == automatic_rate(optimizer, Phase.HEAD, 50, 50)


# -- loss

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], np.float32)
LABELS = np.array([[2], [1]], np.int32)


def crossentropy(smoothing: float) -> NDArray[np.float64]:
    """The loss of each row of ``LOGITS``, by the formula."""
    logs = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    wanted = np.eye(3)[LABELS[:, 0]] * (1 - smoothing) + smoothing / 3
    return -(wanted * logs).sum(axis=1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_the_loss_is_the_cross_entropy_of_smoothed_labels(smoothing: float) -> None:
    loss = make_loss(replace(PLAN, label_smoothing=smoothing), 3)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(crossentropy(smoothing).mean(), rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_photos_count_by_their_weight(smoothing: float) -> None:
    loss = make_loss(replace(PLAN, label_smoothing=smoothing), 3)
    weights = np.array([3.0, 0.5], np.float32)
    expected = (crossentropy(smoothing) * weights).sum() / 2
    assert float(loss(LABELS, LOGITS, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_sigmoid_answers_as_a_softmax_of_two_would(smoothing: float) -> None:
    plan = replace(PLAN, label_smoothing=smoothing)
    logits, labels = np.array([[1.5], [-0.5]], np.float32), np.array([[1], [1]], np.int32)
    one = make_loss(replace(plan, output=Output.SIGMOID), 1)(labels, logits)
    two = make_loss(plan, 2)(labels, np.concatenate((0 * logits, logits), axis=1))
    assert float(one) == pytest.approx(float(two), rel=1e-5)
