"""Features of varied views of photos: what augmentation is when the backbone stays as it is."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.augmentation import Augmentation
from hubstudio.core.augmenting import augmented
from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import FeaturesDone, Report
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.feature_runtimes import FEATURE_BATCH
from hubstudio.ml.feature_source import FeatureSource, FrozenBackbone, within_memory
from hubstudio.ml.photo_batches import read_batches
from hubstudio.ml.photo_store import keep_within_limit, moved_up, no_numbers

_VIEWS_VERSION = 1
"""Raise it when ``augmented`` gives other pixels, or a photo's seed is made otherwise."""


@dataclass(frozen=True)
class StoredViews:
    """The features of varied views of a list of photos."""

    features: NDArray[np.float32]
    """``[views, photos, features]``; photos that could not be read are missing."""
    unreadable: dict[int, str]
    """Place in the list and reason."""


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
) -> StoredViews:
    """Return the features of as many varied views of each photo as ``augmentation`` asks for.

    What a view looks like follows from ``seed`` and the photo's content, so another photo more changes none. Each view
    is kept by itself: with more views, only the new ones are computed. A photo is decoded once for all of them,
    and not at all if they are known. ``FeaturesDone`` counts views. Raises ``Cancelled`` within a batch.
    """
    backbone = FrozenBackbone(module, size, cancel)

    def compute() -> _Work:
        with contextlib.ExitStack() as stack:
            sources = [
                stack.enter_context(FeatureSource(backbone, _view(augmentation, seed, number)))
                for number in range(1, augmentation.views + 1)
            ]
            work = _Work(sources, paths, digests, backbone, augmentation, seed)
            to_read, total = work.unknown(), augmentation.views * len(paths)
            report(FeaturesDone(work.done, total, clock()))
            files, contents = [paths[place] for place in to_read], [digests[place] for place in to_read]
            for batch in read_batches(files, size, FEATURE_BATCH, cancel, contents):
                if batch.unreadable:
                    work.leave_out({to_read[place]: reason for place, reason in batch.unreadable.items()})
                    report(FeaturesDone(work.done, total, clock()))
                for _ in work.take([to_read[place] for place in batch.places], batch.photos):
                    report(FeaturesDone(work.done, total, clock()))
                    cancel.check_before_results()
        return work

    work = within_memory(compute, backbone, report, clock)
    if backbone.computed:
        keep_within_limit()
    return work.result()


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
        self._features = np.zeros((*shape, backbone.module.features), np.float32)
        for view, source in enumerate(sources):
            self._known[view], self._features[view] = source.find(digests)
        self._unreadable: dict[int, str] = {}
        self.done = int(self._known.sum())
        """Views that need no more work."""

    def unknown(self) -> list[int]:
        """Return the places of photos of which any view has to go through the backbone."""
        return [int(place) for place in np.flatnonzero(~self._known.all(axis=0))]

    def leave_out(self, unreadable: dict[int, str]) -> None:
        """Give photos up, each with its reason."""
        self._unreadable |= unreadable
        self.done += int((~self._known[:, list(unreadable)]).sum())

    def result(self) -> StoredViews:
        """Return what is there."""
        if not self._unreadable:
            return StoredViews(self._features, {})
        left = np.array([place for place in range(len(self._paths)) if place not in self._unreadable], np.int64)
        for view in self._features:
            moved_up(view, left)
        return StoredViews(self._features[:, : len(left)], self._unreadable)

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
        self._features[view, list(places)] = features


def photo_seed(seed: int, digest: bytes) -> int:
    """Return the seed of one photo's views: of the run's seed and the photo's content, not of its place in a list."""
    return int.from_bytes(hashlib.blake2b(f"{seed} ".encode() + digest, digest_size=8).digest(), "big")


def _view(augmentation: Augmentation, seed: int, number: int) -> str:
    """Return what the features of one view are kept under; how many views there are changes none of them."""
    changes = {name: value for name, value in asdict(augmentation).items() if name != "views"}
    digest = hashlib.blake2b(json.dumps(changes, sort_keys=True).encode(), digest_size=16).hexdigest()
    opencv = version("opencv-python-headless")
    return f"view {number} of {digest} seed {seed}, views {_VIEWS_VERSION}, opencv {opencv}"
