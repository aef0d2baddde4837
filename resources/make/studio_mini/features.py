"""Both halves joined: which statistics of which maps make up the feature vector, and how it is brought to one scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from .bank import Bank
from .pooling import grid_mean, halved
from .residual import Residual

Weights = dict[str, npt.NDArray[np.float32]]
Maps = dict[str, tf.Tensor]

OFFSET, SCALE = "standardise/offset", "standardise/scale"


@dataclass(frozen=True)
class Pooled:
    """A stage whose last block ends up in the features, averaged over a grid."""

    stage: int
    halvings: int
    """How often the picture is halved before: the same weights see it from further away."""
    cells: int
    """Of the grid, a side."""

    @property
    def name(self) -> str:
        """What its group is called."""
        return f"stage_{self.stage}" + "_halved" * self.halvings


POOLED = (Pooled(3, 0, 2), Pooled(4, 0, 1), Pooled(3, 1, 2), Pooled(4, 1, 1))
_DECORRELATE = "decorrelate/{}/kernel"
_ROOT_FLOOR = 1e-4
_SHRINKAGE = 1.0
"""Share of the mean variance that is added to that of each direction: loud ones are then turned down, quiet ones raised
by the root of two at most.
"""


class Features:
    """From pictures to features, on the variables of a module."""

    def __init__(self, variables: Mapping[str, tf.Variable]) -> None:
        """Take kernels, weights and scales out of a module's variables."""
        self._residual, self._bank = Residual(variables), Bank(variables)
        self._last = {int(block.split("/")[0].removeprefix("stage_")): block for block in self._residual.blocks}
        widths = {stage: int(variables[f"{block}/conv_2/kernel"].shape[-1]) for stage, block in self._last.items()}
        self.decorrelated = {
            "gradient": int(variables["bank/gradient_luminance/kernel"].shape[-1]),
            **{pooled.name: widths[pooled.stage] for pooled in POOLED},
        }
        """Groups whose channels are decorrelated, in part, and how many channels they have."""
        self._kernels = {name: variables.get(_DECORRELATE.format(name)) for name in self.decorrelated}
        self._offset, self._scale = variables.get(OFFSET), variables.get(SCALE)

    def endpoints(self, pictures: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Return the maps of every block, the groups of the bank, and the features as ``default``."""
        maps = self._maps(pictures, training)
        bank = self._bank.groups(pictures)
        groups = {**bank, **self._pooled(maps)}
        raw = tf.concat([self._mixed(name, group) for name, group in groups.items()], axis=1)
        found = {**maps[0], **{f"bank/{name}": group for name, group in bank.items()}}
        return {**found, "default": (raw - self._offset) * self._scale}

    def raw_groups(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the groups of features before they are decorrelated and brought to one scale."""
        return {**self._bank.groups(pictures), **self._pooled(self._maps(pictures, training=False))}

    def _maps(self, pictures: tf.Tensor, training: bool) -> dict[int, Maps]:
        """Return the maps of every block by how often the picture was halved before.

        Batch-norm follows the batch at full size only: its statistics cannot be of two sizes at once.
        """
        wanted = sorted({pooled.halvings for pooled in POOLED})
        return {size: self._residual.maps(halved(pictures, size), training and not size) for size in wanted}

    def _pooled(self, maps: Mapping[int, Maps]) -> dict[str, tf.Tensor]:
        """Return roots of means: a few loud cells then say no more than many quiet ones."""
        means = {
            pooled.name: grid_mean(maps[pooled.halvings][self._last[pooled.stage]], pooled.cells) for pooled in POOLED
        }
        return {name: tf.sqrt(mean + _ROOT_FLOOR) for name, mean in means.items()}

    def _mixed(self, name: str, group: tf.Tensor) -> tf.Tensor:
        if name not in self.decorrelated:
            return group
        cells = tf.reshape(group, [-1, 1, group.shape[-1] // self.decorrelated[name], self.decorrelated[name]])
        # A convolution with kernels of one pixel, which every converter of models knows.
        return tf.reshape(tf.nn.conv2d(cells, self._kernels[name], 1, "SAME"), [-1, group.shape[-1]])


def closing(features: Features, pictures: npt.NDArray[np.float32], batch: int = 32) -> Weights:
    """Return what brings features to one scale, measured on painted pictures.

    The channels of a group are decorrelated, alike in all its cells, by the symmetric root of their inverse covariance
    (ZCA: Bell & Sejnowski 1997; for features: Jegou & Chum 2012, "Negative evidences and co-occurrences in image
    retrieval"), then all features brought to mean 0 and, group by group, to spread 1. One scale per group, since a
    single feature that the pictures hardly excite must not explode.
    """
    parts = [
        features.raw_groups(tf.constant(pictures[start : start + batch])) for start in range(0, len(pictures), batch)
    ]
    groups = {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}
    kernels: Weights = {}
    for name, channels in features.decorrelated.items():
        cells = groups[name].reshape(-1, channels)
        # Rounded, here and below, so that the last bits of another machine's arithmetic do not show in the weights.
        kernel = np.round(_decorrelation(cells), 4).astype(np.float32)
        kernels[_DECORRELATE.format(name)] = kernel[np.newaxis, np.newaxis]
        groups[name] = (cells @ kernel).reshape(groups[name].shape)
    spreads = [np.sqrt(group.var(axis=0).mean()) + 1e-3 for group in groups.values()]
    scales = [np.full(group.shape[1], 1 / spread) for group, spread in zip(groups.values(), spreads, strict=True)]
    offset = np.concatenate([group.mean(axis=0) for group in groups.values()])
    return {
        **kernels,
        OFFSET: np.round(offset, 4).astype(np.float32),
        SCALE: np.round(np.concatenate(scales), 3).astype(np.float32),
    }


def _decorrelation(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return ``[channels, channels]``: how much each direction of the channels is turned up or down."""
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    floor = _SHRINKAGE * values.mean() + 1e-6
    return (vectors * np.sqrt((values.mean() + floor) / (values + floor))) @ vectors.T
