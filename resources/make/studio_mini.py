"""Make "Studio Mini", the bundled backbone: a fixed bank of image features as a TF Hub feature-vector module.

Nothing is learned from photos.  The kernels are written down from formulas in this file, and the closing
standardisation is measured on pictures that this file paints.  The methods are classic ones:

* colour: soft colour histograms (Swain & Ballard 1991, "Color indexing") with the square root of every bin
  (Arandjelovic & Zisserman 2012, "Three things everyone should know"), pooled on a spatial pyramid
  (Lazebnik, Schmid & Ponce 2006, "Beyond bags of features");
* gradient: histograms of oriented gradients with local contrast normalisation (Dalal & Triggs 2005);
* texture: energy of a Gabor filter bank at several scales (Leung & Malik 2001; Manjunath & Ma 1996);
* scatter: a second layer of Gabor energy upon the first one (Bruna & Mallat 2013, "Invariant scattering
  convolution networks");
* standardise: offsets and scales measured on dead-leaves pictures (Lee, Mumford & Huang 2001).

Run `python resources/make/studio_mini.py [--out DIR]`; the same script always gives the same weights.
"""

from __future__ import annotations

import argparse
import colorsys
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Array = npt.NDArray[np.float32]

DEFAULT_OUT = Path(__file__).resolve().parent.parent / "backbones" / "studio-mini"
SIZE = 96
ORIENTATIONS = 9
GABOR_ORIENTATIONS = 6
GABOR_SIZE = 7
GABOR_WAVELENGTH = 4.0
GABOR_SIGMA = 1.8
PALETTE_HUES = 12
PALETTE_TONES = ((1.0, 0.95), (0.85, 0.6), (0.5, 0.85), (0.6, 0.3))
PALETTE_GREYS = 8
# Sharpness of the soft assignment: neighbouring palette colours share a pixel, distant ones do not.
PALETTE_SHARPNESS = 100.0
L2_WEIGHT = 1e-5
PAINTED_PICTURES = 192

# Rows: red-green, blue-yellow, luminance.
OPPONENT = np.array([[1, -1, 0], [0.5, 0.5, -1], [1 / 3, 1 / 3, 1 / 3]], np.float32)
# Colour distance weighs lightness less than hue, because light varies more between photos than paint does.
COLOUR_DISTANCE_WEIGHTS = np.array([1.0, 1.0, 0.7], np.float32)
# Edges are foremost edges of luminance; colour edges count where luminance shows none.
EDGE_WEIGHTS = np.array([0.7, 0.7, 1.0], np.float32)


# ---------------------------------------------------------------------------------------------------------
# Kernels, from formulas
# ---------------------------------------------------------------------------------------------------------


def palette_colours() -> Array:
    """Return the palette, [colours, RGB]: rings of hues in four tones, and a ramp of greys."""
    hues = [
        colorsys.hsv_to_rgb(hue / PALETTE_HUES, saturation, value)
        for saturation, value in PALETTE_TONES
        for hue in range(PALETTE_HUES)
    ]
    greys = [(grey, grey, grey) for grey in np.linspace(0, 1, PALETTE_GREYS)]
    return np.array([*hues, *greys], np.float32)


def palette_kernel_and_bias() -> tuple[Array, Array]:
    """Return a 1x1 convolution that gives minus the squared distance of a pixel to each palette colour.

    |x - p|^2 = |x|^2 - 2 x.p + |p|^2, and the softmax that follows does not see |x|^2: what is left is linear.
    """
    to_distance_space = OPPONENT * COLOUR_DISTANCE_WEIGHTS[:, None]
    points = palette_colours() @ to_distance_space.T
    kernel = 2 * to_distance_space.T @ points.T
    return kernel[None, None].astype(np.float32), -np.square(points).sum(axis=1, dtype=np.float32)


def gradient_kernel(colour_row: int) -> Array:
    """Return [3, 3, RGB, orientations]: Sobel derivatives of one opponent colour, steered over half a turn."""
    across = np.outer([1, 2, 1], [-1, 0, 1]).astype(np.float32) / 8
    angles = np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
    steered = np.stack([np.cos(angle) * across + np.sin(angle) * across.T for angle in angles], axis=-1)
    colour = OPPONENT[colour_row] * EDGE_WEIGHTS[colour_row]
    return (steered[:, :, None, :] * colour[None, None, :, None]).astype(np.float32)


