"""Trained models on disk: written so that they load with Keras alone, checked before they count, and loaded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled, RunError, UnsafeModuleError
from hubstudio.core.hyper_parameters import CHECK_BATCH
from hubstudio.core.plan import Mode
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml.hub_backbone import HubBackbone, load_keras_file
from hubstudio.ml.keras_rewrite import NETWORK
from hubstudio.ml.known_modules import KnownModule, keep_known
from hubstudio.ml.model_factory import CLASSIFIER_LAYER, Classifier
from hubstudio.ml.module_safety import trust_command
from hubstudio.ml.photo_batches import read_batches

TOLERANCE = 1e-4
"""Largest difference of any probability that a rewritten model may show."""
_NOISE = 4
"""Made photos to compare answers on where none can be read."""


@dataclass(frozen=True)
class TrainedModel:
    """A finished model, loaded."""

    model: keras.Model
    classes: tuple[str, ...]
    size: int

    @property
    def inner(self) -> keras.Model:
        """The part behind the resizing: photos ``[batch, size, size, 3]``, RGB 0..255, to the model's output."""
        return self.model.get_layer(CLASSIFIER_LAYER)

    @cached_property
    def answer(self) -> Any:
        """A function from photos of the right size to the model's output, traced once."""
        inner = self.inner
        spec = tf.TensorSpec([None, self.size, self.size, 3], tf.float32)
        return tf.function(lambda photos: inner(photos, training=False), input_signature=[spec], autograph=False)


def load_trained(run: RunFolder) -> TrainedModel:
    """Load a run's model. Raises ``RunError`` if its file is damaged or does not fit the run's classes."""
    classes = run.classes()
    try:
        model = load_keras_file(run.model)
        size, outputs = int(model.get_layer(CLASSIFIER_LAYER).input_shape[1]), int(model.output_shape[1])
    except UnsafeModuleError as error:
        raise _unsafe(run, error) from error
    except Exception as error:  # zip, JSON, HDF5 and Keras each complain in their own way
        raise _unusable(run, _first_line(error)) from error
    if len(classes) != max(outputs, 2):
        raise _unusable(run, f"It tells {max(outputs, 2)} classes apart, and classes.txt lists {len(classes)}.")
    return TrainedModel(model, classes, size)


def _unusable(run: RunFolder, found: str) -> RunError:
    return RunError(
        f"The model of the run '{run.path.name}' could not be loaded.",
        found=found,
        next_step="Restore the run folder from a copy, or train again.",
    )


def _unsafe(run: RunFolder, error: UnsafeModuleError) -> UnsafeModuleError:
    return UnsafeModuleError(
        f"The run '{run.path.name}' carries a module that could do more than look at photos, so it was not loaded.",
        operations=error.operations,
        found=error.found,
        next_step=f"If you know who made it and trust them: {trust_command(str(run.path))}.",
    )


def save_checked(classifier: Classifier, file: Path, photos: Sequence[Path], cancel: CancelToken) -> str:
    """Save the finished model, load it again, and compare its answers with the trained one's on some photos.

    Returns a note for the person if the file needs Hub Studio to be loaded, else an empty string. Raises ``RunError``
    if even the file with the module inside answers otherwise, and as ``cancel.check`` does between writing, loading
    and comparing. A backbone that was only known so far is not loaded for it: a model on its known network has once
    answered like the module, so what was written only has to come back.
    """
    cancel.check()
    if _saved_on_known_network(classifier, file, cancel):
        return ""
    return _save_compared(classifier, file, photos, cancel)


def _saved_on_known_network(classifier: Classifier, file: Path, cancel: CancelToken) -> bool:
    """Save the model on what was kept of its backbone; False if there is nothing, or it does not come back the same."""
    module = classifier.module
    network = module.network(classifier.size) if isinstance(module, KnownModule) else None
    if network is None:
        return False
    model = classifier.finished_on(network)
    try:
        model.save(file)
        cancel.check()
        return _is_same(load_keras_file(file), model)
    except (OSError, Cancelled):
        raise  # the disk or the person, not the model: the caller explains it
    except Exception:  # zip, JSON, HDF5 and Keras each complain in their own way
        return False


def _is_same(model: keras.Model, other: keras.Model) -> bool:
    """Whether two models have the same layers, wired alike, and the same numbers in them."""
    if model.to_json() != other.to_json():
        return False
    return all(
        np.array_equal(*(one.numpy() for one in pair)) for pair in zip(model.weights, other.weights, strict=True)
    )


def _save_compared(classifier: Classifier, file: Path, photos: Sequence[Path], cancel: CancelToken) -> str:
    sample = _sample(classifier.size, photos)
    expected = _expected(classifier, sample)
    found = ""
    for make in (classifier.finished, classifier.finished_with_module):
        try:
            cancel.check()
            model = make()
            cancel.check()
            model.save(file)
            cancel.check()
            difference = _difference(file, sample, expected, cancel)
        except (OSError, Cancelled):
            raise  # the disk or the person, not the model: the caller explains it
        except Exception as error:  # a training of hours must not be lost to a graph that nobody foresaw
            found = _first_line(error)
            continue
        if difference <= TOLERANCE:
            if any(isinstance(layer, HubBackbone) for layer in _layers(model)):
                return _NEEDS_STUDIO
            if classifier.plan.mode is Mode.EXTRACT:
                network: Any = model.get_layer(CLASSIFIER_LAYER).get_layer(NETWORK)
                keep_known(classifier.module.whole(), classifier.size, network)
            return ""
        found = f"The file gave probabilities that differ by {difference:.3g}."
    raise RunError(
        "The trained model could not be saved in a way that answers like before.",
        found=found,
        next_step="Please report the backbone; another backbone will work.",
    )


_NEEDS_STUDIO = (
    "This backbone has operations that Keras's own layers lack: its .keras file loads only where Hub Studio is "
    "installed. SavedModel and TensorFlow Lite exports are not affected."
)


def _sample(size: int, photos: Sequence[Path]) -> NDArray[np.float32]:
    """Return some photos ``[photos, size, size, 3]``, or noise if none can be read."""
    batch = next(iter(read_batches(photos, size, max(len(photos), 1), CancelToken())), None)
    if batch and len(batch.photos):
        return batch.photos
    return np.random.default_rng(0).uniform(0, 255, (_NOISE, size, size, 3)).astype(np.float32)


def _expected(classifier: Classifier, sample: NDArray[np.float32]) -> NDArray[np.float32]:
    logits = _in_small_batches(classifier.inner, sample)
    if logits.shape[1] == 1:
        return np.asarray(keras.ops.sigmoid(logits))
    return np.asarray(keras.ops.softmax(logits))


def _difference(file: Path, sample: NDArray[np.float32], expected: NDArray[np.float32], cancel: CancelToken) -> float:
    model = load_keras_file(file)
    cancel.check()
    answers = _in_small_batches(model.get_layer(CLASSIFIER_LAYER), sample)
    return float(np.abs(answers - expected).max(initial=0.0))


def _in_small_batches(model: keras.Model, sample: NDArray[np.float32]) -> NDArray[np.float32]:
    """Call a model plainly, a few photos at a time: what every layer gives is in memory until the last one is done."""
    starts = range(0, len(sample), CHECK_BATCH)
    answers = [np.asarray(model(sample[start : start + CHECK_BATCH], training=False)) for start in starts]
    return np.concatenate(answers)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"


def _layers(model: keras.Model) -> list[Any]:
    return [*model.layers, *model.get_layer(CLASSIFIER_LAYER).layers]
