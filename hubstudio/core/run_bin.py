"""Deleting runs so that it can be undone.

    runs/.deleted/1f0c…/run-003     what one program has deleted, until it is closed; locked as long as it runs

Deleting moves the run's folder into a hidden one, and undoing moves it back; nothing else is ever touched. Emptying is
what removes files, and passes over what another living program could still take back.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from hubstudio.core import path_kinds
from hubstudio.core.errors import RunError

DELETED = ".deleted"
_LOCK = ".lock"


@dataclass(frozen=True)
class DeletedRun:
    """Where a deleted run is until it is restored or removed."""

    name: str
    place: Path


class RunBin:
    """What this program has deleted of one folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home = folder / DELETED / uuid4().hex
        self._lock = FileLock(self._home / _LOCK, timeout=0)

    def delete(self, run: Path) -> DeletedRun:
        """Move a run's folder out of the list, till ``restore`` takes it back. Raises ``RunError`` if nothing moved."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            if not self._lock.is_locked:
                self._lock.acquire()
            place = _free(self._home / run.name)
            run.rename(place)
        except (OSError, ValueError) as error:
            raise RunError(
                f"'{run.name}' could not be deleted.",
                found=f"{path_kinds.reason(error)}.",
                next_step="Close what may have its files open, and try again.",
            ) from error
        return DeletedRun(run.name, place)

    def restore(self, deleted: DeletedRun) -> Path:
        """Move a deleted run back and return its folder, of another name if its own was taken. Raises ``RunError``."""
        try:
            back = _free(self.folder / deleted.name)
            deleted.place.rename(back)
        except (OSError, ValueError) as error:
            raise RunError(
                f"'{deleted.name}' could not be taken back.",
                found=f"{path_kinds.reason(error)}.",
                next_step=f"Look for it in '{deleted.place.parent}'.",
            ) from error
        return back

    def give_up(self) -> None:
        """Undo nothing any more: the next time that is emptied, all of it goes."""
        self._lock.release()


def empty_deleted(folder: Path) -> None:
    """Remove the deleted runs of a folder for good; not those that a living program may still take back.

    What cannot be removed is left for the next time.
    """
    bin_folder = folder / DELETED
    if not _is_own_folder(bin_folder):  # a link could lead anywhere
        return
    for name in path_kinds.names_in(bin_folder):
        entry = bin_folder / name
        if not _is_own_folder(entry):
            _try_to(entry.unlink)
        elif not _is_held(entry):
            shutil.rmtree(entry, ignore_errors=True)
    _try_to(bin_folder.rmdir)


def _is_held(home: Path) -> bool:
    with suppress(OSError):
        try:
            FileLock(home / _LOCK, timeout=0).acquire().lock.release()
        except Timeout:
            return True
    return False


def _free(path: Path) -> Path:
    number, free = 2, path
    while path_kinds.is_taken(free):
        free = path.with_name(f"{path.name}-{number}")
        number += 1
    return free


def _is_own_folder(path: Path) -> bool:
    """Whether ``path`` is a folder itself, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _try_to(remove: Callable[[], None]) -> None:
    with suppress(OSError):
        remove()
