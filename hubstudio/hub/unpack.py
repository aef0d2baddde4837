"""A module's ``.tar.gz``, unpacked: only regular files and folders, inside one folder, within bounds, all of it read.

Nothing is left to ``tarfile``'s own extraction: names are checked here, and files are written by us as plain new files.
Its ``data`` filter, which strips what we refuse, is asked as well where Python has it (3.11.4).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from hubstudio.core.errors import BackboneError
from hubstudio.core.module_record import FileFacts
from hubstudio.core.saved_model_files import SAVED_MODEL, SAVED_MODEL_TEXT, damage, holds_saved_model
from hubstudio.hub import failures
from hubstudio.hub.archive_names import Names, UnsafeName

_PIECE_BYTES = 1 << 18
_MEBIBYTE = 1 << 20
_TAR_MARK_ENDS = 262
"""In bytes: a tar says 'ustar' at 257."""

OnBytes = Callable[[int, int], None]
"""Told how many bytes of the archive were read, of how many; may raise ``Cancelled``."""


@dataclass(frozen=True)
class Bounds:
    """What an archive may come to. The largest image module of TF Hub has 3.6 GB in about 20 files."""

    members: int = 2_000
    bytes: int = 8 << 30
    growth: int = 100
    """Times its packed size, beyond ``free_bytes``: weights hardly shrink, graphs some ten times; bombs a thousand."""
    free_bytes: int = 256 * _MEBIBYTE
    header_bytes: int = _MEBIBYTE
    """Of one long name or extended header, which tarfile reads into memory whole."""

    def total(self, packed: int) -> int:
        """Return how many bytes may come out of an archive of that size."""
        return min(self.bytes, packed * self.growth + self.free_bytes)


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """The archive holds what no module needs; the text says what."""


@dataclass
class _Opened:
    """An archive that is being unpacked into ``folder``."""

    handle: str
    archive: Path
    folder: Path
    bounds: Bounds
    on_bytes: OnBytes
    names: Names = field(default_factory=Names)
    files: dict[str, FileFacts] = field(default_factory=dict[str, FileFacts])
    members: int = 0

    def unpack(self) -> None:
        packed = self.archive.stat().st_size
        with self.archive.open("rb") as raw, _unzipped(raw) as unzipped:
            counted = _Counted(unzipped, self.bounds.total(packed), lambda: self.on_bytes(raw.tell(), packed))
            with tarfile.open(
                fileobj=cast(BinaryIO, counted), mode="r|", bufsize=_PIECE_BYTES, tarinfo=_careful(self.bounds)
            ) as tar:
                for member in tar:
                    self._take(tar, member)
            while counted.read(_PIECE_BYTES):  # to the end: only there is the checksum
                pass

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self.members += 1
        if self.members > self.bounds.members:
            raise _Refused(f"It holds more than {self.bounds.members:,} files and folders.")
        is_file = member.isreg() and not member.issparse()
        if not is_file and not member.isdir():
            raise _Refused(f"'{member.name}' is {_kind(member)}, no file and no folder.")
        parts = self.names.take(member.name, is_folder=member.isdir())
        _ask_filter(member, self.folder)
        target = self.folder.joinpath(*parts)
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            return
        if not parts:
            raise _Refused("It holds a file without a name.")
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None
        self.files["/".join(parts)] = _written(cast(BinaryIO, content), target)


class _Counted:
    """A stream that ends with an error before more comes out of it than may."""

    def __init__(self, file: BinaryIO, most: int, on_read: Callable[[], None]) -> None:
        self._file = file
        self._left = most
        self._most = most
        self._on_read = on_read

    def read(self, count: int) -> bytes:
        piece = self._file.read(min(count, _PIECE_BYTES))
        self._left -= len(piece)
        if self._left < 0:
            raise _Refused(f"It grows to more than {self._most / 1e6:,.0f} MB.")
        self._on_read()
        return piece


def unpack(
    handle: str, archive: Path, folder: Path, on_bytes: OnBytes, bounds: Bounds | None = None
) -> tuple[Path, dict[str, FileFacts]]:
    """Unpack into the new ``folder``; return where in it the module is, and its files by path from there.

    Raises ``BackboneError`` if the archive is damaged, unsafe or no module, or the disk too full; ``OSError`` of the
    disk. ``folder`` may then hold something.
    """
    failures.require_room(folder.parent, _unpacked_bytes(archive))
    folder.mkdir(parents=True)
    opened = _Opened(handle, archive, folder, bounds or Bounds(), on_bytes)
    try:
        opened.unpack()
    except (_Refused, UnsafeName) as error:
        raise failures.unsafe_archive(handle, _sentence(error)) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, ValueError, struct.error) as error:
        raise _damaged(handle, archive, error) from error
    root, files = _module(handle, folder, opened.files)
    if why := damage(root):
        raise failures.damaged(handle, _sentence(why))
    return root, files


def _module(handle: str, folder: Path, files: dict[str, FileFacts]) -> tuple[Path, dict[str, FileFacts]]:
    """Return the module at the top of what was unpacked, else in the only folder that holds one, however deep.

    What lies beside it, such as a README or what macOS adds, is of no account.
    """
    if holds_saved_model(folder):
        return folder, files
    homes = _module_folders(files)
    if len(homes) == 1:
        prefix = f"{homes[0]}/"
        inside = {name.removeprefix(prefix): facts for name, facts in files.items() if name.startswith(prefix)}
        return folder / homes[0], inside
    if homes:
        raise failures.several_modules(handle, homes)
    some = ", ".join(sorted(files)[:5]) or "nothing"
    raise failures.not_a_module(handle, f"The archive holds no saved_model.pb, but {some}.")


def _module_folders(files: Iterable[str]) -> list[str]:
    """Return the folders that hold a SavedModel and are not inside another such folder: that one is its asset."""
    split = (name.rpartition("/") for name in sorted(files) if not name.startswith("__MACOSX/"))
    homes = dict.fromkeys(home for home, _, name in split if home and name in (SAVED_MODEL, SAVED_MODEL_TEXT))
    return [home for home in homes if not any(home.startswith(f"{other}/") for other in homes)]


def _damaged(handle: str, archive: Path, error: Exception) -> BackboneError:
    with archive.open("rb") as file:
        if not _is_gzip(file) and file.read(_TAR_MARK_ENDS)[-5:] != b"ustar":
            return failures.not_a_module(handle, "It is no .tar.gz.")
    return failures.damaged(handle, _sentence(error))


def _unzipped(raw: BinaryIO) -> BinaryIO:
    """Return the tar itself: archives on this computer may be plain."""
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if _is_gzip(raw) else raw


def _is_gzip(file: BinaryIO) -> bool:
    start = file.read(2)
    file.seek(0)
    return start == b"\x1f\x8b"


def _written(content: BinaryIO, target: Path) -> FileFacts:
    """Write a new file down to the disk."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while piece := content.read(_PIECE_BYTES):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return FileFacts(size, digest.hexdigest())


