"""Whether a folder holds a whole SavedModel: looked at file by file, in milliseconds, without TensorFlow.

It finds what is missing, empty or cut off; what was altered in place only shows when the module is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.checkpoint_index import data_sizes
from hubstudio.core.wire_format import fields

SAVED_MODEL, SAVED_MODEL_TEXT, VARIABLES = "saved_model.pb", "saved_model.pbtxt", "variables"
_META_GRAPH = 2  # field of SavedModel
_SAVER, _OBJECT_GRAPH = 3, 7  # fields of MetaGraphDef: with either of them there are variables beside it
_SAVER_TEXT = re.compile(rb"\s*(saver_def|object_graph_def)\s*:?\s*[{<]")
"""The same fields as lines of text; within a text value a line never begins, it has ``\\n`` there."""
_SHARD = re.compile(r"variables\.data-(\d{5})-of-(\d{5})")


def damage(folder: Path) -> str:
    """Return what is wrong with the module in ``folder``, as a clause; '' if nothing is."""
    try:
        return _damage(folder)
    except OSError as error:
        return f"it cannot be read ({path_kinds.reason(error)})"


def holds_saved_model(folder: Path) -> bool:
    """Whether there is a SavedModel in the folder, whole or not."""
    return any(path_kinds.is_file(folder / name) for name in (SAVED_MODEL, SAVED_MODEL_TEXT))


def _damage(folder: Path) -> str:
    models = [folder / name for name in (SAVED_MODEL, SAVED_MODEL_TEXT)]  # the order of TensorFlow's loader
    model = next(filter(path_kinds.is_file, models), None)
    if model is None:
        return f"{SAVED_MODEL} is missing" if path_kinds.names_in(folder) else "its folder is empty"
    try:
        has_variables = (_has_variables if model.name == SAVED_MODEL else _has_variables_as_text)(model)
    except ValueError as error:
        return f"{model.name} is damaged: {error}"
    return _variables_damage(folder / VARIABLES) if has_variables else ""


def _has_variables(model: Path) -> bool:
    """Return whether variables belong to it. Raises ``ValueError`` if it is not whole."""
    size = model.stat().st_size
    if not size:
        raise ValueError("it is empty")
    with model.open("rb") as file:
        graphs = [field for field in fields(file, 0, size) if field.number == _META_GRAPH]
        if not graphs:
            raise ValueError("it holds no graph")
        # All of each graph is walked through, not only to the first hit: the walk is the check.
        parts = [{part.number for part in fields(file, graph.start, graph.end)} for graph in graphs]
    return any(numbers & {_SAVER, _OBJECT_GRAPH} for numbers in parts)


def _has_variables_as_text(model: Path) -> bool:
    """Return whether variables belong to it. Raises ``ValueError`` if it is empty; its text is parsed when loaded."""
    if not model.stat().st_size:
        raise ValueError("it is empty")
    with model.open("rb") as file:
        return any(map(_SAVER_TEXT.match, file))


def _variables_damage(folder: Path) -> str:
    index = folder / "variables.index"
    if not path_kinds.is_file(index):
        return f"{VARIABLES}/{index.name} is missing"
    shards = sorted(filter(None, map(_SHARD.fullmatch, path_kinds.names_in(folder))), key=lambda match: match[1])
    if not shards:
        return f"{VARIABLES}/variables.data-00000-of-00001 is missing"
    if len(shards) < int(shards[0][2]):
        return f"{len(shards)} of {int(shards[0][2])} files of {VARIABLES} are here"
    try:
        expected = data_sizes(index.read_bytes())
    except ValueError as error:
        return "" if "compressed" in str(error) else f"{VARIABLES}/{index.name} is damaged: {error}"
    for match, size in zip(shards, expected, strict=False):
        found = (folder / match[0]).stat().st_size
        if found < size:
            return f"{VARIABLES}/{match[0]} is cut off: {found:,} of {size:,} bytes"
    return ""
