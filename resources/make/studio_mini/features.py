"""Both halves joined: which statistics of which maps make up the feature vector, and how it is brought to one scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from .bank import Bank
from .pooling import grid_mean
from .residual import Residual

Weights = dict[str, npt.NDArray[np.float32]]

OFFSET, SCALE = "standardise/offset", "standardise/scale"
GRIDS = {3: 3, 4: 1}
"""Stages that end up in the features, and the cells a side on which their last block is averaged."""


class Features:
    """From pictures to features, on the variables of a module."""

    def __init__(self, variables: Mapping[str, tf.Variable]) -> None:
        """Take kernels, weights and scales out of a module's variables."""
        self._residual, self._bank = Residual(variables), Bank(variables)
        self._offset, self._scale = variables.get(OFFSET), variables.get(SCALE)

    def endpoints(self, pictures: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Return the maps of every block, the groups of the bank, and the features as ``default``."""
        maps = self._residual.maps(pictures, training)
        bank = self._bank.groups(pictures)
        raw = tf.concat([*bank.values(), *self._pooled(maps)], axis=1)
        found = {**maps, **{f"bank/{name}": group for name, group in bank.items()}}
        return {**found, "default": (raw - self._offset) * self._scale}

    def raw_groups(self, pictures: tf.Tensor) -> list[tf.Tensor]:
        """Return the groups of features before they are brought to one scale."""
        maps = self._residual.maps(pictures, training=False)
        return [*self._bank.groups(pictures).values(), *self._pooled(maps)]

    def _pooled(self, maps: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        last = {int(block.split("/")[0].removeprefix("stage_")): block for block in self._residual.blocks}
        return [grid_mean(maps[last[stage]], cells) for stage, cells in GRIDS.items()]


def standardisation(features: Features, pictures: npt.NDArray[np.float32], batch: int = 32) -> Weights:
    """Return offset and scale that bring features to mean 0 and, group by group, to spread 1 on painted pictures.

    One scale per group, since a single feature that the pictures hardly excite must not explode.
    """
    rows = [
        [group.numpy() for group in features.raw_groups(tf.constant(pictures[start : start + batch]))]
        for start in range(0, len(pictures), batch)
    ]
    groups = [np.concatenate(parts) for parts in zip(*rows, strict=True)]
    spreads = [np.sqrt(group.var(axis=0).mean()) + 1e-3 for group in groups]
    scale = np.concatenate([np.full(group.shape[1], 1 / spread) for group, spread in zip(groups, spreads, strict=True)])
    offset = np.concatenate([group.mean(axis=0) for group in groups])
    # Rounded, so that the last bits of another machine's arithmetic do not show in the weights.
    return {OFFSET: np.round(offset, 4).astype(np.float32), SCALE: np.round(scale, 3).astype(np.float32)}