def _careful(bounds: Bounds) -> type[tarfile.TarInfo]:
    """Return a reader of headers that refuses those which are too long to be held in memory."""
    extended = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
                tarfile.GNUTYPE_LONGLINK)  # fmt: skip

    class Careful(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Careful:
            member = super().frombuf(buf, encoding, errors)
            if member.type in extended and member.size > bounds.header_bytes:
                raise _Refused("A name in it is longer than a megabyte.")
            return member

    return Careful


def _ask_filter(member: tarfile.TarInfo, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        try:
            tarfile.data_filter(member, str(folder))
        except tarfile.FilterError as error:
            raise _Refused(str(error)) from error


def _kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return f"a link to '{member.linkname[:80]}'"
    if member.isdev():
        return "a pipe" if member.isfifo() else "a device"
    return "a file with holes" if member.issparse() else "something unknown"


def _unpacked_bytes(archive: Path) -> int:
    """Return what gzip's last four bytes say of its content; too little for one of 4 GB and more."""
    with archive.open("rb") as file:
        is_gzip = _is_gzip(file)
        size = file.seek(0, os.SEEK_END)
        if size < 18 or not is_gzip:
            return size
        file.seek(-4, os.SEEK_END)
        said: int = struct.unpack("<I", file.read(4))[0]
    # A damaged archive may say anything; it shall be called damaged, not too large for the disk.
    return said if said <= size * 1032 else 0


def _sentence(error: Exception | str) -> str:
    text = str(error) or type(error).__name__
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
