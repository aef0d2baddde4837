"""Means over the cells of a grid, for maps of any size: what makes features that do not depend on the input size."""

from __future__ import annotations

import tensorflow as tf


def grid_mean(maps: tf.Tensor, cells: int) -> tf.Tensor:
    """Return the mean of each map ``[batch, height, width, channels]`` in each cell, as rows.

    Cells meet within pixels where the size is no multiple of their number; each then takes its share of the pixel.
    """
    channels = maps.shape[-1]
    if cells == 1:
        return tf.reduce_mean(maps, axis=[1, 2])
    height, width = tf.shape(maps)[1], tf.shape(maps)[2]
    across = tf.matmul(_shares(width, cells), maps)
    down = tf.matmul(_shares(height, cells), tf.reshape(across, [-1, height, cells * channels]))
    return tf.reshape(down, [-1, cells * cells * channels])


def _shares(size: tf.Tensor, cells: int) -> tf.Tensor:
    """Return ``[cells, size]``: which share of a cell each pixel makes up."""
    reach = tf.cast(size, tf.float32) / float(cells)
    first = tf.constant([[float(cell)] for cell in range(cells)]) * reach
    pixel = tf.cast(tf.range(size), tf.float32)
    overlap = tf.minimum(pixel + 1.0, first + reach) - tf.maximum(pixel, first)
    return tf.nn.relu(overlap) / reach


def halved(maps: tf.Tensor, times: int = 1) -> tf.Tensor:
    """Average over blocks of two by two, ``times`` times; an odd last row or column stands for itself."""
    return tf.nn.avg_pool2d(maps, 2**times, 2**times, "SAME") if times else maps
