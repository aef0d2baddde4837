"""What a backbone has computed where its moving blocks begin: the same in every epoch, so once is enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from hubstudio.ml.endpoints import photo_spec
from hubstudio.ml.graph_cut import GraphCut, cut_before, live
from hubstudio.ml.hub_module import HubModule

Tensor = Any
_BYTES = 4  # of a float32
_AGREEMENT = 1e-4
"""How far the features through the cut may be from the module's, as a share of their scale."""
_PROBES = 3


@dataclass(frozen=True)
class FrozenBorder:
    """A module's forward pass in two parts, both on the module's own variables as they are when called."""

    shapes: tuple[tuple[int, ...], ...]
    """Of the tensors at the border for one photo, without the batch."""
    moving: frozenset[int]
    """Places of the variables that may move: none of them acts before the border."""
    front_share: float
    """Part of the operations of a forward pass that lies before the border, 0 to 1."""
    _front: Callable[..., Any]
    _tail: Callable[..., Any]

    @property
    def bytes_per_photo(self) -> int:
        """How much one photo takes at the border, in float32."""
        return _BYTES * sum(map(math.prod, self.shapes))

    def front(self, photos: Tensor) -> list[Tensor]:
        """Take photos ``[batch, size, size, 3]`` in [0, 1] to the border."""
        return list(self._front(photos))

    def tail(self, values: Sequence[Tensor]) -> Tensor:
        """Take what ``front`` gave to features ``[batch, features]``; gradients reach the module's variables."""
        (features,) = self._tail(*values)
        return features


def find_border(module: HubModule, size: int, moving: Collection[int]) -> FrozenBorder | None:
    """Return where the part of a module ends that stays the same while the variables at ``moving`` change.

    Batch-norm statistics count as frozen: with ``train_batch_norm`` there is no such part. None if nothing that costs
    anything comes before the first moving variable, and if the cut, tried on made photos, does not do what the
    module does: a module may mix the photos of a batch, or draw numbers.
    """
    moves = frozenset(moving) & module.trainable
    cut = cut_before(module.frozen(size), moves)
    if cut is None:
        return None
    border = _border(cut, module, size, moves)
    photos = tf.constant(np.random.default_rng(0).random((_PROBES, size, size, 3), np.float32))
    if not _keeps_its_word(border, module, photos):
        return None
    weights = [module.variables[place] for place in moves & cut.tail.places]
    return None if cut.had_own_gradients and not _same_gradients(border, module, photos, weights) else border


def _border(cut: GraphCut, module: HubModule, size: int, moving: frozenset[int]) -> FrozenBorder:
    return FrozenBorder(
        shapes=tuple(tuple(axis or 0 for axis in spec.shape.as_list()[1:]) for spec in cut.specs),
        moving=moving,
        front_share=cut.front_share,
        _front=live(cut.front, [photo_spec(size, size)], module.variables),
        _tail=live(cut.tail, cut.specs, module.variables),
    )


def _keeps_its_word(border: FrozenBorder, module: HubModule, photos: Tensor) -> bool:
    """Whether a photo's values are its own in any batch, and lead to its features."""
    values, alone = border.front(photos), border.front(photos[1:2])
    if not all(_agree(many[1:2], one) for many, one in zip(values, alone, strict=True)):
        return False
    features = border.tail([value[::-1] for value in values])
    return _agree(features[::-1], module.forward(photos, False))


def _same_gradients(border: FrozenBorder, module: HubModule, photos: Tensor, weights: Sequence[tf.Variable]) -> bool:
    """Whether these weights are told the same through the tail as through the whole module."""
    values = border.front(photos)
    with tf.GradientTape(persistent=True) as tape:
        ours = tf.nn.l2_loss(border.tail(values))
        whole = tf.nn.l2_loss(module.forward(photos, False))
    found, expected = tape.gradient(ours, weights), tape.gradient(whole, weights)
    return all(map(_agree, found, expected))


def _agree(found: Tensor | None, expected: Tensor | None) -> bool:
    if found is None or expected is None:
        return found is expected
    if found.shape != expected.shape:
        return False
    scale = float(tf.reduce_max(tf.abs(expected)))
    return float(tf.reduce_max(tf.abs(found - expected))) <= _AGREEMENT * scale
