"""Photos with the classes they show, and what is worth knowing about them: values only."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from hubstudio.core.errors import PhotosError
from hubstudio.core.natural_order import natural_key
from hubstudio.core.parts import Part

PHOTO_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif",
     ".heic", ".heif", ".hif")
)  # fmt: skip
MIN_PHOTOS_PER_CLASS = 3  # one for each part: training, validation, test


@dataclass(frozen=True, slots=True)
class Photo:
    """A file, the class it is said to show, and the part of the split that the person gave it, if any."""

    path: Path
    class_name: str
    given: Part | None = None


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What reading a photo once has told."""

    digest: bytes
    """BLAKE2b of the file's content, 16 bytes: the same for exact copies, whatever their names."""
    width: int
    height: int
    """Upright, in pixels."""
    group: int = 0
    """Photos of one number look alike and stay on one side of the split."""


@dataclass(frozen=True)
class Problem:
    """Something about the photos worth knowing; ``blocks_training`` if nothing can be trained before it is mended."""

    kind: str
    message: str
    """What it is, and what the program does about it unless told otherwise."""
    files: tuple[Path, ...] = ()
    blocks_training: bool = False
    is_note: bool = False
    """Whether it is only told, not wrong."""
    details: tuple[str, ...] = ()
    """A clause for each file, if there is one: why it could not be read."""
    groups: tuple[tuple[Path, ...], ...] = ()
    """Files that belong side by side: copies, look-alikes. Their concatenation is ``files``."""


@dataclass(frozen=True)
class PhotoSet:
    """Photos by class, in natural order of class and file name."""

    root: Path
    """What names of photos are relative to."""
    classes: tuple[str, ...]
    photos: tuple[Photo, ...]
    problems: tuple[Problem, ...] = ()
    facts: Mapping[Path, PhotoFacts] = field(default_factory=dict[Path, PhotoFacts])
    """What is known of each photo once it was checked; empty before."""
    left_out: tuple[Photo, ...] = ()
    """Photos that the person took out, or that a table or a split file does; those are ``given`` so."""
    unreadable: tuple[Photo, ...] = ()
    """Photos that were found and could not be read."""
    found_classes: frozenset[str] = frozenset()
    """Classes as folders and tables call them, whatever they are called here."""

    @property
    def is_checked(self) -> bool:
        """Whether every photo was read once."""
        return bool(self.facts)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Photos per class, in the order of ``classes``."""
        counted = Counter(photo.class_name for photo in self.photos)
        return {name: counted[name] for name in self.classes}

    @cached_property
    def _by_class(self) -> dict[str, tuple[Photo, ...]]:
        found: defaultdict[str, list[Photo]] = defaultdict(list)
        for photo in self.photos:
            found[photo.class_name].append(photo)
        return {name: tuple(photos) for name, photos in found.items()}

    def of_class(self, class_name: str) -> tuple[Photo, ...]:
        """Return the photos of one class."""
        return self._by_class.get(class_name, ())

    def relative_name(self, photo: Photo) -> str:
        """Return the file's name as ``split.csv`` holds it: below the root relative to it, with forward slashes."""
        return name_below(photo.path, self.root)

    def require_trainable(self) -> None:
        """Raise ``PhotosError`` with every reason why nothing can be trained on these photos."""
        blocking = [problem for problem in self.problems if problem.blocks_training]
        if blocking:
            raise PhotosError(
                f"The photos in '{self.root}' cannot be trained on yet.",
                found=" ".join(problem.message for problem in blocking),
                next_step=f"Give every class its own folder with at least {MIN_PHOTOS_PER_CLASS} photos.",
            )


def ordered(photo_set: PhotoSet) -> PhotoSet:
    """Return the set with its classes in natural order, those without photos dropped, and its photos by class."""
    names = {photo.class_name for photo in photo_set.photos}
    classes = tuple(sorted(names, key=natural_key))
    places = {name: place for place, name in enumerate(classes)}
    photos = tuple(sorted(photo_set.photos, key=lambda photo: places[photo.class_name]))
    return replace(photo_set, classes=classes, photos=photos)


def name_below(path: Path, root: Path) -> str:
    """Return ``path`` relative to ``root`` where it is below it, else whole; with forward slashes."""
    text, above = str(path), f"{root}{os.sep}"
    if text.startswith(above):  # by far the most, and twenty times as fast
        return text[len(above) :].replace(os.sep, "/")
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def count_of(count: int, noun: str) -> str:
    """Return '1 photo' or '3 photos'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
