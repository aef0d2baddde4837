"""Modules that do more than look at photos: they write a file, whose being there tells that they ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

SIZE = 16
PHOTOS = tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32)


class _Resource(tf.saved_model.experimental.TrackableResource):
    """A resource whose initialiser, which runs when the module is loaded, does something else."""

    def __init__(self, action: Callable[[], Any]) -> None:
        super().__init__()
        self._action = action

    def _create_resource(self) -> Any:
        return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)

    def _initialize(self) -> None:
        self._action()

    def _destroy_resource(self) -> None:
        pass


def features(photos: Any) -> Any:
    """Three numbers for a photo, by an operation that Keras has no layer for."""
    return tf.cumsum(tf.reduce_mean(photos, [1, 2]), axis=1)


def save_calling(folder: Path, action: Callable[[], Any]) -> Path:
    """Save a module that does ``action`` whenever it is called."""
    module = tf.Module()
    module.scale = tf.Variable(1.0)

    @tf.function(input_signature=[PHOTOS])
    def call(photos: Any) -> Any:
        action()
        return features(photos) * module.scale

    module.__call__ = call
    tf.saved_model.save(module, str(folder))
    return folder


def save_loading(folder: Path, action: Callable[[], Any]) -> Path:
    """Save a module that does ``action`` when it is loaded."""
    module = tf.Module()
    module.resource = _Resource(action)

    @tf.function(input_signature=[PHOTOS])
    def call(photos: Any) -> Any:
        size = tf.raw_ops.LookupTableSizeV2(table_handle=module.resource.resource_handle)
        return features(photos) + tf.cast(size, tf.float32)

    module.__call__ = call
    tf.saved_model.save(module, str(folder))
    return folder


def save_tf1(folder: Path, *, where: str, target: Path) -> Path:
    """Save a TF1 module that writes ``target``: in its ``call``, ``main`` operation, ``train`` graph or ``saver``."""
    v1 = tf.compat.v1
    builder = v1.saved_model.Builder(str(folder))
    for tags in ([], ["train"]):
        with v1.Graph().as_default(), v1.Session() as session:
            photos = v1.placeholder(tf.float32, [None, SIZE, SIZE, 3], name="images")
            scale = v1.get_variable("scale", [3], use_resource=False)
            saver = v1.train.Saver()
            session.run(v1.global_variables_initializer())
            writes = where in ("call", "main") or (where == "train" and bool(tags))
            wrote = tf.io.write_file(str(target), "ran") if writes else tf.no_op()
            with tf.control_dependencies([wrote] if where == "call" else []):
                vector = tf.reduce_mean(photos, [1, 2]) * scale
            info = v1.saved_model.build_tensor_info
            signature = v1.saved_model.build_signature_def({"images": info(photos)}, {"default": info(vector)})
            main_op = wrote if where == "main" else None
            options: Any = {"signature_def_map": {"default": signature}, "saver": saver, "main_op": main_op}
            if tags:
                builder.add_meta_graph(tags, **options)
            else:
                builder.add_meta_graph_and_variables(session, tags, **options)
    builder.save()
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")
    if where == "saver":
        change(folder, lambda definition: _restore_writes(definition, target))
    return folder


def change(folder: Path, action: Callable[[Any], None]) -> Path:
    """Change what ``saved_model.pb`` says."""
    definition = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    action(definition)
    (folder / "saved_model.pb").write_bytes(definition.SerializeToString())
    return folder


def _restore_writes(definition: Any, target: Path) -> None:
    """Make the operation that restores wait for one that writes."""
    for graph in definition.meta_graphs:
        with tf.Graph().as_default() as planted:
            name, text = tf.constant(str(target), name="evil/name"), tf.constant("ran", name="evil/text")
            tf.io.write_file(name, text, name="evil/write")
        graph.graph_def.node.extend(planted.as_graph_def().node)
        restore = next(node for node in graph.graph_def.node if node.name == graph.saver_def.restore_op_name)
        restore.input.append("^evil/write")
