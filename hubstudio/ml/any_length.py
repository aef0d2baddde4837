"""Steps of a compiled model that are traced once, for batches of any length.

Keras traces a step for the first batch's length, and once more, for any, at the first batch of another one. The two
graphs differ in the last bits, and which of them a batch goes through depends on what the process has seen before: a
training that goes on where an epoch's short last batch comes first would not be the same training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from keras import tree

Batch = tuple[Any, ...]
"""Inputs, labels and, or None, how much each row counts."""


def trace_for_any_length(model: keras.Model, batch: Batch) -> None:
    """Let ``train_on_batch`` and ``test_on_batch`` of a compiled model take batches like this one, of any length.

    Testing is without weights, whatever the batch has. Compiling the model anew ends it.
    """
    steps: Any = model  # its stub knows neither the steps nor the functions made of them
    steps.train_function = _on_batches(steps.train_step, batch)
    steps.test_function = _on_batches(steps.test_step, batch[:2])


def _on_batches(step: Callable[[Batch], Any], batch: Batch) -> Callable[[Iterator[Batch]], Any]:
    given = tuple(part for part in batch if part is not None)
    signature = [tree.map_structure(_of_any_length, part) for part in given]
    traced: Any = tf.function(lambda *parts: step(parts), input_signature=signature, autograph=False)
    return lambda batches: traced(*(part for part in next(batches) if part is not None))


def _of_any_length(values: Any) -> tf.TensorSpec:
    return tf.TensorSpec([None, *values.shape[1:]], values.dtype)
