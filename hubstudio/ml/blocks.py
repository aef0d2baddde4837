"""A backbone's variables in blocks, from the pixels to the features: what "the last N blocks" means.

A module's list of variables comes in arbitrary order. Which variables belong together is read from their names; where
names tell nothing, the graph says it: what lies between two places where it narrows to one tensor is a block. Which
block is deeper is read from the graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hubstudio.core.natural_order import natural_key
from hubstudio.ml.module_graph import Action

_NUMBERED = re.compile(r"^(unit|block|blocks|layer|layers|cell|stage)_?\d+[a-z]?$", re.IGNORECASE)
_DIMENSIONAL = re.compile(r"^[a-z]+[123]d$", re.IGNORECASE)  # conv2d: that digit numbers nothing
_COUNTED = re.compile(r"^([a-z]+_)?(conv[123]d|dense|normalization)(_transpose)?(_\d+)?$")
"""What Keras calls a layer that nobody named: its kind and a number counted over all models of a program."""


@dataclass(frozen=True)
class VariableBlock:
    """Variables, as places in the module's list, that are frozen or fine-tuned together."""

    name: str
    places: tuple[int, ...]


def find_blocks(
    names: Sequence[str], ranks: Sequence[int], actions: Mapping[int, Action], stages: Mapping[int, int] | None = None
) -> list[VariableBlock]:
    """Group variables and sort the groups by depth.

    ``names`` and ``ranks`` (number of axes) are by place; a variable missing in ``actions`` does not act on the
    features and belongs to no block unless its name puts it into one. ``stages`` groups kernels whose names tell
    nothing, see ``narrow_places.stages``.
    """
    keys = _staged(_keys(names), ranks, stages or {})
    places = sorted(range(len(names)), key=lambda place: (_depth(actions, place), natural_key(names[place])))
    grouped: dict[str, list[int]] = {}
    key_of: dict[int, str] = {}
    for place in places:
        key = keys[place] or _unnamed(place, ranks, actions, key_of, len(grouped))
        key_of[place] = key
        grouped.setdefault(key, []).append(place)
    used = {key: members for key, members in grouped.items() if any(place in actions for place in members)}
    return _joined(used, ranks, actions, key_of)


def _staged(keys: Sequence[str], ranks: Sequence[int], stages: Mapping[int, int]) -> list[str]:
    """Replace keys that tell nothing, of the kernels of one stage, by one: the kernels' own names, first to last."""
    members: dict[int, list[int]] = {}
    for place, stage in stages.items():
        if ranks[place] > 1 and (not keys[place] or _COUNTED.match(keys[place])):
            members.setdefault(stage, []).append(place)
    staged = list(keys)
    for number, (_, places) in enumerate(sorted(members.items()), 1):
        own = sorted({keys[place] for place in places}, key=natural_key)
        name = " to ".join(dict.fromkeys((own[0], own[-1]))) if all(own) else f"layer_{number}"
        for place in places:
            staged[place] = name
    return staged


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
    """Put a group without any kernel (a batch-norm of its own name) into the block of the kernel it follows.

    One that follows none, such as a normalization of the photo, goes to the first block.
    """
    members_of: dict[str, list[int]] = {}
    first = next((key for key, members in grouped.items() if any(ranks[place] > 1 for place in members)), None)
    for key, members in grouped.items():
        before = actions[members[0]].after if members[0] in actions else None
        host = key_of.get(before, key) if before is not None else first
        joins = (host in members_of or host == first) and all(ranks[place] < 2 for place in members)
        members_of.setdefault(host if joins and host else key, []).extend(members)
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
