"""Hub modules that the tests make: real SavedModels in the reusable format, small or of a known network's shape."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

Call = Callable[[Any, bool], Any]


def save_reusable(model: keras.Model, folder: Path, size: int | None, *, scale: float = 1.0) -> Path:
    """Save a Keras model as TF Hub's reusable SavedModel, for photos of ``size`` or of any size."""
    module = tf.__internal__.tracking.AutoTrackable()
    module.variables = [variable.value for variable in model.variables]
    module.trainable_variables = [variable.value for variable in model.trainable_variables]
    kernel = module.trainable_variables[0]
    module.regularization_losses = [_penalty(kernel)]
    call = tf.function(lambda photos, training=False: model(photos * scale, training=training))
    for training in (True, False):
        call.get_concrete_function(tf.TensorSpec([None, size, size, 3], tf.float32), training=training)
    module.__call__ = call
    tf.saved_model.save(module, str(folder))
    return folder


def _penalty(kernel: tf.Variable) -> Any:
    return tf.function(lambda: 1e-4 * tf.nn.l2_loss(kernel), input_signature=[])


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


def save_application(name: str, folder: Path, size: int) -> Path:
    """Save a network of ``keras.applications`` with random weights as a reusable module for photos of ``size``."""
    keras.backend.clear_session()  # names such as conv2d_17 are counted over all models of a program
    keras.utils.set_random_seed(3)
    build = getattr(keras.applications, name)
    model = build(input_shape=(size, size, 3), include_top=False, pooling="avg", weights=None)
    takes_levels = name.startswith("Efficient")  # it rescales 0..255 itself
    return save_reusable(model, folder, size, scale=255.0 if takes_levels else 1.0)


def without_names(module: Path, folder: Path) -> Path:
    """Copy a module, with all its variables called the same."""
    shutil.copytree(module, folder)
    definition = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for node in definition.meta_graphs[0].object_graph_def.nodes:
        if node.HasField("variable"):
            node.variable.name = "Variable"
    (folder / "saved_model.pb").write_bytes(definition.SerializeToString())
    return folder


def save_with_endpoints(folder: Path, size: int | None = 32, features: int = 12) -> Path:
    """Save a module whose call takes what Google's image modules take, with five endpoints beside the vector.

    ``stage_2`` and ``stage_2/output`` are one tensor, ``pool`` is the vector but for its shape, and ``rows`` is neither
    a map nor a vector.
    """
    network = small_network(features)
    relus = [layer.output for layer in network.layers if isinstance(layer, keras.layers.ReLU)]
    maps = keras.Model(network.input, {f"stage_{number}": relu for number, relu in enumerate(relus, 1)})
    module = tf.__internal__.tracking.AutoTrackable()
    module.variables = [variable.value for variable in maps.variables]
    module.trainable_variables = [variable.value for variable in maps.trainable_variables]
    kernels = [variable for variable in module.trainable_variables if variable.shape.rank == 4]
    module.regularization_losses = [_penalty(kernel) for kernel in kernels]

    def call(
        inputs: Any, training: bool = False, return_endpoints: bool = False, batch_norm_momentum: Any = 0.99
    ) -> Any:
        del batch_norm_momentum
        found = maps(inputs * 2 - 1, training=training)
        pool = tf.reduce_mean(found["stage_3"], [1, 2], keepdims=True)
        vector = tf.squeeze(pool, [1, 2])
        if not return_endpoints:
            return vector
        rows = tf.reduce_mean(found["stage_2"], 1)
        same = {"stage_2/output": tf.identity(found["stage_2"]), "pool": pool, "rows": rows, "default": vector}
        return {f"Net/{name}" if name != "default" else name: value for name, value in (found | same).items()}

    function = tf.function(call)
    for training in (True, False):
        for endpoints in (True, False):
            photos = tf.TensorSpec([None, size, size, 3], tf.float32)
            momentum = tf.TensorSpec([], tf.float32)
            function.get_concrete_function(photos, training, endpoints, momentum)
            function.get_concrete_function(photos, training, endpoints)
    module.__call__ = function
    tf.saved_model.save(module, str(folder))
    return folder


def save_called(
    folder: Path, spec: tf.TensorSpec, function: Callable[[Any], Any], wrap: Callable[[Any], Any] = lambda value: value
) -> Path:
    """Save a module that holds one variable, calls ``function`` on inputs of ``spec`` and gives what ``wrap`` makes."""
    module = tf.Module()
    module.scale = tf.Variable(1.0)
    module.__call__ = tf.function(lambda inputs: wrap(function(inputs) * module.scale), input_signature=[spec])
    tf.saved_model.save(module, str(folder))
    return folder


def save_served(folder: Path, shape: list[int | None] | None) -> Path:
    """Save a module that takes photos of any size, with a serving signature for inputs of ``shape``, or without."""
    module = tf.Module()
    module.scale = tf.Variable(1.0)
    photos = tf.TensorSpec([None, None, None, 3], tf.float32)
    module.__call__ = tf.function(lambda x: tf.reduce_mean(x, [1, 2]) * module.scale, input_signature=[photos])
    served = tf.function(lambda inputs: {"sums": tf.reduce_sum(inputs) * module.scale})
    spec = None if shape is None else tf.TensorSpec(shape, tf.float32)
    tf.saved_model.save(module, str(folder), signatures=None if spec is None else served.get_concrete_function(spec))
    return folder


def save_tf1(folder: Path, size: int = 32, features: int = 6, *, endpoints: bool = False) -> Path:
    """Save a module in the TF1 hub format: a graph with its own variables, two tag sets, and ``tfhub_module.pb``.

    With ``endpoints`` it has a signature ``image_feature_vector`` too, which also gives the map before the vector.
    """
    v1 = tf.compat.v1
    builder = v1.saved_model.Builder(str(folder))
    for position, tags in enumerate(([], ["train"])):
        with v1.Graph().as_default(), v1.Session() as session:
            photos = v1.placeholder(tf.float32, [None, size, size, 3], name="images")
            v1.set_random_seed(5)
            kernel = v1.get_variable("conv/weights", [3, 3, 3, features], use_resource=False)
            maps = tf.nn.relu(tf.nn.conv2d(photos, kernel, 2, "SAME"))
            info = v1.saved_model.build_tensor_info
            own = {"default": info(tf.reduce_mean(maps, [1, 2]))}
            build = v1.saved_model.build_signature_def
            signatures = {"default": build({"images": info(photos)}, own)}
            if endpoints:
                signatures["image_feature_vector"] = build({"images": info(photos)}, {**own, "Net/conv": info(maps)})
            session.run(v1.global_variables_initializer())
            if position == 0:
                builder.add_meta_graph_and_variables(session, tags, signature_def_map=signatures)
            else:
                builder.add_meta_graph(tags, signature_def_map=signatures)
    builder.save()
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")
    return folder
