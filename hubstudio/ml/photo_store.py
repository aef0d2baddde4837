"""The photos of one run as arrays: features for the head, and, when fine-tuning, the pixels, read from disk once."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio.core.backbones import display_name
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import FeaturesDone, Report
from hubstudio.ml.hub_module import HubModule
from hubstudio.ml.photo_batches import read_batches

FEATURE_BATCH = 8
"""Photos that go through a frozen backbone together; on CPUs more is slower, since they fall out of the cache."""


@dataclass(frozen=True)
class StoredPhotos:
    """What was computed once for each readable photo of a list."""

    places: NDArray[np.int64]
    """Where the photos stand in the list."""
    features: NDArray[np.float32]
    """``[photos, features]``."""
    pixels: NDArray[np.uint8] | None
    """``[photos, size, size, 3]``, rounded to whole levels, on disk; only when asked for."""
    unreadable: dict[int, str]
    """Place in the list and reason."""


def store_photos(
    paths: Sequence[Path],
    module: HubModule,
    size: int,
    pixel_file: Path | None,
    report: Report,
    cancel: CancelToken,
    clock: Callable[[], float],
) -> StoredPhotos:
    """Send every photo through the frozen backbone once; keep pixels in ``pixel_file`` if one is named.

    Raises ``Cancelled`` within one batch.
    """
    forward = _feature_function(module, size)
    features = np.empty((len(paths), module.features), np.float32)
    kept: NDArray[np.uint8] | None = None
    if pixel_file:
        kept = _on_disk(pixel_file, (len(paths), size, size, 3))
    places: list[int] = []
    unreadable: dict[int, str] = {}
    for batch in read_batches(paths, size, FEATURE_BATCH, cancel):
        rows = slice(len(places), len(places) + len(batch.places))
        if batch.places:
            features[rows] = forward(tf.constant(batch.photos)).numpy()
            if not np.isfinite(features[rows]).all():
                raise _no_numbers(module, paths[batch.places[0]])
        if kept is not None:
            kept[rows] = np.rint(batch.photos).astype(np.uint8)
        places += batch.places
        unreadable |= batch.unreadable
        report(FeaturesDone(batch.end, len(paths), clock()))
    count = len(places)
    return StoredPhotos(
        np.array(places, np.int64), features[:count], None if kept is None else kept[:count], unreadable
    )


def _no_numbers(module: HubModule, path: Path) -> BackboneError:
    return BackboneError(
        f"The backbone '{display_name(module.handle)}' gives features that are no numbers.",
        found=f"It happened at '{path.name}' or one of the photos after it.",
        next_step="Choose another backbone; this one is damaged or wants other photos.",
    )


def _on_disk(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Make an array in a file, with its space reserved. Raises ``OSError`` if the disk has not that much left.

    A mapped file with holes would end the process when the disk fills up under it.
    """
    array = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
    needed = file.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, needed)
    elif shutil.disk_usage(file.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return array


def _feature_function(module: HubModule, size: int) -> Callable[[tf.Tensor], tf.Tensor]:
    spec = tf.TensorSpec([None, size, size, 3], tf.float32)
    return tf.function(lambda photos: module.forward(photos * (1 / 255), False), input_signature=[spec])
