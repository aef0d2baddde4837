"""What all painters share: fields over the picture, outlines as masks, layers, light and lens.

A picture is float32 ``[size, size, 3]`` in [0, 1], a field or mask is float32 ``[size, size]``. Places and lengths are
in units of half the picture: the middle is (0, 0), the edges are at -1 and 1.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Rng = np.random.Generator

_SUBPIXEL_BITS = 4


@cache
def axes(size: int) -> tuple[Array, Array]:
    """Return the x and the y of every pixel's middle."""
    line = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    x, y = np.meshgrid(line, line)
    return x, y


@cache
def _frequencies(size: int) -> Array:
    radius = np.hypot(np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size)[None] * size)
    radius[0, 0] = 1
    return radius.astype(np.float32)


def clouds(rng: Rng, size: int, slope: float, lowest: float = 1.0) -> Array:
    """Return noise whose amplitude falls with the frequency's power ``slope``; mean 0, deviation 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size), np.float32))
    radius = _frequencies(size)
    spectrum *= np.where(radius < lowest, 0, radius**-slope)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, s=(size, size)).astype(np.float32)
    return field / (field.std() + 1e-6)


def smoothstep(field: Array) -> Array:
    """Return a soft ramp from 0 at 0 to 1 at 1."""
    field = np.clip(field, 0, 1)
    return field * field * (3 - 2 * field)


def polygon(points: Array, size: int) -> Array:
    """Return the mask of a closed outline, ``[n, 2]``, with smooth edges."""
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [_pixels(points, size)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return mask.astype(np.float32) / 255


def line(points: Array, width: float, size: int) -> Array:
    """Return the mask of an open line of the given width, at least one pixel."""
    mask = np.zeros((size, size), np.uint8)
    thickness = max(1, round(width * size / 2))
    cv2.polylines(mask, [_pixels(points, size)], False, 255, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    return mask.astype(np.float32) / 255


def _pixels(points: Array, size: int) -> NDArray[np.int32]:
    scaled = (np.clip(points, -8, 8) + 1) * (size / 2) - 0.5
    return np.round(scaled * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def lay(picture: Array, mask: Array, paint: Array) -> Array:
    """Return the picture with ``paint``, a colour or a picture, laid over it where the mask is."""
    return picture + (paint - picture) * mask[..., None]


def blur(field: Array, sigma: float) -> Array:
    """Return a field or picture blurred by ``sigma`` pixels."""
    return field if sigma < 0.15 else cv2.GaussianBlur(field, (0, 0), sigma)  # pyright: ignore[reportReturnType]


def shift(field: Array, across: float, down: float) -> Array:
    """Return a field moved by a part of half the picture; what comes in at the edges is 0."""
    size = field.shape[0]
    move = np.array([[1, 0, across * size / 2], [0, 1, down * size / 2]], np.float32)
    return cv2.warpAffine(field, move, (size, size))  # pyright: ignore[reportReturnType]


def relief(mask: Array, depth: float, light: float, sharpness: float) -> Array:
    """Return the brightness, about 1, of a mask that bulges towards the camera under light from one side."""
    size = mask.shape[0]
    height = blur(mask, size * sharpness) * mask
    down, across = np.gradient(height * size * sharpness * 2)
    slope = np.cos(light) * across + np.sin(light) * down
    return np.clip(1 - depth * slope / np.sqrt(1 + across**2 + down**2), 0.25, 1.8)


def with_shadow(picture: Array, mask: Array, rng: Rng) -> Array:
    """Return the picture darkened where an object of this mask throws its shadow."""
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.02, 0.15)
    shade = blur(shift(mask, reach * np.cos(angle), reach * np.sin(angle)), mask.shape[0] * rng.uniform(0.01, 0.05))
    return picture * (1 - rng.uniform(0.2, 0.6) * shade[..., None])


def developed(picture: Array, rng: Rng) -> Array:
    """Return the picture under uneven light, through a lens that may be soft, with a little noise."""
    size = picture.shape[0]
    x, y = axes(size)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.35) * (np.cos(angle) * x + np.sin(angle) * y)
    if rng.random() < 0.2:
        light = light * (1 + 0.2 * clouds(rng, size, 2.2))
    picture = np.clip(picture * light[..., None], 0, 1) ** np.float32(rng.uniform(0.75, 1.33))
    if rng.random() < 0.3:
        picture = blur(picture, rng.uniform(0.3, 1.2) * size / 96)
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0, 0.03))
    return np.clip(picture + noise, 0, 1)
