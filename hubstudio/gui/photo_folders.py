"""A glance at files and folders: what they are good for, said before they are taken. Reads names only, and few.

Time is what it must not take: it is asked while something is dragged over the window. What cannot be seen in that time
is taken as it is; listing it tells the rest.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.natural_order import natural_key
from hubstudio.core.parts import Part, part_named
from hubstudio.core.photos import PHOTO_SUFFIXES, count_of
from hubstudio.core.project import PROJECT_FILE
from hubstudio.core.selection import is_table

_LOOKED_AT = 200  # entries of a folder
_MOST_FOLDERS = 2000  # class folders that are counted
_SECONDS = 0.06
_NAMED = 3
_FEWEST_CLASSES = 2  # folders beside loose photos: else it is one class


class Kind(Enum):
    """What a path is good for."""

    CLASSES = "a folder of class folders"
    CLASS = "a folder with photos of one class"
    PARTS = "folders of a split, with class folders in them"
    ABOVE = "one folder that holds the class folders"
    TABLE = "a table of photos"
    PHOTO = "a single photo"
    EMPTY = "a folder without photos"
    OTHER = "something else"


@dataclass(frozen=True)
class Seen:
    """One path at a glance."""

    path: Path
    kind: Kind
    classes: tuple[str, ...] = ()
    """Folders with photos in them, or the parts of a split."""
    is_all: bool = True
    """Whether there was time to look at everything."""
    has_own_photos: bool = False
    """Whether photos lie beside the class folders: beside other sources, all of it is one class then."""

    @property
    def name(self) -> str:
        """What the path is called."""
        return self.path.name or str(self.path)


@dataclass
class _Watch:
    """How long there is still time to look."""

    until: float = field(default_factory=lambda: time.monotonic() + _SECONDS)

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.until


@dataclass(frozen=True)
class Offer:
    """What would be done with paths, as a sentence; or why nothing can be."""

    sentence: str
    is_possible: bool = True
    next_step: str = ""


def holds_class_folders(folder: Path) -> bool:
    """Whether a folder is no project but holds folders with photos in them."""
    try:
        if (folder / PROJECT_FILE).exists():
            return False
    except OSError:
        return False
    return glance(folder, _Watch(time.monotonic() + 5)).kind in (Kind.CLASSES, Kind.PARTS)


def glance(path: Path, watch: _Watch | None = None) -> Seen:
    """Return what a path is, as far as it can be seen in a moment."""
    watch = watch or _Watch()
    if not path_kinds.is_folder(path):
        return Seen(path, _kind_of_file(path))
    folders, has_photos, is_all = _look_into(path, to_the_end=True)
    inner: list[tuple[Path, bool, bool]] = []  # folder, whether it holds photos, whether its folders do
    for folder in folders:
        if watch.is_over:
            is_all = False
            break
        below, own, _ = _look_into(folder)
        inner.append((folder, own, not own and any(_look_into(at)[1] for at in below[:_NAMED])))
    if has_photos and len(inner) < _FEWEST_CLASSES:
        return Seen(path, Kind.CLASS, is_all=is_all)
    names = sorted((folder.name for folder, own, deeper in inner if own or deeper), key=natural_key)
    deeper = [folder for folder, _, is_deeper in inner if is_deeper]
    parts = {folder.name: part_named(folder.name) for folder in deeper if part_named(folder.name)}
    if len(parts) > 1 and Part.TRAINING in parts.values():  # what lies beside them does not undo the split
        return Seen(path, Kind.PARTS, tuple(parts), is_all)
    if len(names) == 1 and deeper and len(_look_into(deeper[0])[0]) > 1:
        return Seen(path, Kind.ABOVE, tuple(names), is_all)
    if names or not is_all:
        return Seen(path, Kind.CLASSES, tuple(names), is_all, has_photos)
    return Seen(path, Kind.EMPTY)


def offer_to_use(paths: Sequence[Path]) -> Offer:
    """Say what choosing these paths would do."""
    watch = _Watch()
    seen = [glance(path, watch) for path in paths]
    refused = _refusal(seen)
    if refused:
        return refused
    only = seen[0]
    if len(seen) > 1:
        seen = _among_others(seen)
        if all(one.kind is Kind.CLASS for one in seen):
            return Offer(f"Use {_classes([one.name for one in seen])}")
        return Offer(f"Use {_sources(seen)} together")
    match only.kind:
        case Kind.TABLE:
            return Offer(f"Use the photos listed in '{only.name}'")
        case Kind.PARTS:
            return Offer(f"Use '{only.name}' with its own split: {', '.join(only.classes)}")
        case Kind.CLASS:
            return Offer(
                f"'{only.name}' is one class.",
                is_possible=False,
                next_step=f"Drop the folder above it, '{only.path.parent}', or several class folders together.",
            )
        case Kind.ABOVE:
            return Offer(
                f"'{only.name}' is one level too high: the class folders are in '{only.classes[0]}'.",
                is_possible=False,
                next_step=f"Drop '{only.path / only.classes[0]}' instead.",
            )
        case _:
            return Offer(f"Use {_class_folders(only)}")


def offer_to_add(paths: Sequence[Path], sources: Sequence[Path], classes: Sequence[str]) -> Offer:
    """Say what adding these paths to photos of these sources and classes would do."""
    watch = _Watch()
    seen = [glance(path, watch) for path in paths if path not in sources]
    if not seen:
        are = "is" if len(paths) == 1 else "are"
        return Offer(f"{_sources([glance(path, watch) for path in paths])} {are} among your photos already.", False)
    refused = _refusal(seen)
    if refused:
        return refused
    seen = _among_others(seen)
    if all(one.kind is Kind.CLASS for one in seen):
        names = [one.name for one in seen]
        known = [name for name in names if name in classes]
        if known == names:
            return Offer(f"Add photos to {_classes(names)}")
        return Offer(f"Add {_classes([name for name in names if name not in classes])}" + _and_to(known))
    if len(seen) > 1:
        return Offer(f"Add the photos of {_sources(seen)}")
    only = seen[0]
    if only.kind is Kind.CLASSES and only.is_all:
        fresh = [name for name in only.classes if name not in classes]
        known = [name for name in only.classes if name in classes]
        if fresh:
            return Offer(f"Add {_classes(fresh)}" + _and_to(known))
        return Offer(f"Add photos to {_classes(known)}")
    return Offer(f"Add the photos of '{only.name}'")


def offer_to_classify(paths: Sequence[Path]) -> Offer:
    """Say which photos would be classified."""
    folders = [path for path in paths if path_kinds.is_folder(path)]
    files = len(paths) - len(folders)
    named = f"the photos in '{folders[0].name}'" if len(folders) == 1 else f"the photos in {len(folders):,} folders"
    counted = count_of(files, "file")
    return Offer(f"Classify {' and '.join([*([counted] if files else []), *([named] if folders else [])])}.")


def _among_others(seen: Sequence[Seen]) -> list[Seen]:
    """Return what paths are together with other sources: a folder with photos directly in it is a class."""
    return [Seen(one.path, Kind.CLASS) if one.has_own_photos else one for one in seen]


def _refusal(seen: Sequence[Seen]) -> Offer | None:
    """Return why paths cannot be used, if one of them cannot."""
    photos = [one for one in seen if one.kind is Kind.PHOTO]
    if photos:
        what = f"'{photos[0].name}' is not a folder" if len(photos) == 1 else f"{len(photos):,} photos are no folders"
        return Offer(f"{what}; a class is one.", False, "Drop the folder that holds one folder per class.")
    for one in seen:
        if one.kind is Kind.OTHER:
            return Offer(
                f"'{one.name}' is not a folder.",
                False,
                "Drop the folder that holds one folder per class, or a table (.csv) of photos.",
            )
        if one.kind is Kind.EMPTY:
            return Offer(f"'{one.name}' holds no photos.", False, "Drop the folder that holds one folder per class.")
    return None


def _kind_of_file(path: Path) -> Kind:
    if not path_kinds.is_file(path):
        return Kind.OTHER
    if is_table(path):
        return Kind.TABLE
    return Kind.PHOTO if path.suffix.casefold() in PHOTO_SUFFIXES else Kind.OTHER


def _look_into(folder: Path, *, to_the_end: bool = False) -> tuple[list[Path], bool, bool]:
    """Return the folders in a folder, whether there is a photo in it, and whether that was everything.

    A class folder tells itself by its first entries; all the folders in a folder are wanted, though.
    """
    folders: list[Path] = []
    has_photos = False
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(itertools.islice(entries, _MOST_FOLDERS)):
                if entry.name.startswith("."):
                    continue
                if os.path.splitext(entry.name)[1].casefold() in PHOTO_SUFFIXES:  # noqa: PTH122 - no path for each name
                    has_photos = True
                    if not to_the_end:
                        return folders, True, True
                elif entry.is_dir():
                    folders.append(Path(entry.path))
                if count - len(folders) > _LOOKED_AT:
                    break
            return folders, has_photos, next(entries, None) is None
    except OSError:
        return folders, has_photos, True


def _class_folders(seen: Seen) -> str:
    count = len(seen.classes)
    if not seen.is_all:
        return f"the class folders in '{seen.name}'"
    return f"{count:,} class {'folder' if count == 1 else 'folders'} in '{seen.name}'"


def _classes(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"1 class: {shown}" if len(names) == 1 else f"{len(names):,} classes: {shown}"


def _and_to(known: Sequence[str]) -> str:
    if not known:
        return ""
    return f", and photos to {'1 class' if len(known) == 1 else f'{len(known):,} classes'} you have"


def _sources(seen: Sequence[Seen]) -> str:
    names = [f"'{one.name}'" for one in seen]
    if len(names) > _NAMED:
        return f"{len(names)} folders"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