def gabor(angle: float, phase: float) -> Array:
    """Return one Gabor patch, free of any response to flat areas and of unit absolute sum."""
    half = GABOR_SIZE // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    window = np.exp(-(x**2 + y**2) / (2 * GABOR_SIGMA**2))
    along = x * np.cos(angle) + y * np.sin(angle)
    wave = window * np.cos(2 * np.pi * along / GABOR_WAVELENGTH + phase)
    wave -= window * wave.sum() / window.sum()
    return (wave / np.abs(wave).sum()).astype(np.float32)


def gabor_kernel(phase: float, channels: int) -> Array:
    """Return [size, size, channels, orientations]: the Gabor bank of one phase, the same for every channel."""
    angles = np.pi * np.arange(GABOR_ORIENTATIONS) / GABOR_ORIENTATIONS
    bank = np.stack([gabor(angle, phase) for angle in angles], axis=-1)
    return np.repeat(bank[:, :, None, :], channels, axis=2)


# ---------------------------------------------------------------------------------------------------------
# Pooling
# ---------------------------------------------------------------------------------------------------------


def pool(maps: tf.Tensor, cell: int) -> tf.Tensor:
    """Average over cells of cell x cell pixels."""
    return tf.nn.avg_pool2d(maps, cell, cell, "VALID")


def sizes(maps: tf.Tensor) -> list[int]:
    """Return the sizes behind the batch: side, side, channels."""
    return [size for size in maps.shape.as_list()[1:] if size is not None]


def flat(maps: tf.Tensor) -> tf.Tensor:
    """Lay the maps of each picture out as one row."""
    return tf.reshape(maps, [-1, math.prod(sizes(maps))])


