"""Photos brought to the size that a backbone takes: a triangle filter that widens when shrinking (antialiased).

It is the filter of ``keras.layers.Resizing(interpolation="bilinear", antialias=True)``, which the trained models carry
inside; both agree to 0.005 of 255 on photos of any size. Nothing is rounded on the way: fine-tuned models answer
measurably otherwise on photos rounded to whole levels.

Both sides are filtered in products with sparse matrices, a strip of the photo at a time: small enough to stay near the
processor, large enough that threads seldom meet. Every call into a library hands Python's lock over and back; with a
hundred small dense products for a photo, two threads took longer than one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hubstudio.core.scratch import Scratch

FloatPixels = NDArray[np.float32]
"""``[height, width, 3]``, RGB, 0 to 255."""

_STRIP_VALUES = 1 << 20
"""Values that are filtered at a time, of the photo or of what it becomes; those of the margins come besides."""
_LONGEST_KEPT = 10_000

_values = Scratch()


def shrink(
    photo: Image.Image | NDArray[np.uint8], size: tuple[int, int], into: FloatPixels | None = None
) -> FloatPixels:
    """Return an RGB photo resized to ``size`` = (height, width), 0 to 255; in ``into`` if given."""
    import cv2  # only here, and scipy below: the window comes up sooner without them

    pixels = np.asarray(photo)
    height, width = pixels.shape[:2]
    result: FloatPixels = np.empty((*size, 3), np.float32) if into is None else into
    across = _filter(width, size[1])
    at_once = min(max(1, round(_STRIP_VALUES * size[0] / (max(height, size[0]) * width * 3))), size[0])
    for strip in _strips(height, size[0], at_once):
        part = pixels[strip.source].reshape(-1, width * 3)
        values = _values.array(part.shape, np.float32)
        np.copyto(values, part)
        rows: FloatPixels = (strip.weights @ values).reshape(-1, width, 3)
        columns: FloatPixels = across @ np.asarray(cv2.transpose(rows)).reshape(width, -1)
        result[strip.target] = cv2.transpose(columns.reshape(size[1], -1, 3))
    return result


@dataclass(frozen=True)
class _Strip:
    """Some rows of a filtered photo: where they come from, and with what weights."""

    source: slice
    target: slice
    weights: Any
    """A sparse matrix ``[target, source]``."""


def _kept_for_usual_sizes(make: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what ``make`` gives for a length, since photos of a set are of few; not for very long sides."""
    kept = lru_cache(maxsize=256)(make)

    def make_or_remember(length: int, *others: int) -> Any:
        return (kept if length <= _LONGEST_KEPT else make)(length, *others)

    return make_or_remember


@_kept_for_usual_sizes
def _strips(height: int, wanted: int, at_once: int) -> tuple[_Strip, ...]:
    """Return how ``height`` rows become ``wanted`` ones, of which ``at_once`` together."""
    whole = _filter(height, wanted)
    strips: list[_Strip] = []
    for begin in range(0, wanted, at_once):
        rows = whole[begin : begin + at_once]
        source = slice(int(rows.indices.min()), int(rows.indices.max()) + 1)
        strips.append(_Strip(source, slice(begin, begin + rows.shape[0]), rows[:, source]))
    return tuple(strips)


@_kept_for_usual_sizes
def _filter(length: int, wanted: int) -> Any:
    """Return the sparse matrix ``[wanted, length]`` that filters a side."""
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    step = length / wanted
    reach = max(step, 1.0)
    centres = (np.arange(wanted) + 0.5)[:, np.newaxis] * step
    covered = np.floor(centres - reach + 0.5).astype(np.int64) + np.arange(math.ceil(2 * reach) + 1)
    weights = np.maximum(1 - np.abs(covered + 0.5 - centres) / reach, 0.0) * ((covered >= 0) & (covered < length))
    weights /= weights.sum(axis=1, keepdims=True)
    rows, _ = np.nonzero(weights)
    places = (rows, covered[weights > 0])
    return cast(Any, sparse).csr_array((weights[weights > 0].astype(np.float32), places), shape=(wanted, length))
