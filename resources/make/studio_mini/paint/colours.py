"""Palettes: the colours that belong to a class, or that a picture draws for itself."""

from __future__ import annotations

import colorsys

import numpy as np

from .canvas import Array, Rng


def colour(rng: Rng) -> Array:
    """Return a colour, more often dull than bright."""
    saturation = rng.uniform(0, 1) ** 1.6
    return np.array(colorsys.hsv_to_rgb(rng.uniform(), saturation, rng.uniform(0.08, 1)), np.float32)


def palette(rng: Rng, count: int) -> Array:
    """Return ``[count, 3]``: either unrelated colours or tones of one or two hues, as things in photos have them."""
    if rng.random() < 0.35:
        return np.stack([colour(rng) for _ in range(count)])
    hues = rng.uniform(0, 1) + np.array([0, rng.choice([0.06, 0.15, 0.5])]) * rng.choice([-1, 1])
    saturations, values = rng.uniform(0.05, 1, 2) ** 0.8, rng.uniform(0.1, 1, count)
    picks = rng.integers(0, 2, count)
    rows = [
        colorsys.hsv_to_rgb(hues[pick] % 1 + rng.normal(0, 0.02), saturations[pick], value)
        for pick, value in zip(picks, values, strict=True)
    ]
    return np.array(rows, np.float32)


def varied(rng: Rng, colours: Array, amount: float = 0.06) -> Array:
    """Return the colours as another thing of the same kind has them."""
    brightness = rng.normal(1, 1.5 * amount)
    return np.clip(colours * brightness + rng.normal(0, amount, colours.shape), 0, 1).astype(np.float32)


def mapped(field: Array, colours: Array) -> Array:
    """Return a field from 0 to 1 painted with a ramp through the colours, ``[h, w, 3]``."""
    place = np.clip(field, 0, 1) * (len(colours) - 1)
    low = np.minimum(place.astype(np.int32), len(colours) - 2)
    share = (place - low)[..., None]
    return colours[low] * (1 - share) + colours[low + 1] * share
