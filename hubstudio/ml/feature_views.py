"""Features of varied views of photos: what augmentation is when the backbone stays as it is."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.augmentation import Augmentation
from hubstudio.core.augmenting import augmented
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import PhotosError
from hubstudio.core.events import FeaturesDone, Report
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.feature_runtimes import FEATURE_BATCH
from hubstudio.ml.feature_source import FeatureSource, FrozenBackbone
from hubstudio.ml.photo_batches import PhotoBatch, read_batches
from hubstudio.ml.photo_store import keep_within_limit, no_numbers

_VIEWS_VERSION = 1
"""Raise it when ``augmented`` gives other pixels, or a photo's seed is made otherwise."""


def store_views(
    paths: Sequence[Path],
    digests: Sequence[bytes],
    module: FeatureModule,
    size: int,
    augmentation: Augmentation,
    seed: int,
    report: Report,
    cancel: CancelToken,
    clock: Callable[[], float],
) -> NDArray[np.float32]:
    """Return ``[views, photos, features]``: of each photo as many varied views as ``augmentation`` asks for.

    What a view looks like follows from ``seed`` and the photo's content, so another photo more changes none. Each view
    is kept by itself: with more views, only the new ones are computed. A photo is decoded once for all of them.
    ``FeaturesDone`` counts views. Raises ``PhotosError`` for a photo that cannot be read, ``Cancelled`` within a batch.
    """
    backbone = FrozenBackbone(module, size, cancel)
    with contextlib.ExitStack() as stack:
        sources = [
            stack.enter_context(FeatureSource(backbone, _view(augmentation, seed, number)))
            for number in range(1, augmentation.views + 1)
        ]
        work = _Work(sources, paths, digests, backbone, augmentation, seed)
        to_read, total = work.unknown(), augmentation.views * len(paths)
        report(FeaturesDone(work.done, total, clock()))
        for batch in read_batches([paths[place] for place in to_read], size, FEATURE_BATCH, cancel):
            _require_readable(batch, [paths[place] for place in to_read])
            for _ in work.take([to_read[place] for place in batch.places], batch.photos):
                report(FeaturesDone(work.done, total, clock()))
                cancel.check_before_results()
    if backbone.computed:
        keep_within_limit()
    return work.features


class _Work:
    """The features of all views, filled in batch by batch."""

    def __init__(
        self,
        sources: Sequence[FeatureSource],
        paths: Sequence[Path],
        digests: Sequence[bytes],
        backbone: FrozenBackbone,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self._sources, self._paths, self._digests = sources, paths, digests
        self._backbone, self._augmentation, self._seed = backbone, augmentation, seed
        shape = (len(sources), len(paths))
        self._known = np.zeros(shape, np.bool_)
        self.features = np.zeros((*shape, backbone.module.features), np.float32)
        for view, source in enumerate(sources):
            self._known[view], self.features[view] = source.find(digests)
        self.done = int(self._known.sum())
        """Views whose features are there."""

    def unknown(self) -> list[int]:
        """Return the places of photos of which any view has to go through the backbone."""
        return [int(place) for place in np.flatnonzero(~self._known.all(axis=0))]

    def take(self, places: Sequence[int], photos: NDArray[np.float32]) -> Iterator[None]:
        """Vary some photos and compute the views that are not known; yields after each view of all."""
        pixels = np.rint(photos).astype(np.uint8)
        for view in range(len(self._sources)):
            rows = [row for row, place in enumerate(places) if not self._known[view, place]]
            if rows:
                self._compute(view, [places[row] for row in rows], pixels[rows])
                self.done += len(rows)
                yield

    def _compute(self, view: int, places: Sequence[int], photos: NDArray[np.uint8]) -> None:
        digests = [self._digests[place] for place in places]
        varied = [
            augmented(photo, self._augmentation, photo_seed(self._seed, digest), view + 1)
            for photo, digest in zip(photos, digests, strict=True)
        ]
        features = self._sources[view].compute(np.stack(varied).astype(np.float32), digests)
        if not np.isfinite(features).all():
            raise no_numbers(self._backbone.module, self._paths[places[0]])
        self.features[view, list(places)] = features


def photo_seed(seed: int, digest: bytes) -> int:
    """Return the seed of one photo's views: of the run's seed and the photo's content, not of its place in a list."""
    return int.from_bytes(hashlib.blake2b(f"{seed} ".encode() + digest, digest_size=8).digest(), "big")


def _view(augmentation: Augmentation, seed: int, number: int) -> str:
    """Return what the features of one view are kept under; how many views there are changes none of them."""
    changes = {name: value for name, value in asdict(augmentation).items() if name != "views"}
    digest = hashlib.blake2b(json.dumps(changes, sort_keys=True).encode(), digest_size=16).hexdigest()
    opencv = version("opencv-python-headless")
    return f"view {number} of {digest} seed {seed}, views {_VIEWS_VERSION}, opencv {opencv}"


def _require_readable(batch: PhotoBatch, paths: Sequence[Path]) -> None:
    for place, reason in batch.unreadable.items():
        raise PhotosError(
            f"The photo '{paths[place].name}' cannot be read any more.",
            found=f"{reason[:1].upper()}{reason[1:]}.",
            next_step="Check the photos again, and train again.",
        )
