"""Closed outlines that a class is known by, and how one thing of the class differs from the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Array, Rng

POINTS = 96
_HARMONICS = 10


@dataclass(frozen=True)
class Freedom:
    """How far things of one class may differ in pose and form."""

    turn: float
    stretch: float
    bend: float


def outline(rng: Rng) -> Array:
    """Return a new outline, ``[POINTS, 2]``, of reach 1: wavy, cornered, or mirrored like most made things."""
    kind = rng.choice(4, p=(0.3, 0.2, 0.4, 0.1))
    points = (_wavy, _cornered, _mirrored, _super)[kind](rng)
    points = points - points.mean(axis=0)
    return (points / np.abs(points).max()).astype(np.float32)


def freedom(rng: Rng) -> Freedom:
    """Return how much freedom a class has: most things stand upright, some lie any way."""
    turn = np.pi if rng.random() < 0.3 else rng.uniform(0.1, 0.5)
    return Freedom(turn, rng.uniform(0.05, 0.25), rng.uniform(0.01, 0.05))


def posed(rng: Rng, points: Array, may: Freedom, reach: tuple[float, float] = (0.45, 0.95)) -> Array:
    """Return the outline as one thing shows it: bent a little, turned, stretched, scaled and placed."""
    points = points + _waves(rng, len(points)) * may.bend
    points = points * np.exp(rng.normal(0, may.stretch, 2))
    points[:, 0] += rng.normal(0, may.stretch) * points[:, 1]
    scale = rng.uniform(*reach)
    room = max(0.05, 1 - scale)
    return (turned(points, rng.uniform(-may.turn, may.turn)) * scale + rng.uniform(-room, room, 2)).astype(np.float32)


def turned(points: Array, angle: float) -> Array:
    """Return the points turned about the middle."""
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]], np.float32)


def closed_curve(knots: Array, count: int = POINTS) -> Array:
    """Return a smooth closed curve through the knots (Catmull-Rom)."""
    place = np.arange(count) * len(knots) / count
    index = place.astype(int)
    t = (place - index)[:, None]
    before, here, after, beyond = (knots[(index + step) % len(knots)] for step in (-1, 0, 1, 2))
    bend = (2 * before - 5 * here + 4 * after - beyond) * t**2 + (3 * here - before - 3 * after + beyond) * t**3
    return 0.5 * (2 * here + (after - before) * t + bend)


def _angles(count: int) -> Array:
    return (np.arange(count) * 2 * np.pi / count).astype(np.float32)


def _waves(rng: Rng, count: int) -> Array:
    """Return a smooth displacement of ``count`` points around an outline."""
    angles = _angles(count)
    orders = np.arange(1, 7)
    waves = rng.normal(0, 1, (2, 6, 2)) / orders[None, :, None] ** 0.5
    return np.cos(np.outer(angles, orders)) @ waves[0] + np.sin(np.outer(angles, orders)) @ waves[1]


def _wavy(rng: Rng) -> Array:
    """Radial harmonics; the slope decides between smooth and jagged."""
    angles, orders = _angles(POINTS), np.arange(1, _HARMONICS + 1)
    sizes = rng.normal(0, rng.uniform(0.2, 0.6), _HARMONICS) * orders ** -rng.uniform(0.5, 1.5)
    if rng.random() < 0.3:
        sizes[rng.integers(2, _HARMONICS)] += rng.uniform(0.2, 0.5)  # lobes, as of leaves, stars and wheels
    radius = np.exp(np.cos(np.outer(angles, orders) + rng.uniform(0, 2 * np.pi, _HARMONICS)) @ sizes)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)


def _cornered(rng: Rng) -> Array:
    """A polygon of few corners, straight or rounded."""
    count = int(rng.integers(3, 10))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count)) * 0.6 + _angles(count) * 0.4
    corners = rng.uniform(0.35, 1, count)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return closed_curve(corners) if rng.random() < 0.3 else _straight(corners)


def _straight(corners: Array) -> Array:
    place = np.arange(POINTS) * len(corners) / POINTS
    index = place.astype(int)
    share = (place - index)[:, None]
    return corners[index] * (1 - share) + corners[(index + 1) % len(corners)] * share


def _mirrored(rng: Rng) -> Array:
    """A profile of half-widths from top to bottom, the same on both sides; its steps are straight or smooth."""
    count = int(rng.integers(3, 9))
    heights = np.linspace(-1, 1, count) + rng.uniform(-0.6, 0.6, count) / count
    widths = np.abs(rng.normal(0.45, 0.35, count)) + 0.06
    right = np.stack([widths, heights * rng.uniform(0.7, 1.4)], axis=1)
    both = np.concatenate([right, (right * (-1, 1))[::-1]])
    return closed_curve(both) if rng.random() < 0.5 else _straight(both)


def _super(rng: Rng) -> Array:
    """Gielis's superformula: one line of arithmetic from triangles to flowers."""
    angles = _angles(POINTS)
    order, a, b, c = rng.integers(2, 9), rng.uniform(0.3, 3), rng.uniform(0.5, 6), rng.uniform(0.5, 6)
    wave = order * angles / 4
    radius = np.clip((np.abs(np.cos(wave)) ** b + np.abs(np.sin(wave)) ** c + 1e-6) ** (-1 / a), 0.05, 4)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
