"""Features that were computed once for a photo, kept on disk, so that no photo goes through a backbone twice.

    <cache>/features/<key>/<segment>.npy

A key stands for everything but the photo that decides the features. A segment is a structured array of content digests
and float32 features: written whole under a name of its own, memory-mapped, never changed. So a crash loses at most what
was not written yet, and two programs never get in each other's way; at worst both compute the same photo.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubstudio.core import paths, whole_files

DIGEST_BYTES = 16
_SEGMENT_BYTES = 4_000_000
_SECONDS_BETWEEN_SEGMENTS = 5.0
_MANY_SEGMENTS = 64
_SUFFIX = ".npy"
_SECONDS_A_PARTIAL_MAY_LIVE = 3600.0


@dataclass(frozen=True)
class FeatureKey:
    """What decides the features of a photo, beside the photo."""

    module: str
    """Digest of the module's files."""
    endpoint: str
    size: int
    """Side in pixels that photos are shrunk to."""
    preprocessing: str
    """Version of decoder, resizing, augmented view and numerics: whatever changes the numbers changes this text."""

    @property
    def name(self) -> str:
        """The folder's name."""
        text = "\n".join((self.module, self.endpoint, str(self.size), self.preprocessing))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass
class FeatureStore:
    """The features of one key. One thread at a time; a context manager that writes what is left when it ends well."""

    folder: Path
    features: int
    """Length of a feature vector."""
    _places: dict[bytes, tuple[int, int]] = field(default_factory=dict[bytes, tuple[int, int]])
    _segments: list[NDArray[Any]] = field(default_factory=list[NDArray[Any]])
    _files: list[Path] = field(default_factory=list[Path])
    _new: list[tuple[bytes, NDArray[np.float32]]] = field(default_factory=list[tuple[bytes, NDArray[np.float32]]])
    _written_at: float = field(default_factory=time.monotonic)

    @classmethod
    def open(cls, key: FeatureKey, features: int) -> FeatureStore:
        """Open what is there. A segment that is damaged or of another length is removed and its photos are unknown."""
        store = cls(features_folder() / key.name, features)
        for file in _segment_files(store.folder):
            store._take(file)
        if len(store._segments) > _MANY_SEGMENTS:
            store._merge()
        return store

    def __enter__(self) -> FeatureStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.write()

    def find(self, digests: Sequence[bytes]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return which photos' features are on disk, and ``[digests, features]`` with zeros for the others.

        A row that does not agree with its checksum is not there, and its segment goes.
        """
        known = np.zeros(len(digests), np.bool_)
        found = np.zeros((len(digests), self.features), np.float32)
        for row, digest in enumerate(digests):
            if digest in self._places:
                segment, place = self._places[digest]
                entry = self._segments[segment][place]
                if entry["check"] == _check(digest, entry["features"]):
                    known[row], found[row] = True, entry["features"]
                else:
                    _remove(self._files[segment])
        return known, found

    def add(self, digest: bytes, features: NDArray[np.float32]) -> None:
        """Keep one photo's features; they reach the disk within seconds of work, or with ``write``."""
        self._new.append((digest, features.astype(np.float32, copy=True)))
        is_full = len(self._new) * 4 * self.features >= _SEGMENT_BYTES
        if is_full or time.monotonic() - self._written_at > _SECONDS_BETWEEN_SEGMENTS:
            self.write()

    def write(self) -> None:
        """Write what is new as a segment. A disk that refuses costs only the memory of it: it is a cache."""
        new, self._new = self._new, []
        self._written_at = time.monotonic()
        if not new:
            return
        segment = np.zeros(len(new), self._dtype)
        for row, (digest, features) in enumerate(new):
            segment[row] = (np.frombuffer(digest, np.uint8), _check(digest, features), features)
        self._save(segment)

    def used(self) -> None:
        """Mark the store as used now, so that it goes last when room is made."""
        for file in _segment_files(self.folder):
            _touch(file)

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(
            [("digest", np.uint8, (DIGEST_BYTES,)), ("check", "<u4"), ("features", "<f4", (self.features,))]
        )

    def _take(self, file: Path) -> None:
        segment = _loaded(file)
        if segment is None or segment.dtype != self._dtype:
            _remove(file)
            return
        number = len(self._segments)
        self._segments.append(segment)
        self._files.append(file)
        for place, digest in enumerate(segment["digest"]):
            self._places[digest.tobytes()] = (number, place)

    def _save(self, segment: NDArray[Any]) -> bool:
        content = BytesIO()
        np.save(content, segment, allow_pickle=False)
        try:
            whole_files.write_bytes(self.folder / f"{secrets.token_hex(8)}{_SUFFIX}", content.getvalue())
        except OSError:
            return False
        return True

    def _merge(self) -> None:
        """Make one segment of many: of runs that each added a few photos.

        Only those that went into it are removed: another program may have added one since they were listed.
        """
        former = list(self._files)
        if self._save(np.concatenate(self._segments)):
            self._segments.clear()
            self._files.clear()
            self._places.clear()
            for file in former:
                _remove(file)
            for file in _segment_files(self.folder):
                self._take(file)


def features_folder() -> Path:
    """Return the folder of all stores."""
    return paths.cache_folder() / "features"


def used_bytes() -> int:
    """Return how much disk all stores take, with what others keep beside the features."""
    return sum(size for _, size, _ in _all_files())


def make_room(limit: int) -> int:
    """Remove what was not used for longest until at most ``limit`` bytes are left; return the bytes freed."""
    files = sorted(_all_files())
    excess = sum(size for _, size, _ in files) - limit
    freed = 0
    for _, size, file in files:
        if freed >= excess:
            break
        if _remove(file):
            freed += size
    _tidy()
    return freed


def empty() -> int:
    """Remove all features; return the bytes freed."""
    freed = used_bytes()
    shutil.rmtree(features_folder(), ignore_errors=True)
    return freed - used_bytes()


def _all_files() -> list[tuple[float, int, Path]]:
    found: list[tuple[float, int, Path]] = []
    for file in features_folder().glob("*/*"):
        if file.name.startswith("."):  # half-written
            continue
        try:
            status = file.stat()
        except OSError:  # another program has just removed it
            continue
        found.append((status.st_mtime, status.st_size, file))
    return found


def _tidy() -> None:
    """Remove what a killed program left half-written, and folders without anything in them."""
    for folder in features_folder().glob("*"):
        for partial in folder.glob(".*.partial"):
            if time.time() - partial.stat().st_mtime > _SECONDS_A_PARTIAL_MAY_LIVE:
                _remove(partial)
        try:
            folder.rmdir()
        except OSError:
            continue


def _segment_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob(f"*{_SUFFIX}") if not file.name.startswith("."))


def _loaded(file: Path) -> NDArray[Any] | None:
    try:
        segment = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception:  # NumPy reads the header as Python: a damaged one raises whatever its tokenizer does
        return None
    return segment if segment.ndim == 1 else None


def _check(digest: bytes, features: NDArray[np.float32]) -> int:
    return zlib.crc32(np.ascontiguousarray(features).data, zlib.crc32(digest))


def _remove(file: Path) -> bool:
    try:
        file.unlink()
    except OSError:  # on Windows a mapped file stays
        return False
    return True


def _touch(file: Path) -> None:
    try:
        os.utime(file)
    except OSError:
        return
