"""Photos into arrays: decoded by several threads, in order, ahead of whoever consumes them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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

    The last batch is filled up by nobody: it is shorter. With ``digests``, a photo whose content is another by now is
    as unreadable as one that is gone.
    """
    wanted = digests if digests is not None else [None] * len(paths)
    read: list[FloatPixels] = []
    places: list[int] = []
    unreadable: dict[int, str] = {}
    for place, photo in enumerate(_read_in_order(paths, wanted, size, cancel)):
        if isinstance(photo, str):
            unreadable[place] = photo
        else:
            places.append(place)
            read.append(photo)
        if len(read) == batch_size or place == len(paths) - 1:
            photos = np.stack(read) if read else np.empty((0, size, size, 3), np.float32)
            yield PhotoBatch(tuple(places), photos, unreadable, place + 1)
            read, places, unreadable = [], [], {}


def _read_in_order(
    paths: Sequence[Path], digests: Sequence[bytes | None], size: int, cancel: CancelToken
) -> Iterator[FloatPixels | str]:
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="decode")
    waiting: deque[Future[FloatPixels | str]] = deque()
    try:
        for path, digest in zip(paths, digests, strict=True):
            waiting.append(pool.submit(_read, path, size, digest))
            if len(waiting) >= _AHEAD:
                cancel.check_before_results()
                yield waiting.popleft().result()
        while waiting:
            cancel.check_before_results()
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(path: Path, size: int, digest: bytes | None) -> FloatPixels | str:
    try:
        return pixels(path, (size, size), digest)
    except UnreadablePhotoError as error:
        return error.reason
