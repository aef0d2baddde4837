"""Which pixel values a module takes, in words, as far as its graph tells: nothing is claimed that was not found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio.ml.module_graph import FrozenGraph, source_name

Numbers = NDArray[np.float64]
CONVENTION = "0 to 1 by TF Hub's convention; the graph does not tell"
_LEVELS = 255.0
_MINUS, _DASH = "−", " to "


def value_range(graph: FrozenGraph) -> str:
    """Follow the photo through the first operations as long as they only scale and shift it; say what it becomes."""
    low, high = np.zeros(3), np.ones(3)
    value, found = graph.input, False
    while step := _next(graph, value):
        value, function = step
        if function:
            with np.errstate(all="ignore"):
                low, high, found = *np.broadcast_arrays(function(low), function(high)), True
            if low.size > 16:  # scaled by a map, not by channel
                return CONVENTION
    if not found or not np.isfinite((low, high)).all():
        return CONVENTION
    low, high = np.minimum(low, high), np.maximum(low, high)
    if float((high - low).max()) < _MUCH_TOO_SMALL:
        return f"seems to be 0 to 255: 0 to 1 would become {_range(low, high)} inside"
    same = np.allclose(low, 0) and np.allclose(high, 1)
    return "0 to 1, used as they are" if same else f"0 to 1, rescaled inside to {_range(low, high)}"


_MUCH_TOO_SMALL = 8 / _LEVELS
"""A range inside that no network is made for: what is left of 0 to 1 after a division by 255, even by deviations."""


def _range(low: Numbers, high: Numbers) -> str:
    text = _DASH.join((_text(float(low.min())), _text(float(high.max()))))
    one_for_all = np.allclose(low, low.flat[0]) and np.allclose(high, high.flat[0])
    return text if one_for_all else f"{text}, each channel its own"


def _text(number: float) -> str:
    rounded = round(number, 2) if abs(number) >= 0.1 else round(number, 4)
    return f"{rounded:g}".replace("-", _MINUS)


def _next(graph: FrozenGraph, value: str) -> tuple[str, Callable[[Numbers], Numbers] | None] | None:
    """Return the one operation that takes the value, and what it does with it; None where the scaling ends."""
    users = [node for node in graph.nodes if value in map(source_name, node.input) and node.op not in _LOOKING]
    if len(users) != 1:
        return None
    (node,) = users
    if node.op in ("Identity", "Cast", "StopGradient"):
        return node.name, None
    operation = _ARITHMETIC.get(node.op)
    names = [source_name(reference) for reference in node.input]
    if operation is None or len(names) != 2 or names[0] == names[1]:
        return None
    other = _constant(graph, names[0] if names[1] == value else names[1])
    if other is None:
        return None
    if names[0] == value:
        return node.name, lambda numbers: operation(numbers, other)
    return node.name, lambda numbers: operation(other, numbers)


_LOOKING = frozenset(("Shape", "NoOp"))
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Mul": np.multiply,
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "RealDiv": np.divide,
    "Div": np.divide,
    "DivNoNan": np.divide,
}


def _constant(graph: FrozenGraph, name: str) -> Numbers | None:
    """Return the value of a node that depends on constants alone, computed where arithmetic is enough."""
    node = graph.node(name)
    if node.op == "Const":
        return np.asarray(tf.make_ndarray(node.attr["value"].tensor), np.float64).squeeze()
    values = [_constant(graph, source_name(reference)) for reference in node.input if not reference.startswith("^")]
    if not values or any(value is None for value in values):
        return None
    if node.op in ("Identity", "Cast", "Reshape", "ExpandDims"):
        return values[0]
    function = {**_ARITHMETIC, **_ON_CONSTANTS}.get(node.op)
    with np.errstate(all="ignore"):
        return np.asarray(function(*values)) if function else None


_ON_CONSTANTS: dict[str, Callable[..., Any]] = {
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Maximum": np.maximum,
}
