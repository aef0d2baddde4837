"""Photos of one size in a file, read where they lie: fine enough that features from them are those of the photos.

Whole levels are not: photos that were enlarged to the backbone's size gave features that were off by up to a sixth of
their spread. 256 steps a level cost twice the space.

Beside them lies what each row was made of, with a checksum, so that a run that goes on reads only the photos that are
missing: those that are there may have gone from where they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubstudio.core import whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import DECODER_VERSION
from hubstudio.core.feature_store import DIGEST_BYTES
from hubstudio.core.hyper_parameters import PIXEL_BYTES
from hubstudio.ml.border_store import reserved_array

_STEPS = 256  # a level; 255 levels of them fit into 16 bits
_MADE_BY = f"decoder {DECODER_VERSION}, {_STEPS} steps".encode()
_MARK = np.dtype([("digest", np.uint8, (DIGEST_BYTES,)), ("check", "<u4")])
Steps = NDArray[np.uint16]
Marks = NDArray[Any]
"""``[rows]``: the digest of the photo in each row, and the checksum of both."""


@dataclass(frozen=True)
class PixelFile:
    """Photos ``[photos, size, size, 3]`` on disk. One thread at a time."""

    steps: Steps
    marks: Marks
    rows: NDArray[np.int64]
    """In which row of the file each photo lies; photos of one content share it."""

    @classmethod
    def open(
        cls, file: Path, digests: Sequence[bytes], size: int, cancel: CancelToken
    ) -> tuple[PixelFile, NDArray[np.bool_]]:
        """Return the file for photos of these contents, and which of them it holds already.

        One that fits is used again, with those of its rows that are whole; else it is made anew, with its space
        reserved. Raises ``OSError`` if the disk has not that much left, ``Cancelled`` between rows.
        """
        wanted = list(dict.fromkeys(digests))
        steps, marks = _found(file, len(wanted), size) or _made(file, len(wanted), size)
        held = _held(steps, marks, frozenset(wanted), cancel)
        free = iter(sorted(set(range(len(steps))) - set(held.values())))
        rows = {digest: held[digest] if digest in held else next(free) for digest in wanted}
        places = np.array([rows[digest] for digest in digests], np.int64)
        return cls(steps, marks, places), np.array([digest in held for digest in digests], np.bool_)

    def put(self, photos: Sequence[int], digests: Sequence[bytes], pixels: NDArray[np.float32]) -> None:
        """Write some photos of the list, 0 to 255, with the digests of their contents."""
        for row, digest, values in zip(self.rows[list(photos)], digests, pixels, strict=True):
            self.steps[row] = np.rint(values * _STEPS)
            self.marks[row] = (np.frombuffer(digest, np.uint8), _check(digest, self.steps[row]))

    def photos(self, photos: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return some photos of the list, 0 to 255."""
        return self.steps[self.rows[photos]].astype(np.float32) * np.float32(1 / _STEPS)

    def whole_levels(self, photos: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return some photos of the list rounded to whole levels, as pictures are."""
        return np.rint(self.photos(photos)).astype(np.uint8)

    def only(self, photos: NDArray[np.int64]) -> PixelFile:
        """Return some photos of the list as a list of their own, without copying them."""
        return replace(self, rows=self.rows[photos])


def _found(file: Path, photos: int, size: int) -> tuple[Steps, Marks] | None:
    """Return what an interrupted run has left, if it has room for so many photos of this size."""
    try:
        steps = np.load(file, mmap_mode="r+", allow_pickle=False)
        marks = np.load(_marks_of(file), mmap_mode="r+", allow_pickle=False)
    except Exception:  # missing, or damaged: NumPy reads the header as Python, and raises whatever its tokenizer does
        return None
    is_ours = (steps.dtype, marks.dtype, marks.shape) == (np.uint16, _MARK, steps.shape[:1])
    return (steps, marks) if is_ours and steps.shape[1:] == (size, size, 3) and len(steps) >= photos else None


def _made(file: Path, photos: int, size: int) -> tuple[Steps, Marks]:
    """Make both files; the marks come last, so that where they are, the space of the photos is reserved."""
    assert np.dtype(np.uint16).itemsize == PIXEL_BYTES
    marks, content = _marks_of(file), BytesIO()
    marks.unlink(missing_ok=True)
    steps = reserved_array(file, (photos, size, size, 3), np.uint16)
    np.save(content, np.zeros(photos, _MARK))
    whole_files.write_bytes(marks, content.getvalue())
    return steps, np.load(marks, mmap_mode="r+", allow_pickle=False)


def _marks_of(file: Path) -> Path:
    return file.with_suffix(".marks.npy")


def _held(steps: Steps, marks: Marks, wanted: frozenset[bytes], cancel: CancelToken) -> dict[bytes, int]:
    """Return the rows of wanted photos that are whole: of one that was being written, the checksum does not agree."""
    held: dict[bytes, int] = {}
    for row, mark in enumerate(marks):
        cancel.check_before_results()
        digest = mark["digest"].tobytes()
        if digest in wanted and mark["check"] == _check(digest, steps[row]):
            held[digest] = row
    return held


def _check(digest: bytes, steps: Steps) -> int:
    return zlib.crc32(np.ascontiguousarray(steps).data, zlib.crc32(digest, zlib.crc32(_MADE_BY)))
