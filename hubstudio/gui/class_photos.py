"""What a gallery shows of a class: its photos, and among them those left out or unreadable, each in its place."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from pathlib import Path

from hubstudio.core.natural_order import natural_key
from hubstudio.core.parts import Part
from hubstudio.core.photos import PhotoSet, count_of

LEFT_OUT_BY_FILE = "Left out by the table or the split file: change it there."
_MOST_INSERTED = 200
"""Finding a place costs a third of a millisecond; more than so many stand at the end."""


@dataclass(frozen=True)
class ClassPhotos:
    """Photos to look at, in order."""

    name: str
    paths: tuple[Path, ...]
    left_out: frozenset[Path] = frozenset()
    unreadable: frozenset[Path] = frozenset()
    left_out_by_file: frozenset[Path] = frozenset()
    """Those among the ones left out that only the table or the split file can put back."""

    def state(self, path: Path) -> str:
        """Return 'left out', 'left out by a file', 'could not be read' or nothing."""
        if path in self.left_out_by_file:
            return "left out by a file"
        if path in self.left_out:
            return "left out"
        return "could not be read" if path in self.unreadable else ""

    def can_be_put_back(self, path: Path) -> bool:
        """Whether a photo is left out, and by the person's own choice."""
        return path in self.left_out and path not in self.left_out_by_file

    def text(self, path: Path) -> str:
        """Return the file's name, and what is the matter with it."""
        state = self.state(path)
        return f"{path.name}, {state}" if state else path.name

    def summary(self) -> str:
        """Return '262 photos, 3 left out'."""
        apart = len(self.left_out) + len(self.unreadable)
        parts = [count_of(len(self.paths) - apart, "photo")]
        if self.left_out:
            parts.append(f"{len(self.left_out):,} left out")
        if self.unreadable:
            parts.append(f"{len(self.unreadable):,} could not be read")
        return ", ".join(parts)


def photos_of_class(photo_set: PhotoSet, name: str, before: ClassPhotos | None = None) -> ClassPhotos:
    """Return a class's photos; if they are those shown before, in the same order."""
    out = [photo for photo in photo_set.left_out if photo.class_name == name]
    left_out = frozenset(photo.path for photo in out)
    by_file = frozenset(photo.path for photo in out if photo.given is Part.LEFT_OUT)
    unreadable = frozenset(photo.path for photo in photo_set.unreadable if photo.class_name == name) - left_out
    paths = [photo.path for photo in photo_set.of_class(name)]
    apart = list(left_out | unreadable)
    if before and len(before.paths) == len(paths) + len(apart) and {*paths, *apart} == set(before.paths):
        return ClassPhotos(name, before.paths, left_out, unreadable, by_file)
    if len(apart) > _MOST_INSERTED:
        paths += sorted(apart, key=_order)
    else:
        for path in apart:
            insort(paths, path, key=_order)
    return ClassPhotos(name, tuple(paths), left_out, unreadable, by_file)


def class_of(photo_set: PhotoSet, path: Path) -> str | None:
    """Return the class a photo is in, left out or not."""
    for photos in (photo_set.photos, photo_set.left_out, photo_set.unreadable):
        for photo in photos:
            if photo.path == path:
                return photo.class_name
    return None


def _order(path: Path) -> list[object]:
    return [natural_key(part) for part in path.parts]
