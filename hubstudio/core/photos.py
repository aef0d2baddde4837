"""Photos in class folders: what is there, and what is wrong with it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.errors import PhotosError
from hubstudio.core.natural_order import natural_key

PHOTO_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")
)
_IGNORED_NAMES = frozenset(("thumbs.db", "desktop.ini", "__macosx"))
MIN_PHOTOS_PER_CLASS = 3  # one for each part: training, validation, test


@dataclass(frozen=True)
class Photo:
    """A file and the class its folder says it shows."""

    path: Path
    class_name: str


@dataclass(frozen=True)
class Problem:
    """Something about the photos worth knowing; ``blocks_training`` if nothing can be trained before it is mended."""

    kind: str
    message: str
    files: tuple[Path, ...] = ()
    blocks_training: bool = False


@dataclass(frozen=True)
class PhotoSet:
    """The photos below one folder, by class, in natural order of class and file name."""

    root: Path
    classes: tuple[str, ...]
    photos: tuple[Photo, ...]
    problems: tuple[Problem, ...] = ()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Photos per class, in the order of ``classes``."""
        counted = Counter(photo.class_name for photo in self.photos)
        return {name: counted[name] for name in self.classes}

    def of_class(self, class_name: str) -> tuple[Photo, ...]:
        """Return the photos of one class."""
        return tuple(photo for photo in self.photos if photo.class_name == class_name)

    def relative_name(self, photo: Photo) -> str:
        """Return the file's name as ``split.csv`` holds it: relative to the root, with forward slashes."""
        return photo.path.relative_to(self.root).as_posix()

    def require_trainable(self) -> None:
        """Raise ``PhotosError`` with every reason why nothing can be trained on these photos."""
        blocking = [problem for problem in self.problems if problem.blocks_training]
        if blocking:
            raise PhotosError(
                f"The photos in '{self.root}' cannot be trained on yet.",
                found=" ".join(problem.message for problem in blocking),
                next_step=f"Give every class its own folder with at least {MIN_PHOTOS_PER_CLASS} photos.",
            )


def scan(root: Path) -> PhotoSet:
    """List the class folders below ``root`` and the photos in them; nested folders belong to their class.

    Reads folders only, no photo. Links to folders are followed, but every real folder is visited once: the class
    folders' own belong to their classes, wherever else a link leads to them, and what is in ``root`` to none.
    Raises ``PhotosError`` if ``root`` is no folder that can be read.
    """
    root = _existing_folder(root)
    entries = _entries(root)
    loose = tuple(entry for entry in entries if _is_photo(entry))
    visited: set[Path] = set()
    _enter(root, visited)
    folders = [(entry, _enter(entry, visited)) for entry in entries if path_kinds.is_folder(entry)]
    photos: list[Photo] = []
    skipped: list[Path] = []
    empty: list[Path] = []
    for folder, is_new in folders:
        files = list(_files_below(folder, visited)) if is_new else []
        own = [Photo(path, folder.name) for path in files if _is_photo(path)]
        photos += own
        skipped += [path for path in files if not _is_photo(path)]
        if not own:
            empty.append(folder)
    classes = tuple(dict.fromkeys(photo.class_name for photo in photos))
    found = PhotoSet(root, classes, tuple(photos))
    return replace(found, problems=tuple(_problems(found, loose, tuple(skipped), tuple(empty))))


def photos_below(folder: Path) -> list[Path]:
    """Return the photos in a folder and the folders below it, in natural order, labelled or not.

    Links to folders are followed, but every real folder is visited once. Raises ``PhotosError`` if one cannot be read.
    """
    visited: set[Path] = set()
    _enter(folder, visited)
    return [path for path in _files_below(folder, visited) if _is_photo(path)]


def photos_at(paths: Iterable[Path]) -> list[Path]:
    """Return the files among ``paths`` whatever their names, and the photos below the folders among them.

    Raises ``PhotosError`` if that is nothing, or if a folder cannot be read.
    """
    given = list(paths)
    found = [photo for path in given for photo in (photos_below(path) if path_kinds.is_folder(path) else [path])]
    if not found:
        names = ", ".join(f"'{path.name}'" for path in given[:3])
        raise PhotosError(f"There are no photos in {names}.", next_step="Choose other photos or another folder.")
    return list(dict.fromkeys(found))


def leave_out(photo_set: PhotoSet, problem: Problem) -> PhotoSet:
    """Return the set without the files of ``problem``, which joins its problems; the counts are judged anew."""
    gone = frozenset(problem.files)
    remaining = replace(photo_set, photos=tuple(photo for photo in photo_set.photos if photo.path not in gone))
    others = tuple(known for known in photo_set.problems if known.kind not in _COUNT_KINDS)
    return replace(remaining, problems=(*_count_problems(remaining, ()), *others, problem))


