"""Which modules are on this computer, and whether they are whole. Looks at files only: no network, no TensorFlow."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from hubstudio.core import addresses, hub_lock, module_places, path_kinds
from hubstudio.core.errors import BackboneError
from hubstudio.core.module_places import ARCHIVE_FACTS, DESCRIPTOR, RECORD, EntryPaths
from hubstudio.core.module_record import load_record
from hubstudio.core.saved_model_files import damage


class ModuleState(StrEnum):
    """What is here of a module."""

    ABSENT = "absent"
    PARTIAL = "partial"
    """A download that was interrupted, or is going on."""
    READY = "ready"
    BROKEN = "broken"
    """Something is in its place that is not whole; fetching mends it."""


@dataclass(frozen=True)
class CachedModule:
    """One module's place in a cache."""

    handle: str
    folder: Path
    """Where it is, or where it will be."""
    state: ModuleState
    bytes: int = 0
    """What it takes on the disk, an interrupted download included."""
    why: str = ""
    """What is wrong with a broken one, as a clause."""

    @property
    def is_ready(self) -> bool:
        """Whether it can be loaded."""
        return self.state is ModuleState.READY

    @property
    def is_ours(self) -> bool:
        """Whether it lies where we fetch to, so that it is ours to remove."""
        return self.folder.parent == module_places.own_entry(self.handle).folder.parent


_LOCK_SECONDS = 5.0
"""A fetching that was cancelled a moment ago needs a while to let go."""
_BEST_FIRST = (ModuleState.READY, ModuleState.BROKEN, ModuleState.PARTIAL, ModuleState.ABSENT)


def look_up(handle: str) -> CachedModule:
    """Return what is here of the module with this canonical handle, or at this path of an imported one.

    A whole one in any cache goes before what is damaged or half here in ours.
    """
    found = [_look(handle, entry) for entry in module_places.entries(handle)]
    if kagglehub := module_places.kagglehub_folder(handle):
        found.append(_look(handle, EntryPaths(kagglehub)))
    return best_of(found)


def best_of(found: Sequence[CachedModule]) -> CachedModule:
    """Return the copy of a module that is of most use, the first among equals."""
    return min(found, key=lambda module: _BEST_FIRST.index(module.state))


def cached_modules() -> list[CachedModule]:
    """Return all modules of which something is here, by handle, imported ones last."""
    handles = {handle for folder in module_places.cache_folders() for handle in _handles_in(folder)}
    found = map(look_up, [*sorted(handles), *_imported()])
    return [module for module in found if module.state is not ModuleState.ABSENT]


def remove(handle: str) -> int:
    """Remove a module from our cache, by whatever address it was fetched, and return the bytes that this freed.

    Waits a moment for a fetching that is about to end. Raises ``BackboneError`` if it is being fetched right now, is
    not in our cache, or the system refuses.
    """
    module = look_up(handle)
    if module.state is ModuleState.ABSENT:
        raise BackboneError(f"'{handle}' is not on this computer.", next_step="There is nothing to remove.")
    if not module.is_ours:
        raise BackboneError(
            f"'{handle}' lies in a folder of another program.",
            found=f"It is in '{module.folder}'.",
            next_step="Delete that folder yourself if no other program needs it.",
        )
    return sum(_removed(handle, entry) for entry in _own_entries(handle))


def _own_entries(handle: str) -> list[EntryPaths]:
    """Return the entries of our cache in which something is: programs pass several addresses of one Kaggle module."""
    ours = module_places.own_entry(handle).folder.parent
    entries = [entry for entry in module_places.entries(handle) if entry.folder.parent == ours]
    return [entry for entry in entries if _look(handle, entry).state is not ModuleState.ABSENT]


def _removed(handle: str, entry: EntryPaths) -> int:
    """Remove one entry; return the bytes that this freed."""
    try:
        with FileLock(entry.lock, timeout=_LOCK_SECONDS):
            freed = _look(handle, entry).bytes
            _remove(entry)
    except Timeout as error:
        raise BackboneError(
            f"'{handle}' is being fetched right now.", next_step="Let it finish, or cancel it, and remove it then."
        ) from error
    except OSError as error:
        raise BackboneError(
            f"'{handle}' could not be removed.",
            found=f"{path_kinds.reason(error)}: {error.filename or entry.folder}.",
            next_step="Close other programs that use it, and check that you may write to that folder.",
        ) from error
    return freed


