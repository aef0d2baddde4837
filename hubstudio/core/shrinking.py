"""Photos brought to the size that a backbone takes: a triangle filter that widens when shrinking (antialiased).

It is the filter of ``keras.layers.Resizing(interpolation="bilinear", antialias=True)``, which the trained models carry
inside; both agree to 0.005 of 255 on photos of any size. Nothing is rounded on the way: fine-tuned models answer
measurably otherwise on photos rounded to whole levels.

Both sides are filtered in products of matrices, each of a few places with what they cover: so small that it stays in
the processor's cache and in the calling thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hubstudio.core.scratch import Scratch

FloatPixels = NDArray[np.float32]
"""``[height, width, 3]``, RGB, 0 to 255."""

_LARGEST_PRODUCT = 262_143
"""Multiplications in one product of matrices: from 262,144 on OpenBLAS spreads it over all cores, which others use."""
_USUAL_PRODUCT = 200_000
"""What is aimed at: how much a product covers is only known once its places are."""
_COVERED_ROWS = 20
"""Rows of a photo that one product covers, besides its margins. Fewer: more products; more: more zeros in them."""
_FEWEST_ROWS, _MOST_ROWS = 2, 16
_LONGEST_KEPT = 10_000

_rows, _tile = Scratch(), Scratch()


def shrink(
    photo: Image.Image | NDArray[np.uint8], size: tuple[int, int], into: FloatPixels | None = None
) -> FloatPixels:
    """Return an RGB photo resized to ``size`` = (height, width), 0 to 255; in ``into`` (contiguous) if given."""
    pixels = np.asarray(photo)
    result: FloatPixels = np.empty((*size, 3), np.float32) if into is None else into
    assert result.flags.c_contiguous
    rows = _shrink_height(pixels.reshape(len(pixels), -1), size[0])
    _shrink_width(rows, result.reshape(size[0], -1))
    return result


@dataclass(frozen=True)
class _Stretch:
    """Some places of a filtered side: where they come from, and with what weights."""

    source: slice
    target: slice
    weights: FloatPixels
    """``[target, source]``, or the other way round where what is filtered stands in rows."""


def _kept_for_usual_sizes(make: Callable[..., tuple[_Stretch, ...]]) -> Callable[..., tuple[_Stretch, ...]]:
    """Keep what ``make`` gives for a length, since photos of a set are of few; not for very long sides."""
    kept = lru_cache(maxsize=256)(make)

    def make_or_remember(length: int, *others: int) -> tuple[_Stretch, ...]:
        return (kept if length <= _LONGEST_KEPT else make)(length, *others)

    return make_or_remember


def _shrink_height(flat: NDArray[np.uint8], wanted: int) -> FloatPixels:
    """Filter ``[height, columns]`` to ``[wanted, columns]``."""
    filtered = _rows.array((wanted, flat.shape[1]), np.float32)
    for strip in _strips(len(flat), wanted):
        across = max(1, _LARGEST_PRODUCT // strip.weights.size)
        for begin in range(0, flat.shape[1], across):
            part = flat[strip.source, begin : begin + across]
            tile = _tile.array(part.shape, np.float32)
            np.copyto(tile, part)
            np.matmul(strip.weights, tile, out=filtered[strip.target, begin : begin + across])
    return filtered


def _shrink_width(rows: FloatPixels, filtered: FloatPixels) -> None:
    """Filter ``[rows, width * 3]`` to ``[rows, wanted * 3]``."""
    for stretch in _stretches(rows.shape[1] // 3, filtered.shape[1] // 3, len(rows)):
        at_once = max(1, _LARGEST_PRODUCT // stretch.weights.size)
        for begin in range(0, len(rows), at_once):
            some = slice(begin, begin + at_once)
            np.matmul(rows[some, stretch.source], stretch.weights, out=filtered[some, stretch.target])


@_kept_for_usual_sizes
def _strips(height: int, wanted: int) -> tuple[_Stretch, ...]:
    """Return how ``height`` rows become ``wanted`` ones."""
    at_once = min(max(_FEWEST_ROWS, round(_COVERED_ROWS * wanted / height)), _MOST_ROWS)
    return tuple(_stretch(begin, min(begin + at_once, wanted), height, wanted) for begin in range(0, wanted, at_once))


@_kept_for_usual_sizes
def _stretches(width: int, wanted: int, rows: int) -> tuple[_Stretch, ...]:
    """Return how ``width`` pixels become ``wanted`` ones, in each of so many rows; each colour for itself."""
    reach = max(width / wanted, 1.0)
    room = _USUAL_PRODUCT / (9 * rows * reach)  # of n * (n + 2), for n places of the filtered side
    at_once = max(1, math.floor(math.sqrt(1 + room) - 1))
    return tuple(
        _for_colours(_stretch(begin, min(begin + at_once, wanted), width, wanted))
        for begin in range(0, wanted, at_once)
    )


def _stretch(begin: int, end: int, length: int, wanted: int) -> _Stretch:
    step = length / wanted
    reach = max(step, 1.0)
    centres = (np.arange(begin, end) + 0.5)[:, np.newaxis] * step
    first = max(0, math.ceil(float(centres[0, 0]) - reach - 0.5))
    last = min(length, math.floor(float(centres[-1, 0]) + reach + 0.5))
    weights = np.maximum(1 - np.abs(np.arange(first, last) + 0.5 - centres) / reach, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return _Stretch(slice(first, last), slice(begin, end), weights.astype(np.float32))


def _for_colours(stretch: _Stretch) -> _Stretch:
    """Return the same for pixels of three values each."""
    source, target = (slice(part.start * 3, part.stop * 3) for part in (stretch.source, stretch.target))
    places, covered = stretch.weights.shape
    spread: FloatPixels = np.zeros((covered, 3, places, 3), np.float32)
    for colour in range(3):
        spread[:, colour, :, colour] = stretch.weights.T
    return _Stretch(source, target, spread.reshape(covered * 3, places * 3))
