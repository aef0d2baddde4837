"""From layers to a photo: focus, exposure, white balance, vignette, tone curve and sensor noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .arrays import Array, smoothstep
from .render import Layer

Rng = np.random.Generator
LEVELS = (0.0, 0.8, 1.6, 3.0, 5.0, 8.0)


def blur(field: Array, sigma: float) -> Array:
    """Gaussian blur over the last two axes, edges repeated."""
    if sigma < 0.2:
        return field
    reach = int(np.ceil(2.6 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (-2, -1):
        pad = [(0, 0)] * field.ndim
        pad[axis] = (reach, reach)
        wide, size = np.pad(field, pad, mode="edge"), field.shape[axis]
        views = (np.take(wide, range(i, i + size), axis=axis) * w for i, w in enumerate(weights))
        field = sum(views, start=np.zeros_like(field))
    return field


def _blur_by(field: Array, sigma: Array) -> Array:
    """Blur that changes over the picture: a blend of evenly blurred versions."""
    result = field
    for low, high in pairwise(LEVELS):
        if float(sigma.max()) <= low:
            break
        result = result + (blur(field, high) - result) * smoothstep(low, high, sigma)
    return result


def develop(layers: list[Layer], rng: Rng) -> Array:
    """The finished picture as bytes, (h, w, 3)."""
    picture = _focus(layers, rng)
    picture = _expose(picture, rng)
    picture = _vignette(picture, rng)
    picture = _noise(_film(picture) ** np.float32(1 / 2.2), rng)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _focus(layers: list[Layer], rng: Rng) -> Array:
    """Stack the layers, each blurred by how far it lies from the plane of focus."""
    table, *fruits = layers
    near = min(float(layer.depth.min()) for layer in fruits)
    focus = near - 0.4 + rng.uniform(0, 0.6)
    if rng.random() < 0.04:
        focus *= rng.choice((0.9, 1.12))
    aperture = rng.uniform(1.0, 10.0)
    base = max(0.0, rng.normal(0.0, 0.2))
    picture = _blur_by(table.light, np.clip(aperture * np.abs(1 - focus / table.depth) + base, 0, 8))
    for layer in fruits:
        sigma = min(aperture * max(0.0, abs(1 - focus / float(layer.depth[0, 0])) - 0.06) + base, 6.0)
        cover = blur(layer.cover, sigma)
        picture = picture * (1 - cover) + blur(layer.light, sigma)
    return picture


def _expose(picture: Array, rng: Rng) -> Array:
    """Meter the scene, miss a little, and tint it by a wrong white balance."""
    bright = float(np.percentile(picture.mean(axis=0), 92))
    gain = (0.55 / max(bright, 0.05)) ** 0.85 * 2.0 ** rng.normal(0, 0.12)
    warm, tint = rng.normal(0, 0.035), rng.normal(0, 0.012)
    balance = np.exp(np.array([warm, tint, -warm], dtype=np.float32))
    return picture * (balance * np.float32(gain))[:, None, None]


def _vignette(picture: Array, rng: Rng) -> Array:
    """Darker corners."""
    high, wide = picture.shape[1:]
    y, x = np.meshgrid(np.linspace(-1, 1, high), np.linspace(-1, 1, wide), indexing="ij")
    return picture * (1 - rng.uniform(0, 0.3) * (x * x + y * y) / 2).astype(np.float32)


def _film(x: Array) -> Array:
    """A filmic curve: soft shoulder, slight toe."""
    return np.clip((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)


def _noise(picture: Array, rng: Rng) -> Array:
    """Sensor noise, stronger in the dark, with a little of it in colour."""
    amount = rng.uniform(0.003, 0.012)
    grain = rng.standard_normal(picture.shape[1:]).astype(np.float32)
    tint = blur(rng.standard_normal(picture.shape).astype(np.float32), 0.8)
    return picture + np.float32(amount) * (1.2 - 0.7 * picture) * (grain + 0.8 * tint)
