"""A frozen module written again in Keras's own layers, so that a ``.keras`` file loads with Keras alone.

A ``.keras`` file with a layer class of ours loads only where ours is installed. Image networks use few kinds of
operations, and nearly all have a layer or a ``keras.ops`` function of the same meaning; those are mapped here, one by
one. ``rewrite`` raises ``CannotRewrite`` on anything else, and the caller keeps ``HubBackbone`` then. Whoever calls
compares the answers of both before trusting the result.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from hubstudio.ml.module_graph import FrozenGraph, source_name

Value = Any
"""A ``KerasTensor``, an array (constant), or a ``Shape``."""
_LARGEST_INLINE = 4096
"""Numbers that a constant may hold to stand in the model's configuration; larger ones must be weights of a layer."""
_AFFINE_EPSILON = 1e-3
_UNDRAWN = "zeros"
"""How weights begin that are given their values at once, here and whenever the file is loaded: without drawing."""
NETWORK = "backbone"
"""What the model of a module's graph is called inside a classifier."""


_layers: ContextVar[dict[tuple[Any, ...], tuple[keras.layers.Layer, Any]]] = ContextVar("layers")
"""Those of the rewriting under way, with the arrays that they got, by which arrays these are and how they are used:
kernels and batch-norms that a network looks through twice stand in the file once. Constants that are added or
multiplied, and transposed matrices, are arrays made anew and stand there each time.
"""


class CannotRewrite(Exception):  # noqa: N818 - not an error of anybody: the other way is taken
    """The graph holds an operation, or a use of one, that Keras's layers do not cover."""


class Shape(tuple[int, ...]):
    """A tensor's shape as a value of the graph; -1 is the batch."""


def rewrite(graph: FrozenGraph, size: int, name: str = NETWORK) -> keras.Model:
    """Return a Keras model of the graph: float32 ``[batch, size, size, 3]`` in [0, 1] to its output."""
    token = _layers.set({})
    try:
        return _rewritten(graph, size, name)
    finally:
        _layers.reset(token)


def _rewritten(graph: FrozenGraph, size: int, name: str) -> keras.Model:
    photos = keras.Input((size, size, 3), name="photos")
    values: dict[str, Value] = {graph.input: photos}
    for node in graph.nodes:
        if node.name not in values and node.op not in ("NoOp", "Placeholder"):
            inputs = [_get(values, reference) for reference in node.input if not reference.startswith("^")]
            values[node.name] = _convert(node, inputs)
    output = values[graph.output]
    if not isinstance(output, keras.KerasTensor):
        raise CannotRewrite("the output does not depend on the photos")
    return keras.Model(photos, output, name=name)


def _get(values: dict[str, Value], reference: str) -> Value:
    output = reference.partition(":")[2]
    if output not in ("", "0"):
        raise CannotRewrite(f"output {reference} of an operation with several")
    return values[source_name(reference)]


def _convert(node: Any, inputs: list[Value]) -> Value:
    if node.op == "Const":
        return tf.make_ndarray(node.attr["value"].tensor)
    converter = _CONVERTERS.get(node.op)
    if converter is None:
        raise CannotRewrite(f"operation {node.op}")
    value = converter(node, inputs)
    return value if _is_symbolic(value) or isinstance(value, Shape) else np.asarray(value)


def _is_symbolic(value: Value) -> bool:
    return isinstance(value, keras.KerasTensor)


def _constant(value: Value, what: str) -> np.ndarray[Any, Any]:
    if _is_symbolic(value) or isinstance(value, Shape):
        raise CannotRewrite(f"{what} that depends on the photos")
    return np.asarray(value)


def _constant_or_shape(value: Value) -> Value:
    if _is_symbolic(value):
        raise CannotRewrite("a shape joined with a tensor")
    return value


def _text(node: Any, attribute: str) -> str:
    return node.attr[attribute].s.decode()


def _numbers(node: Any, attribute: str) -> tuple[int, ...]:
    return tuple(int(number) for number in node.attr[attribute].list.i)


def _require_channels_last(node: Any) -> None:
    if _text(node, "data_format") not in ("", "NHWC"):
        raise CannotRewrite(f"{node.op} with channels first")


def _padded(node: Any, photos: Value) -> tuple[Value, str]:
    """Return the input and Keras's word for the padding; explicit padding becomes a layer of its own."""
    padding = _text(node, "padding")
    if padding != "EXPLICIT":
        return photos, padding.lower()
    _, _, top, bottom, left, right, _, _ = _numbers(node, "explicit_paddings")
    return keras.layers.ZeroPadding2D(((top, bottom), (left, right)))(photos), "valid"


