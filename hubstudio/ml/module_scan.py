"""A look through a module's graphs before anything of it is loaded: a SavedModel is a program.

Everything counts that could run when the module is loaded or called: functions, signatures, initialisers, in every meta
graph. Reading and writing checkpoints is what each module's own saver does, and all right there only: nobody here calls
the saver of a TF2 module, and of a TF1 module only the part that restores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

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
    """What a node is there for. A node that serves nothing never runs."""

    RUN = auto()
    SAVE = auto()
    RESTORE = auto()


_Uses = frozenset[_Use]
_ALLOWED: Mapping[_Use, frozenset[str]] = {
    _Use.RUN: frozenset(),
    _Use.RESTORE: frozenset(RESTORING),
    _Use.SAVE: frozenset(SAVING) | frozenset(RESTORING),
}


def scan(definition: Any, folder: Path) -> tuple[Finding, ...]:
    """Return everything suspicious in a ``SavedModel`` message, each kind of operation in each place once."""
    found = (finding for graph in definition.meta_graphs for finding in _scanned(graph, folder))
    return tuple(dict.fromkeys(found))


def _scanned(graph: Any, folder: Path) -> Iterator[Finding]:
    library = {function.signature.name: function for function in graph.graph_def.library.function}
    nodes = {node.name: node for node in graph.graph_def.node}
    uses = _uses_of_nodes(graph, nodes)
    for node in nodes.values():
        yield from _judged(node, uses[node.name], library, "")
    for name, used in _uses_of_functions(graph, nodes.values(), uses, library).items():
        for node in library[name].node_def:
            yield from _judged(node, used, library, name)
    yield from _assets(graph, folder)


def _judged(node: Any, uses: _Uses, library: Mapping[str, Any], place: str) -> Iterator[Finding]:
    if node.op not in library and op_def_registry.get(node.op) is None:
        yield Finding(node.op, UNKNOWN, place)
    elif (why := danger_of(node)) and not _allowed(node.op, uses):
        yield Finding(node.op, why, place)


def _allowed(operation: str, uses: _Uses) -> bool:
    savers = operation in SAVING or operation in RESTORING
    return savers and all(operation in _ALLOWED[use] for use in uses)


def _uses_of_nodes(graph: Any, nodes: Mapping[str, Any]) -> dict[str, _Uses]:
    """Return for every node of the outer graph what it is there for: everything that needs it counts."""
    saver = graph.saver_def
    needed = {
        _Use.RUN: _ancestors(_roots(graph), nodes),
        _Use.SAVE: _ancestors([saver.save_tensor_name], nodes),
        _Use.RESTORE: _ancestors([saver.restore_op_name], nodes),
    }
    return {name: frozenset(use for use, names in needed.items() if name in names) for name in nodes}


def _roots(graph: Any) -> Iterator[str]:
    """Yield the names that loading or calling fetches: signatures' outputs and whatever a collection names."""
    for signature in graph.signature_def.values():
        for info in (*signature.outputs.values(), *signature.inputs.values()):
            yield info.name
            yield from (part.name for part in info.composite_tensor.components)
            coo = info.coo_sparse
            yield from (coo.values_tensor_name, coo.indices_tensor_name, coo.dense_shape_tensor_name)
    for collection in graph.collection_def.values():
        yield from collection.node_list.value
        yield from (value.decode("utf-8", "replace") for value in collection.bytes_list.value)


def _ancestors(roots: Iterable[str], nodes: Mapping[str, Any]) -> set[str]:
    waiting = [source_name(root) for root in roots]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in reached:
            reached.add(name)
            waiting += map(source_name, nodes[name].input)
    return reached


def _uses_of_functions(
    graph: Any, nodes: Iterable[Any], uses: Mapping[str, _Uses], library: Mapping[str, Any]
) -> dict[str, _Uses]:
    """Return for every function what it is there for. One that nothing calls is taken for one that may run."""
    calls = {name: {called for node in library[name].node_def for called in _called(node)} for name in library}
    found: dict[str, _Uses] = {name: frozenset[_Use]() for name in library}
    waiting: list[tuple[str, _Uses]] = [(called, uses[node.name]) for node in nodes for called in _called(node)]
    objects = graph.object_graph_def
    bare = (node.bare_concrete_function.concrete_function_name for node in objects.nodes)
    offered = [*objects.concrete_functions, *bare]
    everywhere = {called for names in calls.values() for called in names} | {name for name, _ in waiting}
    waiting += [(name, frozenset((_Use.RUN,))) for name in (*offered, *(set(library) - everywhere))]
    while waiting:
        name, new = waiting.pop()
        if name in found and not new <= found[name]:
            found[name] |= new
            waiting += [(called, found[name]) for called in calls[name]]
    return found


def _called(node: Any) -> Iterator[str]:
    """Yield the functions a node calls: named by its attributes, or by its type, as TF1 has it."""
    yield node.op
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        yield from (function.name for function in value.list.func)


def _assets(graph: Any, folder: Path) -> Iterator[Finding]:
    definitions = list(graph.asset_file_def)
    older = graph.collection_def.get("saved_model_assets")
    for packed in older.any_list.value if older else ():
        definition = meta_graph_pb2.AssetFileDef()
        if packed.Unpack(definition):
            definitions.append(definition)
    for definition in definitions:
        if _leaves(definition.filename, folder):
            yield Finding(definition.filename[:100], LEAVES, "")


def _leaves(name: str, folder: Path) -> bool:
    """Whether an asset's name, as either kind of system reads it, or a link leads out of the folder."""
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        if path.anchor or ".." in path.parts:
            return True
    return "://" in name or not (folder / "assets" / name).resolve().is_relative_to(folder.resolve())
