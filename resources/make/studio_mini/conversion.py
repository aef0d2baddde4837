"""From a trained network to a module, and from a module back to a network."""

from __future__ import annotations

from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt

from . import bank, checkpoints, features, module, network
from .features import Weights
from .pool import Pool
from .recipe import Recipe

_CLOSING_PICTURES = 2048


def of_checkpoint(folder: Path, recipe: Recipe) -> Weights:
    """Return the learned weights of a checkpoint by the names they have in a module."""
    arrays, _ = checkpoints.read(folder)
    return {name: arrays[f"model/{variable.path}"] for name, variable in _named(recipe).items()}


def _named(recipe: Recipe) -> dict[str, keras.Variable]:
    return network.named_weights(network.build(recipe))


def whole(learned: Weights, pool: Pool) -> Weights:
    """Return all weights of a module: the learned, the fixed, and those that close, measured on painted pictures."""
    weights = {**bank.fixed_kernels(), **learned}
    parts = features.Features(module.variables_of(weights))
    return {**weights, **features.closing(parts, samples(pool))}


def samples(pool: Pool) -> npt.NDArray[np.float32]:
    """Return painted pictures at the module's size, spread evenly over the classes."""
    classes, examples = pool.pictures.shape[:2]
    count = min(_CLOSING_PICTURES, classes * examples)
    places = np.linspace(0, classes * examples - 1, count).astype(int)
    pictures = (pool.pictures[place // examples, place % examples] for place in places)
    wanted = (module.SIZE, module.SIZE)
    return np.stack([cv2.resize(picture, wanted, interpolation=cv2.INTER_LINEAR) for picture in pictures]) / np.float32(
        255
    )


def network_of(weights: Weights, recipe: Recipe) -> keras.Model:
    """Return the network with a module's weights, for more training or for comparing; the classifier is new."""
    model = network.build(recipe)
    for name, variable in network.named_weights(model).items():
        variable.assign(weights[name])
    return model