def _windows(node: Any) -> dict[str, Any]:
    """Return strides and dilation of a convolution as Keras's arguments."""
    _require_channels_last(node)
    _, down, right, _ = _numbers(node, "strides")
    dilations = _numbers(node, "dilations") or (1, 1, 1, 1)
    return {"strides": (down, right), "dilation_rate": dilations[1:3]}


def _conv(node: Any, inputs: list[Value]) -> Value:
    kernel = _constant(inputs[1], "a kernel")
    photos, padding = _padded(node, inputs[0])
    groups = photos.shape[-1] // kernel.shape[2]
    layer = keras.layers.Conv2D(
        kernel.shape[3], kernel.shape[:2], padding=padding, groups=groups, use_bias=False,
        kernel_initializer=_UNDRAWN, **_windows(node),
    )  # fmt: skip
    return _with_weights(layer, photos, kernel)


def _depthwise(node: Any, inputs: list[Value]) -> Value:
    kernel = _constant(inputs[1], "a kernel")
    photos, padding = _padded(node, inputs[0])
    layer = keras.layers.DepthwiseConv2D(
        kernel.shape[:2], depth_multiplier=kernel.shape[3], padding=padding, use_bias=False,
        depthwise_initializer=_UNDRAWN, **_windows(node),
    )  # fmt: skip
    return _with_weights(layer, photos, kernel)


def _mat_mul(node: Any, inputs: list[Value]) -> Value:
    kernel = _constant(inputs[1], "a matrix")
    if node.attr["transpose_a"].b or len(inputs[0].shape) != 2:
        raise CannotRewrite("a product of transposed values")
    kernel = kernel.T if node.attr["transpose_b"].b else kernel
    return _with_weights(
        keras.layers.Dense(kernel.shape[1], use_bias=False, kernel_initializer=_UNDRAWN), inputs[0], kernel
    )


def _batch_norm(node: Any, inputs: list[Value]) -> Value:
    _require_channels_last(node)
    if node.attr["is_training"].b:
        raise CannotRewrite("batch-norm in training")
    weights = [_constant(value, "batch-norm") for value in inputs[1:5]]
    return _with_weights(keras.layers.BatchNormalization(epsilon=node.attr["epsilon"].f), inputs[0], *weights)


def _with_weights(layer: keras.layers.Layer, value: Value, *weights: np.ndarray[Any, Any]) -> Value:
    if not _is_symbolic(value):
        raise CannotRewrite(f"{type(layer).__name__} on a constant")
    settings = {key: setting for key, setting in layer.get_config().items() if key != "name"}
    key = (*map(id, weights), type(layer), repr(settings))
    if key in _layers.get():
        return _layers.get()[key][0](value)
    output = layer(value)
    layer.set_weights(list(weights))
    _layers.get()[key] = (layer, weights)
    return output


def _pool(layer: Callable[..., keras.layers.Layer]) -> Callable[[Any, list[Value]], Value]:
    def convert(node: Any, inputs: list[Value]) -> Value:
        _require_channels_last(node)
        window, strides = _numbers(node, "ksize")[1:3], _numbers(node, "strides")[1:3]
        if _text(node, "padding") == "EXPLICIT":
            raise CannotRewrite("pooling with explicit padding")
        return layer(window, strides=strides, padding=_text(node, "padding").lower())(inputs[0])

    return convert


def _same(node: Any, inputs: list[Value]) -> Value:
    del node
    return inputs[0]


def _each(function: Callable[..., Value]) -> Callable[[Any, list[Value]], Value]:
    """Convert an operation on one value, element by element."""

    def convert(node: Any, inputs: list[Value]) -> Value:
        del node
        return function(inputs[0])

    return convert


def _leaky(node: Any, inputs: list[Value]) -> Value:
    return ops.leaky_relu(inputs[0], negative_slope=node.attr["alpha"].f)


def _pairs(function: Callable[..., Value]) -> Callable[[Any, list[Value]], Value]:
    """Convert an operation on two values, element by element."""

    def convert(node: Any, inputs: list[Value]) -> Value:
        del node
        first, second = inputs
        if isinstance(first, Shape) or isinstance(second, Shape):
            raise CannotRewrite("arithmetic on shapes")
        if not _is_symbolic(first) and not _is_symbolic(second):
            return function(first, second)
        return function(_inline(first), _inline(second))

    return convert


def _inline(value: Value) -> Value:
    if _is_symbolic(value):
        return value
    if value.size == 1 and value.ndim == 0:
        return float(value)
    if value.size > _LARGEST_INLINE:
        raise CannotRewrite(f"a constant of {value.size} numbers")
    return value


