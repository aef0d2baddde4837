"""What is done with photos in a lane: reading them, dividing them, writing the split. No Qt, nothing of the window."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import PhotosError
from hubstudio.core.events import Progress, Report
from hubstudio.core.intake import divide
from hubstudio.core.photo_check import check_photos
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.photos import PhotoSet, Problem, ordered
from hubstudio.core.plan import Plan
from hubstudio.core.selection import Selection
from hubstudio.core.split import Split
from hubstudio.core.split_file import save_split

_MANY = 5000

_Result = TypeVar("_Result")

SPLIT_KIND = "split_file"
"""Kind of the problem that a split file cannot be used."""


@dataclass(frozen=True, eq=False)
class Division:
    """Photos that were read and divided."""

    base: PhotoSet
    """As the check left them: to be divided again when the seed or the shares change."""
    photo_set: PhotoSet
    """With what the split has to say."""
    split: Split
    counts: dict[str, int]
    """Photos in each part."""
    plan: Plan

    def is_by(self, plan: Plan) -> bool:
        """Whether ``plan`` divides photos the same way."""
        return divided_by(self.plan) == divided_by(plan)


def divided_by(plan: Plan) -> tuple[object, ...]:
    """Return what decides how a plan divides photos."""
    return plan.seed, plan.shares, plan.split_file


@dataclass(frozen=True, eq=False)
class Listing:
    """Photos as they lie in the folders."""

    photo_set: PhotoSet
    preview: PhotoSet | None = None
    """The same after an edit, with what was known before it: to be shown until they are checked."""


def list_again(selection: Selection, former: PhotoSet | None, cancel: CancelToken) -> Listing:
    """List photos; ``former`` is what an earlier check has made of them. Raises ``PhotosError`` and ``Cancelled``."""
    listed = list_photos(selection, cancel)
    if former is None:
        return _kept(Listing(prepared(listed)), listed)
    gone = {photo.path for photo in former.unreadable}
    readable = tuple(photo for photo in listed.photos if photo.path not in gone)
    preview = ordered(
        replace(listed, photos=readable, problems=former.problems, facts=former.facts, unreadable=former.unreadable)
    )
    return _kept(Listing(prepared(listed), prepared(preview)), listed)


def check_and_divide(listed: PhotoSet, plan: Plan, report: Report, cancel: CancelToken) -> Division:
    """Read every photo and divide them. A split file that cannot be used is a problem then, and not the end.

    Raises ``Cancelled``.
    """
    base = check_photos(listed, lambda done, total, what: report(Progress(done, total, what)), cancel)
    try:
        return _kept(_divided(base, plan), base)
    except PhotosError as error:
        reason = str(error)
    divided = _divided(base, replace(plan, split_file=""))
    problem = Problem(SPLIT_KIND, f"The split cannot be kept: {reason}", blocks_training=True)
    photo_set = replace(divided.photo_set, problems=(problem, *divided.photo_set.problems))
    return _kept(replace(divided, photo_set=prepared(photo_set), plan=plan), base)


def divide_again(base: PhotoSet, plan: Plan, cancel: CancelToken) -> Division:
    """Divide photos that were read. Raises ``PhotosError`` if the plan's split file cannot be used, and ``Cancelled``.

    What has begun comes to its end, a few seconds for 100,000 photos.
    """
    cancel.check()
    return _kept(_divided(base, plan), base)


def _divided(base: PhotoSet, plan: Plan) -> Division:
    photo_set, split = divide(base, plan)
    return Division(base, prepared(photo_set), split, split.counts(), plan)


def prepared(photo_set: PhotoSet) -> PhotoSet:
    """Count and sort here what the window asks for, so that it need not go through all photos."""
    _ = photo_set.counts
    if photo_set.classes:
        photo_set.of_class(photo_set.classes[0])
    return photo_set


def _kept(result: _Result, photo_set: PhotoSet) -> _Result:
    """Return what a job ends with, taken out of what garbage collection goes through if it is large.

    That are a million small objects that hold no cycles: going through them all in the window's thread (see
    gui/garbage.py) would hold it up for seconds. Frozen, they still go when nobody holds them any more. Once for each
    job: whatever garbage is around at that moment stays for good.
    """
    if len(photo_set.photos) > _MANY:
        gc.freeze()
    return result


def write_split(division: Division, file: Path) -> Path:
    """Write the split to a file. Raises ``PhotosError``."""
    try:
        save_split(division.photo_set, division.split, file)
    except (OSError, ValueError) as error:  # a value error: a name that no file can have
        raise PhotosError(
            f"The split could not be written to '{file}'.",
            found=f"{path_kinds.reason(error)}.",
            next_step="Choose another folder, or free the disk.",
        ) from error
    return file
