"""Training photos, varied: pixels in, pixels out, the same for the same numbers.

Every change has random numbers of its own, drawn in one order whether it is wanted or not: moving one slider leaves
the others' part in each example as it was. OpenCV does the work, without the GIL.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hubstudio.core.augmentation import Augmentation

BytePixels = NDArray[np.uint8]
"""``[height, width, 3]``, RGB, 0 to 255."""

CUTOUT_GRAY = 128
"""Looks like nothing in particular, whatever range of values the backbone takes."""
_BORDER = cv2.BORDER_REFLECT_101  # what lies beyond the edge is the photo mirrored: no black corners


@dataclass(frozen=True)
class _Draw:
    """The random numbers of one view, 0 to 1. New ones are added at the end, so that the others stay what they are."""

    flip_horizontal: float
    flip_vertical: float
    crop: float
    crop_x: float
    crop_y: float
    rotation: float
    brightness: float
    contrast: float
    hue: float
    blur: float
    cutout_x: float
    cutout_y: float


def augmented(pixels: BytePixels, augmentation: Augmentation, seed: int, number: int) -> BytePixels:
    """Return a varied view of a photo, ``[height, width, 3]`` in RGB; ``seed`` and ``number`` decide which.

    Both are 0 or more. ``pixels`` stays as it is; where nothing changes it is what is returned, not to be written to.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"uint8 [height, width, 3] is wanted, not {pixels.dtype} {pixels.shape}")
    if augmentation.is_none or not pixels.size:
        return pixels
    draw = _drawn(seed, number)
    for step in (_moved, _coloured, _softened, _covered):
        pixels = step(pixels, augmentation, draw)
    return pixels


def augmented_batch(pixels: BytePixels, augmentation: Augmentation, seeds: Sequence[tuple[int, int]]) -> BytePixels:
    """Return one view of each photo of ``[count, height, width, 3]``; ``seeds`` holds a (seed, number) for each."""
    if len(seeds) != len(pixels):
        raise ValueError(f"{len(pixels)} photos, but {len(seeds)} pairs of seed and number")
    if augmentation.is_none:
        return pixels
    varied = np.empty(pixels.shape, np.uint8)
    for place, (seed, number) in enumerate(seeds):
        varied[place] = augmented(pixels[place], augmentation, seed, number)
    return varied


def _drawn(seed: int, number: int) -> _Draw:
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, number))))
    return _Draw(*generator.random(len(fields(_Draw))).tolist())


def _moved(pixels: BytePixels, wanted: Augmentation, draw: _Draw) -> BytePixels:
    """Flip, crop and rotate, in one go: every pixel is interpolated once, or not at all where only flips are wanted."""
    across = wanted.flip_horizontal and draw.flip_horizontal < 0.5
    down = wanted.flip_vertical and draw.flip_vertical < 0.5
    if wanted.crop or wanted.rotation:
        height, width = pixels.shape[:2]
        matrix = _back(width, height, wanted, draw) @ np.diag((-1.0 if across else 1.0, -1.0 if down else 1.0, 1.0))
        centred = _shift((width - 1) / 2, (height - 1) / 2) @ matrix @ _shift(-(width - 1) / 2, -(height - 1) / 2)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return _bytes(cv2.warpAffine(pixels, centred[:2], (width, height), flags=flags, borderMode=_BORDER))
    if not (across or down):
        return pixels
    return _bytes(cv2.flip(pixels, -1 if across and down else 1 if across else 0))


def _back(width: int, height: int, wanted: Augmentation, draw: _Draw) -> NDArray[np.float64]:
    """Return the matrix from a place of the view to that of the photo, both measured from the middle."""
    cut = draw.crop * wanted.crop
    angle = math.radians(_either_side(draw.rotation, wanted.rotation))
    cosine, sine = math.cos(angle) * (1 - cut), math.sin(angle) * (1 - cut)
    turn = np.array(((cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)))
    return _shift((draw.crop_x - 0.5) * cut * width, (draw.crop_y - 0.5) * cut * height) @ turn


def _coloured(pixels: BytePixels, wanted: Augmentation, draw: _Draw) -> BytePixels:
    """Change brightness and contrast, channel by channel, then turn the hue."""
    if wanted.brightness or wanted.contrast:
        light = 1 + _either_side(draw.brightness, wanted.brightness)
        spread = 1 + _either_side(draw.contrast, wanted.contrast)
        middle = sum(cv2.mean(pixels)) / 3 if wanted.contrast else 0.0
        levels = ((np.arange(256) - middle) * spread + middle) * light
        pixels = _bytes(cv2.LUT(pixels, np.clip(np.rint(levels), 0, 255).astype(np.uint8)))
    if wanted.hue:
        pixels = _bytes(cv2.transform(pixels, _hue_matrix(_either_side(draw.hue, wanted.hue))))
    return pixels


def _hue_matrix(degrees: float) -> NDArray[np.float64]:
    """Return the rotation of RGB about the line of grays: 120 degrees make red green, green blue and blue red."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees)) / math.sqrt(3)
    same, behind, ahead = cosine + (1 - cosine) / 3, (1 - cosine) / 3 - sine, (1 - cosine) / 3 + sine
    return np.array(((same, behind, ahead), (ahead, same, behind), (behind, ahead, same)))


def _softened(pixels: BytePixels, wanted: Augmentation, draw: _Draw) -> BytePixels:
    deviation = draw.blur * wanted.blur / 100 * min(pixels.shape[:2])
    if deviation < 0.05:  # less is not seen in whole levels
        return pixels
    return _bytes(cv2.GaussianBlur(pixels, (0, 0), deviation, borderType=_BORDER))


def _covered(pixels: BytePixels, wanted: Augmentation, draw: _Draw) -> BytePixels:
    height, width = pixels.shape[:2]
    side = round(wanted.cutout * min(height, width))
    if not side:
        return pixels
    left, top = round(draw.cutout_x * (width - side)), round(draw.cutout_y * (height - side))
    covered = pixels.copy()
    covered[top : top + side, left : left + side] = CUTOUT_GRAY
    return covered


def _either_side(drawn: float, largest: float) -> float:
    return (2 * drawn - 1) * largest


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array(((1.0, 0.0, x), (0.0, 1.0, y), (0.0, 0.0, 1.0)))


def _bytes(made: Any) -> BytePixels:
    """Return what OpenCV made, whose stubs know no kind of number."""
    return np.asarray(made, np.uint8)
