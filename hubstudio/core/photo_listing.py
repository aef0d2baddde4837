"""Which photos lie in folders, and of which class they are: folders are read here, no photo is."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import PhotosError, did_you_mean
from hubstudio.core.natural_order import natural_key
from hubstudio.core.parts import USED_PARTS, Part, part_named
from hubstudio.core.photo_counts import count_problems
from hubstudio.core.photo_table import read_table
from hubstudio.core.photos import PHOTO_SUFFIXES, Photo, PhotoSet, Problem, count_of, ordered
from hubstudio.core.selection import Selection, is_table, root_of

_IGNORED_NAMES = frozenset(("thumbs.db", "desktop.ini", "__macosx"))


@dataclass
class _Found:
    """What turns up on the way through the folders."""

    photos: list[Photo] = field(default_factory=list[Photo])
    loose: list[Path] = field(default_factory=list[Path])
    skipped: list[Path] = field(default_factory=list[Path])
    empty: list[Path] = field(default_factory=list[Path])
    closed: dict[Path, str] = field(default_factory=dict[Path, str])
    """Folders that could not be read, and why."""
    problems: list[Problem] = field(default_factory=list[Problem])
    classes: set[Path] = field(default_factory=set[Path])
    """Class folders that gave photos, as they were named."""
    cancel: CancelToken = field(default_factory=CancelToken)
    visited: set[Path] = field(default_factory=set[Path])
    """Real folders: each is gone through once, whatever leads to it."""

    def enter(self, folder: Path) -> bool:
        """Note that a folder is visited, by whatever path; return whether it is the first time."""
        self.cancel.check()
        real = path_kinds.real(folder)
        is_new = real not in self.visited
        self.visited.add(real)
        return is_new


def scan(*sources: Path) -> PhotoSet:
    """List the photos of one source or of several together; nothing is read but folders and tables.

    A single folder holds one folder per class; nested folders belong to their class. Of several folders, one with
    photos directly in it is a class by itself. Folders named like the parts of a split (train, val, test) that hold
    the class folders are kept as a split. Links to folders are followed, but every real folder is visited once: the
    class folders' own photos belong to their classes, wherever else a link leads to them.
    Raises ``PhotosError`` if a source is not there or cannot be read.
    """
    return list_photos(Selection(sources))


def list_photos(selection: Selection, cancel: CancelToken | None = None) -> PhotoSet:
    """List the photos of a selection: classes renamed, left out what is left out.

    Raises as ``scan`` does, and ``Cancelled`` between two folders.
    """
    existing = [_existing(source, alone=len(selection.sources) == 1) for source in selection.sources]
    sources = list({path_kinds.real(source): source for source in reversed(existing)}.values())[::-1]
    found = _Found(cancel=cancel or CancelToken())
    parts = _parts(sources) if len(sources) > 1 else {}
    if parts and sum(map(len, parts.values())) == len(sources):
        _read_parts(sources, parts, found)
    else:
        for source in sources:
            _read_source(source, found, alone=len(sources) == 1)
    left_out = {Path(os.path.abspath(path)) for path in selection.left_out}  # noqa: PTH100 - links stay as named
    photos, contradicting = _each_once(found.photos)
    used: list[Photo] = []
    unused: list[Photo] = []
    for photo in photos:
        is_unused = photo.path in left_out or photo.given is Part.LEFT_OUT
        (unused if is_unused else used).append(_renamed(photo, selection))
    found_classes = frozenset(photo.class_name for photo in photos)
    root = root_of(sources[0])
    listed = ordered(PhotoSet(root, (), tuple(used), left_out=tuple(unused), found_classes=found_classes))
    notes = (*_table_split(sources, listed), *_contradictions(contradicting), *_unmatched(selection, left_out, photos))
    return replace(listed, problems=(*count_problems(listed, tuple(found.loose)), *_problems(listed, found), *notes))


def photos_below(folder: Path) -> list[Path]:
    """Return the photos in a folder and the folders below it, in natural order, labelled or not.

    Links to folders are followed, but every real folder is visited once. Raises ``PhotosError`` if one cannot be read.
    """
    found = _Found()
    found.enter(folder)
    files = list(_files_below(folder, found))
    for closed, why in found.closed.items():
        raise _unreadable_folder(closed, why)
    return [path for path in files if _is_photo(path)]


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


def _read_source(source: Path, found: _Found, *, alone: bool) -> None:
    if path_kinds.is_file(source):
        photos, problems = read_table(source)
        found.photos += photos
        found.problems += problems
        return
    if not found.enter(source):
        return
    entries = _entries(source)
    loose = [entry for entry in entries if _is_photo(entry)]
    if loose and not alone and not _holds_classes(entries, loose):
        _take(list(_files_among(entries, found)), source, None, found)
        return
    folders = [entry for entry in entries if path_kinds.is_folder(entry)]
    parts = _parts(folders)
    found.loose += loose
    if parts:
        _read_parts(folders, parts, found)
    else:
        _read_class_folders(folders, None, found)


def _read_parts(folders: Iterable[Path], parts: dict[Part, list[Path]], found: _Found) -> None:
    """Take the folders of a split that the person gave, and note what lies beside them."""
    found.problems.append(_given_split(parts))
    for folder in folders:
        _read_classes(folder, part_named(folder.name), found)


def _holds_classes(entries: Iterable[Path], loose: Sequence[Path]) -> bool:
    """Whether a folder's photos are mostly in several folders of its own: then those are classes, and it is none."""
    inner = [sum(map(_is_photo, _entries_or_none(entry))) for entry in entries if path_kinds.is_folder(entry)]
    return sum(count > 0 for count in inner) > 1 and sum(inner) > len(loose)


