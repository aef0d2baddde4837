"""A look through a module's graphs before anything of it is loaded: a SavedModel is a program.

Everything counts that could run when the module is loaded or called: functions, signatures, initialisers, in every meta
graph. Reading and writing checkpoints is what each module's own saver does, and all right there only: nobody here calls
the saver of a TF2 module, and of a TF1 module only the part that restores.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.framework import variable_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.framework import op_def_registry

from hubstudio.ml.dangerous_operations import RESTORING, SAVING, danger_of
from hubstudio.ml.module_graph import source_name

UNKNOWN = "is no operation of this TensorFlow"
LEAVES = "leads out of the module's folder"


@dataclass(frozen=True)
class Finding:
    """Something that a module for photos has no need of."""

    operation: str
    """The operation's type, or the asset's name."""
    why: str
    place: str
    """Name of the function it is in; '' for the graph itself."""

    def __str__(self) -> str:
        return f"{self.operation} ({self.why})"


class _Use(Enum):
    """What a node is there for."""

    RUN = auto()
    """It may run when the module is loaded or called."""
    SAVE = auto()
    RESTORE = auto()
    LEFTOVER = auto()
    """It belongs to a whole saver that nothing names any more: a TF1 graph keeps each that was made while training."""


_Uses = frozenset[_Use]
_NONE: _Uses = frozenset()
_RUNS: _Uses = frozenset((_Use.RUN,))
_SAVERS_OWN: _Uses = frozenset((_Use.SAVE, _Use.RESTORE))
"""What TF2's savers call functions for; TF1's call none."""
_ALLOWED: Mapping[_Use, frozenset[str]] = {
    _Use.RUN: frozenset(),
    _Use.RESTORE: frozenset(RESTORING),
    _Use.SAVE: frozenset(SAVING) | frozenset(RESTORING),
    _Use.LEFTOVER: frozenset(SAVING) | frozenset(RESTORING),
}
_SAVERS = "savers"
"""The collection that holds ``SaverDef``; all others that hold bytes hold ``VariableDef``, or nothing that runs."""
_STANDS_IN = "api_implements"
"""An attribute of functions that TensorFlow exchanges for one another, as it sees fit."""
_SAVER_ENDS = ("Identity", "control_dependency")


def scan(definition: Any, folder: Path) -> tuple[Finding, ...]:
    """Return everything suspicious in a ``SavedModel`` message, each kind of operation in each place once."""
    graphs = definition.meta_graphs
    is_tf2 = len(graphs) == 1 and graphs[0].HasField("object_graph_def")  # else TensorFlow takes the loader for TF1
    found = (finding for graph in graphs for finding in _scanned(graph, folder, is_tf2=is_tf2))
    return tuple(dict.fromkeys(found))


def _scanned(graph: Any, folder: Path, *, is_tf2: bool) -> Iterator[Finding]:
    functions = graph.graph_def.library.function
    uses = _uses_of_nodes(graph)
    called = _uses_of_functions(graph, uses, _SAVERS_OWN if is_tf2 else _NONE)
    for node in graph.graph_def.node:
        yield from _judged(node, uses[node.name], called, "")
    for function in functions:
        name = function.signature.name
        for node in function.node_def:
            yield from _judged(node, called[name], called, name)
    yield from _assets(graph, folder)


def _judged(node: Any, uses: _Uses, functions: Container[str], place: str) -> Iterator[Finding]:
    if node.op not in functions and op_def_registry.get(node.op) is None:
        yield Finding(node.op, UNKNOWN, place)
    elif (why := danger_of(node)) and not _allowed(node.op, uses):
        yield Finding(node.op, why, place)


def _allowed(operation: str, uses: _Uses) -> bool:
    """Whether it is a saver's operation in a saver. One without a use is in none, whatever it is there for."""
    return bool(uses) and all(operation in _ALLOWED[use] for use in uses)


def _uses_of_nodes(graph: Any) -> dict[str, _Uses]:
    """Return for every node of the outer graph what it is there for: everything that needs it counts."""
    nodes = {node.name: node for node in graph.graph_def.node}
    saver = graph.saver_def
    needed = {
        _Use.RUN: _ancestors(_roots(graph), nodes),
        _Use.SAVE: _ancestors([saver.save_tensor_name], nodes),
        _Use.RESTORE: _ancestors([saver.restore_op_name, saver.filename_tensor_name], nodes),
        _Use.LEFTOVER: _ancestors(_leftover_savers(nodes), nodes),
    }
    needed[_Use.RUN] |= {name for name in needed[_Use.RESTORE] if _restores_elsewhere(nodes[name], saver)}
    return {name: frozenset(use for use, names in needed.items() if name in names) for name in nodes}


def _restores_elsewhere(node: Any, saver: Any) -> bool:
    """Whether a node reads other variables than the module's own: a path of its maker's, or on another computer."""
    own = saver.filename_tensor_name  # what TensorFlow puts the module's own path in for
    return node.op in RESTORING and node.input[:1] != [own.removesuffix(":0")]