_COUNT_KINDS = frozenset(("one_level_too_deep", "no_photos", "one_level_too_high", "one_class", "too_few"))


def _problems(
    found: PhotoSet, loose: tuple[Path, ...], skipped: tuple[Path, ...], empty: tuple[Path, ...]
) -> Iterator[Problem]:
    yield from _count_problems(found, loose)
    if loose and found.photos:
        yield Problem("loose_photos", f"{count_of(len(loose), 'photo')} outside any class folder, left out.", loose)
    if empty and found.photos:
        names = ", ".join(f"'{path.name}'" for path in empty[:3])
        yield Problem("empty_class", f"{count_of(len(empty), 'folder')} without photos, left out: {names}.", empty)
    if skipped:
        yield Problem("not_photos", f"{count_of(len(skipped), 'file')} not known as photos, left out.", skipped)


def _count_problems(found: PhotoSet, loose: tuple[Path, ...]) -> Iterator[Problem]:
    if not found.photos:
        yield _nothing_found(found, loose)
    elif len(found.classes) == 1:
        yield _one_class(found, found.classes[0])
    for name, count in found.counts.items():
        if count < MIN_PHOTOS_PER_CLASS:
            files = tuple(photo.path for photo in found.of_class(name))
            message = f"The class '{name}' has {count_of(count, 'photo')}; it needs at least {MIN_PHOTOS_PER_CLASS}."
            yield Problem("too_few", message, files, blocks_training=True)


def _nothing_found(found: PhotoSet, loose: tuple[Path, ...]) -> Problem:
    if loose:
        message = (
            f"'{found.root.name}' holds {count_of(len(loose), 'photo')} and no class folders: it looks like one class. "
            f"Use the folder above it, '{found.root.parent}'."
        )
        return Problem("one_level_too_deep", message, loose, blocks_training=True)
    return Problem("no_photos", f"'{found.root.name}' holds no photos in class folders.", blocks_training=True)


def _one_class(found: PhotoSet, name: str) -> Problem:
    inner = sorted({photo.path.relative_to(found.root / name).parts[0] for photo in found.photos
                    if len(photo.path.relative_to(found.root / name).parts) > 1}, key=natural_key)  # fmt: skip
    if len(inner) > 1:
        message = (
            f"All photos are below '{name}', which itself holds {len(inner)} folders ({', '.join(inner[:3])}, …): "
            f"one level too many. Use '{found.root / name}'."
        )
        return Problem("one_level_too_high", message, blocks_training=True)
    message = f"Only one class, '{name}', has photos; a classifier tells at least two apart."
    return Problem("one_class", message, blocks_training=True)


def _existing_folder(root: Path) -> Path:
    root = Path(os.path.abspath(path_kinds.absolute(root)))  # noqa: PTH100 - resolve() would replace chosen links
    if not path_kinds.is_text(root):
        raise PhotosError(
            "The name of the photo folder is not readable text.",
            found=f"Found {str(root)!r}.",
            next_step="Rename the folder and try again.",
        )
    if not path_kinds.exists(root):
        refusal = path_kinds.refusal(root)
        raise PhotosError(
            f"There is no folder '{root}'.",
            found=f"{refusal}." if refusal else "",
            next_step="Check the name, or choose another folder.",
        )
    if not path_kinds.is_folder(root):
        raise PhotosError(
            f"'{root.name}' is not a folder.",
            found="It is a single file." if path_kinds.is_file(root) else "",
            next_step="Give the folder that holds one folder per class.",
        )
    return root


def _entries(folder: Path) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if not _is_ignored(path)]
    except OSError as error:
        raise PhotosError(
            f"The folder '{folder}' could not be read.",
            found=f"{error.strerror or error}.",
            next_step="Check that it is still there and that you may read it.",
        ) from error
    return sorted(found, key=lambda path: natural_key(path.name))


def _enter(folder: Path, visited: set[Path]) -> bool:
    """Note that a folder is visited, by whatever path; return whether it is the first time."""
    real = path_kinds.real(folder)
    is_new = real not in visited
    visited.add(real)
    return is_new


def _files_below(folder: Path, visited: set[Path]) -> Iterator[Path]:
    for entry in _entries(folder):
        if not path_kinds.is_folder(entry):
            yield entry
        elif _enter(entry, visited):
            yield from _files_below(entry, visited)


def _is_ignored(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in _IGNORED_NAMES


def _is_photo(path: Path) -> bool:
    return path.suffix.casefold() in PHOTO_SUFFIXES and path_kinds.is_file(path)


def count_of(count: int, noun: str) -> str:
    """Return '1 photo' or '3 photos'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
