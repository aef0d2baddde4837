"""A frozen graph in two: what no moving variable reaches, and what follows from there to the features."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tensorflow as tf

from hubstudio.ml.module_graph import FrozenGraph, source_name

Tensor = Any
OWN_GRADIENT = "_gradient_op_type"
"""The attribute of an operation that names the gradient it was given by ``tf.custom_gradient``."""
_WITH_KERNEL = frozenset(
    (
        "BatchMatMul",
        "BatchMatMulV2",
        "BatchMatMulV3",
        "Conv2D",
        "Conv3D",
        "DepthwiseConv2dNative",
        "MatMul",
    )
)
"""Operations in which every number of the result is a sum of products: what a forward pass spends its time on."""
_QUICK = frozenset(
    (
        "AddV2",
        "AvgPool",
        "BiasAdd",
        "Cast",
        "Elu",
        "ExpandDims",
        "FusedBatchNormV3",
        "Identity",
        "LeakyRelu",
        "MaxPool",
        "Mean",
        "MirrorPad",
        "Mul",
        "Pad",
        "PadV2",
        "RealDiv",
        "Relu",
        "Relu6",
        "Reshape",
        "ResizeBilinear",
        "ResizeNearestNeighbor",
        "Squeeze",
        "Sub",
        "Tile",
    )
)
"""Operations that are done again rather than have their results read, where what they start from is smaller."""


@dataclass(frozen=True)
class GraphPart:
    """The operations that lead from some tensors to others."""

    _definition: Any
    _inputs: tuple[str, ...]
    _outputs: tuple[str, ...]
    _variables: dict[str, int]
    """Node that stands for a variable, and the variable's place."""

    @property
    def places(self) -> frozenset[int]:
        """Places of the variables it computes with."""
        return frozenset(self._variables.values())

    def run(self, values: Sequence[Tensor], variables: Sequence[tf.Variable]) -> list[Tensor]:
        """Compute its outputs from ``values``, on the present values of ``variables``; gradients reach these.

        For use inside a ``tf.function``, since it adds the operations to the present graph.
        """
        fed = dict(zip(self._inputs, values, strict=True))
        fed |= {f"{name}:0": variables[place].read_value() for name, place in self._variables.items()}
        wanted = [name for name in self._outputs if name not in fed]
        found = tf.graph_util.import_graph_def(self._definition, fed, wanted, name="") if wanted else []
        results = fed | dict(zip(wanted, found, strict=True))
        return [results[name] for name in self._outputs]


@dataclass(frozen=True)
class GraphCut:
    """A graph cut in two at its border."""

    front: GraphPart
    """From the photos to the border; no moving variable is in it."""
    tail: GraphPart
    """From the border to the features."""
    had_own_gradients: bool
    """Whether operations of the tail named a gradient of their own. Such a gradient does not work outside its module,
    so it is gone: what counts is now that of the operations it was for."""
    specs: tuple[tf.TensorSpec, ...]
    """Of the tensors at the border."""
    front_share: float
    """Part of the multiplications and additions of one photo that the tail is spared, 0 to 1."""


def cut_before(graph: FrozenGraph, moving: Collection[int]) -> GraphCut | None:
    """Cut a graph before everything that the variables at the places ``moving`` reach.

    None if no variable is reached, or if nothing worth keeping happens before the first one.
    """
    cutter = _Cutter(graph, moving)
    border = cutter.border()
    front = _needed(graph, [f"{graph.input}:0"], border)
    tail = _needed(graph, border, [graph.output])
    if not border or not any(node.op in _WITH_KERNEL for node in front):
        return None
    return GraphCut(
        front=_part(graph, front, [f"{graph.input}:0"], border),
        tail=_part(graph, tail, border, [f"{graph.output}:0"]),
        had_own_gradients=any(OWN_GRADIENT in node.attr for node in tail),
        specs=tuple(map(cutter.spec, border)),
        front_share=1 - cutter.work(tail) / cutter.work(graph.nodes),
    )


