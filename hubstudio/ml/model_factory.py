"""From a plan to compiled Keras models: backbone, head, and all that turns a photo of any size into probabilities.

    photo, RGB 0..255, any size -> resize -> [ scale to 0..1 -> backbone -> head ] -> probabilities

The bracket is one inner model for photos of the right size. Training, prediction and export use the same layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from hubstudio.core.events import Phase
from hubstudio.core.plan import Mode, Optimizer, Output, Plan
from hubstudio.ml.blocks import VariableBlock
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.frozen_border import FrozenBorder
from hubstudio.ml.hub_backbone import HubBackbone
from hubstudio.ml.keras_rewrite import CannotRewrite, rewrite
from hubstudio.ml.optimising import automatic_rate, make_loss, make_optimizer, rate_scales
from hubstudio.ml.tail_layer import tail_model

CLASSIFIER_LAYER = "classifier"
WEIGHT_DECAY_PHOTOS = 1000
"""Number of training photos at which ``Plan.weight_decay`` is the penalty itself."""
_SMALLEST_SPREAD = 1e-2
"""Of the mean spread of all features. A feature that hardly varies in training is not blown up to full size."""


@dataclass(frozen=True)
class FeatureStatistics:
    """Mean and variance of every feature over the training photos; the head sees features brought to one scale."""

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    photos: int
    """Number of photos measured."""

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> FeatureStatistics:
        """Measure ``[photos, features]``; a spread near zero is replaced by the mean one."""
        spread = features.std(axis=0, dtype=np.float64)
        typical = float(spread.mean()) or 1.0
        spread = np.where(spread < _SMALLEST_SPREAD * typical, typical, spread)
        return cls(
            features.mean(axis=0, dtype=np.float64).astype(np.float32),
            np.square(spread).astype(np.float32),
            len(features),
        )


@dataclass(frozen=True)
class Classifier:
    """Models that share one backbone and one head. Each gives logits; ``finished`` gives probabilities."""

    module: FeatureModule
    logits: keras.Model
    """Features ``[batch, features]`` to logits; what the others share, and never compiled: a file of a model that holds
    a compiled one holds its optimizer too."""
    head: keras.Model
    """The same to train, compiled."""
    plan: Plan
    size: int
    classes: int
    photos: int
    """Number of training photos: automatic learning rates follow it."""

    @cached_property
    def backbone(self) -> HubBackbone:
        """The module as a layer, frozen at first. Loads the module, if it was only known so far."""
        return HubBackbone(self.module.features, self.module.whole(), name="backbone")

    @cached_property
    def inner(self) -> keras.Model:
        """Photos ``[batch, size, size, 3]``, RGB 0..255, to logits; through the module itself."""
        photos = keras.Input((self.size, self.size, 3), name="photos")
        return keras.Model(photos, self.logits(self.backbone(keras.layers.Rescaling(1 / 255)(photos))))

    def rate(self, phase: Phase) -> float:
        """Return the learning rate of a phase: the plan's, or one that suits where it leaves that open."""
        plan = self.plan
        given = plan.learning_rate if phase is Phase.HEAD else plan.fine_tune_learning_rate
        return given or automatic_rate(plan.optimizer, phase, plan.batch_size, self.photos)

    def compile_head(self) -> None:
        """Make the head ready to train on features."""
        optimizer = make_optimizer(self.plan, self.rate(Phase.HEAD), {}, (), self._kernels())
        _compile(self.head, self.plan, self.classes, optimizer)

    def unfreeze(self) -> frozenset[int]:
        """Let the plan's last blocks move, everything else frozen; return the places of their variables."""
        self.backbone.module.require_fine_tuning()
        self.backbone.unfreeze({place for block in self.moving_blocks for place in block.places})
        self.backbone.train_batch_norm = self.plan.train_batch_norm
        return self.backbone.unfrozen

    def compile_whole(self) -> keras.Model:
        """Make the model of photos ready to train the unfrozen blocks and the head."""
        self._compile_moving(self.inner)
        return self.inner

    def compile_behind(self, border: FrozenBorder) -> keras.Model:
        """Return a model of a border's values, ready to train the same weights as ``compile_whole``."""
        model = tail_model(self.backbone, border, self.logits)
        self._compile_moving(model)
        return model

    @property
    def moving_blocks(self) -> Sequence[VariableBlock]:
        """The backbone's last blocks that the plan lets move."""
        blocks = self.backbone.module.blocks
        return blocks if self.plan.unfreeze == "all" else blocks[-self.plan.unfreeze :]

    def _compile_moving(self, model: keras.Model) -> None:
        plan, backbone = self.plan, self.backbone
        blocks = self.moving_blocks
        by_place = rate_scales(blocks, len(blocks), plan.layer_decay)
        scales = {id(backbone.variable(place)): scale for place, scale in by_place.items()}
        moving = [backbone.variable(place) for place in sorted(backbone.unfrozen)]
        optimizer = make_optimizer(plan, self.rate(Phase.FINE_TUNE), scales, moving, self._kernels())
        _compile(model, plan, self.classes, optimizer)

    def _kernels(self) -> list[keras.Variable]:
        """Return the head's weights without its biases: what decays."""
        return [layer.kernel for layer in self.logits.layers if isinstance(layer, keras.layers.Dense)]

    def finished(self) -> keras.Model:
        """Return the model to save: photos of any size to probabilities.

        The backbone is written again in Keras's own layers where that is possible, so that the file loads with Keras
        alone; else it stays a ``HubBackbone``.
        """
        try:
            network = rewrite(self.backbone.module.frozen(self.size), self.size)
        except CannotRewrite:
            return self.finished_with_module()
        return self.finished_on(network)

    def finished_with_module(self) -> keras.Model:
        """Return the model to save with the hub module itself inside; it loads where Hub Studio is installed."""
        return self.finished_on(self.backbone)

    def finished_on(self, backbone: keras.layers.Layer) -> keras.Model:
        """Return the model to save on a backbone that gives the module's features, photos scaled to 0 to 1."""
        photos = keras.Input((self.size, self.size, 3), name="photos")
        features = backbone(keras.layers.Rescaling(1 / 255, name="scale")(photos))
        answers = keras.layers.Activation(_activation(self.plan), name="probabilities")(self.logits(features))
        classifier = keras.Model(photos, answers, name=CLASSIFIER_LAYER)
        photo = keras.Input((None, None, 3), name="photo")
        resize = keras.layers.Resizing(self.size, self.size, interpolation="bilinear", antialias=True, name="resize")
        # Resizing calls itself with training=True unless told, and every layer behind it inherits that: a batch-norm
        # of a model called plainly, ``model(photo)``, would then follow the one photo (keras 3.15.1).
        return keras.Model(photo, classifier(resize(photo, training=False)), name="hubstudio")


