"""Table tops and backdrops: each maker draws its settings once and returns a paint function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Array, colour, mix, smoothstep
from .noise import cloud, plane, spots

Paint2 = Callable[[Array, Array], Array]
Rng = np.random.Generator

WOODS = (("#5d4432", "#8d6d4d"), ("#86705a", "#bda588"), ("#4a3226", "#7a5638"), ("#ab967c", "#d6c6ae"))
CLOTHS = ("#e8e2d4", "#c9d3d6", "#8fa3ad", "#b9c4a7", "#e3c9c0", "#6f7f8c")
CHECKS = ("#b8433a", "#4a6d9c", "#5f8a5a")
STONES = (("#4b4f54", "#7b8086"), ("#8b8780", "#b9b4aa"), ("#5d5a55", "#8a8176"), ("#2f3337", "#555b60"))


def wood(rng: Rng) -> Paint2:
    """Planks with grain, knots of tone and dark gaps."""
    dark, light = (colour(code) for code in WOODS[rng.integers(len(WOODS))])
    width, shift = rng.uniform(1.6, 3.2), rng.uniform(0, 1, 2)

    def paint(x: Array, z: Array) -> Array:
        board = np.floor(z / width)
        offset = board * 0.37 + shift[0]
        warp = plane(cloud(11, 2.0), x * 0.02 + offset, z * 0.06 + shift[1])
        rings = 0.5 + 0.5 * np.sin((z * 5.0 + warp * 4.0 + offset * 9) * 2.2)
        grain = plane(cloud(12, 1.1), x * 0.025 + offset, z * 0.55)
        tone = np.clip(0.5 + 0.25 * (rings - 0.5) + 0.17 * grain + 0.22 * np.sin(board * 2.4 + shift[0] * 9), 0, 1)
        edge = np.abs(z / width - board - 0.5) * 2
        return mix(dark, light, tone) * (1 - 0.75 * smoothstep(0.965, 0.99, edge))

    return paint


def _weave(x: Array, z: Array, pitch: float) -> Array:
    """Light and dark of crossing threads."""
    over = np.sin(x * pitch) * np.sin(z * pitch)
    return 1 + 0.10 * over + 0.05 * plane(cloud(14, 0.6), x * 0.21, z * 0.21)


def _folds(x: Array, z: Array, shift: float) -> Array:
    """Slow shading of a cloth that does not lie quite flat."""
    return 1 + 0.11 * np.clip(plane(cloud(15, 2.6), x * 0.045 + shift, z * 0.045), -2, 2)


def linen(rng: Rng) -> Paint2:
    """Plain cloth, sometimes with a few woven stripes."""
    base, stripe = colour(str(rng.choice(CLOTHS))), colour(str(rng.choice(CHECKS)))
    shift, striped, gap = rng.uniform(0, 1), rng.random() < 0.45, rng.uniform(2.5, 5.0)

    def paint(x: Array, z: Array) -> Array:
        shade = _weave(x, z, 26.0) * _folds(x, z, shift)
        band = np.abs(np.mod(z / gap + shift, 1.0) - 0.5)
        share = 0.55 * (1 - smoothstep(0.05, 0.06, np.abs(band - 0.16))) if striped else np.zeros_like(band)
        return mix(base, stripe, share) * shade

    return paint


def gingham(rng: Rng) -> Paint2:
    """A checked picnic cloth."""
    base, check = colour("#ece7da"), colour(str(rng.choice(CHECKS)))
    pitch, shift = rng.uniform(0.6, 1.3), rng.uniform(0, 1)

    def paint(x: Array, z: Array) -> Array:
        bars = [smoothstep(-0.06, 0.06, np.sin(axis * np.pi / pitch)) for axis in (x, z)]
        share = 0.34 * (bars[0] + bars[1])
        return mix(base, check, share) * _weave(x, z, 24.0) * _folds(x, z, shift)

    return paint


def stone(rng: Rng) -> Paint2:
    """Slate or limestone with speckles and stains."""
    dark, light = (colour(code) for code in STONES[rng.integers(len(STONES))])
    shift = rng.uniform(0, 1)

    def paint(x: Array, z: Array) -> Array:
        stain = plane(cloud(16, 1.8), x * 0.06 + shift, z * 0.06)
        rough = plane(cloud(17, 0.9), x * 0.15, z * 0.15 + shift)
        fleck = smoothstep(1.6, 2.4, plane(spots(18, 90), x * 0.12, z * 0.12))
        tone = np.clip(0.5 + 0.22 * stain + 0.16 * rough + 0.3 * fleck, 0, 1.2)
        return mix(dark, light, tone)

    return paint


def marble(rng: Rng) -> Paint2:
    """Pale stone with grey veins."""
    pale, vein = colour("#e6e3de"), colour(str(rng.choice(("#8d8f94", "#a08e78", "#6f7a80"))))
    shift = rng.uniform(0, 1)

    def paint(x: Array, z: Array) -> Array:
        bent = plane(cloud(19, 1.9), x * 0.05 + shift, z * 0.05)
        line = np.abs(np.sin((x * 0.5 + z * 0.3) + bent * 2.6))
        share = 0.65 * (1 - smoothstep(0.0, 0.22, line)) + 0.12 * np.clip(bent, -1, 2)
        return mix(pale, vein, np.clip(share, 0, 1))

    return paint


GROUNDS = (wood, wood, linen, linen, gingham, stone, marble)


def wall(rng: Rng) -> Paint2:
    """A plain wall with a slow gradient."""
    codes = ("#cfc8bb", "#8f9aa0", "#5b6670", "#d5cec4", "#a7b39f", "#403c3a", "#b9aca4", "#39454a")
    base, slope = colour(str(rng.choice(codes))), rng.uniform(-0.25, 0.25)

    def paint(x: Array, y: Array) -> Array:
        shade = 1 + slope * x + 0.15 * y + 0.05 * plane(cloud(23, 2.0), x * 0.2, y * 0.2)
        return base[:, None, None] * np.clip(shade, 0.2, 2)

    return paint


def garden(rng: Rng) -> Paint2:
    """A far garden out of focus, with round discs of light."""
    deep, leaf, sky = colour("#24331d"), colour("#7f9c55"), colour("#e9efd8")
    discs = [(*rng.uniform(-1.2, 1.2, 2), rng.uniform(0.04, 0.16), rng.uniform(0.1, 0.6)) for _ in range(26)]
    shift = rng.uniform(0, 1)

    def paint(x: Array, y: Array) -> Array:
        tone = np.clip(0.45 + 0.3 * plane(cloud(24, 2.4), x * 0.25 + shift, y * 0.25), 0, 1)
        picture = mix(deep, leaf, tone)
        for left, top, size, light in discs:
            inside = 1 - smoothstep(size * 0.85, size, np.hypot(x - left, y - top))
            picture = mix(picture, sky[:, None, None] * np.ones_like(picture), inside * light)
        return picture

    return paint


BACKDROPS = (wall, wall, garden)
