"""Surfaces: procedural patterns and random shader programs that fill a picture, a ground or an object."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .canvas import Array, Rng, axes, clouds, smoothstep
from .colours import mapped, palette, varied

Field = Callable[[Rng, int], Array]
"""Paints one example, a field from 0 to 1, of a class."""


def warped_axes(rng: Rng, size: int, turn: float, zoom: float, warp: float) -> tuple[Array, Array]:
    """Return coordinates turned, zoomed, moved and bent, as a surface lies before the camera."""
    x, y = axes(size)
    angle, scale = rng.uniform(-turn, turn), np.exp(rng.uniform(-zoom, zoom))
    u = scale * (np.cos(angle) * x - np.sin(angle) * y) + rng.uniform(-4, 4)
    v = scale * (np.sin(angle) * x + np.cos(angle) * y) + rng.uniform(-4, 4)
    if warp > 0:
        bend = clouds(rng, size, 2.5)
        u, v = u + warp * bend, v + warp * np.roll(bend, size // 3, axis=0)
    return u, v


def cloud_field(rng: Rng) -> Field:
    """Clouds of one roughness, their contrast soft or hard."""
    slope, lowest, gain = rng.uniform(0.4, 2.2), rng.choice([1, 1, 3, 6]), rng.choice([0.3, 0.5, 2.5])
    return lambda draw, size: smoothstep(0.5 + gain * clouds(draw, size, slope, lowest))


def grain_field(rng: Rng) -> Field:
    """Noise drawn out in one direction, as wood, fur or brushed metal."""
    fine, coarse, bend = rng.uniform(6, 40), rng.uniform(0.5, 4), rng.uniform(0, 0.3)

    def paint(draw: Rng, size: int) -> Array:
        u, v = warped_axes(draw, size, 0.4, 0.2, bend)
        phases = draw.uniform(0, 2 * np.pi, 6)
        waves = [
            np.sin(fine * (0.5 + 0.25 * k) * u + 2 * np.sin(coarse * v * (1 + 0.3 * k) + p))
            for k, p in enumerate(phases)
        ]
        return smoothstep(0.5 + 0.2 * sum(waves[1:], waves[0]))

    return paint


def weave_field(rng: Rng) -> Field:
    """Stripes, checks and plaids: a few periodic bands in one or two directions."""
    count = int(rng.integers(1, 4))
    angles = rng.choice([0, np.pi / 2, np.pi / 4, 1.0], count) + rng.normal(0, 0.05, count)
    pitches, duties = np.exp(rng.uniform(np.log(2), np.log(14), count)), rng.uniform(0.2, 0.8, count)
    soft, warp = rng.uniform(0.05, 0.5), rng.choice([0, 0.03, 0.1])

    def paint(draw: Rng, size: int) -> Array:
        u, v = warped_axes(draw, size, 0.3, 0.25, warp)
        total = np.zeros_like(u)
        for angle, pitch, duty in zip(angles, pitches, duties, strict=True):
            wave = np.abs(np.mod(pitch * (np.cos(angle) * u + np.sin(angle) * v) / 2, 1) - 0.5) * 2
            total += smoothstep((wave - duty) / soft + 0.5)
        return total / count

    return paint


def spot_field(rng: Rng) -> Field:
    """Spots, rings or cells on a jittered lattice (Worley 1996)."""
    pitch, jitter = rng.uniform(1.5, 7), rng.uniform(0.1, 1)
    radius, kind, stretch = rng.uniform(0.2, 0.6), rng.integers(0, 4), np.exp(rng.normal(0, 0.3))

    def paint(draw: Rng, size: int) -> Array:
        u, v = warped_axes(draw, size, 0.5, 0.2, 0.05)
        first, second = _nearest(draw, u * pitch * stretch, v * pitch / stretch, jitter)
        if kind == 0:
            return smoothstep((radius - first) * 6 + 0.5)
        if kind == 1:
            return smoothstep(1.5 - np.abs(first - radius) * 12)
        return smoothstep((second - first) * (5 if kind == 2 else 1.5))

    return paint


def _nearest(draw: Rng, u: Array, v: Array, jitter: float) -> tuple[Array, Array]:
    """Return the distances to the nearest and the second nearest point of a jittered lattice."""
    table = (draw.random((17, 19, 2)).astype(np.float32) - 0.5) * jitter + 0.5
    left, top = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    first = second = np.full(u.shape, 9, np.float32)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            point = table[(top + down) % 17, (left + across) % 19]
            distance = np.hypot(left + across + point[..., 0] - u, top + down + point[..., 1] - v)
            second = np.minimum(second, np.maximum(first, distance))
            first = np.minimum(first, distance)
    return first, second


def shader_field(rng: Rng) -> Field:
    """A random program of sines, products, folds and warps over the coordinates, as shader artists write them."""
    steps = [(int(rng.integers(0, 7)), rng.normal(0, 1, 4)) for _ in range(int(rng.integers(3, 7)))]
    scale = np.exp(rng.uniform(np.log(1.0), np.log(4)))

    def paint(draw: Rng, size: int) -> Array:
        u, v = warped_axes(draw, size, 0.5, 0.25, 0.04)
        u, v = (u - u.mean() + draw.normal(0, 0.3)) * scale, (v - v.mean() + draw.normal(0, 0.3)) * scale
        for kind, numbers in steps:
            u, v = _shader_step(kind, numbers, u, v)
        return (0.5 + 0.5 * np.sin(2 * u + v)).astype(np.float32)

    return paint


def _shader_step(kind: int, n: Array, u: Array, v: Array) -> tuple[Array, Array]:
    if kind == 0:
        return u + 1.2 * np.sin(2 * n[0] * v + n[1]), v + 1.2 * np.sin(2 * n[2] * u + n[3])
    if kind == 1:
        radius = np.sqrt(u * u + v * v + 0.05)
        return radius * (1 + 0.3 * n[0]), np.arctan2(v, u) * np.round(1 + 2 * abs(n[1]))
    if kind == 2:
        return np.abs(u) - abs(n[0]), np.abs(v) - abs(n[1])
    if kind == 3:
        return u * np.cos(n[0]) - v * np.sin(n[0]), u * np.sin(n[0]) + v * np.cos(n[0])
    if kind == 4:
        return np.mod(u + 4, 1 + abs(n[0])) * 2 - 1, v + 0.3 * n[1] * u
    if kind == 5:
        square = np.clip(u * u - v * v, -6, 6)
        return 0.6 * square + n[0], np.clip(1.2 * u * v, -6, 6) + n[1]
    near = u * u + v * v + 0.15
    return 1.5 * u / near, 1.5 * v / near


FIELDS = (cloud_field, grain_field, weave_field, spot_field, shader_field)


def any_field(rng: Rng) -> Field:
    """Return a new field of a kind drawn by chance."""
    return FIELDS[rng.integers(len(FIELDS))](rng)


def surface(rng: Rng, size: int, colours: Array | None = None) -> Array:
    """Return a picture filled with a surface that nobody has seen before."""
    if rng.random() < 0.25:
        return np.broadcast_to(palette(rng, 1) if colours is None else colours[:1], (size, size, 3)).astype(np.float32)
    if colours is None:
        colours = palette(rng, int(rng.integers(2, 5)))
    contrast = rng.uniform(0.2, 1)
    colours = colours.mean(axis=0) + (colours - colours.mean(axis=0)) * contrast
    return mapped(any_field(rng)(rng, size), varied(rng, colours, 0.02))
