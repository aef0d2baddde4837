"""Where a network narrows to one tensor: between two such places, branches belong together whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping

from hubstudio.ml.module_graph import Action, FrozenGraph, source_name

_ABOUT_SHAPES = frozenset(("Shape", "ShapeN", "Size", "Rank"))
"""They look at a tensor's shape only: a way through them is no way of the data."""


def stages(graph: FrozenGraph, actions: Mapping[int, Action]) -> dict[int, int]:
    """Return a number for every variable, by place, growing with depth: equal where no narrow place lies between.

    A place is narrow if every way from the photo to the output passes it. So the branches of an Inception block share
    a number, and so does what a residual connection spans; operations on a plain chain have one each.
    """
    order = _on_the_way(graph)
    narrow = _narrow(graph, order)
    numbers: dict[str, int] = {}
    passed = 0
    for name in order:
        passed += name in narrow
        numbers[name] = 2 * passed + (name not in narrow)
    return {place: numbers[action.node] for place, action in actions.items() if action.node in numbers}


def _on_the_way(graph: FrozenGraph) -> list[str]:
    """Return the nodes that lie on some way of the data from the photo to the output, in the graph's order."""
    sources = _sources(graph)
    reached = {graph.input}
    for node in graph.nodes:
        if node.op not in _ABOUT_SHAPES and any(name in reached for name in sources[node.name]):
            reached.add(node.name)
    needed = {graph.output}
    for node in reversed(graph.nodes):
        if node.name in needed and node.name in reached:
            needed.update(sources[node.name])
    return [node.name for node in graph.nodes if node.name in reached and node.name in needed]


def _narrow(graph: FrozenGraph, order: list[str]) -> set[str]:
    """Return the nodes that no edge leads past: in an order where inputs come first, that is what every way passes."""
    position = {name: index for index, name in enumerate(order)}
    sources = _sources(graph)
    furthest = list(range(len(order)))
    for name in order:
        for source in sources[name]:
            if source in position:
                furthest[position[source]] = max(furthest[position[source]], position[name])
    found: set[str] = set()
    reach = 0
    for index, name in enumerate(order):
        if reach <= index:
            found.add(name)
        reach = max(reach, furthest[index])
    return found


def _sources(graph: FrozenGraph) -> dict[str, list[str]]:
    return {node.name: [source_name(text) for text in node.input if not text.startswith("^")] for node in graph.nodes}
