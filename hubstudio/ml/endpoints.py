"""The places inside a module where it can be left early, and the way through it to one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from hubstudio.core.backbones import Endpoint, display_name
from hubstudio.core.errors import BackboneError, did_you_mean
from hubstudio.core.natural_order import natural_key
from hubstudio.ml.module_calls import DEFAULT, pooled
from hubstudio.ml.module_graph import FrozenGraph, freeze, freeze_outputs, source_name

Tensor = Any
OWN = ""
"""What the module's own feature vector is called in a plan."""


class ModuleCall(Protocol):
    """A way to call a module, see ``module_calls``."""

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        """All of its variables."""
        ...

    def __call__(self, photos: Tensor, training: bool) -> Tensor:
        """Return the module's own features."""
        ...

    def outputs(self, photos: Tensor, training: bool) -> dict[str, Tensor]:
        """Return everything it offers, by name."""
        ...


@dataclass(frozen=True)
class Outputs:
    """Everything that a module offers, understood: which names mean the same, and which can be used as features."""

    graph: FrozenGraph
    """All of them in one."""
    listed: tuple[Endpoint, ...]
    """In depth order, each once, the module's own vector left out."""
    _same: Mapping[str, str]
    """Every name with the name it is listed under; ``OWN`` for names of the module's own vector."""
    _shapes: Mapping[str, tuple[int | None, ...]]
    """Every name with its shape, without the batch."""
    _nodes: Mapping[str, str]
    """Every name with the node of its value in the graph."""

    def named(self, text: str, handle: str) -> str:
        """Return the name of the endpoint that ``text`` means, ``OWN`` for the module's own vector.

        The end of a name is enough where it is one endpoint's only. Raises ``BackboneError`` with all of them.
        """
        text = text.strip()
        if text == OWN:
            return OWN
        if text in self._same:
            name = self._same[text]
            return name if name in (OWN, *self._usable()) else self._refuse(text, handle)
        folded = text.casefold()
        ends = [name for name in self._usable() if f"/{name}".casefold().endswith(f"/{folded}")]
        return ends[0] if len(ends) == 1 else self._refuse(text, handle)

    def graph_of(self, name: str) -> FrozenGraph:
        """Return the part of the graph that leads to an endpoint's map, or to the module's own vector."""
        return self.graph.up_to(self._nodes[name])

    def feature_count(self, name: str) -> int:
        """Return the length of the feature vector of an endpoint."""
        return self._shapes[name][-1] or 0

    def _usable(self) -> list[str]:
        return [endpoint.name for endpoint in self.listed]

    def _refuse(self, text: str, handle: str) -> str:
        names = self._usable()
        shape = self._shapes.get(text)
        found = (
            f"It gives values of shape {_shape_text(shape)}: neither a map of the photo nor a vector."
            if shape is not None
            else did_you_mean(text, names)
        )
        offered = f"Endpoints, from the pixels to the features: {', '.join(names)}." if names else _OFFERS_NONE
        what = "cannot be used for features" if shape is not None else "is not one of its endpoints"
        raise BackboneError(f"'{display_name(handle)}': '{text}' {what}.", found=found, next_step=offered)


_OFFERS_NONE = "This module offers none; leave the endpoint away to use its own feature vector."


def find_outputs(call: ModuleCall, size: int, *, any_size: bool) -> Outputs:
    """Trace the module once, and find out from the graph what its outputs are and which of them are the same.

    ``any_size`` says that the module takes photos of other sizes too: then maps have no size of their own.
    """
    shapes: dict[str, tuple[int | None, ...]] = {}

    def outputs(photos: Tensor) -> dict[str, Tensor]:
        found = {name: value for name, value in call.outputs(photos, False).items() if _is_numbers(value, name)}
        shapes.update((name, _shape(value, any_size)) for name, value in found.items())
        return {OWN: pooled(found[DEFAULT]), **found}

    graph, nodes = freeze_outputs(outputs, photo_spec(size, size), call.variables)
    depths = graph.depths()
    roots = {name: _root(graph, node) for name, node in nodes.items() if name != OWN}
    same = _one_name_each(roots)
    order = {name: (depths.get(source_name(root), 0), natural_key(name)) for name, root in roots.items()}
    names = sorted({name for name in same.values() if name != OWN}, key=order.__getitem__)
    usable = [name for name in names if order[name][0] > 0 and _makes_features(shapes[name])]
    return Outputs(graph, tuple(Endpoint(name, shapes[name]) for name in usable), same, shapes, nodes)


def photo_spec(height: int, width: int) -> tf.TensorSpec:
    """Return the specification of a batch of photos."""
    return tf.TensorSpec([None, height, width, 3], tf.float32)


