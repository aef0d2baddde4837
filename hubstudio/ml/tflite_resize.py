"""Antialiased resizing in operations that TensorFlow Lite has, for photos of any size.

``tf.image.resize(antialias=True)`` becomes an operation that TensorFlow Lite lacks. A triangle filter is linear in
rows and in columns, so two matrix products say the same.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

Tensor = Any


def resize(photo: Tensor, size: int) -> Tensor:
    """Resize float32 ``[1, height, width, 3]`` to ``[1, size, size, 3]`` as ``keras.layers.Resizing`` does with
    bilinear interpolation and antialiasing.
    """
    shape = tf.shape(photo)
    height, width = shape[1], shape[2]
    rows = tf.matmul(_triangle_filter(height, size), tf.reshape(photo, [height, width * 3]))
    columns = tf.reshape(tf.transpose(tf.reshape(rows, [size, width, 3]), [1, 0, 2]), [width, size * 3])
    both = tf.reshape(tf.matmul(_triangle_filter(width, size), columns), [size, size, 3])
    return tf.reshape(tf.transpose(both, [1, 0, 2]), [1, size, size, 3])


def _triangle_filter(length: Tensor, size: int) -> Tensor:
    """Return ``[size, length]``: how much every input line adds to every output line; rows sum to one."""
    step = tf.cast(length, tf.float32) / size
    centres = (tf.range(size, dtype=tf.float32) + 0.5) * step
    lines = tf.range(tf.cast(length, tf.float32)) + 0.5
    distance = tf.abs(lines[tf.newaxis, :] - centres[:, tf.newaxis]) / tf.maximum(step, 1.0)
    weights = tf.nn.relu(1.0 - distance)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)
