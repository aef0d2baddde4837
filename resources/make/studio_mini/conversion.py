"""From a trained network to a module, and from a module back to a network."""

from __future__ import annotations

from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt

from . import bank, checkpoints, features, module, network
from .features import Weights
from .pool import Order, painted
from .recipe import Recipe

_CLOSING_PICTURES = 2048


def of_checkpoint(folder: Path, recipe: Recipe) -> Weights:
    """Return the learned weights of a checkpoint by the names they have in a module.

    Raises ``SystemExit`` if the checkpoint is of another recipe, or its training is not over.
    """
    arrays, facts = checkpoints.read(folder)
    if facts["recipe"] != recipe.name or facts["step"] < recipe.steps:
        raise SystemExit(
            f"The checkpoint in {folder} has done step {facts['step']} of the recipe '{facts['recipe']}', "
            f"not all {recipe.steps} of '{recipe.name}'. Train on, or name its recipe."
        )
    return {name: arrays[f"model/{variable.path}"] for name, variable in _named(recipe).items()}


def _named(recipe: Recipe) -> dict[str, keras.Variable]:
    return network.named_weights(network.build(recipe))


def whole(learned: Weights, pictures: npt.NDArray[np.float32]) -> Weights:
    """Return all weights of a module: the learned, the fixed, and those that close, measured on painted pictures.

    ``pictures`` are ``[pictures, side, side, 3]`` in [0, 1]; ``samples`` gives those of a recipe.
    """
    weights = {**bank.fixed_kernels(), **learned}
    parts = features.Features(module.variables_of(weights))
    return {**weights, **features.closing(parts, pictures)}


def samples(recipe: Recipe, workers: int) -> npt.NDArray[np.float32]:
    """Paint pictures of a recipe's pool at the module's size, spread evenly over the classes; no pool is needed."""
    programs, examples = recipe.programs, recipe.examples
    total = len(programs) * examples
    places = np.linspace(0, total - 1, min(_CLOSING_PICTURES, total)).astype(int)
    orders = [
        Order(recipe.seed, *programs[place // examples], int(place % examples), 1, recipe.pool_size) for place in places
    ]
    wanted = (module.SIZE, module.SIZE)
    pictures = (picture for (picture,) in painted(orders, workers))
    return np.stack([cv2.resize(picture, wanted, interpolation=cv2.INTER_LINEAR) for picture in pictures]) / np.float32(
        255
    )


def network_of(weights: Weights, recipe: Recipe) -> keras.Model:
    """Return the network with a module's weights, for more training or for comparing; the classifier is new."""
    model = network.build(recipe)
    for name, variable in network.named_weights(model).items():
        variable.assign(weights[name])
    return model