def build_classifier(plan: Plan, module: FeatureModule, classes: int, statistics: FeatureStatistics) -> Classifier:
    """Build the models for a plan, head compiled, backbone frozen. Raises ``PlanError`` or ``BackboneError``.

    Nothing of a module that is only known is loaded before it is needed.
    """
    plan.require_output_for(classes)
    if plan.mode is Mode.FINE_TUNE:
        module.whole().require_fine_tuning()
    size = module.size(plan.image_size)
    logits = _build_head(plan, module.features, classes, statistics)
    features = keras.Input((module.features,), name="features")
    head = keras.Model(features, logits(features))
    classifier = Classifier(module, logits, head, plan, size, classes, statistics.photos)
    classifier.compile_head()
    return classifier


def probabilities(answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``[photos, classes]`` from a finished model's output; one sigmoid number becomes two probabilities."""
    return np.concatenate((1 - answers, answers), axis=1) if answers.shape[1] == 1 else answers


def _build_head(plan: Plan, features: int, classes: int, statistics: FeatureStatistics) -> keras.Model:
    penalty = (
        keras.regularizers.L2(plan.weight_decay * WEIGHT_DECAY_PHOTOS / statistics.photos)
        if plan.weight_decay and plan.optimizer is not Optimizer.ADAMW
        else None
    )
    inputs = keras.Input((features,), name="features")
    scale = keras.layers.Normalization(mean=statistics.mean, variance=statistics.variance, name="feature_scale")
    values = scale(inputs)
    seeds = iter(range(plan.seed, plan.seed + 10))
    if plan.hidden_units:
        values = keras.layers.Dense(
            plan.hidden_units,
            activation="relu",
            kernel_initializer=_initializer(next(seeds)),
            kernel_regularizer=penalty,
            name="hidden",
        )(values)
    if plan.dropout:
        values = keras.layers.Dropout(plan.dropout, seed=next(seeds), name="dropout")(values)
    outputs = 1 if plan.output is Output.SIGMOID else classes
    logits = keras.layers.Dense(
        outputs, kernel_initializer=_initializer(next(seeds)), kernel_regularizer=penalty, name="classes"
    )(values)
    return keras.Model(inputs, logits, name="head")


def _initializer(seed: int) -> Any:
    return keras.initializers.GlorotUniform(seed=seed)


def _activation(plan: Plan) -> str:
    return "sigmoid" if plan.output is Output.SIGMOID else "softmax"


def _compile(model: keras.Model, plan: Plan, classes: int, optimizer: keras.optimizers.Optimizer) -> None:
    if plan.output is Output.SIGMOID:
        entropy: keras.metrics.Metric = keras.metrics.BinaryCrossentropy(from_logits=True, name="cross_entropy")
        accuracy: keras.metrics.Metric = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    else:
        entropy = keras.metrics.SparseCategoricalCrossentropy(from_logits=True, name="cross_entropy")
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    compiling: Any = model.compile  # its stub wants texts where it takes booleans
    compiling(
        optimizer=optimizer,
        loss=make_loss(plan, classes),
        metrics=[entropy, accuracy],
        jit_compile=False,  # compiling costs more seconds than a head's training takes
    )
