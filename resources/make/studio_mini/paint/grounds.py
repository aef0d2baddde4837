"""Grounds: what lies behind a thing and says nothing about its class."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Rng, axes, lay, polygon
from .colours import colour, mapped, palette
from .outlines import Freedom, outline, posed
from .surfaces import surface


def ground(rng: Rng, size: int) -> Array:
    """Return a ground: plain, graded, patterned, a table before a wall, or full of other things."""
    kind = rng.choice(5, p=(0.25, 0.15, 0.2, 0.15, 0.25))
    return (_plain, _graded, surface, _table, _clutter)[kind](rng, size)


def _plain(rng: Rng, size: int) -> Array:
    tone = rng.uniform(0.6, 1) if rng.random() < 0.5 else rng.uniform(0, 1)
    base = np.full(3, tone, np.float32) if rng.random() < 0.5 else colour(rng)
    return np.broadcast_to(base, (size, size, 3)).astype(np.float32)


def _graded(rng: Rng, size: int) -> Array:
    x, y = axes(size)
    angle = rng.uniform(0, 2 * np.pi)
    return mapped(0.5 + 0.4 * (np.cos(angle) * x + np.sin(angle) * y), palette(rng, 2))


def _table(rng: Rng, size: int) -> Array:
    x, y = axes(size)
    edge = np.clip((y - rng.uniform(-0.6, 0.6) + rng.normal(0, 0.15) * x) * size / 4 + 0.5, 0, 1)
    return lay(surface(rng, size), edge, surface(rng, size))


def _clutter(rng: Rng, size: int) -> Array:
    picture = surface(rng, size)
    for _ in range(int(rng.integers(3, 14))):
        mask = polygon(posed(rng, outline(rng), Freedom(np.pi, 0.2, 0.02), (0.1, 0.6)), size)
        picture = lay(picture, mask, surface(rng, size) if rng.random() < 0.4 else colour(rng))
    return picture
