"""Repeating noise tiles and their look-up on planes and in space."""

from __future__ import annotations

from functools import cache

import numpy as np

from .arrays import Array, dot, length, unit

SIZE = 512


def _shaped(seed: int, amplitude: Array) -> Array:
    """White noise with its spectrum shaped by `amplitude`, zero mean and unit deviation."""
    white = np.random.default_rng(seed).standard_normal((SIZE, SIZE))
    field = np.fft.irfft2(np.fft.rfft2(white) * amplitude, s=(SIZE, SIZE))
    field -= field.mean()
    return (field / field.std()).astype(np.float32)


def _frequency() -> Array:
    """Cycles per tile of every Fourier coefficient."""
    rows = np.fft.fftfreq(SIZE)[:, None] * SIZE
    columns = np.fft.rfftfreq(SIZE)[None, :] * SIZE
    return np.hypot(rows, columns)


@cache
def cloud(seed: int, slope: float = 1.7) -> Array:
    """Cloudy noise with detail at every size: the steeper the slope, the smoother."""
    frequency = _frequency()
    frequency[0, 0] = 1.0
    amplitude = frequency**-slope
    amplitude[0, 0] = 0.0
    return _shaped(seed, amplitude)


@cache
def spots(seed: int, cycles: float = 64.0) -> Array:
    """Spots of one size, `cycles` of them across the tile."""
    frequency = _frequency()
    return _shaped(seed, np.exp(-(((frequency - cycles) / (0.3 * cycles)) ** 2)))


def plane(tile: Array, x: Array, y: Array) -> Array:
    """The tile at plane coordinates (one tile per unit), blended between its cells."""
    x, y = x * SIZE, y * SIZE
    left, top = np.floor(x), np.floor(y)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    i, j = left.astype(np.int32) & (SIZE - 1), top.astype(np.int32) & (SIZE - 1)
    i2, j2 = (i + 1) & (SIZE - 1), (j + 1) & (SIZE - 1)
    upper = tile[j, i] * (1 - fx) + tile[j, i2] * fx
    lower = tile[j2, i] * (1 - fx) + tile[j2, i2] * fx
    return upper * (1 - fy) + lower * fy


def solid(tile: Array, p: Array, scale: float) -> Array:
    """Noise in space: three planes through the tile added up."""
    x, y, z = p * np.float32(scale)
    total = plane(tile, x, y + 0.13) + plane(tile, y + 0.37, z) + plane(tile, z + 0.71, x + 0.59)
    return (total * np.float32(0.577)).astype(np.float32)


def wrapped(tile: Array, p: Array, scale: float) -> Array:
    """Noise wrapped round the origin: at each point mostly the plane that faces outwards."""
    x, y, z = p * np.float32(scale)
    share = unit(p) ** 4
    sides = (plane(tile, y + 0.37, z), plane(tile, z + 0.71, x), plane(tile, x, y + 0.13))
    return (dot(share, np.stack(sides)) / length(share)).astype(np.float32)
