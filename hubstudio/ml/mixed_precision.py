"""Computing partly in float16, where a GPU is faster so and nothing is lost by it.

TensorFlow rewrites the graph as it runs (grappler's ``auto_mixed_precision``): convolutions and matrix products take
float16, whatever needs the range stays float32, and so do weights, gradients of weights and the optimizer. So it serves
every hub module; a Keras policy would not reach inside, since a module's graph has its types written into it. Small
gradients survive in float16 because the loss is scaled (Micikevicius et al., "Mixed Precision Training", ICLR 2018).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import tensorflow as tf

FASTER = 1.1
"""How many times as fast as float32 alone it has to be: less is not worth other last digits."""
_FIRST_CAPABILITY = (7, 0)
"""Of GPUs that compute faster in float16: NVIDIA's Volta. TensorFlow leaves the graphs of older ones alone."""
_STEPS, _ROUNDS = 6, 2
_NEAR = 0.02
"""What the first loss may differ by, of itself or, where it is below 1, of 1."""
_LEAST_FALL = 0.5
"""Of what the loss falls by in float32. The first steps may be skipped, until the factor of the loss fits."""
_OPTION = "auto_mixed_precision"


def can_mix() -> bool:
    """Whether a GPU is here for which float16 is worth a try."""
    gpus = tf.config.list_physical_devices("GPU")
    details: list[dict[str, Any]] = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return any(found.get("compute_capability", (0, 0)) >= _FIRST_CAPABILITY for found in details)


@contextlib.contextmanager
def mixed_precision(*, wanted: bool = True) -> Generator[None]:
    """Let functions of TensorFlow that are called meanwhile compute in mixed precision, if ``wanted``.

    One that has run without it before is rewritten; the two live beside each other.
    """
    if not wanted:
        yield
        return
    tf.config.optimizer.set_experimental_options({_OPTION: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_OPTION: None})  # as if nothing had been said


def gain(step: Callable[[bool], float], put_back: Callable[[], None]) -> float:
    """Return how many times as fast training steps are in mixed precision; 0 where they do not learn as they should.

    ``step`` takes one, mixed or not, and returns the loss before it; ``put_back`` undoes what steps have moved. Raises
    what a step raises, with everything put back.
    """
    laps: dict[bool, list[float]] = {False: [], True: []}
    losses: dict[bool, list[float]] = {}
    for _ in range(_ROUNDS):  # taking turns: whatever else the computer does meets both
        for mixed, taken in laps.items():
            losses[mixed] = []
            try:
                for _ in range(_STEPS):
                    began = time.perf_counter()
                    losses[mixed].append(step(mixed))
                    taken.append(time.perf_counter() - began)
            finally:
                put_back()
    if not _learns_alike(losses[True], losses[False]):
        return 0.0
    return min(laps[False]) / min(laps[True])


def _learns_alike(losses: Sequence[float], wanted: Sequence[float]) -> bool:
    """Whether some steps begin with the same loss as others and it falls about as much; False for what is no number."""
    slack = _NEAR * max(abs(wanted[0]), 1.0)
    fall = max(wanted[0] - wanted[-1], 0.0)
    return abs(losses[0] - wanted[0]) <= slack and losses[-1] <= wanted[0] - _LEAST_FALL * fall + slack
