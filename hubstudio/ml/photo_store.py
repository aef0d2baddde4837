"""The photos of one run as arrays: features for the head, and, when fine-tuning, the pixels, read from disk once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core import feature_store
from hubstudio.core.backbones import display_name
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import FeaturesDone, Report
from hubstudio.core.settings import load_settings
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.feature_runtimes import FEATURE_BATCH
from hubstudio.ml.feature_source import FeatureSource, FrozenBackbone
from hubstudio.ml.photo_batches import read_batches
from hubstudio.ml.pixel_file import PixelFile


@dataclass(frozen=True)
class StoredPhotos:
    """What is known of each readable photo of a list."""

    places: NDArray[np.int64]
    """Where the photos stand in the list."""
    features: NDArray[np.float32]
    """``[photos, features]``."""
    pixels: PixelFile | None
    """The photos themselves, on disk; only when asked for."""
    unreadable: dict[int, str]
    """Place in the list and reason."""
    runtime: str
    """What the backbone ran through, now or when the features were computed."""
    computed: int
    """Photos that went through the backbone now; the features of the others were known."""


def store_photos(
    paths: Sequence[Path],
    digests: Sequence[bytes],
    module: FeatureModule,
    size: int,
    pixel_file: Path | None,
    report: Report,
    cancel: CancelToken,
    clock: Callable[[], float],
) -> StoredPhotos:
    """Send every photo whose features are not known through the frozen backbone; from then on they are known.

    ``digests`` are those of the photos' content. A photo with known features is read only where its pixels are wanted:
    those of all photos go to ``pixel_file`` if one is named. ``FeaturesDone`` begins with the photos that need no work.
    Raises ``Cancelled`` within one batch; what was computed by then is kept.
    """
    backbone = FrozenBackbone(module, size, cancel)
    with FeatureSource(backbone) as source:
        work = _Work(source, paths, digests, module, pixel_file, size)
        to_read = range(len(paths)) if pixel_file else work.unknown()
        done = len(paths) - len(to_read)
        report(FeaturesDone(done, len(paths), clock()))
        for batch in read_batches([paths[place] for place in to_read], size, FEATURE_BATCH, cancel):
            work.take([to_read[place] for place in batch.places], batch.photos)
            work.unreadable |= {to_read[place]: reason for place, reason in batch.unreadable.items()}
            report(FeaturesDone(done + batch.end, len(paths), clock()))
    if backbone.computed:
        keep_within_limit()
    return work.result(backbone)


def keep_within_limit() -> None:
    """Remove features that were not used for longest until all take no more disk than the settings allow."""
    feature_store.make_room(load_settings().feature_limit_bytes)


def no_numbers(module: FeatureModule, path: Path) -> BackboneError:
    """Return the error for a backbone whose features cannot be computed with."""
    return BackboneError(
        f"The backbone '{display_name(module.handle)}' gives features that are no numbers.",
        found=f"It happened at '{path.name}' or one of the photos after it.",
        next_step="Choose another backbone; this one is damaged or wants other photos.",
    )


class _Work:
    """The features and pixels of a list of photos, filled in batch by batch."""

    def __init__(
        self,
        source: FeatureSource,
        paths: Sequence[Path],
        digests: Sequence[bytes],
        module: FeatureModule,
        pixel_file: Path | None,
        size: int,
    ) -> None:
        self._source, self._paths, self._digests, self._module = source, paths, digests, module
        self._known, self._features = source.find(digests)
        self._pixels = PixelFile.make(pixel_file, len(paths), size) if pixel_file else None
        self._pixel_rows = 0
        self.unreadable: dict[int, str] = {}

    def unknown(self) -> list[int]:
        """Return the places of photos that have to go through the backbone."""
        return [int(place) for place in np.flatnonzero(~self._known)]

    def take(self, places: Sequence[int], photos: NDArray[np.float32]) -> None:
        """Take some photos' pixels, and compute the features of those whose are not known."""
        if self._pixels is not None:
            self._pixels.put(self._pixel_rows, photos)
            self._pixel_rows += len(places)
        new = [row for row, place in enumerate(places) if not self._known[place]]
        if not new:
            return
        features = self._source.compute(_rows(photos, new), [self._digests[places[row]] for row in new])
        if not np.isfinite(features).all():
            raise no_numbers(self._module, self._paths[places[new[0]]])
        self._features[[places[row] for row in new]] = features

    def result(self, backbone: FrozenBackbone) -> StoredPhotos:
        """Return what is there; photos that could not be read are missing in it."""
        places = np.array([place for place in range(len(self._paths)) if place not in self.unreadable], np.int64)
        for row, place in enumerate(places):  # within the array, since it may be a large part of the memory
            if row != place:
                self._features[row] = self._features[place]
        pixels = None if self._pixels is None else self._pixels.first(self._pixel_rows)
        features = self._features[: len(places)]
        return StoredPhotos(places, features, pixels, self.unreadable, backbone.runtime_name, backbone.computed)


def _rows(photos: NDArray[np.float32], rows: Sequence[int]) -> NDArray[np.float32]:
    return photos if len(rows) == len(photos) else photos[list(rows)]
