"""Every photo's values at a frozen border, computed once and kept on disk while the blocks behind it train."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike, NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.hyper_parameters import FRONT_SHARE
from hubstudio.ml.frozen_border import FrozenBorder

_BATCH = 8  # on CPUs more photos at once are slower: they fall out of the cache
_LARGEST = 4 << 30
_SHARE_OF_DISK = 0.5
Values = NDArray[np.float32]


def worth_cutting(border: FrozenBorder, photos: int, free_bytes: int) -> bool:
    """Whether to compute the border's values of so many photos once, with that much free where they would lie.

    - The front must hold a fifth of the forward pass. A step forward and back through the tail costs about three times
      the tail's forward pass, so below that share an epoch would get at most 8 % shorter, less than what reading the
      values in place of the pixels can cost.
    - They may take at most 4 GB, so that they stay in the memory of a usual computer once read: each epoch reads all
      of them in a new order, and a disk that seeks for every photo is slower than the front it is to spare.
    - They may take at most half of the free disk: the run has its model to write yet, and others want space too.

    It counts operations instead of measuring seconds: the same plan has to decide the same each time.
    """
    total = border.bytes_per_photo * photos
    return border.front_share >= FRONT_SHARE and total <= min(_LARGEST, free_bytes * _SHARE_OF_DISK)


def store_borders(
    photos: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    rows: NDArray[np.int64],
    border: FrozenBorder,
    folder: Path,
    progress: Callable[[int, int], None],
    cancel: CancelToken,
) -> list[Values] | None:
    """Send photos through the front; return ``[rows, *shape]`` for each value at the border.

    ``photos`` gives some rows as ``[rows, size, size, 3]``, 0 to 255.

    They are mapped from files in ``folder``, which are the caller's to remove. ``progress`` hears how many of how many
    are done. None if asked to stop with what there is, ``Cancelled`` if asked to end, each within one batch;
    ``OSError`` if the disk has not that much left. Then no file of these is left.
    """
    arrays: list[Values] = []
    files = [folder / f"border_{number}.npy" for number in range(len(border.shapes))]
    try:
        for file, shape in zip(files, border.shapes, strict=True):
            arrays.append(reserved_array(file, (len(rows), *shape), np.float32))
        if _fill(arrays, photos, rows, border, progress, cancel):
            return arrays
    except BaseException:
        _remove(arrays, files)
        raise
    _remove(arrays, files)
    return None


def _fill(
    arrays: Sequence[Values],
    photos: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    rows: NDArray[np.int64],
    border: FrozenBorder,
    progress: Callable[[int, int], None],
    cancel: CancelToken,
) -> bool:
    """Return whether all rows are done."""
    for begin in range(0, len(rows), _BATCH):
        cancel.check()
        if cancel.is_stopping:
            return False
        batch = slice(begin, min(begin + _BATCH, len(rows)))
        scaled = tf.constant(photos(rows[batch]), tf.float32) * (1 / 255)
        for array, value in zip(arrays, border.front(scaled), strict=True):
            array[batch] = value.numpy()
        progress(batch.stop, len(rows))
    return True


def _remove(arrays: list[Values], files: Sequence[Path]) -> None:
    arrays.clear()  # Windows does not remove a file that is still mapped into memory
    for file in files:
        file.unlink(missing_ok=True)


def reserved_array(file: Path, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Make an array in a file, with its space reserved. Raises ``OSError`` if the disk has not that much left.

    A mapped file with holes would end the process when the disk fills up under it.
    """
    array = np.lib.format.open_memmap(file, "w+", np.dtype(dtype), shape)
    needed = file.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, needed)
    elif shutil.disk_usage(file.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return array
