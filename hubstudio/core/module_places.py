"""Where fetched modules lie: TF Hub's own layout, so that other programs find ours and we find theirs.

TF Hub keeps a module in ``<cache>/<sha1 of its handle>``, with ``.descriptor.txt`` and, while it fetches, ``.lock`` and
``.<id>.tmp`` beside it (``tensorflow_hub/resolver.py``). What we need besides has names that it never looks at.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hubstudio.core import addresses, path_kinds, paths

CACHE_VARIABLE = "TFHUB_CACHE_DIR"
KAGGLE_CACHE_VARIABLE = "KAGGLEHUB_CACHE"
DESCRIPTOR, RECORD, ARCHIVE_FACTS = ".descriptor.txt", ".hubstudio.json", ".hubstudio.part.json"


@dataclass(frozen=True)
class EntryPaths:
    """One module's folder, and what lies beside it."""

    folder: Path

    @property
    def descriptor(self) -> Path:
        """TF Hub's note of whose module this is."""
        return self._beside(DESCRIPTOR)

    @property
    def hub_lock(self) -> Path:
        """What TF Hub writes while it fetches."""
        return self._beside(".lock")

    @property
    def record(self) -> Path:
        """Our note of every file's size and digest, as it was fetched."""
        return self._beside(RECORD)

    @property
    def lock(self) -> Path:
        """Held by the one of our programs that fetches or removes."""
        return self._beside(".hubstudio.lock")

    @property
    def archive(self) -> Path:
        """What has come of the download so far."""
        return self._beside(".hubstudio.part")

    @property
    def archive_facts(self) -> Path:
        """Which version of the archive that is, for going on with it."""
        return self._beside(ARCHIVE_FACTS)

    @property
    def making(self) -> Path:
        """The folder that is being unpacked and checked. One fixed name: what a killed program left is found."""
        return self._beside(".hubstudio.tmp")

    @property
    def outgoing(self) -> Path:
        """A damaged or unwanted folder on its way out."""
        return self._beside(".hubstudio.old")

    def hub_temporaries(self) -> list[Path]:
        """Return the folders into which TF Hub is unpacking, or was when it ended."""
        return sorted(path for path in self.folder.parent.glob(f"{self.folder.name}.*.tmp") if path != self.making)

    def strays(self) -> list[Path]:
        """Return what a program that was killed within a small write left (``whole_files``)."""
        return sorted(self.folder.parent.glob(f".{self.folder.name[:40]}.*.partial"))

    def _beside(self, suffix: str) -> Path:
        return self.folder.with_name(self.folder.name + suffix)


def cache_folder() -> Path:
    """Return the folder that modules are fetched into: TF Hub's, if the environment names one, else our own."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return path_kinds.whole(chosen) if chosen else paths.modules_folder()


def imported_folder() -> Path:
    """Return the folder for modules that came out of an archive on this computer; plans name them by their path."""
    return paths.modules_folder() / "imported"


def cache_folders() -> tuple[Path, ...]:
    """Return where modules are looked for: our cache, our own folder, and the one TF Hub uses when none is named."""
    common = Path(tempfile.gettempdir()) / "tfhub_modules"
    own = (cache_folder(), paths.modules_folder())
    return tuple(dict.fromkeys((*own, common) if _only_we_write(common) else own))


def _only_we_write(folder: Path) -> bool:
    """Whether nobody else can have put something there: temporary folders are shared, and modules are programs."""
    if os.name == "nt":
        return True  # there everybody has a temporary folder of their own
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o002


def own_entry(handle: str) -> EntryPaths:
    """Return where a module is fetched to, or where it lies if ``handle`` is the path of an imported one."""
    return EntryPaths(Path(handle)) if is_imported(handle) else EntryPaths(cache_folder() / key(handle))


def entries(handle: str) -> list[EntryPaths]:
    """Return all places where a module may lie, the one it is fetched to first."""
    if is_imported(handle):
        return [own_entry(handle)]
    texts = addresses.cache_texts(handle)
    places = [EntryPaths(folder / key(text)) for folder in cache_folders() for text in texts]
    return list(dict.fromkeys(places))


def is_imported(handle: str) -> bool:
    """Whether the handle is the path of a module that was imported from an archive."""
    return "://" not in handle and Path(handle).parent == imported_folder()


def kagglehub_folder(handle: str) -> Path | None:
    """Return the folder in which kagglehub keeps the module of a Kaggle address, whole; None if there is none.

    kagglehub spells its folders as the program spelled the handle, and marks a whole one with ``<version>.complete``.
    """
    parts = addresses.kaggle_parts(handle)
    if not parts:
        return None
    chosen = os.environ.get(KAGGLE_CACHE_VARIABLE)
    folder: Path | None = (Path(chosen) if chosen else Path.home() / ".cache" / "kagglehub") / "models"
    for part in parts:
        folder = _child(folder, part) if folder else None
    return folder if folder and path_kinds.is_file(folder.with_name(f"{folder.name}.complete")) else None


def _child(folder: Path, name: str) -> Path | None:
    found = (known for known in path_kinds.names_in(folder) if known.casefold() == name.casefold())
    return next((folder / known for known in found), None)


def key(text: str) -> str:
    """Return the name under which TF Hub keeps the module that programs call ``text``."""
    return hashlib.sha1(text.encode("utf-8"), usedforsecurity=False).hexdigest()
