"""How weights move: the optimiser of a plan, rates by depth, the pull towards the start, rates that suit, the loss.

The pull (L2-SP: Li, Grandvalet and Davoine, "Explicit Inductive Bias for Transfer Learning with Convolutional
Networks", ICML 2018) is a step of its own beside the gradient's and no term of the loss. In the loss it would be
clipped together with the gradients, and Adam, which divides by the gradients' size, would pull all weights alike,
whatever the strength (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019). For gradient descent
without momentum both are the same. AdamW's decay is the same step with zero in the place of the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from hubstudio.core.events import Phase
from hubstudio.core.plan import Optimizer, Output, Plan
from hubstudio.ml.blocks import VariableBlock

Tensor = Any

MOMENTUM = 0.9
"""Of SGD, in Nesterov's form."""
ADAMW_DECAY = 100
"""Factor of ``Plan.weight_decay`` under AdamW: its decay acts on the weights, not on a loss, and needs larger numbers.
On one split of each of three photo sets the plan's default did about as well with it as the penalty under Adam,
and clearly worse without.
"""


def make_optimizer(
    plan: Plan,
    rate: float,
    scales: Mapping[int, float],
    pulled: Sequence[keras.Variable] = (),
    decayed: Sequence[keras.Variable] = (),
) -> keras.optimizers.Optimizer:
    """Return the plan's optimiser at a learning rate. It is made before any weight has moved.

    ``scales`` maps ``id(variable)`` to a factor of the rate, 1 where it says nothing. ``pulled`` are drawn by
    ``plan.start_pull`` towards their present values; these are not among ``optimizer.variables``, so whoever restores a
    state makes the optimiser on the starting weights first. ``decayed``, the head's kernels, are drawn by
    ``plan.weight_decay`` towards zero if the optimiser is AdamW; elsewhere weight decay is a penalty in the loss.
    """
    anchors: dict[int, _Anchor] = {}
    if plan.optimizer is Optimizer.ADAMW and plan.weight_decay:
        anchors |= {id(variable): _Anchor(ADAMW_DECAY * plan.weight_decay, 0.0) for variable in decayed}
    if plan.start_pull:
        anchors |= {id(variable): _Anchor(plan.start_pull, tf.identity(variable.value)) for variable in pulled}
    ways = _Ways(scales, anchors)
    clip = plan.clip_norm or None
    if plan.optimizer is Optimizer.SGD:
        return _SGD(ways, name="sgd", learning_rate=rate, global_clipnorm=clip, momentum=MOMENTUM, nesterov=True)
    return _Adam(ways, name=plan.optimizer.value, learning_rate=rate, global_clipnorm=clip)


def rate_scales(blocks: Sequence[VariableBlock], moved: int, layer_decay: float) -> dict[int, float]:
    """Return the factor of the rate for the place of every variable in the last ``moved`` of blocks in depth order.

    The last block learns at the full rate, as the head does; each one before it at ``layer_decay`` of the next
    (discriminative rates: Howard and Ruder, "Universal Language Model Fine-tuning", ACL 2018).
    """
    moving = blocks[-moved:] if moved else ()
    return {place: layer_decay**depth for depth, block in enumerate(reversed(moving)) for place in block.places}


@dataclass(frozen=True)
class _Usual:
    """Rates at ``_USUAL_BATCH`` photos in a batch, and the power of the batch size that they follow."""

    head: float
    fine_tune: float
    power: float


_USUAL_BATCH = 32
_USUAL = {
    Optimizer.ADAM: _Usual(3e-3, 3e-4, 0.5),
    Optimizer.ADAMW: _Usual(3e-3, 3e-4, 0.5),
    Optimizer.SGD: _Usual(3e-2, 5e-3, 1.0),
}


def automatic_rate(optimizer: Optimizer, phase: Phase, batch_size: int, photos: int) -> float:
    """Return a learning rate that suits a phase on so many training photos.

    It follows the square root of the batch size under Adam (Malladi et al., "On the SDEs and Scaling Rules for Adaptive
    Gradient Algorithms", NeurIPS 2022), the batch size itself under SGD (Goyal et al., "Accurate, Large Minibatch SGD",
    2017). The number of photos counts only where it does not fill a batch: on a quarter of the photos of three sets,
    heads asked for no clearly other rate; fine-tuning was not tried on fewer. Fine-tuning's rate is between what suited
    a small backbone whole (higher) and the last blocks of a large one (lower), and was tried on three splits.
    """
    usual = _USUAL[optimizer]
    rate = usual.head if phase is Phase.HEAD else usual.fine_tune
    return rate * (min(batch_size, photos) / _USUAL_BATCH) ** usual.power


def make_loss(plan: Plan, classes: int) -> keras.losses.Loss:
    """Return the cross-entropy of logits and class numbers ``[photos, 1]``, labels smoothed as the plan says.

    Of a certain label, ``plan.label_smoothing`` is spread over all classes evenly (Szegedy et al., "Rethinking the
    Inception Architecture", CVPR 2016).
    """
    if plan.output is Output.SIGMOID:
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=plan.label_smoothing)
    if not plan.label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return _SmoothedCrossentropy(classes, plan.label_smoothing)


class _SmoothedCrossentropy(keras.losses.Loss):
    """``SparseCategoricalCrossentropy`` from logits with label smoothing, which Keras has for one-hot labels only."""

    def __init__(self, classes: int, smoothing: float) -> None:
        super().__init__(name="smoothed_cross_entropy")
        self._classes = classes
        self._smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each photo, ``[photos]``."""
        certain = keras.ops.one_hot(keras.ops.reshape(y_true, [-1]), self._classes)
        return keras.losses.categorical_crossentropy(certain, y_pred, from_logits=True, label_smoothing=self._smoothing)


@dataclass(frozen=True)
class _Anchor:
    """Where a variable is drawn to, and how strongly."""

    strength: float
    place: Tensor


@dataclass(frozen=True)
class _Way:
    """How one variable moves."""

    scale: float = 1.0
    anchor: _Anchor | None = None


@dataclass(frozen=True)
class _Ways:
    """How variables move, by ``id`` of the Keras variable; once they are known, by the optimiser's own key.

    A plain object, since an optimiser takes dicts that it finds in its attributes for state.
    """

    scales: Mapping[int, float]
    anchors: Mapping[int, _Anchor]
    known: dict[str, _Way] = field(default_factory=dict)

    def learn(self, key: str, variable: keras.Variable) -> None:
        """Remember what was said of a variable under its key."""
        self.known[key] = _Way(self.scales.get(id(variable), 1.0), self.anchors.get(id(variable)))


class _OwnWays:
    """Mixed into an optimiser: every variable has a rate of its own and may be drawn to a place."""

    _ways: _Ways

    def __init__(self, ways: _Ways, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ways = ways

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the optimiser's state for the variables that train."""
        super().build(variables)
        for variable in variables:
            self._ways.learn(self._var_key(variable), variable)

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Move one variable, given its gradient after clipping."""
        way = self._ways.known[self._var_key(variable)]
        rate = learning_rate * way.scale
        if way.anchor:
            share = tf.minimum(rate * way.anchor.strength, 1.0)  # at most there, never past it
            variable.assign_sub(share * (variable - way.anchor.place))
        super().update_step(gradient, variable, rate)


class _Adam(_OwnWays, keras.optimizers.Adam):  # pyright: ignore[reportIncompatibleMethodOverride] - a name
    """Adam, and AdamW too: what makes the difference is a place to be drawn to."""


class _SGD(_OwnWays, keras.optimizers.SGD):
    """Gradient descent with momentum."""