def _read_classes(folder: Path, part: Part | None, found: _Found) -> None:
    """Take the class folders in the folder of one part."""
    if part is None:  # beside the parts: no photo of it is used
        strays = [path for path in _files_below(folder, found) if _is_photo(path)] if found.enter(folder) else []
        found.loose += strays
        if not strays:
            found.empty.append(folder)
    elif found.enter(folder):
        entries = list(_readable_entries(folder, found))
        found.loose += [entry for entry in entries if _is_photo(entry)]
        _read_class_folders([entry for entry in entries if path_kinds.is_folder(entry)], part, found)


def _read_class_folders(folders: Iterable[Path], part: Part | None, found: _Found) -> None:
    are_new = [(folder, found.enter(folder)) for folder in folders]  # first of all: no link takes them away
    for folder, is_new in are_new:
        files = list(_files_below(folder, found)) if is_new else []
        # A class folder that was given by itself before is not empty.
        if not _take(files, folder, part, found) and folder not in found.classes:
            found.empty.append(folder)


def _take(files: Iterable[Path], folder: Path, part: Part | None, found: _Found) -> bool:
    """Take a class folder's files; return whether any is a photo."""
    before = len(found.photos)
    for path in files:
        if _is_photo(path):
            found.photos.append(Photo(path, folder.name, part))
        else:
            found.skipped.append(path)
    if len(found.photos) == before:
        return False
    found.classes.add(folder)
    return True


def _each_once(photos: Iterable[Photo]) -> tuple[list[Photo], list[Path]]:
    """Return every file once, as it was named first, and those that another source calls otherwise."""
    first: dict[Path, Photo] = {}
    contradicting: dict[Path, None] = {}
    for photo in photos:
        known = first.setdefault(photo.path, photo)
        if known.class_name != photo.class_name:
            contradicting[photo.path] = None
        elif known.given is None and photo.given:
            first[photo.path] = photo
    return list(first.values()), list(contradicting)


def _contradictions(files: Sequence[Path]) -> Iterator[Problem]:
    if files:
        message = f"{count_of(len(files), 'photo')} named twice, with another class each time; the first one counts."
        yield Problem("contradicting", message, tuple(files))


def _table_split(sources: Sequence[Path], listed: PhotoSet) -> Iterator[Problem]:
    """Say that parts which stand in tables are kept, and which part is then drawn."""
    given = {photo.given for photo in listed.photos}
    if not any(map(path_kinds.is_file, sources)) or not given - {None}:
        return
    named = [part.value for part in USED_PARTS if part in given]
    missing = [part.value for part in (Part.VALIDATION, Part.TEST) if part not in given]
    message = f"The parts in the table ({', '.join(named)}) are kept as the split."
    if missing and Part.TRAINING in given:
        message += f" Photos for {' and '.join(missing)} are drawn from the training ones."
    if None in given:
        message += " Photos without a part are divided by content."
    yield Problem("given_split", message, is_note=True)


def _unmatched(selection: Selection, left_out: Iterable[Path], photos: Sequence[Photo]) -> Iterator[Problem]:
    """Choices that meet no photo: mistyped, or of photos that have gone since."""
    paths, classes = {photo.path for photo in photos}, {photo.class_name for photo in photos}
    gone = tuple(sorted(path for path in left_out if path not in paths))
    if gone:
        message = f"{count_of(len(gone), 'photo')} to leave out not found among the photos: '{gone[0].name}'"
        yield Problem("left_out_missing", f"{message}{', …' if len(gone) > 1 else ''}.", gone, is_note=True)
    for name in selection.renamed:
        if name not in classes:
            message = f"There is no class '{name}' to rename. {did_you_mean(name, classes)}".rstrip()
            yield Problem("unknown_class", message, is_note=True)