def put_in_place(entry: EntryPaths, made: Path | None) -> None:
    """Let the folder ``made``, or nothing, be the entry's in one step: nobody ever sees half of a module."""
    _delete(entry.outgoing)
    if path_kinds.is_taken(entry.folder):
        entry.folder.replace(entry.outgoing)
    if made is not None:
        made.replace(entry.folder)
    _delete(entry.outgoing)


def sweep(entry: EntryPaths) -> None:
    """Remove what a program left that was killed: all but what can be gone on with. Only for who holds the lock."""
    for path in (entry.making, entry.outgoing, *entry.strays()):
        _delete(path)


def has_leftovers(entry: EntryPaths) -> bool:
    """Whether a program ended before it had tidied up beside this entry."""
    places = (entry.making, entry.outgoing, entry.archive, entry.archive_facts, entry.hub_lock, *entry.strays())
    return any(map(path_kinds.is_taken, places))


def begun_bytes(entry: EntryPaths) -> int:
    """Return what is here of a module that is being fetched, or was when its program ended."""
    return _file_bytes(entry.archive) + sum(map(folder_bytes, [entry.making, *entry.hub_temporaries()]))


def folder_bytes(folder: Path) -> int:
    """Return what the files in a folder take, those that vanish meanwhile left out."""
    return sum(map(_file_bytes, folder.rglob("*"))) if path_kinds.is_folder(folder) else 0


def _look(handle: str, entry: EntryPaths) -> CachedModule:
    if path_kinds.is_folder(entry.folder):
        why = _what_is_wrong(entry)
        state = ModuleState.BROKEN if why else ModuleState.READY
        return CachedModule(handle, entry.folder, state, folder_bytes(entry.folder), why)
    if path_kinds.is_taken(entry.folder):
        return CachedModule(handle, entry.folder, ModuleState.BROKEN, 0, "a file lies where its folder belongs")
    begun = begun_bytes(entry)
    is_begun = begun or path_kinds.is_file(entry.archive) or hub_lock.is_held(entry)
    return CachedModule(handle, entry.folder, ModuleState.PARTIAL if is_begun else ModuleState.ABSENT, begun)


def _what_is_wrong(entry: EntryPaths) -> str:
    record = load_record(entry.record)
    return (record.missing(entry.folder) if record else "") or damage(entry.folder)


def _handles_in(folder: Path) -> Iterator[str]:
    """Yield the handles of a cache, from TF Hub's descriptors and, for begun downloads, from our own notes.

    Other programs note an address as it was passed to them; it is told as plans hold it, if that finds the entry too.
    """
    for name in path_kinds.names_in(folder):
        handle = ""
        if name.endswith(DESCRIPTOR):
            handle = _described(folder / name)
        elif name.endswith((RECORD, ARCHIVE_FACTS)):
            handle = _noted(folder / name)
        if handle and name.startswith(module_places.key(handle)):
            yield _canonical(handle)


def _canonical(text: str) -> str:
    try:
        address = addresses.web_address(text) or text
    except BackboneError:
        return text
    return address if text in addresses.cache_texts(address) else text


def _described(descriptor: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        first = descriptor.read_text("utf-8").partition("\n")[0]
        return first.removeprefix("Module:").strip() if first.startswith("Module:") else ""
    return ""


def _noted(note: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(note.read_text("utf-8"))["handle"])
    return ""


def _imported() -> list[str]:
    folder = module_places.imported_folder()
    return [str(folder / name) for name in path_kinds.names_in(folder) if path_kinds.is_folder(folder / name)
            and ".hubstudio." not in name]  # fmt: skip


def _remove(entry: EntryPaths) -> None:
    put_in_place(entry, None)
    sweep(entry)
    for path in (entry.descriptor, entry.record, entry.archive, entry.archive_facts):
        path.unlink(missing_ok=True)
    hub_lock.sweep(entry)


def _delete(path: Path) -> None:
    if path_kinds.is_folder(path) and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if os.path.isfile(path) else 0  # noqa: PTH113 - never raises
    except OSError:
        return 0
