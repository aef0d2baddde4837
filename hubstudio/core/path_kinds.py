"""Questions to the disk that are always answered: a path that cannot be, or may not be seen, is simply not there.

``Path.is_dir`` and its kin raise for names that are too long, hold a NUL or lie behind a folder one may not enter.
"""

from __future__ import annotations

import os
from pathlib import Path


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder, or a link to one."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Whether ``path`` is a regular file, or a link to one: no folder, no pipe, no device."""
    return os.path.isfile(path)  # noqa: PTH113


def exists(path: Path) -> bool:
    """Whether something is at ``path``; a link that leads nowhere does not count."""
    return os.path.exists(path)  # noqa: PTH110


def is_taken(path: Path) -> bool:
    """Whether the name is in use, be it by a link that leads nowhere."""
    return os.path.lexists(path)


def is_empty_folder(path: Path) -> bool:
    """Whether ``path`` is a folder that can be read and holds nothing."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except (OSError, ValueError):
        return False


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none if it is not there or cannot be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except (OSError, ValueError):
        return []


def absolute(path: Path) -> Path:
    """Return the path from the root on, with '~' read as a home folder where there is such a one."""
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111


def whole(path: Path | str) -> Path:
    """Return the path from the root on, without dots; links stay as they are named, where ``resolve`` replaces them."""
    return Path(os.path.abspath(absolute(Path(path))))  # noqa: PTH100


def real(path: Path) -> Path:
    """Return the path with every link followed as far as it leads; links in a circle stay."""
    return Path(os.path.realpath(path))


def refusal(path: Path) -> str:
    """Return why the system will not even look at ``path`` ('File name too long'), or '' where it will."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return reason(error)
    return ""


def reason(error: Exception) -> str:
    """Return what the system said, without its number and the path."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def is_text(path: Path | str) -> bool:
    """Whether a path or name can be written as UTF-8; some systems have names that cannot."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
