"""What reading and comparing the photos has told: copies, look-alikes, one photo in two classes, tiny photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.groups import groups_of
from hubstudio.core.look_alikes import Links
from hubstudio.core.near_duplicates import NEAR_BITS
from hubstudio.core.photo_counts import LEFT_OUT_KINDS, left_out_notes
from hubstudio.core.photos import Photo, PhotoSet, Problem, count_of

SMALL_SIDE = 64
"""Pixels of the shorter side below which a photo is called very small: backbones look at 96 and more."""

HEALTH_KINDS = frozenset(
    ("copies_across", "look_alikes_across", "copies", "look_alikes", "series", "small", *LEFT_OUT_KINDS)
)
_HOW_NEAR = f"perceptual hashes up to {NEAR_BITS} of 64 bits apart"
_Group = tuple[Photo, ...]


def health_problems(photo_set: PhotoSet, links: Links) -> Iterator[Problem]:
    """Yield what is to be said about a checked set; what contradicts itself first. Nothing here blocks training."""
    copies = _copies(photo_set)
    near = _linked(photo_set, links.near, copies)
    yield from _across(copies, "copies_across", "exactly the same photo")
    yield from _across(near, "look_alikes_across", f"nearly the same photo ({_HOW_NEAR})")
    yield from _within(copies, "copies", "an exact copy of another", "exact copies of others")
    nearly = "nearly the same as"
    yield from _within(near, "look_alikes", f"{nearly} another ({_HOW_NEAR})", f"{nearly} others ({_HOW_NEAR})")
    yield from _series(_linked(photo_set, links.series, ()))
    yield from _small(photo_set)
    yield from left_out_notes(photo_set)


def _copies(photo_set: PhotoSet) -> list[_Group]:
    by_digest: defaultdict[bytes, list[Photo]] = defaultdict(list)
    for photo in photo_set.photos:
        by_digest[photo_set.facts[photo.path].digest].append(photo)
    return [tuple(photos) for photos in by_digest.values() if len(photos) > 1]


def _linked(photo_set: PhotoSet, links: NDArray[np.int64], known: Sequence[_Group]) -> list[_Group]:
    """Return the photos that hang together by links, but not those of which all are copies of one."""
    numbers = groups_of(len(photo_set.photos), links)
    by_number: defaultdict[int, list[Photo]] = defaultdict(list)
    for place in sorted({int(place) for place in links.flat}):
        by_number[int(numbers[place])].append(photo_set.photos[place])
    exact = {photo.path: number for number, group in enumerate(known) for photo in group}
    groups = [tuple(photos) for photos in by_number.values() if len(photos) > 1]
    return [group for group in groups if len({exact.get(photo.path, photo.path) for photo in group}) > 1]


def _across(groups: Iterable[_Group], kind: str, what: str) -> Iterator[Problem]:
    """Groups with more than one class in them: one of the labels is wrong, or the classes cannot be told apart."""
    mixed = [group for group in groups if len({photo.class_name for photo in group}) > 1]
    if not mixed:
        return
    names = [f"'{name}'" for name in dict.fromkeys(photo.class_name for photo in mixed[0])]
    shown = " and ".join(names[:2]) + (f" and {len(names) - 2:,} more" if len(names) > 2 else "")
    message = (
        f"{count_of(_photos(mixed), 'photo')} stand in more than one class with {what} ({shown}): {_kept(mixed)}, and "
        "trained as labelled: leave out those that are in the wrong class."
    )
    yield _problem(kind, message, mixed)


def _within(groups: Iterable[_Group], kind: str, is_one: str, are_many: str) -> Iterator[Problem]:
    """Groups within one class: harmless once they are on one side."""
    alike = [group for group in groups if len({photo.class_name for photo in group}) == 1]
    if alike:
        spare = _photos(alike) - len(alike)
        what = f"is {is_one}" if spare == 1 else f"are {are_many}"
        yield _problem(kind, f"{count_of(spare, 'photo')} {what}: {_kept(alike)}.", alike, is_note=True)


def _series(groups: list[_Group]) -> Iterator[Problem]:
    if groups:
        message = f"{count_of(_photos(groups), 'photo')} in {len(groups):,} series of one scene: {_kept(groups)}."
        yield _problem("series", message, groups, is_note=True)


def _small(photo_set: PhotoSet) -> Iterator[Problem]:
    sizes = {photo.path: photo_set.facts[photo.path] for photo in photo_set.photos}
    small = [path for path, facts in sizes.items() if min(facts.width, facts.height) < SMALL_SIDE]
    if small:
        message = (
            f"{count_of(len(small), 'photo')} under {SMALL_SIDE} pixels on the shorter side: enlarged for the "
            "backbone, which sees little in them."
        )
        details = tuple(f"{sizes[path].width} × {sizes[path].height} pixels" for path in small)
        yield Problem("small", message, tuple(small), details=details)


def _problem(kind: str, message: str, groups: Sequence[_Group], *, is_note: bool = False) -> Problem:
    paths: tuple[tuple[Path, ...], ...] = tuple(tuple(photo.path for photo in group) for group in groups)
    return Problem(kind, message, tuple(path for group in paths for path in group), is_note=is_note, groups=paths)


def _kept(groups: Iterable[_Group]) -> str:
    """Return what the split does with photos that belong together."""
    if any(photo.given for group in groups for photo in group):
        return "they stay where the split you gave has them"
    return "kept together on one side of the split"


def _photos(groups: Iterable[_Group]) -> int:
    return sum(map(len, groups))
