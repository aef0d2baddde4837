"""Hub modules that the tests make: real SavedModels in the reusable format, small or of a known network's shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

Call = Callable[[Any, bool], Any]


def save_reusable(model: keras.Model, folder: Path, size: int | None, *, scale: float = 1.0) -> Path:
    """Save a Keras model as TF Hub's reusable SavedModel, for photos of ``size`` or of any size."""
    module = tf.__internal__.tracking.AutoTrackable()
    module.variables = [variable.value for variable in model.variables]
    module.trainable_variables = [variable.value for variable in model.trainable_variables]
    kernel = module.trainable_variables[0]
    module.regularization_losses = [tf.function(lambda: 1e-4 * tf.nn.l2_loss(kernel), input_signature=[])]
    call = tf.function(lambda photos, training=False: model(photos * scale, training=training))
    for training in (True, False):
        call.get_concrete_function(tf.TensorSpec([None, size, size, 3], tf.float32), training=training)
    module.__call__ = call
    tf.saved_model.save(module, str(folder))
    return folder


def small_network(features: int = 12) -> keras.Model:
    """A convolutional network with batch-norm, whose blocks are named stage_1 to stage_3; takes any size."""
    keras.utils.set_random_seed(3)
    photos = keras.Input((None, None, 3))
    values = photos
    for number, width in enumerate((8, 10, features), 1):
        values = keras.layers.Conv2D(width, 3, 2, "same", use_bias=False, name=f"stage_{number}_conv")(values)
        values = keras.layers.BatchNormalization(name=f"stage_{number}_norm")(values)
        values = keras.layers.ReLU()(values)
    return keras.Model(photos, keras.layers.GlobalAveragePooling2D()(values))


def inception_v3_shaped() -> keras.Model:
    """Inception V3's own layers with random weights: 299 px to 2048 features."""
    keras.utils.set_random_seed(3)
    shape = (299, 299, 3)
    return keras.applications.InceptionV3(input_shape=shape, include_top=False, pooling="avg", weights=None)


def save_called(folder: Path, spec: tf.TensorSpec, function: Callable[[Any], Any]) -> Path:
    """Save a module that holds one variable and calls ``function`` on inputs of ``spec``."""
    module = tf.Module()
    module.scale = tf.Variable(1.0)
    module.__call__ = tf.function(lambda inputs: function(inputs) * module.scale, input_signature=[spec])
    tf.saved_model.save(module, str(folder))
    return folder


def save_tf1(folder: Path, size: int = 32, features: int = 6) -> Path:
    """Save a module in the TF1 hub format: a graph with its own variables, two tag sets, and ``tfhub_module.pb``."""
    v1 = tf.compat.v1
    builder = v1.saved_model.Builder(str(folder))
    for position, tags in enumerate(([], ["train"])):
        with v1.Graph().as_default(), v1.Session() as session:
            photos = v1.placeholder(tf.float32, [None, size, size, 3], name="images")
            v1.set_random_seed(5)
            kernel = v1.get_variable("conv/weights", [3, 3, 3, features], use_resource=False)
            maps = tf.nn.relu(tf.nn.conv2d(photos, kernel, 2, "SAME"))
            signature = v1.saved_model.build_signature_def(
                {"images": v1.saved_model.build_tensor_info(photos)},
                {"default": v1.saved_model.build_tensor_info(tf.reduce_mean(maps, [1, 2]))},
            )
            session.run(v1.global_variables_initializer())
            if position == 0:
                builder.add_meta_graph_and_variables(session, tags, signature_def_map={"default": signature})
            else:
                builder.add_meta_graph(tags, signature_def_map={"default": signature})
    builder.save()
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")
    return folder