def _affine(
    scale_of: Callable[[Value], Value], offset_of: Callable[[Value], Value], plain: Callable[..., Value]
) -> Any:
    """Convert ``x·c`` or ``x+c`` with one number a channel into a frozen batch-norm, which keeps c as a weight."""
    otherwise = _pairs(plain)

    def convert(node: Any, inputs: list[Value]) -> Value:
        value, constant = (inputs[1], inputs[0]) if not _is_symbolic(inputs[0]) else (inputs[0], inputs[1])
        if not _is_channel_constant(value, constant):
            return otherwise(node, inputs)
        constant = np.asarray(constant, np.float32).reshape(-1)
        scale, offset = np.asarray(scale_of(constant), np.float32), np.asarray(offset_of(constant), np.float32)
        variance = np.full_like(scale, 1 - _AFFINE_EPSILON)  # with epsilon added it is one: nothing else is scaled
        layer = keras.layers.BatchNormalization(epsilon=_AFFINE_EPSILON)
        return _with_weights(layer, value, scale, offset, np.zeros_like(scale), variance)

    return convert


def _is_channel_constant(value: Value, constant: Value) -> bool:
    if not _is_symbolic(value) or _is_symbolic(constant) or isinstance(constant, Shape):
        return False
    channels = value.shape[-1]
    return channels is not None and channels > 1 and constant.size == channels == np.shape(constant)[-1]


def _subtract(node: Any, inputs: list[Value]) -> Value:
    if _is_channel_constant(inputs[0], inputs[1]):
        return _ADD(node, [inputs[0], -np.asarray(inputs[1])])
    if _is_channel_constant(inputs[1], inputs[0]):
        return _ADD(node, [_MULTIPLY(node, [inputs[1], -np.ones_like(inputs[0])]), inputs[0]])
    return _pairs(ops.subtract)(node, inputs)


def _divide(node: Any, inputs: list[Value]) -> Value:
    if _is_channel_constant(inputs[0], inputs[1]):
        return _MULTIPLY(node, [inputs[0], 1 / np.asarray(inputs[1])])
    return _pairs(ops.divide)(node, inputs)


def _reduce(function: Callable[..., Value]) -> Callable[[Any, list[Value]], Value]:
    def convert(node: Any, inputs: list[Value]) -> Value:
        if isinstance(inputs[0], Shape):
            raise CannotRewrite("arithmetic on shapes")
        axes = tuple(int(axis) for axis in np.atleast_1d(_constant(inputs[1], "an axis")))
        return function(inputs[0], axis=axes, keepdims=node.attr["keep_dims"].b)

    return convert


def _pad(node: Any, inputs: list[Value]) -> Value:
    widths = [(int(before), int(after)) for before, after in _constant(inputs[1], "padding")]
    if node.op == "MirrorPad":
        return ops.pad(inputs[0], widths, mode=_text(node, "mode").lower())
    value = float(_constant(inputs[2], "padding")) if len(inputs) > 2 else 0.0
    if value == 0 and len(widths) == 4 and widths[0] == widths[3] == (0, 0):
        return keras.layers.ZeroPadding2D((widths[1], widths[2]))(inputs[0])
    return ops.pad(inputs[0], widths, mode="constant", constant_values=value)


def _concat(node: Any, inputs: list[Value]) -> Value:
    *values, axis = inputs
    del node
    if any(isinstance(value, Shape) for value in values):
        return Shape(int(number) for value in values for number in np.atleast_1d(_constant_or_shape(value)))
    if not any(_is_symbolic(value) for value in values):
        return np.concatenate([np.asarray(value) for value in values], axis=int(_constant(axis, "an axis")))
    return ops.concatenate(values, axis=int(_constant(axis, "an axis")))


def _squeeze(node: Any, inputs: list[Value]) -> Value:
    axes = _numbers(node, "squeeze_dims")
    return ops.squeeze(inputs[0], axis=axes or None)


def _expand(node: Any, inputs: list[Value]) -> Value:
    del node
    return ops.expand_dims(inputs[0], int(_constant(inputs[1], "an axis")))


def _transpose(node: Any, inputs: list[Value]) -> Value:
    del node
    return ops.transpose(inputs[0], [int(axis) for axis in _constant(inputs[1], "an order of axes")])


def _reshape(node: Any, inputs: list[Value]) -> Value:
    del node
    value, wanted = inputs
    if not _is_symbolic(value):
        return np.reshape(np.asarray(value), [int(number) for number in _constant(wanted, "a shape")])
    wanted = [int(number) for number in wanted]
    if wanted[0] != -1:  # the batch was traced as a number
        raise CannotRewrite("a reshape that changes the batch")
    return ops.reshape(value, _known(wanted, value.shape))


