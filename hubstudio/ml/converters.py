"""Each export format: how it is written, and how a program without Hub Studio runs it.

These functions run in a process of their own (``child_process``); they take paths and give plain values.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from hubstudio.core.decode import UnreadablePhotoError, decode
from hubstudio.ml import tflite_resize
from hubstudio.ml.hub_backbone import load_keras_file
from hubstudio.ml.model_factory import CLASSIFIER_LAYER, probabilities

FILE_NAMES = {"keras": "model.keras", "savedmodel": "savedmodel", "tflite": "model.tflite"}

Photo = NDArray[np.float32]
"""``[1, height, width, 3]``, RGB, 0 to 255."""


def write(format_name: str, model_file: Path, target: Path) -> None:
    """Write the model of ``model_file`` to ``target``, a path where nothing is yet."""
    _WRITERS[format_name](model_file, target)


def answers_of(format_name: str, exported: Path, photos: Sequence[Path]) -> list[list[float]]:
    """Return the probabilities an exported model gives for photos of their own size, unreadable ones left out."""
    run = _RUNNERS[format_name](exported)
    return [probabilities(run(photo))[0].tolist() for photo in _photos(photos)]


def _photos(paths: Sequence[Path]) -> Iterator[Photo]:
    for path in paths:
        try:
            yield np.asarray(decode(path), np.float32)[np.newaxis]
        except UnreadablePhotoError:
            continue


def _write_keras(model_file: Path, target: Path) -> None:
    shutil.copyfile(model_file, target)


def _write_saved_model(model_file: Path, target: Path) -> None:
    model = load_keras_file(model_file)
    photo = tf.TensorSpec([None, None, None, 3], tf.float32, name="photo")
    # As Model.export does, but for tracking the model, too: that writes every number twice (Keras 3.15).
    archive: Any = keras.export.ExportArchive()
    archive.add_endpoint("serve", lambda photo: model(photo, training=False), input_signature=[photo])
    archive.write_out(target, verbose=False)


def _write_tflite(model_file: Path, target: Path) -> None:
    inner = load_keras_file(model_file).get_layer(CLASSIFIER_LAYER)
    size = int(inner.input_shape[1])
    answer = tf.function(lambda photo: inner(tflite_resize.resize(photo, size), training=False))
    concrete = answer.get_concrete_function(tf.TensorSpec([1, None, None, 3], tf.float32, name="photo"))
    # Unfrozen functions convert without any error and answer garbage: freeze first.
    frozen = convert_variables_to_constants_v2(concrete)
    target.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


def _run_keras(exported: Path) -> Callable[[Photo], NDArray[np.float32]]:
    model = load_keras_file(exported)
    return lambda photo: np.asarray(model(photo))  # as plainly as a stranger will call it


def _run_saved_model(exported: Path) -> Callable[[Photo], NDArray[np.float32]]:
    loaded = tf.saved_model.load(str(exported))
    return lambda photo: loaded.serve(tf.constant(photo)).numpy()


def _run_tflite(exported: Path) -> Callable[[Photo], NDArray[np.float32]]:
    interpreter: Any = tf.lite.Interpreter(model_path=str(exported))

    def run(photo: Photo) -> NDArray[np.float32]:
        place = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(place, photo.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, photo)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))

    return run


_WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "keras": _write_keras,
    "savedmodel": _write_saved_model,
    "tflite": _write_tflite,
}
_RUNNERS: dict[str, Callable[[Path], Callable[[Photo], NDArray[np.float32]]]] = {
    "keras": _run_keras,
    "savedmodel": _run_saved_model,
    "tflite": _run_tflite,
}
