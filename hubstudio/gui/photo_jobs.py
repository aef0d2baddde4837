"""What is done with photos in a lane: reading them, dividing them, writing the split. No Qt, nothing of the window."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, replace
from pathlib import Path

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

# A million small objects that hold no cycles: going through them all, as garbage collection does in the window's thread
# (see gui/garbage.py), would hold it up for seconds. Frozen, they still go when nobody holds them any more.
_MANY = 5000
_SECONDS_BETWEEN_FREEZES = 0.2

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


def list_again(selection: Selection, former: PhotoSet | None) -> Listing:
    """List photos; ``former`` is what an earlier check has made of them. Raises ``PhotosError``."""
    listed = list_photos(selection)
    if former is None:
        return Listing(prepared(listed))
    gone = {photo.path for photo in former.unreadable}
    readable = tuple(photo for photo in listed.photos if photo.path not in gone)
    preview = ordered(
        replace(listed, photos=readable, problems=former.problems, facts=former.facts, unreadable=former.unreadable)
    )
    return Listing(prepared(listed), prepared(preview))


def check_and_divide(listed: PhotoSet, plan: Plan, report: Report, cancel: CancelToken) -> Division:
    """Read every photo and divide them. A split file that cannot be used is a problem then, and not the end.

    Raises ``Cancelled``.
    """
    is_large = len(listed.photos) > _MANY
    last = 0.0

    def progress(done: int, total: int, what: str) -> None:
        nonlocal last
        report(Progress(done, total, what))
        if is_large and time.monotonic() - last > _SECONDS_BETWEEN_FREEZES:
            last = time.monotonic()
            gc.freeze()

    base = check_photos(listed, progress, cancel)
    try:
        return divide_again(base, plan)
    except PhotosError as error:
        reason = str(error)
    divided = divide_again(base, replace(plan, split_file=""))
    problem = Problem(SPLIT_KIND, f"The split cannot be kept: {reason}", blocks_training=True)
    photo_set = replace(divided.photo_set, problems=(problem, *divided.photo_set.problems))
    return replace(divided, photo_set=prepared(photo_set), plan=plan)


def divide_again(base: PhotoSet, plan: Plan) -> Division:
    """Divide photos that were read. Raises ``PhotosError`` if the plan's split file cannot be used."""
    photo_set, split = divide(base, plan)
    return Division(base, prepared(photo_set), split, split.counts(), plan)


def prepared(photo_set: PhotoSet) -> PhotoSet:
    """Count and sort here what the window asks for, so that it need not go through all photos."""
    if len(photo_set.photos) > _MANY:
        gc.freeze()
    _ = photo_set.counts
    if photo_set.classes:
        photo_set.of_class(photo_set.classes[0])
    return photo_set


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