def _is_numbers(value: Any, name: str) -> bool:
    return tf.is_tensor(value) and bool(value.shape.rank) and (value.dtype == tf.float32 or name == DEFAULT)


def _shape(value: Tensor, any_size: bool) -> tuple[int | None, ...]:
    axes: list[int | None] = value.shape.as_list()[1:]
    if any_size and len(axes) == _MAP_AXES:
        axes[:2] = [side if side == 1 else None for side in axes[:2]]
    return tuple(axes)


_MAP_AXES = 3


def _makes_features(shape: tuple[int | None, ...]) -> bool:
    return len(shape) in (1, 3) and bool(shape[-1])


def _root(graph: FrozenGraph, node: str) -> str:
    """Return the tensor that a node passes on unchanged, or changed in shape only, as ``name:number``."""
    reference = node
    while True:
        name, _, number = reference.removeprefix("^").partition(":")
        found = graph.node(name)
        if found.op in _PASSING:
            reference = found.input[0]
        elif found.op == "IdentityN":
            reference = found.input[int(number or 0)]
        else:
            return f"{name}:{number or 0}"


_PASSING = frozenset(("Identity", "StopGradient", "PreventGradient", "Squeeze"))


def _one_name_each(roots: Mapping[str, str]) -> dict[str, str]:
    """Return for every name the shortest one of the same tensor; ``OWN`` for those of the module's own vector."""
    best: dict[str, str] = {roots[DEFAULT]: OWN}
    for name in sorted(roots, key=lambda name: (len(name), natural_key(name))):
        best.setdefault(roots[name], name)
    return {name: best[root] for name, root in roots.items()}


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return " × ".join("any" if axis is None else str(axis) for axis in shape) or "one number"


class EndpointForward:
    """Leaves a module early: computes only what leads to one endpoint, averaged over the photo.

    With ``training=True``, when batch-norm statistics are to follow the photos, the module itself is called; variables
    that do not lead to the endpoint keep their values then too.
    """

    def __init__(self, call: ModuleCall, endpoint: str, beyond: Sequence[tf.Variable]) -> None:
        self._call = call
        self._endpoint = endpoint
        self._beyond = tuple(beyond)
        self._short_ways: dict[tuple[int, int], Callable[[Tensor], Tensor]] = {}

    def __call__(self, photos: Tensor, training: bool) -> Tensor:
        """Return the features ``[batch, features]``."""
        height, width = photos.shape[1:3]
        if training or height is None or width is None:
            return self._whole_way(photos, training)
        if (height, width) not in self._short_ways:
            with tf.init_scope():  # freezing reads values, also while Keras is tracing
                self._short_ways[height, width] = self._short_way(photo_spec(height, width))
        return self._short_ways[height, width](photos)

    def value(self, photos: Tensor) -> Tensor:
        """Return the features by way of the module's own call, which also computes what comes after."""
        return pooled(self._call.outputs(photos, False)[self._endpoint])

    def _whole_way(self, photos: Tensor, training: bool) -> Tensor:
        if not training:
            return self.value(photos)
        before = [variable.read_value() for variable in self._beyond]
        features = pooled(self._call.outputs(photos, True)[self._endpoint])
        for variable, value in zip(self._beyond, before, strict=True):
            variable.assign(value)
        return features

    def _short_way(self, spec: tf.TensorSpec) -> Callable[[Tensor], Tensor]:
        """Return a function of the part of the graph that leads to the endpoint, on the module's own variables."""
        graph = freeze(self.value, spec, self._call.variables)
        definition, output = _with_variables_open(graph), f"{graph.output}:0"
        variables = self._call.variables

        def features(photos: Tensor) -> Tensor:
            values = {f"{name}:0": variables[place].read_value() for name, place in graph.variable_nodes.items()}
            inputs = {f"{graph.input}:0": photos, **values}
            (result,) = tf.graph_util.import_graph_def(definition, inputs, [output], name="")
            return result

        return tf.function(features, input_signature=[spec], autograph=False)


def _with_variables_open(graph: FrozenGraph) -> tf.compat.v1.GraphDef:
    """Return the graph with a place to put a value in for every constant that a variable became."""
    definition = tf.compat.v1.GraphDef()
    definition.versions.CopyFrom(graph.function.graph.as_graph_def().versions)
    for node in graph.nodes:
        added = definition.node.add()
        if node.name in graph.variable_nodes:
            added.name, added.op = node.name, "Placeholder"
            added.attr["dtype"].CopyFrom(node.attr["dtype"])
        else:
            added.CopyFrom(node)
    return definition
