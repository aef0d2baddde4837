"""A module's forward pass as one flat graph with its variables frozen in: what depth and rewriting are read from."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

Tensor = Any


@dataclass(frozen=True)
class FrozenGraph:
    """Nodes in an order in which every node comes after its inputs."""

    function: Any
    """The frozen concrete function."""
    nodes: tuple[Any, ...]
    """``NodeDef`` of every operation."""
    input: str
    output: str
    """Names of nodes."""
    variable_nodes: dict[str, int]
    """Name of the constant a variable became, and the variable's place in the list given to ``freeze``."""

    @cached_property
    def _by_name(self) -> dict[str, Any]:
        return {node.name: node for node in self.nodes}

    def node(self, name: str) -> Any:
        """Return the ``NodeDef`` of that name."""
        return self._by_name[name]

    def constant_numbers(self) -> int:
        """Count the numbers in constants: the parameters of a module whose variables cannot be listed."""
        tensors = (node.attr["value"].tensor for node in self.nodes if node.op == "Const")
        return sum(math.prod(axis.size for axis in tensor.tensor_shape.dim) for tensor in tensors)

    def up_to(self, output: str) -> FrozenGraph:
        """Return the part that leads to the node ``output``; the function still computes everything."""
        needed: set[str] = set()
        waiting = [output]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += map(source_name, self.node(name).input)
        nodes = tuple(node for node in self.nodes if node.name in needed or node.name == self.input)
        variables = {name: place for name, place in self.variable_nodes.items() if name in needed}
        return replace(self, nodes=nodes, output=output, variable_nodes=variables)

    def depths(self) -> dict[str, int]:
        """Return of every node that depends on the photo how many operations the longest way to it has."""
        found = {self.input: 0}
        for node in self.nodes:
            sources = (source_name(reference) for reference in node.input if not reference.startswith("^"))
            depths = [found[name] for name in sources if name in found]
            if depths:
                found[node.name] = max(depths) + 1
        return found


def freeze_outputs(
    call: Callable[[Tensor], Mapping[str, Tensor]], spec: tf.TensorSpec, variables: Sequence[tf.Variable]
) -> tuple[FrozenGraph, dict[str, str]]:
    """Freeze a call that gives several outputs; return their nodes' names too, by the outputs' own names."""
    keys: list[str] = []

    def listed(photos: Tensor) -> list[Tensor]:
        outputs = call(photos)
        keys[:] = outputs
        return [tf.identity(output) for output in outputs.values()]

    graph = freeze(listed, spec, variables)
    names = [tensor.op.name for tensor in graph.function.outputs]
    return graph, dict(zip(keys, names, strict=True))


def freeze(call: Callable[[Tensor], Any], spec: tf.TensorSpec, variables: Sequence[tf.Variable]) -> FrozenGraph:
    """Trace ``call`` on ``spec``, inline its functions and turn variables into constants of their present values.

    ``call`` is plain Python: rewriting it first, as TensorFlow would, takes a fifth of the time of loading a module.
    """
    concrete = tf.function(call, autograph=False).get_concrete_function(spec)
    places = {id(variable.handle): place for place, variable in enumerate(variables)}
    captured = {inner.op.name: places[id(outer)] for outer, inner in concrete.graph.captures if id(outer) in places}
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    nodes = _in_order(frozen.graph.as_graph_def().node)
    graph = FrozenGraph(frozen, nodes, frozen.inputs[0].op.name, frozen.outputs[0].op.name, captured)
    return graph.up_to(graph.output) if len(frozen.outputs) == 1 else graph


def source_name(reference: str) -> str:
    """Return the node's name of an input reference such as ``^conv`` or ``split:1``."""
    return reference.removeprefix("^").split(":")[0]


@dataclass(frozen=True)
class Action:
    """Where a variable first acts on the data."""

    depth: int
    """Operations between the photo and there, on the longest way."""
    after: int | None
    """Place of the kernel that acted last before it on that way."""
    node: str = ""
    """Name of the node."""


def variable_actions(graph: FrozenGraph, kernels: Collection[int]) -> dict[int, Action]:
    """Return where each variable acts, by place; ``kernels`` are the places of those with more than one axis."""
    data: dict[str, Action] = {graph.input: Action(0, None)}  # of a node: its depth, and the kernel at work last
    carried: dict[str, frozenset[int]] = {name: frozenset((place,)) for name, place in graph.variable_nodes.items()}
    actions: dict[int, Action] = {}
    for node in graph.nodes:
        sources = [source_name(reference) for reference in node.input if not reference.startswith("^")]
        acting = frozenset[int]().union(*(carried.get(name, frozenset()) for name in sources))
        inputs = [data[name] for name in sources if name in data]
        if not inputs:
            carried[node.name] = carried.get(node.name, frozenset()) | acting
            continue
        deepest = max(inputs, key=lambda source: source.depth)
        here = Action(deepest.depth + 1, deepest.after)
        for place in acting:
            if place not in actions or here.depth < actions[place].depth:
                actions[place] = replace(here, node=node.name)
        own_kernels = [place for place in acting if place in kernels]
        data.setdefault(node.name, Action(here.depth, own_kernels[-1] if own_kernels else here.after))
    return actions


def _in_order(nodes: Sequence[Any]) -> tuple[Any, ...]:
    """Sort topologically; the converter does not promise an order. Written with a stack, since graphs are deep."""
    by_name = {node.name: node for node in nodes}
    done: dict[str, Any] = {}
    for root in nodes:
        stack = [(root, False)]
        while stack:
            node, inputs_done = stack.pop()
            if node.name in done:
                continue
            if inputs_done:
                done[node.name] = node
                continue
            stack.append((node, True))
            names = [source_name(reference) for reference in node.input]
            stack += [(by_name[name], False) for name in reversed(names) if name not in done]
    return tuple(done.values())
