"""A Keras 3 layer around a hub module.

``hub.KerasLayer`` is a Keras 2 layer, and wrapped in a ``Lambda`` its variables are not tracked: "fine-tuning" then
trains the head alone (tensorflow/hub#930). This layer adopts the module's own variables as its weights instead.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hubstudio.core.errors import BackboneError
from hubstudio.ml.carried_module import MODULE_FOLDER
from hubstudio.ml.hub_module import HubModule, load_module

Tensor = Any


@keras.saving.register_keras_serializable(package="hubstudio")
class HubBackbone(keras.layers.Layer):
    """Photos as float32 RGB ``[batch, height, width, 3]`` in [0, 1] to features ``[batch, features]``.

    Everything is frozen at first; ``unfreeze`` lets blocks move. A ``.keras`` file carries the module inside; loaded
    from there it answers but does not train.
    """

    def __init__(self, features: int, module: HubModule | None = None, features_name: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.features_name = module.features_name if module else features_name
        self.train_batch_norm = False
        self._adopted: list[keras.Variable] = []
        self._hub = _Untracked(module)
        if module:
            self._adopt(module)

    @property
    def module(self) -> HubModule:
        """The module inside."""
        if self._hub.module is None:
            raise ValueError("the module of this layer was not loaded")
        return self._hub.module

    def build(self, input_shape: Any) -> None:
        """Make nothing: the weights are the module's."""
        del input_shape
        self.built = True

    def call(self, photos: Tensor, training: bool = False) -> Tensor:
        """Return the features. Batch-norm follows the photos only if ``train_batch_norm`` is set."""
        for loss in self.penalties() if training else ():
            self.add_loss(loss)
        features = self.module.forward(photos, bool(training and self.train_batch_norm))
        return tf.ensure_shape(features, [None, self.features])

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Return ``(batch, features)``."""
        return (input_shape[0], self.features)

    def compute_output_spec(self, photos: Any, training: bool = False) -> keras.KerasTensor:
        """Return shape and type of the features without running the module."""
        del training
        return keras.KerasTensor(self.compute_output_shape(photos.shape), dtype="float32")

    def unfreeze(self, places: Collection[int]) -> None:
        """Let exactly the variables at these places of ``module.variables`` move, as far as the module allows."""
        for place, variable in enumerate(self._adopted):
            variable.trainable = place in places and place in self.module.trainable

    def variable(self, place: int) -> keras.Variable:
        """Return the weight that is the variable at a place of ``module.variables``."""
        return self._adopted[place]

    @property
    def unfrozen(self) -> frozenset[int]:
        """Places in ``module.variables`` of those that move."""
        return frozenset(place for place, variable in enumerate(self._adopted) if variable.trainable)

    def penalties(self) -> list[Tensor]:
        """Return the module's own penalties on its weights, which count in training as soon as any of them moves."""
        return [loss() for loss in self.module.regularization_losses] if self.trainable_variables else []

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is rebuilt from; the module itself travels as an asset."""
        return {**super().get_config(), "features": self.features, "features_name": self.features_name}

    def save_own_variables(self, store: Any) -> None:
        """Write nothing: the weights travel with the module, in ``save_assets``."""

    def load_own_variables(self, store: Any) -> None:
        """Read nothing, see ``save_own_variables``."""

    def save_assets(self, dir_path: str) -> None:
        """Put the module's folder and its present weights into the ``.keras`` file."""
        folder = Path(dir_path)
        shutil.copytree(self.module.folder, folder / MODULE_FOLDER, dirs_exist_ok=True)
        weights = {str(place): variable.numpy() for place, variable in enumerate(self.module.variables)}
        np.savez(folder / "weights.npz", **weights)  # pyright: ignore[reportArgumentType] - stub knows one keyword only

    def load_assets(self, dir_path: str) -> None:
        """Load the module from inside the ``.keras`` file."""
        folder = Path(dir_path)
        try:
            module = load_module(str(folder / MODULE_FOLDER), self.features_name)
        except BackboneError as error:
            _refusals.get([]).append(error)  # Keras makes a ValueError of whatever is raised here
            raise
        with np.load(folder / "weights.npz") as weights:
            for place, variable in enumerate(module.variables):
                variable.assign(weights[str(place)])
        self._hub = _Untracked(module)

    def _adopt(self, module: HubModule) -> None:
        """Share the module's variables: ``keras.Variable`` keeps a ``tf.Variable`` it is initialised with.

        It leans on Keras's private handling; tests/ml/test_hub_backbone.py holds the contract.
        """
        names: set[str] = set()
        for place, variable in enumerate(module.variables):
            name = variable.name.split(":")[0].replace("/", ".")
            name = name if name not in names else f"{name}.{place}"
            names.add(name)
            self._adopted.append(keras.Variable(initializer=variable, trainable=False, name=name))


def load_keras_file(file: Path) -> Any:
    """Load a ``.keras`` file, also one with a ``HubBackbone`` in it, for answering.

    Raises ``BackboneError`` if the module inside cannot be used; what else is wrong, Keras says in its own way.
    """
    refusals: list[BackboneError] = []
    token = _refusals.set(refusals)
    try:
        return keras.models.load_model(file, compile=False)
    except Exception:  # Keras warns first, which a caller may have made an error, and raises a ValueError then
        if refusals:
            raise refusals[0] from None
        raise
    finally:
        _refusals.reset(token)


_refusals: ContextVar[list[BackboneError]] = ContextVar("refusals")


class _Untracked:
    """Hides a module from Keras, which would track lists and variables that it finds in attributes."""

    def __init__(self, module: HubModule | None) -> None:
        self.module = module
