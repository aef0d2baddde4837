"""Small pictures kept on disk, so that photos seen before need not be decoded again."""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from PIL import Image

_FILE = "thumbnails-1.sqlite"
_QUALITY = 88
_WRITES_BETWEEN_LOOKS = 100
_PART_DROPPED = 10
"""One in so many goes when there is too much."""
_SECONDS_OF_USE = 86_400
"""Use is noted once in that time: a note is a write."""
_PATIENCE = 2.0
"""Seconds to wait for another program that writes."""
_SCHEMA = (
    "BEGIN IMMEDIATE",  # two programs begin one at a time
    "CREATE TABLE IF NOT EXISTS thumbnails (key BLOB PRIMARY KEY, used INTEGER NOT NULL, picture BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS by_use ON thumbnails (used)",
    "COMMIT",
)
_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class ThumbnailCache:
    """JPEGs in one SQLite file, found by path, size and time of the photo; those not used for longest go first.

    Any thread may ask. Whatever goes wrong with the file, a thumbnail is not there and nothing is raised: a damaged
    file is thrown away once, and a disk that refuses means to go on without.
    """

    def __init__(self, folder: Path, most_bytes: int = 300_000_000) -> None:
        self._file = folder / _FILE
        self._most_bytes = most_bytes
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._has_begun_anew = False
        self._is_usable = True
        self._writes = 0

    def get(self, photo: Path, side: int) -> Image.Image | None:
        """Return the picture made of this photo as it is now, or None."""
        key = _key(photo, side)
        content = self._read(key) if key else None
        if content is None:
            return None
        try:
            picture = Image.open(io.BytesIO(content), formats=("JPEG",))
            picture.load()
        except Exception:  # damaged within the file: as if it were not there
            return None
        return picture if picture.size == (side, side) and picture.mode == "RGB" else None

    def put(self, photo: Path, side: int, picture: Image.Image) -> None:
        """Keep a picture of a photo."""
        key = _key(photo, side)
        if not key:
            return
        content = io.BytesIO()
        try:
            picture.save(content, "JPEG", quality=_QUALITY, subsampling=0)
        except (OSError, ValueError, MemoryError):
            return
        self._write(key, content.getvalue())

    def close(self) -> None:
        """Let go of the file; nothing is kept or found any more."""
        with self._guard:
            self._is_usable = False
            self._disconnect()

    def _read(self, key: bytes) -> bytes | None:
        with self._guard:
            try:
                connection = self._connected()
                row = connection.execute("SELECT picture, used FROM thumbnails WHERE key = ?", (key,)).fetchone()
                if row is None:
                    return None
                content, used = row
                now = int(time.time())
                if not isinstance(content, bytes) or not isinstance(used, int):  # damaged within the file
                    return None
            except (sqlite3.Error, OSError) as error:
                self._on_trouble(error)
                return None
            if now - used > _SECONDS_OF_USE:
                self._note_use(connection, key, now)
            return content

    def _note_use(self, connection: sqlite3.Connection, key: bytes, now: int) -> None:
        try:
            connection.execute("UPDATE thumbnails SET used = ? WHERE key = ?", (now, key))
        except sqlite3.Error as error:  # the picture was there all the same
            self._on_trouble(error)

    def _write(self, key: bytes, content: bytes) -> None:
        with self._guard:
            try:
                connection = self._connected()
                row = (key, int(time.time()), content)
                connection.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?)", row)
                self._writes += 1
                if self._writes % _WRITES_BETWEEN_LOOKS == 1:
                    self._drop_oldest(connection)
            except (sqlite3.Error, OSError) as error:
                self._on_trouble(error)

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        for _ in range(_PART_DROPPED):
            pages, free, size = (_number(connection, f"PRAGMA {name}") for name in _SIZES)
            if (pages - free) * size <= self._most_bytes:
                return
            count = _number(connection, "SELECT count(*) FROM thumbnails") // _PART_DROPPED + 1
            oldest = "SELECT key FROM thumbnails ORDER BY used LIMIT ?"
            connection.execute(f"DELETE FROM thumbnails WHERE key IN ({oldest})", (count,))

    def _connected(self) -> sqlite3.Connection:
        if not self._is_usable:
            raise sqlite3.ProgrammingError("closed")
        if self._connection is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(self._file)
        return self._connection

    def _on_trouble(self, error: Exception) -> None:
        """Wait for better times if another program writes; begin anew once if the file is damaged; else give up."""
        code = _code(error)
        if code in _HELD or (code == sqlite3.SQLITE_FULL and self._connection):  # what is there can still be read
            return
        self._disconnect()
        if code not in _DAMAGED or self._has_begun_anew:
            self._is_usable = False
            return
        self._has_begun_anew = True
        with suppress(sqlite3.Error, OSError):
            _remove_if_damaged(self._file)

    def _disconnect(self) -> None:
        if self._connection:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


_SIZES = ("page_count", "freelist_count", "page_size")


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _opened(file: Path) -> sqlite3.Connection:
    """Return a connection to a file that has its table."""
    # isolation_level None: every statement is a transaction of its own, whole or absent
    connection = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            if _code(error) not in _HELD:  # else another program is doing it, and SQLite does not wait here
                raise
        connection.execute("PRAGMA synchronous = NORMAL")
        is_made = _number(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'by_use'")
        for statement in () if is_made else _SCHEMA:  # else others that write need not be waited for
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _remove_if_damaged(file: Path) -> None:
    """Remove a file unless another program has done so by now, and has begun anew."""
    with closing(sqlite3.connect(_beside(file, "-mending"), timeout=_PATIENCE, isolation_level=None)) as turn:
        turn.execute("BEGIN EXCLUSIVE")  # the lock that every system has: one program at a time gets past here
        if _is_damaged(file):
            for suffix in ("-wal", "-shm", ""):  # the file last: until then nobody can use the others
                _beside(file, suffix).unlink(missing_ok=True)


def _is_damaged(file: Path) -> bool:
    try:
        with closing(_opened(file)) as connection:
            return connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
    except sqlite3.Error as error:
        return _code(error) in _DAMAGED


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _key(photo: Path, side: int) -> bytes | None:
    """Return what changes whenever the photo does, or None if it is not there."""
    try:
        found = photo.stat()
    except (OSError, ValueError):
        return None
    facts = b"%d %d %d " % (side, found.st_size, found.st_mtime_ns)
    return hashlib.blake2b(facts + os.fsencode(photo), digest_size=16).digest()
