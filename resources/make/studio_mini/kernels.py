"""Kernels of the fixed half, written down from formulas: opponent colours, a palette, gradients, Gabor waves."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

ORIENTATIONS = 9
GABOR_ORIENTATIONS = 6
PALETTE_HUES = 12
PALETTE_TONES = ((1.0, 0.95), (0.85, 0.6), (0.5, 0.85), (0.6, 0.3))
PALETTE_GREYS = 8
_GABOR_SIZE, _GABOR_WAVELENGTH, _GABOR_SIGMA = 7, 4.0, 1.8

# Rows: red-green, blue-yellow, luminance.
OPPONENT = np.array([[1, -1, 0], [0.5, 0.5, -1], [1 / 3, 1 / 3, 1 / 3]], np.float32)
# Colour distance weighs lightness less than hue, because light varies more between photos than paint does.
_DISTANCE_WEIGHTS = np.array([1.0, 1.0, 0.7], np.float32)
# Edges are foremost edges of luminance; colour edges count where luminance shows none.
_EDGE_WEIGHTS = np.array([0.7, 0.7, 1.0], np.float32)


def opponent(first: int, last: int) -> Array:
    """Return the 1x1 convolution to a range of the opponent colours."""
    return OPPONENT[first:last].T[None, None].copy()


def palette_colours() -> Array:
    """Return the palette, [colours, RGB]: rings of hues in four tones, and a ramp of greys."""
    hues = [
        colorsys.hsv_to_rgb(hue / PALETTE_HUES, saturation, value)
        for saturation, value in PALETTE_TONES
        for hue in range(PALETTE_HUES)
    ]
    greys = [(grey, grey, grey) for grey in np.linspace(0, 1, PALETTE_GREYS)]
    return np.array([*hues, *greys], np.float32)


def palette() -> tuple[Array, Array]:
    """Return a 1x1 convolution and its bias that give minus the squared distance of a pixel to each palette colour.

    |x - p|^2 = |x|^2 - 2 x.p + |p|^2, and the softmax that follows does not see |x|^2: what is left is linear.
    """
    to_distance_space = OPPONENT * _DISTANCE_WEIGHTS[:, None]
    points = palette_colours() @ to_distance_space.T
    kernel = 2 * to_distance_space.T @ points.T
    return kernel[None, None].astype(np.float32), -np.square(points).sum(axis=1, dtype=np.float32)


def gradient(colour_row: int) -> Array:
    """Return [3, 3, RGB, orientations]: Sobel derivatives of one opponent colour, steered over half a turn."""
    across = np.outer([1, 2, 1], [-1, 0, 1]).astype(np.float32) / 8
    angles = np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
    steered = np.stack([np.cos(angle) * across + np.sin(angle) * across.T for angle in angles], axis=-1)
    colour = OPPONENT[colour_row] * _EDGE_WEIGHTS[colour_row]
    return (steered[:, :, None, :] * colour[None, None, :, None]).astype(np.float32)


def gabors(phase: float) -> Array:
    """Return [size, size, 1, orientations]: Gabor waves of one phase."""
    angles = np.pi * np.arange(GABOR_ORIENTATIONS) / GABOR_ORIENTATIONS
    return np.stack([_gabor(angle, phase) for angle in angles], axis=-1)[:, :, None, :]


def _gabor(angle: float, phase: float) -> Array:
    """Return one Gabor patch, free of any response to flat areas and of unit absolute sum."""
    half = _GABOR_SIZE // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    window = np.exp(-(x**2 + y**2) / (2 * _GABOR_SIGMA**2))
    along = x * np.cos(angle) + y * np.sin(angle)
    wave = window * np.cos(2 * np.pi * along / _GABOR_WAVELENGTH + phase)
    wave -= window * wave.sum() / window.sum()
    return (wave / np.abs(wave).sum()).astype(np.float32)
