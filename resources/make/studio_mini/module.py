"""The SavedModel in TF Hub's reusable format: written from weights, and read back for its weights."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from .features import Features, Weights

SIZE = 128
"""Side of the pictures that ``serving_default`` states; the call takes any size from 96 up."""
_WEIGHT_DECAY = 1e-5
_FIXED = ("bank/", "moving_", "decorrelate/", "standardise/")


def variables_of(weights: Weights) -> dict[str, tf.Variable]:
    """Return the variables of a module; the bank's kernels, moving statistics and what closes cannot be trained."""
    return {
        name: tf.Variable(value, name=name, trainable=not any(part in name for part in _FIXED))
        for name, value in weights.items()
    }


def hub_module(variables: dict[str, tf.Variable]) -> tf.train.Checkpoint:
    """Return the object whose attributes make a reusable SavedModel."""
    features = Features(variables)
    pictures = tf.TensorSpec([None, None, None, 3], tf.float32, name="inputs")

    def call(inputs: tf.Tensor, training: bool = False, return_endpoints: bool = False) -> Any:
        endpoints = features.endpoints(inputs, training)
        return endpoints if return_endpoints else endpoints["default"]

    traced: Any = tf.function(call)
    for training in (False, True):
        for return_endpoints in (False, True):
            traced.get_concrete_function(pictures, training=training, return_endpoints=return_endpoints)
    # A Checkpoint is the barest public object whose attributes a SavedModel keeps.
    module = tf.train.Checkpoint()
    module.__call__ = traced
    module.variables = list(variables.values())
    module.trainable_variables = [variable for variable in module.variables if variable.trainable]
    module.regularization_losses = [
        _decay(variable) for variable in module.trainable_variables if "/kernel" in variable.name
    ]
    return module


def _decay(kernel: tf.Variable) -> Callable[[], tf.Tensor]:
    """Return a function that gives the L2 penalty of one kernel."""
    return tf.function(lambda: _WEIGHT_DECAY * tf.nn.l2_loss(kernel), input_signature=[])


def _serving(module: tf.train.Checkpoint) -> Callable[..., dict[str, tf.Tensor]]:
    """Return the function behind ``serving_default``, which states the size that the module works best at."""
    pictures = tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32, name="inputs")
    return tf.function(lambda inputs: {"features": module.__call__(inputs)}, input_signature=[pictures])


def write(weights: Weights, out: Path) -> None:
    """Save the module beside its final place, then swap it in; a README that lies there is kept."""
    module = hub_module(variables_of(weights))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        new = Path(folder) / out.name
        options = tf.saved_model.SaveOptions(save_debug_info=False)
        tf.saved_model.save(module, str(new), signatures=_serving(module), options=options)
        # A SavedModel always comes with a folder for assets; ours has none.
        shutil.rmtree(new / "assets", ignore_errors=True)
        _swap_in(new, out)


def _swap_in(new: Path, out: Path) -> None:
    old = new.with_name(new.name + ".old")
    if out.exists():
        if (out / "README.md").is_file():
            shutil.copy2(out / "README.md", new)
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def read(folder: Path) -> Weights:
    """Return the weights of a module that ``write`` made, in its order."""
    loaded: Any = tf.saved_model.load(str(folder))
    return {variable.name.split(":")[0]: variable.numpy() for variable in loaded.variables}
