"""The fixed half: colour statistics, oriented gradients and texture energy, whose kernels come from formulas.

* colour: soft colour histograms (Swain & Ballard 1991, "Color indexing") with the square root of every bin
  (Arandjelovic & Zisserman 2012, "Three things everyone should know"), and mean colours on a grid;
* gradient: histograms of oriented gradients with local contrast normalisation (Dalal & Triggs 2005);
* texture: energy of a Gabor filter bank at several scales (Leung & Malik 2001; Manjunath & Ma 1996).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from . import kernels
from .pooling import grid_mean, halved

# Sharpness of the soft assignment: neighbouring palette colours share a pixel, distant ones do not.
_PALETTE_SHARPNESS = 100.0
_TEXTURE_SCALES = 3
_GRADIENTS = ("gradient_red_green", "gradient_blue_yellow", "gradient_luminance")


def fixed_kernels() -> dict[str, npt.NDArray[np.float32]]:
    """Return the kernels by the names of their variables."""
    palette, bias = kernels.palette()
    return {
        "bank/chroma/kernel": kernels.opponent(0, 2),
        "bank/luminance/kernel": kernels.opponent(2, 3),
        "bank/palette/kernel": palette,
        "bank/palette/bias": bias,
        **{f"bank/{name}/kernel": kernels.gradient(row) for row, name in enumerate(_GRADIENTS)},
        "bank/gabor_even/kernel": kernels.gabors(0.0),
        "bank/gabor_odd/kernel": kernels.gabors(np.pi / 2),
    }


class Bank:
    """Applies the kernels; each group of features is a row per picture."""

    def __init__(self, variables: dict[str, tf.Variable]) -> None:
        """Take the kernels out of a module's variables."""
        self._kernels = {
            name.split("/")[1]: variable for name, variable in variables.items() if name.endswith("kernel")
        }
        self._palette_bias = variables["bank/palette/bias"]

    def groups(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the groups of features of pictures in [0, 1]. The bank works at half the size of the picture."""
        half = halved(pictures)
        chroma, luminance = (self._convolved(half, name) for name in ("chroma", "luminance"))
        return {
            "colours": self._colours(half),
            "mean_chroma": grid_mean(chroma, 4),
            "mean_luminance": grid_mean(luminance, 4),
            "gradient": self._gradient(half),
            **self._texture(luminance),
        }

    def _convolved(self, maps: tf.Tensor, name: str) -> tf.Tensor:
        return tf.nn.conv2d(maps, self._kernels[name], 1, "SAME")

    def _colours(self, pictures: tf.Tensor) -> tf.Tensor:
        """Return the soft colour histogram of the whole picture."""
        nearness = self._convolved(pictures, "palette") + self._palette_bias
        return tf.sqrt(grid_mean(tf.nn.softmax(_PALETTE_SHARPNESS * nearness), 1) + 1e-4)

    def _gradient(self, pictures: tf.Tensor) -> tf.Tensor:
        """Return histograms of oriented gradients in 6x6 cells, each relative to the contrast around it."""
        cells = halved(self._oriented_gradients(pictures), 2)
        contrast = tf.reduce_mean(tf.square(cells), axis=-1, keepdims=True)
        around = tf.nn.avg_pool2d(contrast, 5, 1, "SAME")
        return grid_mean(tf.sqrt(cells / tf.sqrt(around + 1e-4) + 1e-3), 6)

    def _oriented_gradients(self, pictures: tf.Tensor) -> tf.Tensor:
        """Return the strength of the gradient, split softly over the orientations.

        A gradient of strength m that lies at the angle a to a filter answers m cos(a); m cos(a)^4 falls to
        nothing about two bins away, which is the soft voting of HOG without any arctangent.
        """
        red_green, blue_yellow, luminance = (tf.abs(self._convolved(pictures, name)) for name in _GRADIENTS)
        answers = tf.maximum(luminance, tf.maximum(red_green, blue_yellow))
        # Over evenly spread angles the mean of cos^2 is a half, so twice the mean square is m^2.
        strength = tf.sqrt(2 * tf.reduce_mean(tf.square(answers), axis=-1, keepdims=True) + 1e-5)
        return tf.square(tf.square(answers / strength)) * strength

    def _texture(self, luminance: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the Gabor energy of luminance at several scales: mean in a grid, and spread over the picture."""
        groups: dict[str, tf.Tensor] = {}
        for scale in range(1, _TEXTURE_SCALES + 1):
            energy = self._gabor_energy(luminance)
            groups[f"texture_{scale}"] = tf.sqrt(grid_mean(energy, 3))
            groups[f"texture_spread_{scale}"] = tf.sqrt(_spread(energy))
            luminance = halved(luminance)
        return groups

    def _gabor_energy(self, luminance: tf.Tensor) -> tf.Tensor:
        """Return the local energy of each orientation: root of even^2 + odd^2, blind to the phase."""
        even, odd = (tf.square(self._convolved(luminance, name)) for name in ("gabor_even", "gabor_odd"))
        return tf.sqrt(even + odd + 1e-6)


def _spread(maps: tf.Tensor) -> tf.Tensor:
    """Return the standard deviation of each map over the whole picture, as rows."""
    variance = grid_mean(tf.square(maps), 1) - tf.square(grid_mean(maps, 1))
    # The small constant keeps the slope of the root finite for flat pictures.
    return tf.sqrt(tf.nn.relu(variance) + 1e-6)
