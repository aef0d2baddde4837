"""Steps of a compiled model that are traced once, for batches of any length.

Keras traces a step for the first batch's length, and once more, for any, at the first batch of another one. The two
graphs differ in the last bits, and which of them a batch goes through depends on what the process has seen before: a
training that goes on where an epoch's short last batch comes first would not be the same training.

Where a step takes less time than calling it, several can go in one call, and compute what they would have computed one
by one: the same graph goes round.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from hubstudio.ml.feature_runtimes import NOT_ENOUGH_MEMORY
from hubstudio.ml.mixed_precision import mixed_precision

Batch = tuple[Any, ...]
"""Inputs, labels and, or None, how much each row counts."""


MOST_TOGETHER = 64
"""Steps in one call."""


@dataclass(frozen=True)
class Stepped:
    """What some steps came to: fewer than were asked for, if memory ran out."""

    cross_entropy: Sequence[float]
    """Of each step, the mean over its rows."""
    accuracy: Sequence[float]
    """Of each step, 0 to 1."""


class TrainingSteps:
    """The training steps of a compiled model that measures ``cross_entropy`` and ``accuracy``.

    They go through its ``train_on_batch``; ``test_on_batch`` takes batches of any length, too. Compiling the model anew
    ends it.
    """

    def __init__(self, model: keras.Model, batch: Batch, *, together: bool = True) -> None:
        """Let a model take batches like this one, of any length. Testing is without weights, whatever the batch has.

        Without ``together``, steps go singly, and not through a loop.
        """
        self._model: Any = model  # its stub knows neither the steps nor the functions made of them
        self._loops = together
        self._scaler: Any = None
        self.mixed = False
        """Whether steps compute in mixed precision; testing never does, since the finished model does not either."""
        self._rates, self._rows = np.empty(0, np.float32), 0
        self._measured: Any = tf.Variable(tf.zeros([MOST_TOGETHER, 2]), trainable=False)
        self._done: Any = tf.Variable(tf.zeros([], tf.int64), trainable=False)  # steps of a call that moved the weights
        others = tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)
        train, train_mixed = (_traced(self._in_turn, batch, *others) for _ in range(2))
        test = _traced(self._model.test_step, batch[:2])
        self._model.train_function = lambda batches: (train_mixed if self.mixed else train)(
            *_given(next(batches)), self._rates, self._rows
        )
        self._model.test_function = lambda batches: test(*_given(next(batches)))

    def get_ready_to_mix(self) -> None:
        """Make what scales the loss of mixed steps; others do not know of it."""
        self._scaler = keras.optimizers.LossScaleOptimizer(self._model.optimizer)
        self._scaler.build(self._model.trainable_variables)

    @property
    def scaling_variables(self) -> list[Any]:
        """What the loss of mixed steps is scaled by; nothing where there are none."""
        return [self._scaler.step_counter, self._scaler.dynamic_scale] if self._scaler else []

    @property
    def is_out_of_range(self) -> bool:
        """Whether the loss of mixed steps has to be made smaller by now, as gradients were no numbers again and again.

        A step whose gradients are no numbers has moved nothing.
        """
        return self.mixed and float(self._scaler.dynamic_scale) < 1.0

    def train(self, batch: Batch, rates: Sequence[float], rows: int) -> Stepped:
        """Step once at each of ``rates``, on ``rows`` rows of ``batch`` after the other, the last time on what is left.

        If memory runs out, the steps before count. Raises one of ``NOT_ENOUGH_MEMORY`` where it was the first one: no
        weight has moved then, but random numbers may have been drawn.
        """
        self._rates, self._rows = np.asarray(rates, np.float32), rows
        inputs, labels, weights = batch
        iterations, steps = self._model.optimizer.iterations, len(rates)
        before = int(iterations.numpy())
        self._done.assign(0)
        try:
            with mixed_precision(wanted=self.mixed):
                self._model.train_on_batch(inputs, labels, sample_weight=weights, return_dict=True)
        except NOT_ENOUGH_MEMORY:
            steps = int(self._done.numpy())
            iterations.assign(before + steps)  # the optimiser counts a step as soon as it begins
            if not steps:
                raise
        measured: list[list[float]] = self._measured.numpy()[:steps].T.tolist()
        return Stepped(*measured)

    def _in_turn(self, batch: Batch, rates: Any, rows: Any) -> dict[str, Any]:
        if not self._loops:
            self._model.optimizer.learning_rate.assign(rates[0])
            self._measured[0].assign(self._step(*batch))
            return {}

        def step(number: Any) -> Any:
            some = slice(number * rows, (number + 1) * rows)
            some_rows: Any = tree.map_structure(lambda values: values[some], batch)
            self._model.optimizer.learning_rate.assign(rates[number])
            self._measured[number].assign(self._step(*some_rows))
            return number + 1

        tf.while_loop(lambda number: number < tf.size(rates), step, [tf.constant(0)], parallel_iterations=1)
        return {}

    def _step(self, inputs: Any, labels: Any, weights: Any = None) -> Any:
        """Move the weights once, and return what was measured before: ``Model.train_step`` without a memory.

        Metrics that are reset in a loop were seen not to be, now and then (TensorFlow 2.21).
        """
        model = self._model
        optimizer = self._scaler if self.mixed else model.optimizer
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            loss = model.compute_loss(inputs, labels, logits, weights, training=True)
            loss = optimizer.scale_loss(loss)
        variables = model.trainable_weights
        gradients: list[Any] = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        with tf.control_dependencies([variable.value.read_value() for variable in variables]):
            self._done.assign_add(1)
        (measure,) = (metric for metric in model.metrics if metric.name == "compile_metrics")
        state = measure.stateless_update_state(measure.stateless_reset_state(), labels, logits)
        measured = measure.stateless_result(state)
        return tf.stack([measured["cross_entropy"], measured["accuracy"]])


def _traced(step: Callable[..., Any], batch: Batch, *others: tf.TensorSpec) -> Any:
    """Return ``step`` as a function of what is given of a batch, and of others."""
    signature = [tree.map_structure(_of_any_length, part) for part in _given(batch)]
    parts = len(signature)
    function: Any = tf.function(
        lambda *given: step(given[:parts], *given[parts:]), input_signature=[*signature, *others], autograph=False
    )
    # Asked for by name, since TensorFlow warns of functions that are traced often and called rarely.
    concrete = functools.cache(function.get_concrete_function)

    def run(*given: Any) -> Any:
        return concrete()(*given)  # traced by the first call, when Keras has built everything

    return run


def _given(batch: Batch) -> Batch:
    return tuple(part for part in batch if part is not None)


def _of_any_length(values: Any) -> tf.TensorSpec:
    return tf.TensorSpec([None, *values.shape[1:]], values.dtype)
