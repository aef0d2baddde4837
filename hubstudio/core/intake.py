"""From a plan's choices to photos that were read and divided: one way for window, command line and training."""

from __future__ import annotations

from dataclasses import replace

from hubstudio.core.cancel import CancelToken
from hubstudio.core.photo_check import Progress, check_photos
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.split import Split, split_photos
from hubstudio.core.split_file import with_split_of


def read_photos(plan: Plan, progress: Progress, cancel: CancelToken) -> tuple[PhotoSet, Split]:
    """List, check and divide the photos of a plan. Raises ``PhotosError`` and ``Cancelled``."""
    return divide(check_photos(list_photos(plan.selection, cancel), progress, cancel), plan)


def divide(photo_set: PhotoSet, plan: Plan) -> tuple[PhotoSet, Split]:
    """Return the checked photos with what their split has to say among their problems, and the split."""
    if plan.selection.split_file:
        photo_set = with_split_of(photo_set, plan.selection.split_file)
    split = split_photos(photo_set, plan.seed, plan.shares)
    blocking = tuple(problem for problem in split.problems if problem.blocks_training)
    others = tuple(problem for problem in split.problems if not problem.blocks_training)
    return replace(photo_set, problems=(*blocking, *photo_set.problems, *others)), split
