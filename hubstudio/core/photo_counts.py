"""What the mere numbers of photos and classes say: too few, one class, a folder too high or too low."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from hubstudio.core.natural_order import natural_key
from hubstudio.core.parts import Part
from hubstudio.core.photos import MIN_PHOTOS_PER_CLASS, PhotoSet, Problem, count_of, name_below

COUNT_KINDS = frozenset(
    (
        "one_level_too_deep", "no_photos", "one_level_too_high", "one_class", "too_few", "lopsided",
        "repeated_folders", "similar_names",
    )
)  # fmt: skip
LEFT_OUT_KINDS = frozenset(("left_out", "left_out_given"))
LOPSIDED = 3.0
"""Largest class over smallest from which on it is a problem; below, classifiers barely notice."""


def count_problems(found: PhotoSet, loose: tuple[Path, ...] = ()) -> Iterator[Problem]:
    """Yield what is wrong with the numbers; ``loose`` are photos outside any class folder."""
    if not found.photos:
        yield _nothing_found(found, loose)
    elif len(found.classes) == 1:
        yield _one_class(found, found.classes[0])
    for name, count in found.counts.items():
        if count < MIN_PHOTOS_PER_CLASS:
            files = tuple(photo.path for photo in found.of_class(name))
            message = f"The class '{name}' has {count_of(count, 'photo')}; it needs at least {MIN_PHOTOS_PER_CLASS}."
            yield Problem("too_few", message, files, blocks_training=True)
    yield from _lopsided(found)
    yield from _repeated_folders(found)
    yield from _similar_names(found)


def left_out_notes(found: PhotoSet) -> Iterator[Problem]:
    """Yield what is said of the photos that are left out, and by what."""
    given = tuple(photo.path for photo in found.left_out if photo.given is Part.LEFT_OUT)
    chosen = tuple(photo.path for photo in found.left_out if photo.given is not Part.LEFT_OUT)
    if chosen:
        yield Problem("left_out", f"{count_of(len(chosen), 'photo')} left out by you.", chosen, is_note=True)
    if given:
        message = f"{count_of(len(given), 'photo')} left out by your table or split file: change it there."
        yield Problem("left_out_given", message, given, is_note=True)


def _nothing_found(found: PhotoSet, loose: tuple[Path, ...]) -> Problem:
    if found.left_out:
        return Problem("no_photos", "Every photo is left out; put some back.", blocks_training=True)
    if loose:
        message = (
            f"'{found.root.name}' holds {count_of(len(loose), 'photo')} and no class folders: it looks like one class. "
            f"Use the folder above it, '{found.root.parent}', or drop the folders of several classes together."
        )
        return Problem("one_level_too_deep", message, loose, blocks_training=True)
    message = f"'{found.root.name}' holds no photos in class folders, and no table names any that is there."
    return Problem("no_photos", message, blocks_training=True)


def _one_class(found: PhotoSet, name: str) -> Problem:
    folder = found.root / name
    inner = _folders_within(found, folder)
    while len(inner) == 1:
        folder /= inner[0]
        inner = _folders_within(found, folder)
    if len(inner) > 1:
        message = (
            f"All photos are below '{name}'. '{folder.name}' in it holds {len(inner)} folders "
            f"({', '.join(inner[:3])}, …), which look like the classes. Use '{folder}'."
            if folder.name != name
            else f"All photos are below '{name}', which itself holds {len(inner)} folders ({', '.join(inner[:3])}, …): "
            f"one level too many. Use '{folder}'."
        )
        return Problem("one_level_too_high", message, blocks_training=True)
    message = f"Only one class, '{name}', has photos; a classifier tells at least two apart."
    return Problem("one_class", message, blocks_training=True)


def _folders_within(found: PhotoSet, folder: Path) -> list[str]:
    """Return the folders directly in a folder that hold photos; none if photos lie beside them."""
    start = str(folder) + os.sep
    rests = [name[len(start) :] for name in (str(photo.path) for photo in found.photos) if name.startswith(start)]
    if any(os.sep not in rest for rest in rests):
        return []
    return sorted({rest.split(os.sep, 1)[0] for rest in rests}, key=natural_key)


def _repeated_folders(found: PhotoSet) -> Iterator[Problem]:
    """Classes that hold folders of the same names: those may be the classes, and these parts, places or years."""
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for photo in found.photos:
        names = name_below(photo.path, found.root).split("/")
        if len(names) > 2 and names[0] == photo.class_name:
            holders[names[1]].add(names[0])
    repeated = sorted((name for name, classes in holders.items() if len(classes) > 1), key=natural_key)
    if len(repeated) > 1:
        classes = sorted({name for inner in repeated for name in holders[inner]}, key=natural_key)
        message = (
            f"The classes {_named(classes)} hold folders of the same names ({_named(repeated)}). If those are your "
            "classes, use the folders with one class in each; a given split is known by the names train, val and test."
        )
        yield Problem("repeated_folders", message)


def _similar_names(found: PhotoSet) -> Iterator[Problem]:
    """Classes whose names differ only in case or blanks, as typed labels do."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in found.classes:
        alike["".join(name.split()).casefold()].append(name)
    for names in (names for names in alike.values() if len(names) > 1):
        message = f"The classes {_named(names)} differ only in case or blanks. Rename one like the other to merge them."
        yield Problem("similar_names", message)


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:4]) + (", …" if len(names) > 4 else "")


def _lopsided(found: PhotoSet) -> Iterator[Problem]:
    counts = [count for count in found.counts.values() if count >= MIN_PHOTOS_PER_CLASS]
    if len(counts) > 1 and max(counts) >= LOPSIDED * min(counts):
        smallest = min(found.counts, key=lambda name: (found.counts[name] < MIN_PHOTOS_PER_CLASS, found.counts[name]))
        message = (
            f"Classes lopsided (1 : {max(counts) / min(counts):.1f}): '{smallest}' has {min(counts):,} photos, the "
            f"largest class {max(counts):,}. Trained as they are; class weights make the classes count alike, and "
            "more photos of the small ones help most."
        )
        yield Problem("lopsided", message)
