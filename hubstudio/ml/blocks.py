"""A backbone's variables in blocks, from the pixels to the features: what "the last N blocks" means.

A module's list of variables comes in arbitrary order. Which variables belong together is read from their names; where
names tell nothing, each kernel begins a block. Which block is deeper is read from the graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hubstudio.core.natural_order import natural_key
from hubstudio.ml.module_graph import Action

_NUMBERED = re.compile(r"^(unit|block|blocks|layer|layers|cell|stage)_?\d+[a-z]?$", re.IGNORECASE)
_DIMENSIONAL = re.compile(r"^[a-z]+[123]d$", re.IGNORECASE)  # conv2d: that digit numbers nothing


@dataclass(frozen=True)
class VariableBlock:
    """Variables, as places in the module's list, that are frozen or fine-tuned together."""

    name: str
    places: tuple[int, ...]


def find_blocks(names: Sequence[str], ranks: Sequence[int], actions: Mapping[int, Action]) -> list[VariableBlock]:
    """Group variables and sort the groups by depth.

    ``names`` and ``ranks`` (number of axes) are by place; a variable missing in ``actions`` does not act on the
    features and belongs to no block unless its name puts it into one.
    """
    keys = _keys(names)
    places = sorted(range(len(names)), key=lambda place: (_depth(actions, place), natural_key(names[place])))
    grouped: dict[str, list[int]] = {}
    key_of: dict[int, str] = {}
    for place in places:
        key = keys[place] or _unnamed(place, ranks, actions, key_of, len(grouped))
        key_of[place] = key
        grouped.setdefault(key, []).append(place)
    used = {key: members for key, members in grouped.items() if any(place in actions for place in members)}
    return _joined(used, ranks, actions, key_of)


def _depth(actions: Mapping[int, Action], place: int) -> int:
    return actions[place].depth if place in actions else 10**9


def _unnamed(
    place: int, ranks: Sequence[int], actions: Mapping[int, Action], key_of: Mapping[int, str], groups: int
) -> str:
    """Return a block for a variable whose name tells nothing: a kernel begins one, the rest joins its kernel's."""
    before = actions[place].after if place in actions else None
    if ranks[place] < 2 and before is not None and before in key_of:
        return key_of[before]
    return f"layer_{groups + 1}"


def _joined(
    grouped: Mapping[str, list[int]], ranks: Sequence[int], actions: Mapping[int, Action], key_of: Mapping[int, str]
) -> list[VariableBlock]:
    """Put a group without any kernel (a batch-norm of its own name) into the block of the kernel it follows."""
    members_of: dict[str, list[int]] = {}
    for key, members in grouped.items():
        before = actions[members[0]].after if members[0] in actions else None
        host = key_of.get(before, key) if before is not None else key
        joins = host in members_of and all(ranks[place] < 2 for place in members)
        members_of.setdefault(host if joins else key, []).extend(members)
    return [VariableBlock(key, tuple(members)) for key, members in members_of.items()]


def _keys(names: Sequence[str]) -> list[str]:
    parts = [name.split(":")[0].split("/") for name in names]
    shared = _shared_scopes(parts)
    return [_key(part[shared:]) for part in parts]


def _shared_scopes(parts: Sequence[Sequence[str]]) -> int:
    """Count the leading scopes that all variables share and that therefore tell nothing."""
    shortest = min((len(part) for part in parts), default=1)
    for depth in range(shortest - 1):
        if len({part[depth] for part in parts}) > 1:
            return depth
    return max(shortest - 2, 0)


def _key(scopes: Sequence[str]) -> str:
    if len(scopes) < 2:
        return ""
    deeper = 1
    while deeper < len(scopes) - 1 and _NUMBERED.match(scopes[deeper]):
        deeper += 1
    return "/".join((_stem(scopes[0]), *scopes[1:deeper]))


def _stem(scope: str) -> str:
    """Cut 'Conv2d_3_pointwise' to 'Conv2d_3' and 'block2a_se_reduce' to 'block2a': one block, several layers."""
    tokens = scope.split("_")
    for index, token in enumerate(tokens):
        if re.search(r"\d", token) and not _DIMENSIONAL.match(token):
            end = index + 1
            while end < len(tokens) and _NUMBERED.match(tokens[end]):
                end += 1
            return "_".join(tokens[:end])
    return scope
