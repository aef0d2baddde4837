"""What was found out about photos that did not change since: a second opening reads and compares only what is new.

One SQLite file for all projects and the command line, since projects share photos. It is a cache: where it cannot be
read or written, everything works, only slower.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubstudio.core import paths
from hubstudio.core.looks import LOOK_BYTES, LOOK_VERSION

_VERSION = f"1.{LOOK_VERSION}"
_ROWS_PER_QUERY = 500
_DIGEST_BYTES = 16
_LARGEST = 2**63 - 1  # that SQLite holds; a file may claim to be from the year 2400
_LINKS_LIMIT = 16 * 2**20  # bytes of links kept, the youngest: a project of 100,000 photos has one million
_LINKS_ROW = 100  # bytes that a row takes beside its links
_WAIT = 10.0  # seconds for another program that writes
_ABOUT = "CREATE TABLE IF NOT EXISTS about (version TEXT NOT NULL)"
_PHOTO = """CREATE TABLE photo (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, changed INTEGER NOT NULL,
    digest BLOB NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, look BLOB NOT NULL
) WITHOUT ROWID"""
_LINKS = "CREATE TABLE IF NOT EXISTS links (age INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, links BLOB NOT NULL)"
_DROP_OLDEST_LINKS = """DELETE FROM links WHERE age <= (
    SELECT max(age) FROM (SELECT age, sum(length(links) + ?) OVER (ORDER BY age DESC) AS held FROM links) WHERE held > ?
)"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file's entry in its folder says; equal stamps mean unchanged content."""

    size: int
    modified: int
    """Nanoseconds."""
    changed: int
    """Nanoseconds; on Windows when the file was made."""

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Ask the disk. Raises ``OSError``."""
        found = os.stat(path)  # noqa: PTH116 - a call less, 100,000 times
        return cls(found.st_size, found.st_mtime_ns & _LARGEST, found.st_ctime_ns & _LARGEST)


@dataclass(frozen=True, slots=True)
class IndexedPhoto:
    """What reading a photo has told."""

    digest: bytes
    width: int
    height: int
    look: bytes


class PhotoIndex:
    """The open index; without a database it knows nothing and keeps nothing. For one thread."""

    def __init__(self, database: sqlite3.Connection | None) -> None:
        self._database = database
        self._has_new_links = False
        self.is_damaged = False
        """Whether the file turned out to be no whole database."""

    def known(self, stamps: Sequence[tuple[Path, Stamp]]) -> Iterator[tuple[Path, IndexedPhoto]]:
        """Yield those of the photos that are known and did not change."""
        for start in range(0, len(stamps), _ROWS_PER_QUERY):
            chunk = {os.fsencode(path): (path, stamp) for path, stamp in stamps[start : start + _ROWS_PER_QUERY]}
            marks = ",".join("?" * len(chunk))
            for key, size, modified, changed, digest, width, height, look in self._rows(
                f"SELECT path, size, modified, changed, digest, width, height, look FROM photo WHERE path IN ({marks})",
                list(chunk),
            ):
                path, stamp = chunk[key]
                seen = IndexedPhoto(digest, width, height, look)
                is_whole = len(seen.digest) == _DIGEST_BYTES and len(seen.look) == LOOK_BYTES
                if is_whole and stamp == Stamp(size, modified, changed):
                    yield path, seen

    def keep(self, photos: Iterable[tuple[Path, Stamp, IndexedPhoto]]) -> None:
        """Note what was found out; in one step."""
        rows = [
            (
                os.fsencode(path),
                stamp.size,
                stamp.modified,
                stamp.changed,
                seen.digest,
                seen.width,
                seen.height,
                seen.look,
            )
            for path, stamp, seen in photos
        ]
        self._write("INSERT OR REPLACE INTO photo VALUES (?,?,?,?,?,?,?,?)", rows)

    def links(self, key: bytes) -> bytes | None:
        """Return the links that were kept under the key."""
        rows = self._rows("SELECT links FROM links WHERE key = ?", [key])
        return rows[0][0] if rows and isinstance(rows[0][0], bytes) else None

    def keep_links(self, key: bytes, links: bytes) -> None:
        """Keep links under the key until younger ones need their room."""
        self._write("INSERT OR REPLACE INTO links (key, links) VALUES (?,?)", [(key, links)])
        self._has_new_links = True

    def close(self) -> None:
        """Let go of the file."""
        if self._has_new_links:
            self._write(_DROP_OLDEST_LINKS, [(_LINKS_ROW, _LINKS_LIMIT)])
        if self._database is not None:
            self._database.close()

    def _write(self, statement: str, rows: Sequence[tuple[bytes | int, ...]]) -> None:
        if self._database is None or not rows:
            return
        try:
            with self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:  # full disk, another program in the way: it is found out again next time
            self._note(error)

    def _rows(self, query: str, values: Sequence[bytes]) -> list[tuple[Any, ...]]:
        if self._database is None:
            return []
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            self._note(error)
            return []

    def _note(self, error: sqlite3.Error) -> None:
        self.is_damaged = self.is_damaged or _tells_damage(error)


@contextmanager
def open_index(file: Path | None = None) -> Generator[PhotoIndex]:
    """Open the index (the program's own unless ``file`` is given); a damaged one is begun anew."""
    file = file or paths.photo_index_file()
    index = PhotoIndex(_connect(file))
    try:
        yield index
    finally:
        index.close()
        if index.is_damaged:
            _remove(file)


def _connect(file: Path) -> sqlite3.Connection | None:
    for _ in range(2):
        try:
            return _prepared(file)
        except OSError:
            return None
        except sqlite3.Error as error:
            if not _tells_damage(error):
                return None
            _remove(file)
    return None


def _tells_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, not another program that holds it, a full disk or a missing permission."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _remove(file: Path) -> None:
    for name in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        with suppress(OSError):
            name.unlink()


def _prepared(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file, timeout=_WAIT)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        with database:
            database.execute("BEGIN IMMEDIATE")  # two programs begin one at a time
            database.execute(_ABOUT)
            if database.execute("SELECT version FROM about").fetchall() != [(_VERSION,)]:
                database.execute("DELETE FROM about")
                database.execute("INSERT INTO about VALUES (?)", (_VERSION,))
                database.execute("DROP TABLE IF EXISTS photo")
                database.execute("DROP TABLE IF EXISTS links")
                database.execute(_PHOTO)
            database.execute(_LINKS)
    except BaseException:
        database.close()
        raise
    return database