def _parts(folders: Iterable[Path]) -> dict[Part, list[Path]]:
    """Return the folders by part if they are a split: training, with its photos in class folders, and more.

    Another part holds folders of the same names, or loose photos, as in contests: else these are classes that happen
    to be called so. What else lies beside them is no part and not used.
    """
    by_part: dict[Part, list[Path]] = {}
    inner: defaultdict[Part, set[str]] = defaultdict(set)
    loose: set[Part] = set()
    for folder in folders:
        part = part_named(folder.name) if path_kinds.is_folder(folder) else None
        entries = _entries_or_none(folder) if part else []
        photos = [entry for entry in entries if _is_photo(entry)]
        classes = [entry.name.casefold() for entry in entries if path_kinds.is_folder(entry)]
        if part is None or not (classes or photos):
            continue
        if part is Part.TRAINING and photos and not _holds_classes(entries, photos):
            return {}
        by_part.setdefault(part, []).append(folder)
        inner[part] |= set(classes)
        loose |= {part} if photos and not classes else set()
    others = [part for part in by_part if part is not Part.TRAINING]
    is_split = bool(inner[Part.TRAINING]) and any(
        part in loose or inner[part] & inner[Part.TRAINING] for part in others
    )
    return by_part if is_split else {}


def _entries_or_none(folder: Path) -> list[Path]:
    try:
        return _entries(folder)
    except PhotosError:
        return []


def _given_split(parts: dict[Part, list[Path]]) -> Problem:
    names = ", ".join(f"'{folder.name}'" for folders in parts.values() for folder in folders)
    missing = [part.value for part in (Part.VALIDATION, Part.TEST) if part not in parts]
    drawn = f" Photos for {' and '.join(missing)} are drawn from the training ones." if missing else ""
    return Problem("given_split", f"The folders {names} are kept as the split.{drawn}", is_note=True)


def _renamed(photo: Photo, selection: Selection) -> Photo:
    name = selection.renamed.get(photo.class_name)
    return replace(photo, class_name=name) if name else photo


def _problems(listed: PhotoSet, found: _Found) -> Iterator[Problem]:
    yield from found.problems
    if found.loose and listed.photos:
        files = tuple(found.loose)
        yield Problem("loose_photos", f"{count_of(len(files), 'photo')} outside any class folder, left out.", files)
    if found.empty and listed.photos:
        names = ", ".join(f"'{path.name}'" for path in found.empty[:3])
        message = f"{count_of(len(found.empty), 'folder')} without photos, left out: {names}."
        yield Problem("empty_class", message, tuple(found.empty))
    if found.closed:
        names = "; ".join(f"'{path.name}': {why}" for path, why in list(found.closed.items())[:3])
        message = f"{count_of(len(found.closed), 'folder')} could not be read, left out ({names})."
        yield Problem("closed_folder", message, tuple(found.closed), details=tuple(found.closed.values()))
    if found.skipped:
        message = f"{count_of(len(found.skipped), 'file')} not known as photos, left out."
        yield Problem("not_photos", message, tuple(found.skipped))


def _existing(source: Path, *, alone: bool) -> Path:
    source = path_kinds.whole(source)
    if not path_kinds.is_text(source):
        raise PhotosError(
            "The name of the photo folder is not readable text.",
            found=f"Found {str(source)!r}.",
            next_step="Rename the folder and try again.",
        )
    if not path_kinds.exists(source):
        refusal = path_kinds.refusal(source)
        raise PhotosError(
            f"There is no folder '{source}'.",
            found=f"{refusal}." if refusal else "",
            next_step="Check the name, or choose another folder.",
        )
    if not path_kinds.is_folder(source) and not (path_kinds.is_file(source) and is_table(source)):
        among = "folders with photos, or tables" if not alone else "the folder that holds one folder per class"
        raise PhotosError(
            f"'{source.name}' is not a folder.",
            found="It is a single file." if path_kinds.is_file(source) else "",
            next_step=f"Give {among}, or a table (.csv) with a path and a label in each line.",
        )
    return source


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if not _is_ignored(entry.name)]
    except OSError as error:
        raise _unreadable_folder(folder, path_kinds.reason(error)) from error
    return sorted(found, key=lambda path: natural_key(path.name))


def _unreadable_folder(folder: Path, why: str) -> PhotosError:
    return PhotosError(
        f"The folder '{folder}' could not be read.",
        found=f"{why}.",
        next_step="Check that it is still there and that you may read it.",
    )


def _readable_entries(folder: Path, found: _Found) -> list[Path]:
    """Return what is in a folder; one that cannot be read is noted, and the others go on."""
    try:
        return _entries(folder)
    except PhotosError as error:
        found.closed[folder] = error.found.rstrip(".")
        return []


def _files_below(folder: Path, found: _Found) -> Iterator[Path]:
    yield from _files_among(_readable_entries(folder, found), found)


def _files_among(entries: Sequence[Path], found: _Found) -> Iterator[Path]:
    """Yield files, and in their places the files of folders; folders may be nested deeper than functions may."""
    waiting = list(reversed(entries))
    while waiting:
        entry = waiting.pop()
        if not path_kinds.is_folder(entry):
            yield entry
        elif found.enter(entry):
            waiting += reversed(_readable_entries(entry, found))


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _IGNORED_NAMES


def _is_photo(path: Path) -> bool:
    return path.suffix.casefold() in PHOTO_SUFFIXES and path_kinds.is_file(path)