def _known(wanted: list[int], shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Fill in a second -1: the batch stays open, everything behind it has a fixed size."""
    rest = wanted[1:]
    if -1 in rest:
        total = int(np.prod([size or 0 for size in shape[1:]]))
        known = int(np.prod([size for size in rest if size != -1]))
        rest = [total // known if size == -1 else size for size in rest]
    elif int(np.prod(rest)) != int(np.prod([size or 0 for size in shape[1:]])):
        raise CannotRewrite("a reshape that mixes the batch with the rest")
    return (-1, *rest)


def _shape(node: Any, inputs: list[Value]) -> Value:
    del node
    if not _is_symbolic(inputs[0]):
        return np.asarray(np.shape(inputs[0]))
    return Shape(-1 if size is None else size for size in inputs[0].shape)


def _slice(node: Any, inputs: list[Value]) -> Value:
    if _is_symbolic(inputs[0]):
        raise CannotRewrite("a slice of a tensor")
    bounds = [_constant(value, "a bound") for value in inputs[1:4]]
    if any(bound.size != 1 for bound in bounds) or node.attr["ellipsis_mask"].i or node.attr["new_axis_mask"].i:
        raise CannotRewrite("a slice over several axes")
    begin, end, step = (int(bound[0]) for bound in bounds)
    if node.attr["shrink_axis_mask"].i:
        return np.asarray(inputs[0][begin])
    first = None if node.attr["begin_mask"].i else begin
    last = None if node.attr["end_mask"].i else end
    part = inputs[0][first:last:step]
    return Shape(part) if isinstance(inputs[0], Shape) else part


def _range(node: Any, inputs: list[Value]) -> Value:
    del node
    return np.arange(*(_constant(value, "a range").item() for value in inputs))


def _cast(node: Any, inputs: list[Value]) -> Value:
    return _constant(inputs[0], "a cast").astype(tf.dtypes.as_dtype(node.attr["DstT"].type).as_numpy_dtype)


def _batch_mat_mul(node: Any, inputs: list[Value]) -> Value:
    if node.attr["adj_x"].b or node.attr["adj_y"].b:
        raise CannotRewrite("a product of transposed values")
    return _pairs(ops.matmul)(node, inputs)


def _pack(node: Any, inputs: list[Value]) -> Value:
    del node
    if any(_is_symbolic(value) for value in inputs):
        raise CannotRewrite("a stack of tensors")
    return Shape(int(value) for value in inputs)


def _add_many(node: Any, inputs: list[Value]) -> Value:
    del node
    total = inputs[0]
    for value in inputs[1:]:
        total = ops.add(total, value)
    return total


_ADD = _affine(np.ones_like, np.asarray, ops.add)
_MULTIPLY = _affine(np.asarray, np.zeros_like, ops.multiply)

_CONVERTERS: dict[str, Callable[[Any, list[Value]], Value]] = {
    **dict.fromkeys(
        ("Identity", "IdentityN", "StopGradient", "PreventGradient", "EnsureShape", "CheckNumerics", "Snapshot"), _same
    ),
    "Conv2D": _conv,
    "DepthwiseConv2dNative": _depthwise,
    "MatMul": _mat_mul,
    "BatchMatMulV2": _batch_mat_mul,
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _batch_norm),
    "MaxPool": _pool(keras.layers.MaxPooling2D),
    "AvgPool": _pool(keras.layers.AveragePooling2D),
    **dict.fromkeys(("BiasAdd", "Add", "AddV2"), _ADD),
    "Mul": _MULTIPLY,
    "Sub": _subtract,
    "RealDiv": _divide,
    "AddN": _add_many,
    "Maximum": _pairs(ops.maximum),
    "Minimum": _pairs(ops.minimum),
    "Pow": _pairs(ops.power),
    "SquaredDifference": _pairs(lambda a, b: ops.square(ops.subtract(a, b))),
    "Relu": _each(ops.relu),
    "Relu6": _each(ops.relu6),
    "Elu": _each(ops.elu),
    "Selu": _each(ops.selu),
    "LeakyRelu": _leaky,
    "Sigmoid": _each(ops.sigmoid),
    "Tanh": _each(ops.tanh),
    "Softplus": _each(ops.softplus),
    "Softmax": _each(ops.softmax),
    "Erf": _each(ops.erf),
    "Exp": _each(ops.exp),
    "Log": _each(ops.log),
    "Sqrt": _each(ops.sqrt),
    "Rsqrt": _each(ops.rsqrt),
    "Square": _each(ops.square),
    "Abs": _each(ops.absolute),
    "Neg": _each(ops.negative),
    "Mean": _reduce(ops.mean),
    "Sum": _reduce(ops.sum),
    "Max": _reduce(ops.max),
    "Min": _reduce(ops.min),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "ConcatV2": _concat,
    "Squeeze": _squeeze,
    "ExpandDims": _expand,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Shape": _shape,
    "StridedSlice": _slice,
    "Pack": _pack,
    "Range": _range,
    "Cast": _cast,
}
