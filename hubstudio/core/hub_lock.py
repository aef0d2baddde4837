"""TF Hub's lock on a module that is being fetched, spoken by its rules: who holds it, and whether anybody still does.

The file holds ``host.process.task``; TF Hub itself gives a holder up when nothing was written for ten minutes
(``tensorflow_hub/resolver.py``). Here a holder on this computer whose process is gone is given up at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
import uuid
from pathlib import Path

from hubstudio.core.module_places import EntryPaths

_ABANDONED_SECONDS = 600.0


def is_held(entry: EntryPaths) -> bool:
    """Whether another program, alive as far as can be told, is fetching this module with TF Hub."""
    try:
        holder = entry.hub_lock.read_text("utf-8", "replace")
    except OSError:
        return False
    return not _is_gone(holder) and time.time() - _last_sign(entry) < _ABANDONED_SECONDS


def take(entry: EntryPaths) -> str:
    """Make the lock ours and return what it says; an empty text if somebody else was sooner."""
    text = f"{socket.gethostname()}.{os.getpid()}.{uuid.uuid4().hex}"
    try:
        with entry.hub_lock.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return ""
    return text


def give_back(entry: EntryPaths, text: str) -> None:
    """Remove the lock, if it still says ``text``."""
    with contextlib.suppress(OSError):
        if entry.hub_lock.read_text("utf-8") == text:
            entry.hub_lock.unlink()


def sweep(entry: EntryPaths) -> None:
    """Remove what a program that fetched with TF Hub left when it ended; nothing if it may still be at work."""
    if is_held(entry):
        return
    entry.hub_lock.unlink(missing_ok=True)
    for folder in entry.hub_temporaries():
        shutil.rmtree(folder, ignore_errors=True)


def _is_gone(holder: str) -> bool:
    host, _, rest = holder.rpartition(".")[0].rpartition(".")
    if os.name == "nt" or host != socket.gethostname() or not rest.isdecimal():
        return False  # on Windows the question would end the process (os.kill)
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is there, but not ours
        return False
    return False


def _last_sign(entry: EntryPaths) -> float:
    """Return when something was written last; TF Hub's files grow as it unpacks while it downloads."""
    inside = (path for folder in entry.hub_temporaries() for path in (folder, *folder.rglob("*")))
    return max(map(_changed, (entry.hub_lock, *inside)))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
