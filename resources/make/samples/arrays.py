"""Vector helpers: a field of points is one float32 array of shape (3, n)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def vec(x: float, y: float, z: float) -> Array:
    """A single point or direction."""
    return np.array([x, y, z], dtype=np.float32)


def dot(a: Array, b: Array) -> Array:
    """Dot product over the first axis; a lone vector is spread over the field."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def length(a: Array) -> Array:
    """Length of every vector, never zero."""
    return np.sqrt(dot(a, a) + np.float32(1e-12))


def unit(a: Array) -> Array:
    """Every vector scaled to length one."""
    return a / length(a)


def mix(a: Array, b: Array, share: Array | float) -> Array:
    """Linear blend from `a` (share 0) to `b` (share 1); colours blend over a field of shares."""
    if isinstance(share, np.ndarray) and share.ndim:
        a, b = (each if each.ndim > 1 else spread(each, share.ndim) for each in (a, b))
    return (a + (b - a) * share).astype(np.float32)


def spread(a: Array, axes: int) -> Array:
    """A lone vector shaped so that it meets a field of `axes` axes."""
    return a.reshape((-1,) + (1,) * axes)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """A soft ramp from 0 at `low` to 1 at `high`; also runs downwards when low > high."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)


def colour(code: str) -> Array:
    """A linear-light colour from a `#rrggbb` code."""
    parts = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / 255.0
    return (parts**2.2).astype(np.float32)


def rotation(axis: Array, angle: float) -> Array:
    """The 3x3 matrix that turns by `angle` radians about `axis`."""
    x, y, z = unit(axis)
    c, s = np.cos(angle), np.sin(angle)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    outer = np.outer((x, y, z), (x, y, z))
    return (c * np.eye(3) + s * cross + (1 - c) * outer).astype(np.float32)


def rotation_between(start: Array, end: Array) -> Array:
    """The 3x3 matrix that turns direction `start` into direction `end` the short way."""
    axis = np.cross(start, end).astype(np.float32)
    angle = float(np.arccos(np.clip(np.dot(unit(start), unit(end)), -1.0, 1.0)))
    if float(np.abs(axis).max()) < 1e-5:
        axis = vec(1.0, 0.0, 0.0)
    return rotation(axis, angle)
