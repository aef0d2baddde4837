"""The photos of one run as data to learn from, whatever became of the photos since they were checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import PhotosError, RunError
from hubstudio.core.events import Phase, PhaseStarted
from hubstudio.core.parts import Part
from hubstudio.core.photo_check import unreadable_problem
from hubstudio.core.photos import Photo, PhotoSet, count_of
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.split import Split
from hubstudio.core.unfinished_runs import UnfinishedRun
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.feature_views import StoredViews, store_views
from hubstudio.ml.photo_store import StoredPhotos, store_photos
from hubstudio.ml.run_log import RunLog
from hubstudio.ml.training_data import Data

PIXELS = "pixels.npy"
"""In the unfinished run; gone before it is finished."""
_SHOWN = 3


@dataclass(frozen=True)
class RunPhotos:
    """What a run learns from."""

    data: Data
    split: Split
    """With photos that cannot be read any more left out."""
    lost: Mapping[Path, str]
    """Those photos, each with its reason."""


class PhotoCollector:
    """Makes the data of one run; what an interrupted one has left in its folder is used again."""

    def __init__(self, plan: Plan, unfinished: UnfinishedRun, log: RunLog, cancel: CancelToken) -> None:
        self._plan, self._unfinished, self._log, self._cancel = plan, unfinished, log, cancel

    def collect(self, module: FeatureModule, photo_set: PhotoSet, split: Split) -> RunPhotos:
        """Send photos through the backbone. Raises ``PhotosError`` if too few can still be read."""
        self._log.report(PhaseStarted(Phase.FEATURES, 0, self._log.clock()))
        photos = [*split.part(Part.TRAINING), *split.part(Part.VALIDATION)]
        stored = self._stored(module, photo_set, photos)
        split = self._left(photos, stored, split)
        views = self._views(module, photo_set, split.part(Part.TRAINING))
        if views and views.unreadable:
            stored = stored.without(views.unreadable)  # the first rows are those that train
            split = self._left(photos, stored, split)
        data = Data.of(stored, photos, len(split.part(Part.TRAINING)), photo_set.classes, self._plan)
        return RunPhotos(replace(data, views=views and views.features), split, _reasons(photos, stored))

    def keep_to(self, found: RunPhotos, photo_set: PhotoSet) -> None:
        """Tell which photos the run goes without, and write it down: they may be back when it goes on after a crash.

        Raises ``OSError``.
        """
        if not found.lost:
            return
        problem = unreadable_problem(dict(found.lost))
        self._log.note(problem.message)
        problems = (*photo_set.problems, problem)
        self._unfinished.keep_photos(replace(photo_set, problems=problems), found.split)

    def tell_absent(self, split: Split) -> None:
        """Tell how many photos are no longer where they were, though the run still has what it needs of them."""
        photos = [*split.part(Part.TRAINING), *split.part(Part.VALIDATION)]
        if absent := sum(not path_kinds.is_file(photo.path) for photo in photos):
            are = "is" if absent == 1 else "are"
            self._log.note(f"{count_of(absent, 'photo')} {are} no longer in place; the run goes on with what it kept.")

    def _stored(self, module: FeatureModule, photo_set: PhotoSet, photos: Sequence[Photo]) -> StoredPhotos:
        return store_photos(
            [photo.path for photo in photos],
            [photo_set.facts[photo.path].digest for photo in photos],
            module,
            module.size(self._plan.image_size),
            self._unfinished.folder / PIXELS if self._plan.mode is Mode.FINE_TUNE else None,
            self._log.report,
            self._cancel,
            self._log.clock,
        )

    def _views(self, module: FeatureModule, photo_set: PhotoSet, photos: Sequence[Photo]) -> StoredViews | None:
        """Return the features of varied photos, if the plan wants them and the backbone stays as it is."""
        plan = self._plan
        if plan.mode is not Mode.EXTRACT or plan.augmentation.is_none:
            return None
        return store_views(
            [photo.path for photo in photos],
            [photo_set.facts[photo.path].digest for photo in photos],
            module,
            module.size(plan.image_size),
            plan.augmentation,
            plan.seed,
            self._log.report,
            self._cancel,
            self._log.clock,
        )

    def _left(self, photos: Sequence[Photo], stored: StoredPhotos, split: Split) -> Split:
        """Return the split without photos that cannot be read; raise ``PhotosError`` if too few are left to train."""
        split = split.without(photos[place] for place in stored.unreadable)
        filled = {photo.class_name for photo in split.part(Part.TRAINING)}
        empty = sorted({photo.class_name for photo in photos} - filled)
        if empty or not split.part(Part.VALIDATION):
            what = f"The class '{empty[0]}' has no readable photo left to train on." if empty else _NO_VALIDATION
            found, step = _missing(_reasons(photos, stored)), _put_back(self._unfinished)
            raise PhotosError(what, found=found, next_step=step)
        return split


def lost_photos_error(unfinished: UnfinishedRun, lost: Mapping[Path, str]) -> RunError:
    """Return the error for a run that has learned from photos that cannot be read any more.

    Beginning anew without them would throw away what it has learned, which only the person can decide.
    """
    return RunError(
        f"The run '{unfinished.out.name}' cannot go on: it has learned from photos that are gone. It is kept as it is.",
        found=_missing(lost) if lost else "The photos written down with it are not those it has learned from.",
        next_step=_put_back(unfinished),
    )


_NO_VALIDATION = "No readable photo is left to validate on."


def _reasons(photos: Sequence[Photo], stored: StoredPhotos) -> dict[Path, str]:
    return {photos[place].path: stored.unreadable[place] for place in sorted(stored.unreadable)}


def _missing(lost: Mapping[Path, str]) -> str:
    shown = "; ".join(f"'{path}': {reason}" for path, reason in list(lost.items())[:_SHOWN])
    more = f"; and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    return f"{count_of(len(lost), 'photo')} cannot be read any more ({shown}{more})."


def _put_back(unfinished: UnfinishedRun) -> str:
    return (
        "Put back what is missing and go on where it was: hubstudio train --resume "
        f"'{unfinished.out}'. Or delete '{unfinished.folder.name}' and train anew without it."
    )
