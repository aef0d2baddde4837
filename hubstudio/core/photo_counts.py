"""What the mere numbers of photos and classes say: too few, one class, a folder too high or too low."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hubstudio.core.natural_order import natural_key
from hubstudio.core.photos import MIN_PHOTOS_PER_CLASS, PhotoSet, Problem, count_of

COUNT_KINDS = frozenset(("one_level_too_deep", "no_photos", "one_level_too_high", "one_class", "too_few", "lopsided"))
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


def left_out_note(found: PhotoSet) -> Iterator[Problem]:
    """Yield what is said of the photos that the person took out."""
    if found.left_out:
        files = tuple(photo.path for photo in found.left_out)
        yield Problem("left_out", f"{count_of(len(files), 'photo')} left out by you.", files, is_note=True)


def _nothing_found(found: PhotoSet, loose: tuple[Path, ...]) -> Problem:
    if found.left_out:
        return Problem("no_photos", "Every photo is left out; put some back.", blocks_training=True)
    if loose:
        message = (
            f"'{found.root.name}' holds {count_of(len(loose), 'photo')} and no class folders: it looks like one class. "
            f"Use the folder above it, '{found.root.parent}', or drop the folders of several classes together."
        )
        return Problem("one_level_too_deep", message, loose, blocks_training=True)
    return Problem("no_photos", f"'{found.root.name}' holds no photos in class folders.", blocks_training=True)


def _one_class(found: PhotoSet, name: str) -> Problem:
    inner = _folders_within(found, name)
    if len(inner) > 1:
        message = (
            f"All photos are below '{name}', which itself holds {len(inner)} folders ({', '.join(inner[:3])}, …): "
            f"one level too many. Use '{found.root / name}'."
        )
        return Problem("one_level_too_high", message, blocks_training=True)
    message = f"Only one class, '{name}', has photos; a classifier tells at least two apart."
    return Problem("one_class", message, blocks_training=True)


def _folders_within(found: PhotoSet, name: str) -> list[str]:
    """Return the folders that a class folder holds photos in."""
    folder = found.root / name
    below = [photo.path.relative_to(folder).parts for photo in found.photos if photo.path.is_relative_to(folder)]
    return sorted({parts[0] for parts in below if len(parts) > 1}, key=natural_key)


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
