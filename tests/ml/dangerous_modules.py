"""Modules that do more than look at photos: they write a file, whose being there tells that they ran.

Those that hide it write a checkpoint, since that is what every module's own saver may do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import variable_pb2
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


def checkpoint(prefix: Path, name: str = "evil/save") -> Any:
    """Write a checkpoint: the one kind of file that a module has some right to write."""
    value = tf.constant(1.0)
    return tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=["x"], shape_and_slices=[""], tensors=[value], name=name
    )  # fmt: skip


def save_with_gradient(folder: Path, action: Callable[[], Any]) -> Path:
    """Save a module that does ``action`` when it is trained, and hides the function that does it.

    Only a node that serves nothing calls that function; TensorFlow finds it by the list of gradients.
    """
    module = tf.Module()
    module.scale = tf.Variable(1.0)

    @tf.custom_gradient
    def same(value: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            with tf.control_dependencies([action()]):
                return tf.identity(upstream)

        return tf.identity(value), gradient

    @tf.function(input_signature=[PHOTOS])
    def call(photos: Any) -> Any:
        return same(features(photos) * module.scale)

    module.__call__ = call
    tf.saved_model.save(module, str(folder), options=tf.saved_model.SaveOptions(experimental_custom_gradients=True))
    return change(folder, _hide_gradients)


def _hide_gradients(definition: Any) -> None:
    graph = definition.meta_graphs[0]
    for gradient in graph.graph_def.library.registered_gradients:
        graph.object_graph_def.concrete_functions.pop(gradient.gradient_func)
        call_dead(graph, gradient.gradient_func)


def call_dead(graph: Any, function: str) -> None:
    """Plant a node that names the function, and that nothing runs."""
    graph.graph_def.node.add(name=f"dead/{function}", op="NoOp").attr["f"].func.name = function


def hidden_program(target: Path) -> Any:
    """Run a graph that is no part of the module's graphs, but a text in one of them: it writes ``target``."""
    with tf.Graph().as_default() as graph:
        with tf.control_dependencies([tf.io.write_file(str(target), "ran")]):
            stop = tf.identity(tf.constant(1, tf.int64))
        shape, start = tf.TensorShape([]), tf.constant(0, tf.int64)
        made = tf.raw_ops.RangeDataset(
            start=start, stop=stop, step=tf.constant(1, tf.int64), output_types=[tf.int64], output_shapes=[shape]
        )
    definition = graph.as_graph_def()
    returned = definition.node.add(name="returned", op="_Retval", input=[made.op.name])
    returned.attr["T"].type = tf.variant.as_datatype_enum
    returned.attr["index"].i = 0
    data = tf.raw_ops.DatasetFromGraph(graph_def=tf.constant(definition.SerializeToString()))
    return tf.debugging.assert_less(tf.raw_ops.DatasetCardinality(input_dataset=data), tf.constant(9, tf.int64))


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


def plant(folder: Path, action: Callable[[], Any]) -> Path:
    """Put the nodes that ``action`` makes into every graph of a module; nothing there needs them."""
    with tf.Graph().as_default() as planted:
        action()
    nodes = planted.as_graph_def().node
    return change(folder, lambda definition: [graph.graph_def.node.extend(nodes) for graph in definition.meta_graphs])


def name_in_variable(folder: Path, node: str, field: str, collection: str = "local_variables") -> Path:
    """Have a variable of a TF1 module from ``save_tf1`` name a node as its initialiser, or in another field."""
    entry = variable_pb2.VariableDef(variable_name="scale:0", initializer_name="scale/Assign", snapshot_name="scale:0")
    setattr(entry, field, node)
    value = [entry.SerializeToString()]
    return change(
        folder,
        lambda definition: [
            graph.collection_def[collection].bytes_list.value.extend(value) for graph in definition.meta_graphs
        ],
    )


def _restore_writes(definition: Any, target: Path) -> None:
    """Make the operation that restores wait for one that writes."""
    for graph in definition.meta_graphs:
        with tf.Graph().as_default() as planted:
            name, text = tf.constant(str(target), name="evil/name"), tf.constant("ran", name="evil/text")
            tf.io.write_file(name, text, name="evil/write")
        graph.graph_def.node.extend(planted.as_graph_def().node)
        restore = next(node for node in graph.graph_def.node if node.name == graph.saver_def.restore_op_name)
        restore.input.append("^evil/write")
