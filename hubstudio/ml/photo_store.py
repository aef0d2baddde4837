"""The photos of one run as arrays: features for the head, and, when fine-tuning, the pixels, read from disk once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from hubstudio.ml.feature_source import FeatureSource, FrozenBackbone, within_memory
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
    digests: tuple[bytes, ...]
    """What tells the content of each photo."""

    def without(self, rows: Mapping[int, str]) -> StoredPhotos:
        """Return the photos without some of them, by row, each with its reason; features move within their array."""
        if not rows:
            return self
        left = np.array([row for row in range(len(self.places)) if row not in rows], np.int64)
        return replace(
            self,
            places=self.places[left],
            features=moved_up(self.features, left),
            pixels=self.pixels and self.pixels.only(left),
            unreadable=self.unreadable | {int(self.places[row]): reason for row, reason in rows.items()},
            digests=tuple(self.digests[row] for row in left),
        )


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

    ``digests`` are those of the photos' content; one that has another by now counts as unreadable. A photo with known
    features is read only where its pixels are wanted and not there yet: those of all photos go to ``pixel_file`` if one
    is named. ``FeaturesDone`` begins with the photos that need no work. Raises ``Cancelled`` within one batch; what was
    computed by then is kept.
    """
    backbone = FrozenBackbone(module, size, cancel)

    def compute() -> _Work:
        with FeatureSource(backbone) as source:
            work = _Work(source, paths, digests, module)
            if pixel_file:
                work.keep_pixels(pixel_file, size, cancel)
            to_read = work.unknown()
            done = len(paths) - len(to_read)
            report(FeaturesDone(done, len(paths), clock()))
            files, contents = [paths[place] for place in to_read], [digests[place] for place in to_read]
            for batch in read_batches(files, size, FEATURE_BATCH, cancel, contents):
                work.take([to_read[place] for place in batch.places], batch.photos)
                work.unreadable |= {to_read[place]: reason for place, reason in batch.unreadable.items()}
                report(FeaturesDone(done + batch.end, len(paths), clock()))
        return work

    work = within_memory(compute, backbone, report, clock)
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
    ) -> None:
        self._source, self._paths, self._digests, self._module = source, paths, digests, module
        self._known, self._features = source.find(digests)
        self._pixels: PixelFile | None = None
        self._has_pixels = np.ones(len(paths), np.bool_)  # those that are wanted
        self.unreadable: dict[int, str] = {}

    def keep_pixels(self, file: Path, size: int, cancel: CancelToken) -> None:
        """Put all photos' pixels into a file, which may hold some from before. Raises ``OSError`` or ``Cancelled``."""
        self._pixels, self._has_pixels = PixelFile.open(file, self._digests, size, cancel)

    def unknown(self) -> list[int]:
        """Return the places of photos that have to be read."""
        return [int(place) for place in np.flatnonzero(~(self._known & self._has_pixels))]

    def take(self, places: Sequence[int], photos: NDArray[np.float32]) -> None:
        """Take some photos' pixels, and compute the features of those whose are not known."""
        self._put([row for row, place in enumerate(places) if not self._has_pixels[place]], places, photos)
        new = [row for row, place in enumerate(places) if not self._known[place]]
        if not new:
            return
        # From the photo even where its pixels are kept: those are rounded, and other features would be kept of them.
        features = self._source.compute(_rows(photos, new), [self._digests[places[row]] for row in new])
        if not np.isfinite(features).all():
            raise no_numbers(self._module, self._paths[places[new[0]]])
        self._features[[places[row] for row in new]] = features

    def _put(self, rows: Sequence[int], places: Sequence[int], photos: NDArray[np.float32]) -> None:
        if self._pixels and rows:
            wanted = [places[row] for row in rows]
            self._pixels.put(wanted, [self._digests[place] for place in wanted], _rows(photos, rows))

    def result(self, backbone: FrozenBackbone) -> StoredPhotos:
        """Return what is there; photos that could not be read are missing in it."""
        everything = StoredPhotos(
            places=np.arange(len(self._paths)),
            features=self._features,
            pixels=self._pixels,
            unreadable={},
            runtime=backbone.runtime_name,
            computed=backbone.computed,
            digests=tuple(self._digests),
        )
        return everything.without(self.unreadable)


def moved_up(values: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return some rows, in their order, moved within their array, since it may be a large part of the memory."""
    for row, former in enumerate(rows):
        if row != former:
            values[row] = values[former]
    return values[: len(rows)]


def _rows(photos: NDArray[np.float32], rows: Sequence[int]) -> NDArray[np.float32]:
    return photos if len(rows) == len(photos) else photos[list(rows)]