def _roots(graph: Any) -> Iterator[str]:
    """Yield the names that loading or calling fetches: signatures' tensors, assets', and all that a collection names.

    TensorFlow's loader of TF1 modules runs the initialiser of every variable in some collections.
    """
    for signature in graph.signature_def.values():
        for info in (*signature.outputs.values(), *signature.inputs.values()):
            yield from _tensors(info)
    yield from (asset.tensor_info.name for asset in _asset_definitions(graph))
    for key, collection in graph.collection_def.items():
        yield from collection.node_list.value
        if key != _SAVERS:
            for value in collection.bytes_list.value:
                yield from _named_by(value)


def _tensors(info: Any) -> Iterator[str]:
    coo = info.coo_sparse
    yield from (info.name, coo.values_tensor_name, coo.indices_tensor_name, coo.dense_shape_tensor_name)
    for part in info.composite_tensor.components:
        yield from _tensors(part)


def _named_by(value: bytes) -> Iterator[str]:
    """Yield the names in a collection's entry: a name as it is, or a variable with its initialiser."""
    yield value.decode("utf-8", "replace")
    try:
        variable = variable_pb2.VariableDef.FromString(value)
    except DecodeError:  # TensorFlow would not get any further with it than we do
        return
    yield from (variable.variable_name, variable.initializer_name, variable.initial_value_name, variable.snapshot_name)


def _leftover_savers(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ends of every whole saver by the names that TF1 gave them: ``save_1/restore_all`` and the like."""
    for name in nodes:
        scope, _, last = name.rpartition("/")
        ends = [end for last_name in _SAVER_ENDS if (end := f"{scope}/{last_name}") in nodes]
        if last == "restore_all" and ends:
            yield from (name, *ends)


def _ancestors(roots: Iterable[str], nodes: Mapping[str, Any]) -> set[str]:
    waiting = [source_name(root) for root in roots]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in reached:
            reached.add(name)
            waiting += map(source_name, nodes[name].input)
    return reached


def _uses_of_functions(graph: Any, uses: Mapping[str, _Uses], savers_own: _Uses) -> dict[str, _Uses]:
    """Return for every function what it is there for; one that no known way leads to is taken for one that may run."""
    calls: dict[str, set[str]] = {}
    for function in graph.graph_def.library.function:
        called = {called for node in function.node_def for called in _called(node)}
        calls.setdefault(function.signature.name, set()).update(called)
    found = dict.fromkeys(calls, _NONE)
    for node in graph.graph_def.node:
        used = uses[node.name]
        _spread(_called(node), used if used and used <= savers_own else _RUNS, calls, found)
    _spread(_offered(graph), _RUNS, calls, found)
    _spread([name for name, used in found.items() if not used], _RUNS, calls, found)
    return found


def _spread(
    names: Iterable[str], used: _Uses, calls: Mapping[str, Iterable[str]], found: MutableMapping[str, _Uses]
) -> None:
    """Note a use of some functions for them and for all that they call."""
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found and not used <= found[name]:
            found[name] |= used
            waiting += calls[name]


def _offered(graph: Any) -> Iterator[str]:
    """Yield the functions that run without a node that calls them: by name, as gradients, or in another's stead."""
    objects, library = graph.object_graph_def, graph.graph_def.library
    yield from objects.concrete_functions
    for node in objects.nodes:
        yield node.bare_concrete_function.concrete_function_name
        yield from node.function.concrete_functions
    yield from (gradient.gradient_func for gradient in (*library.gradient, *library.registered_gradients))
    for function in library.function:
        if _STANDS_IN in function.attr:
            yield function.signature.name
        for value in function.attr.values():
            yield from _functions_in(value)


def _called(node: Any) -> Iterator[str]:
    """Yield the functions a node calls: named by its attributes, or by its type, as TF1 has it."""
    yield node.op
    for value in node.attr.values():
        yield from _functions_in(value)


def _functions_in(value: Any) -> Iterator[str]:
    """Yield what an attribute may name: functions, those given to them in turn, and texts, which some passes follow."""
    for function in (value.func, *value.list.func):
        yield function.name
        for inner in function.attr.values():
            yield from _functions_in(inner)
    for text in (value.s, *value.list.s):
        yield text.decode("utf-8", "replace")


def _assets(graph: Any, folder: Path) -> Iterator[Finding]:
    for definition in _asset_definitions(graph):
        if _leaves(definition.filename, folder):
            yield Finding(definition.filename[:100], LEAVES, "")


def _asset_definitions(graph: Any) -> list[Any]:
    definitions = list(graph.asset_file_def)
    older = graph.collection_def.get("saved_model_assets")
    for packed in older.any_list.value if older else ():
        definition = meta_graph_pb2.AssetFileDef()
        if packed.Unpack(definition):
            definitions.append(definition)
    return definitions


def _leaves(name: str, folder: Path) -> bool:
    """Whether an asset's name, as either kind of system reads it, or a link leads out of the folder."""
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        if path.anchor or ".." in path.parts:
            return True
    return "://" in name or not (folder / "assets" / name).resolve().is_relative_to(folder.resolve())
