"""The moving end of a backbone as a Keras 3 layer: trained on what was computed once at the frozen border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from hubstudio.ml.frozen_border import FrozenBorder
from hubstudio.ml.hub_backbone import HubBackbone

Tensor = Any


class BackboneTail(keras.layers.Layer):
    """Values at a frozen border, as a list, to features ``[batch, features]``.

    It holds the backbone as a layer of its own, so it has exactly the backbone's weights, in the backbone's order: an
    optimizer moves the same variables whichever of the two it trains.
    """

    def __init__(self, backbone: HubBackbone, border: FrozenBorder, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.backbone = backbone
        self.border = border

    def build(self, input_shape: Any) -> None:
        """Make nothing: the weights are the backbone's."""
        del input_shape
        self.built = True

    def call(self, values: Sequence[Tensor], training: bool = False) -> Tensor:
        """Return the features; the module's penalties count in training, as they do in the whole backbone."""
        if training:
            self._require_moving_behind()
            for loss in self.backbone.penalties():
                self.add_loss(loss)
        return tf.ensure_shape(self.border.tail(values), [None, self.backbone.features])

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Return ``(batch, features)``."""
        return (input_shape[0][0], self.backbone.features)

    def compute_output_spec(self, values: Any, training: bool = False) -> keras.KerasTensor:
        """Return shape and type of the features without running the module."""
        del training
        return keras.KerasTensor((values[0].shape[0], self.backbone.features), dtype="float32")

    def _require_moving_behind(self) -> None:
        """Raise ``ValueError`` if something is to move that the border's values depend on."""
        if self.backbone.train_batch_norm or not self.backbone.unfrozen <= self.border.moving:
            raise ValueError("more of the backbone is to move than this border was found for")


def tail_model(backbone: HubBackbone, border: FrozenBorder, head: keras.Model) -> keras.Model:
    """Return a model of the border's values, always a list, to logits: the tail of the backbone under its head."""
    values = [keras.Input(shape, name=f"border_{number}") for number, shape in enumerate(border.shapes)]
    return keras.Model(values, head(BackboneTail(backbone, border, name="tail")(values)))