class _Cutter:
    """Finds the border: the tensors that depend on the photos, on no moving variable, and are used by what does."""

    def __init__(self, graph: FrozenGraph, moving: Collection[int]) -> None:
        self._graph = graph
        self._of_photo = _reached(graph, {graph.input})
        self._moving = _reached(graph, {name for name, place in graph.variable_nodes.items() if place in moving})

    def border(self) -> list[str]:
        """Return the tensors as ``name:number``, in the graph's order; none if nothing moves."""
        used = [text for node in self._graph.nodes if node.name in self._moving for text in self._from_photo(node)]
        found = {name for text in used if source_name(text) not in self._moving for name in self._storable(text)}
        while (cheaper := {self._cheapest(name, found) for name in found}) != found:
            found = cheaper
        return sorted(found, key=lambda name: (self._order[source_name(name)], name))

    def spec(self, tensor: str) -> tf.TensorSpec:
        """Return shape and type of a tensor."""
        value = self._graph.function.graph.get_tensor_by_name(tensor)
        return tf.TensorSpec(value.shape, value.dtype)

    def work(self, nodes: Collection[Any]) -> float:
        """Count the numbers that these nodes compute for a photo, each as many times as it has products in its sum.

        It is a measure of shares only. It stands in for a clock because the same plan has to decide the same again.
        """
        return sum(self._work(node) for node in nodes if node.name in self._of_photo)

    def _work(self, node: Any) -> float:
        outputs = self._graph.function.graph.get_operation_by_name(node.name).outputs
        numbers = _numbers(outputs[0].shape) if outputs else 0
        if node.op not in _WITH_KERNEL:
            return numbers
        kernel = self.spec(_tensor(node.input[1])).shape
        return numbers * max(1.0, _numbers(kernel, 0) / (outputs[0].shape[-1] or 1))

    def _from_photo(self, node: Any) -> list[str]:
        """Return the inputs of a node that depend on the photo."""
        texts = [_tensor(text) for text in node.input if not text.startswith("^")]
        return [text for text in texts if source_name(text) in self._of_photo]

    def _storable(self, tensor: str) -> list[str]:
        """Return the tensor, or where it cannot be kept photo by photo, such as its shape, what it is computed from."""
        found: list[str] = []
        waiting = [tensor]
        while waiting:
            name = waiting.pop()
            if self._is_storable(name):
                found.append(name)
            else:
                waiting += self._from_photo(self._graph.node(source_name(name)))
        return found

    def _is_storable(self, tensor: str) -> bool:
        spec = self.spec(tensor)
        axes: list[int | None] = spec.shape.as_list() if spec.shape.rank else [0]
        return spec.dtype == tf.float32 and axes[0] is None and all(axes[1:])

    def _cheapest(self, tensor: str, border: Collection[str]) -> str:
        """Return the smallest tensor from which quick operations alone lead to this one; one in the border is free."""
        best = here = tensor
        while (node := self._graph.node(source_name(here))).op in _QUICK:
            before = self._from_photo(node)
            if len(set(before)) != 1:
                break
            (here,) = set(before)
            if self._is_storable(here) and (here in border or self._count(here) < self._count(best)):
                best = here
        return best

    def _count(self, tensor: str) -> int:
        return _numbers(self.spec(tensor).shape)

    @cached_property
    def _order(self) -> dict[str, int]:
        return {node.name: number for number, node in enumerate(self._graph.nodes)}


def live(part: GraphPart, specs: Sequence[tf.TensorSpec], variables: Sequence[tf.Variable]) -> Callable[..., Any]:
    """Return a part as a function of tensors of these specifications, on the variables themselves."""
    return tf.function(lambda *values: part.run(values, variables), input_signature=list(specs), autograph=False)


def _part(graph: FrozenGraph, nodes: Sequence[Any], inputs: Sequence[str], outputs: Sequence[str]) -> GraphPart:
    """Copy the nodes between some tensors and others, with a place to put a value in for each input and variable."""
    tensors = graph.function.graph.as_graph_def(add_shapes=False)
    definition = tf.compat.v1.GraphDef()
    definition.versions.CopyFrom(tensors.versions)
    definition.library.CopyFrom(tensors.library)
    places = {tensor: f"border_{number}" for number, tensor in enumerate(inputs)}
    for tensor, name in places.items():
        dtype = graph.function.graph.get_tensor_by_name(tensor).dtype.as_datatype_enum
        _add_place(definition, name, dtype)
    variables: dict[str, int] = {}
    for node in nodes:
        if node.name in graph.variable_nodes:
            variables[node.name] = graph.variable_nodes[node.name]
            _add_place(definition, node.name, node.attr["dtype"].type)
            continue
        added = definition.node.add()
        added.CopyFrom(node)
        # control edges only order what has effects, and inference has none
        added.attr.pop(OWN_GRADIENT, None)
        added.input[:] = [places.get(_tensor(text), text) for text in node.input if not text.startswith("^")]
    ends = tuple(f"{places[text]}:0" if text in places else text for text in map(_tensor, outputs))
    return GraphPart(definition, tuple(f"{name}:0" for name in places.values()), ends, variables)


def _add_place(definition: Any, name: str, dtype: int) -> None:
    added = definition.node.add()
    added.name, added.op = name, "Placeholder"
    added.attr["dtype"].type = dtype


def _needed(graph: FrozenGraph, inputs: Collection[str], outputs: Collection[str]) -> list[Any]:
    """Return the nodes that compute ``outputs`` where the tensors ``inputs`` are given, in the graph's order."""
    needed: set[str] = set()
    waiting = [_tensor(text) for text in outputs]
    while waiting:
        tensor = waiting.pop()
        name = source_name(tensor)
        if tensor in inputs or name in needed:
            continue
        needed.add(name)
        waiting += [_tensor(text) for text in graph.node(name).input if not text.startswith("^")]
    return [node for node in graph.nodes if node.name in needed]


def _reached(graph: FrozenGraph, names: set[str]) -> set[str]:
    """Return these nodes and all that follow from them."""
    reached = set(names)
    for node in graph.nodes:
        if any(source_name(text) in reached for text in node.input if not text.startswith("^")):
            reached.add(node.name)
    return reached


def _tensor(text: str) -> str:
    """Return an input reference in full, ``name:number``."""
    return text if ":" in text or text.startswith("^") else f"{text}:0"


def _numbers(shape: tf.TensorShape, first: int = 1) -> int:
    """Count the numbers in a tensor's axes from ``first`` on: of one photo; an axis of unknown length counts once."""
    return math.prod(axis or 1 for axis in shape.as_list()[first:]) if shape.rank else 1
