"""Training steps that compute partly in float16, where a GPU is faster so and they learn the same.

TensorFlow rewrites the graph as it runs (grappler's ``auto_mixed_precision``): convolutions and matrix products take
float16, what needs the range stays float32, and so do the weights and the optimizer. So it serves every hub module; a
Keras policy would not reach inside, since a module's graph has its types written into it. Small gradients survive
because the loss is scaled (Micikevicius et al., "Mixed Precision Training", ICLR 2018).
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

FASTER = 1.1
"""How many times as fast as float32 alone it has to be: less is not worth other last digits."""
TRIAL_STEPS = 24
"""Steps of a trial, those of both ways."""
_ROUNDS = 2
_FIRST_CAPABILITY = (7, 0)
"""Of GPUs that compute faster in float16: NVIDIA's Volta. TensorFlow leaves the graphs of older ones alone."""
_ALIKE = 0.8
"""Cosine of the angle between the ways that the weights go, at least."""
_OPTION = "auto_mixed_precision"

Weights = Sequence[NDArray[Any]]


def can_mix() -> bool:
    """Whether a GPU is here for which float16 is worth a try."""
    gpus = tf.config.list_physical_devices("GPU")
    details: list[dict[str, Any]] = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return any(found.get("compute_capability", (0, 0)) >= _FIRST_CAPABILITY for found in details)


@contextlib.contextmanager
def mixed_precision(*, wanted: bool = True) -> Generator[None]:
    """Let functions of TensorFlow that are called meanwhile compute in mixed precision, if ``wanted``.

    One that has run without it before is rewritten; the two live beside each other. It acts on all threads that call
    TensorFlow for the first time meanwhile, so only one shall.
    """
    if not wanted:
        yield
        return
    tf.config.optimizer.set_experimental_options({_OPTION: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_OPTION: None})  # as if nothing had been said


def gain(step: Callable[[bool], None], weights: Callable[[], Weights], put_back: Callable[[], None]) -> float:
    """Return how many times as fast training steps are in mixed precision; 0 where the weights go another way.

    ``step`` takes one, mixed or not; ``put_back`` undoes what steps have moved. Raises what a step raises, with
    everything put back.
    """
    laps: dict[bool, list[float]] = {False: [], True: []}
    moved: dict[bool, Weights] = {}
    before = weights()
    for _ in range(_ROUNDS):  # taking turns: whatever else the computer does meets both
        for mixed, taken in laps.items():
            try:
                for _ in range(TRIAL_STEPS // len(laps) // _ROUNDS):
                    began = time.perf_counter()
                    step(mixed)
                    taken.append(time.perf_counter() - began)
                moved[mixed] = [after - former for after, former in zip(weights(), before, strict=True)]
            finally:
                put_back()
    return min(laps[False]) / min(laps[True]) if _cosine(moved[False], moved[True]) >= _ALIKE else 0.0


def _cosine(one: Weights, other: Weights) -> float:
    """Return the cosine of the angle between two ways; 0 where one of them leads nowhere, or is no number."""
    lengths = _product(one, one) * _product(other, other)
    return _product(one, other) / math.sqrt(lengths) if lengths > 0 and math.isfinite(lengths) else 0.0


def _product(one: Weights, other: Weights) -> float:
    pairs = zip(one, other, strict=True)
    return sum(float(np.vdot(first.astype(np.float64), second.astype(np.float64))) for first, second in pairs)