def grid_mean(maps: tf.Tensor, cells: int) -> tf.Tensor:
    """Return the mean of each map in each cell of a cells x cells grid, as rows."""
    return flat(pool(maps, sizes(maps)[0] // cells))


def spread(maps: tf.Tensor) -> tf.Tensor:
    """Return the standard deviation of each map over the whole picture, as rows."""
    side = sizes(maps)[0]
    variance = pool(tf.square(maps), side) - tf.square(pool(maps, side))
    # The small constant keeps the slope of the root finite for flat pictures.
    return flat(tf.sqrt(tf.nn.relu(variance) + 1e-6))


# ---------------------------------------------------------------------------------------------------------
# The network
# ---------------------------------------------------------------------------------------------------------


class StudioMini:
    """The feature bank: blocks of kernels, and the graph that applies them."""

    def __init__(self) -> None:
        """Create all variables, from the shallowest block to the deepest."""
        self.variables: list[tf.Variable] = []
        self._create_colour_block()
        self._create_filter_blocks()
        features = sum(sizes(group)[0] for group in self.groups(tf.zeros([1, SIZE, SIZE, 3])))
        self.offset = self._variable("block_5/standardise/offset", np.zeros(features, np.float32))
        self.scale = self._variable("block_5/standardise/scale", np.ones(features, np.float32))

    def _variable(self, name: str, value: Array) -> tf.Variable:
        """Create a trainable variable and remember it."""
        variable = tf.Variable(tf.constant(value, tf.float32), name=name)
        self.variables.append(variable)
        return variable

    def _create_colour_block(self) -> None:
        """Create the opponent colours and the palette."""
        self.chroma = self._variable("block_1/chroma/kernel", OPPONENT[:2].T[None, None])
        self.luminance = self._variable("block_1/luminance/kernel", OPPONENT[2:].T[None, None])
        kernel, bias = palette_kernel_and_bias()
        self.palette = self._variable("block_1/palette/kernel", kernel)
        self.palette_bias = self._variable("block_1/palette/bias", bias)

    def _create_filter_blocks(self) -> None:
        """Create the gradient kernels and the even and odd kernels of the Gabor banks."""
        names = ("red_green", "blue_yellow", "luminance")
        self.gradients = [
            self._variable(f"block_2/gradient_{name}/kernel", gradient_kernel(row)) for row, name in enumerate(names)
        ]
        self.texture = self._quadrature_pair("block_3/texture", 1)
        self.chroma_texture = self._quadrature_pair("block_3/chroma_texture", 2)
        self.scatter = self._quadrature_pair("block_4/scatter", GABOR_ORIENTATIONS)

    def _quadrature_pair(self, name: str, channels: int) -> tuple[tf.Variable, tf.Variable]:
        """Create the even and the odd kernel of a Gabor bank that treats each channel by itself."""
        even = self._variable(f"{name}_even/kernel", gabor_kernel(0.0, channels))
        odd = self._variable(f"{name}_odd/kernel", gabor_kernel(np.pi / 2, channels))
        return even, odd

    def features(self, images: tf.Tensor) -> tf.Tensor:
        """Return the standardised features, [batch, features], of images [batch, SIZE, SIZE, RGB] in [0, 1]."""
        return (tf.concat(self.groups(images), axis=1) - self.offset) * self.scale

    def groups(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Return the groups of raw features."""
        half = pool(images, 2)
        quarter = pool(half, 2)
        chroma = tf.nn.conv2d(half, self.chroma, 1, "SAME")
        luminance = tf.nn.conv2d(images, self.luminance, 1, "SAME")
        return [
            *self._colour_groups(half),
            grid_mean(chroma, 4),
            grid_mean(luminance, 4),
            self._gradient_group(half, 8),
            self._gradient_group(quarter, 4),
            *self._texture_groups(luminance),
            *self._chroma_texture_groups(chroma),
        ]

    def _colour_groups(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Return soft colour histograms of the whole picture and of a 3x3 grid."""
        nearness = tf.nn.conv2d(images, self.palette, 1, "SAME") + self.palette_bias
        shares = tf.nn.softmax(PALETTE_SHARPNESS * nearness)
        return [tf.sqrt(grid_mean(shares, cells) + 1e-4) for cells in (1, 3)]

    def _gradient_group(self, images: tf.Tensor, cell: int) -> tf.Tensor:
        """Return histograms of oriented gradients in cells, each relative to the contrast around it."""
        cells = pool(self._oriented_gradients(images), cell)
        contrast = tf.reduce_mean(tf.square(cells), axis=-1, keepdims=True)
        around = tf.nn.avg_pool2d(contrast, 3, 1, "SAME")
        return flat(tf.sqrt(cells / tf.sqrt(around + 1e-4) + 1e-3))

    def _oriented_gradients(self, images: tf.Tensor) -> tf.Tensor:
        """Return the strength of the gradient, split softly over the orientations.

        A gradient of strength m that lies at the angle a to a filter answers m cos(a); m cos(a)^4 falls to
        nothing about two bins away, which is the soft voting of HOG without any arctangent.
        """
        red_green, blue_yellow, luminance = (tf.abs(tf.nn.conv2d(images, k, 1, "SAME")) for k in self.gradients)
        answers = tf.maximum(luminance, tf.maximum(red_green, blue_yellow))
        # Over evenly spread angles the mean of cos^2 is a half, so twice the mean square is m^2.
        strength = tf.sqrt(2 * tf.reduce_mean(tf.square(answers), axis=-1, keepdims=True) + 1e-5)
        return tf.square(tf.square(answers / strength)) * strength

    def _texture_groups(self, luminance: tf.Tensor) -> list[tf.Tensor]:
        """Return the texture energy of luminance at three scales, and the energy of its own texture."""
        groups: list[tf.Tensor] = []
        for _ in range(3):
            energy = gabor_energy(luminance, self.texture)
            second = gabor_energy(pool(energy, 2), self.scatter)
            groups += [tf.sqrt(grid_mean(energy, 3)), tf.sqrt(spread(energy)), tf.sqrt(grid_mean(second, 1))]
            luminance = pool(luminance, 2)
        return groups

    def _chroma_texture_groups(self, chroma: tf.Tensor) -> list[tf.Tensor]:
        """Return the texture energy of the two opponent colours at two scales."""
        return [tf.sqrt(grid_mean(gabor_energy(maps, self.chroma_texture), 3)) for maps in (chroma, pool(chroma, 2))]

    def standardise(self, images: Array) -> None:
        """Set offset and scale so that the features of the images have mean 0 and, group by group, spread 1.

        One scale per group, since a single feature that the painted pictures hardly excite must not explode.
        """
        groups = [group.numpy() for group in self.groups(tf.constant(images))]
        offset = np.concatenate([group.mean(axis=0) for group in groups])
        spreads = [np.sqrt(group.var(axis=0).mean()) for group in groups]
        scale = np.repeat([1 / value for value in spreads], [group.shape[1] for group in groups])
        # Rounded, so that the last bits of another machine's arithmetic do not show in the weights.
        self.offset.assign(np.round(offset, 3).astype(np.float32))
        self.scale.assign(np.round(scale, 2).astype(np.float32))


def gabor_energy(maps: tf.Tensor, pair: tuple[tf.Variable, tf.Variable]) -> tf.Tensor:
    """Return the local energy of each channel and orientation: root of even^2 + odd^2, blind to the phase."""
    even, odd = (tf.nn.depthwise_conv2d(maps, kernel, [1, 1, 1, 1], "SAME") for kernel in pair)
    return tf.sqrt(tf.square(even) + tf.square(odd) + 1e-6)


# ---------------------------------------------------------------------------------------------------------
# Painted pictures, to standardise on
# ---------------------------------------------------------------------------------------------------------


def painted_pictures(count: int) -> Array:
    """Paint dead-leaves pictures, [count, SIZE, SIZE, RGB]: they share the edge statistics of photos."""
    random = np.random.default_rng(1991)
    return np.stack([paint(random) for _ in range(count)])


def paint(random: np.random.Generator) -> Array:
    """Paint one picture: discs with power-law radii, dropped over each other until little ground shows."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    picture = np.broadcast_to(leaf_colour(random), (SIZE, SIZE, 3)).astype(np.float32)
    # A picture of few large things or one of many small ones.
    smallest = random.uniform(2, 16)
    for _ in range(int(1200 / smallest)):
        radius = min(smallest / np.sqrt(1 - random.uniform(0, 0.999)), SIZE / 2)
        centre_x, centre_y = random.uniform(0, SIZE, 2)
        inside = (x - centre_x) ** 2 + (y - centre_y) ** 2 < radius**2
        picture[inside] = (leaf_colour(random) * leaf_pattern(random, x, y)[..., None])[inside]
    noise = random.normal(0, random.uniform(0, 0.03), picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def leaf_colour(random: np.random.Generator) -> Array:
    """Draw a colour, more often dull than bright."""
    saturation = random.uniform(0, 1) ** 2
    return np.array(colorsys.hsv_to_rgb(random.uniform(), saturation, random.uniform(0.05, 1)), np.float32)


def leaf_pattern(random: np.random.Generator, x: Array, y: Array) -> Array:
    """Draw a faint grating of random direction and period, the shading or the weave of one leaf."""
    angle, period = random.uniform(0, np.pi), random.uniform(3, 60)
    depth = random.uniform(0, 0.3)
    along = x * np.cos(angle) + y * np.sin(angle)
    return (1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * along / period))).astype(np.float32)


# ---------------------------------------------------------------------------------------------------------
# The saved module
# ---------------------------------------------------------------------------------------------------------


def weight_decay(kernel: tf.Variable) -> Callable[[], tf.Tensor]:
    """Return a function that gives the L2 penalty of one kernel."""
    return tf.function(lambda: L2_WEIGHT * tf.nn.l2_loss(kernel), input_signature=[])


def hub_module(network: StudioMini) -> tf.train.Checkpoint:
    """Wrap the network in the interface of a reusable TF2 SavedModel."""
    images = tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32, name="inputs")

    def features(inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return features; a bank without dropout or batch normalisation does the same in training."""
        return network.features(inputs)

    call: Any = tf.function(features)
    for training in (False, True):
        call.get_concrete_function(images, training=training)
    # A Checkpoint is the barest public object whose attributes a SavedModel keeps.
    module = tf.train.Checkpoint()
    module.__call__ = call
    module.variables = network.variables
    module.trainable_variables = network.variables
    module.regularization_losses = [weight_decay(v) for v in network.variables if "/kernel" in v.name]
    return module


def serving_function(network: StudioMini) -> Callable[..., dict[str, tf.Tensor]]:
    """Return the function behind the serving_default signature."""
    images = tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32, name="inputs")
    return tf.function(lambda inputs: {"features": network.features(inputs)}, input_signature=[images])


def make_network() -> StudioMini:
    """Build the network and standardise its features."""
    network = StudioMini()
    network.standardise(painted_pictures(PAINTED_PICTURES))
    return network


def swap_in(new: Path, out: Path) -> None:
    """Put the new folder in the place of the old one, keeping the old one's README."""
    old = new.with_name(new.name + ".old")
    if out.exists():
        if (out / "README.md").is_file():
            shutil.copy2(out / "README.md", new)
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def write_module(network: StudioMini, out: Path) -> None:
    """Save the module beside its final place, then swap it in."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        new = Path(folder) / out.name
        tf.saved_model.save(hub_module(network), str(new), signatures=serving_function(network))
        # A SavedModel always comes with a folder for assets; ours has none.
        shutil.rmtree(new / "assets", ignore_errors=True)
        swap_in(new, out)


def main() -> None:
    """Read the command line and write the module."""
    parser = argparse.ArgumentParser(description="Make the Studio Mini backbone.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="folder to write (default: %(default)s)")
    out: Path = parser.parse_args().out.resolve()
    write_module(make_network(), out)
    print(f"Wrote {out}")


if __name__ == "__main__":
    main()
