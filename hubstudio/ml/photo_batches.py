"""Photos into arrays: decoded by several threads, each to its place, in order, ahead of whoever consumes them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import FloatPixels, UnreadablePhotoError, pixels

_AHEAD = 32  # photos decoded in advance: some batches, at 600 kB a photo of 224 px


@dataclass(frozen=True)
class PhotoBatch:
    """Readable photos of a stretch of a list, and why others are missing."""

    places: tuple[int, ...]
    """Where the photos stand in the list."""
    photos: NDArray[np.float32]
    """``[len(places), size, size, 3]``, RGB, 0 to 255."""
    unreadable: dict[int, str]
    """Place in the list and reason."""
    end: int
    """How many entries of the list are dealt with."""


def read_batches(
    paths: Sequence[Path],
    size: int,
    batch_size: int,
    cancel: CancelToken,
    digests: Sequence[bytes] | None = None,
) -> Generator[PhotoBatch]:
    """Yield photos shrunk to ``size`` × ``size`` in the order of ``paths``. Raises ``Cancelled`` between photos.

    Each batch is of ``batch_size`` entries of the list, the last one of what is left; it is shorter by those that
    cannot be read, and may be empty. With ``digests``, a photo whose content is another by now is as unreadable as one
    that is gone.
    """
    wanted = digests if digests is not None else [None] * len(paths)
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode")
    begun: deque[_BegunBatch] = deque()
    try:
        for begin in range(0, len(paths), batch_size):
            entries = slice(begin, begin + batch_size)
            begun.append(_BegunBatch(pool, begin, paths[entries], wanted[entries], size))
            if (len(begun) - 1) * batch_size >= _AHEAD:
                yield begun.popleft().finished(cancel)
        while begun:
            yield begun.popleft().finished(cancel)
    finally:
        pool.shutdown(cancel_futures=True)


class _BegunBatch:
    """Some entries of a list, each on its way from a file to its place in one array."""

    def __init__(
        self, pool: Executor, begin: int, paths: Sequence[Path], digests: Sequence[bytes | None], size: int
    ) -> None:
        self._begin = begin
        self._photos = np.empty((len(paths), size, size, 3), np.float32)
        self._reasons = [
            pool.submit(_read, path, digest, photo)
            for path, digest, photo in zip(paths, digests, self._photos, strict=True)
        ]

    def finished(self, cancel: CancelToken) -> PhotoBatch:
        """Wait for all of them. Raises ``Cancelled`` between photos."""
        unreadable: dict[int, str] = {}
        for place, reason in enumerate(self._reasons, self._begin):
            cancel.check_before_results()
            if why := reason.result():
                unreadable[place] = why
        end = self._begin + len(self._reasons)
        places = tuple(place for place in range(self._begin, end) if place not in unreadable)
        photos = self._photos[[place - self._begin for place in places]] if unreadable else self._photos
        return PhotoBatch(places, photos, unreadable, end)


def _read(path: Path, digest: bytes | None, into: FloatPixels) -> str:
    """Fill ``into``; return why that cannot be done, or an empty string."""
    try:
        pixels(path, into.shape[:2], digest, into)
    except UnreadablePhotoError as error:
        return error.reason
    return ""
