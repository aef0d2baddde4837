"""The learned half once more, in plain TensorFlow: the same arithmetic as ``network``, on a module's own variables.

Keras's functional models leave names and traces in a SavedModel that change with its version. A dozen operations
written out keep the graph small, the variables named by depth, and batch-norm as hub modules have it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import tensorflow as tf

from .network import EPSILON

# Of the moving statistics, should somebody train with ``training=True``; as the hub's own modules have it.
_MOMENTUM = 0.99


class Residual:
    """Applies stem and stages, whose layout is read from the names of the variables."""

    def __init__(self, variables: Mapping[str, tf.Variable]) -> None:
        """Take stem and stages out of a module's variables."""
        self._variables = variables
        found = (re.match(r"(stage_\d+/block_\d+)/conv_1/kernel", name) for name in variables)
        self.blocks = [match[1] for match in found if match]

    def maps(self, pictures: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Return the maps behind the stem and behind each block, by its name."""
        maps = tf.nn.relu(self._normed_convolution(pictures * 4.0 - 2.0, "stem/conv", 2, training))
        found = {"stem": maps}
        for block in self.blocks:
            maps = self._block(maps, block, training)
            found[block] = maps
        return found

    def _block(self, maps: tf.Tensor, name: str, training: bool) -> tf.Tensor:
        halves = f"{name}/shortcut_conv/kernel" in self._variables
        inner = tf.nn.relu(self._normed_convolution(maps, f"{name}/conv_1", 2 if halves else 1, training))
        inner = self._normed_convolution(inner, f"{name}/conv_2", 1, training)
        if halves:
            maps = tf.nn.avg_pool2d(maps, 2, 2, "SAME")
            maps = self._normed_convolution(maps, f"{name}/shortcut_conv", 1, training)
        return tf.nn.relu(inner + maps)

    def _normed_convolution(self, maps: tf.Tensor, name: str, stride: int, training: bool) -> tf.Tensor:
        maps = tf.nn.conv2d(maps, self._variables[f"{name}/kernel"], stride, "SAME")
        scope, _, last = name.rpartition("/")
        gamma, beta, mean, variance = (
            self._variables[f"{scope}/{last.replace('conv', 'norm')}/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        if not training:
            return tf.compat.v1.nn.fused_batch_norm(maps, gamma, beta, mean, variance, EPSILON, is_training=False)[0]
        maps, seen_mean, seen_variance = tf.compat.v1.nn.fused_batch_norm(maps, gamma, beta, epsilon=EPSILON)
        for moving, seen in ((mean, seen_mean), (variance, seen_variance)):
            moving.assign_sub((1 - _MOMENTUM) * (moving - seen))
        return maps
