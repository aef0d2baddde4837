"""Reading every photo once to learn which cannot be used."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import UnreadablePhotoError, decode
from hubstudio.core.photos import PhotoSet, Problem, count_of, leave_out

Progress = Callable[[int, int], None]
"""Called with (photos read so far, photos in all)."""


def check_photos(photo_set: PhotoSet, progress: Progress, cancel: CancelToken) -> PhotoSet:
    """Decode every photo; return the set without the unreadable ones, which become a problem.

    Raises ``Cancelled`` if asked to.
    """
    paths = [photo.path for photo in photo_set.photos]
    bad = dict(_unreadable(paths, progress, cancel))
    return leave_out(photo_set, unreadable_problem(bad)) if bad else photo_set


def _unreadable(paths: Sequence[Path], progress: Progress, cancel: CancelToken) -> list[tuple[Path, str]]:
    bad: list[tuple[Path, str]] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            for done, (path, reason) in enumerate(zip(paths, pool.map(_why_unreadable, paths), strict=True), 1):
                cancel.check()
                if reason:
                    bad.append((path, reason))
                progress(done, len(paths))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return bad


def _why_unreadable(path: Path) -> str:
    try:
        decode(path)
    except UnreadablePhotoError as error:
        return error.reason
    return ""


def unreadable_problem(reasons: dict[Path, str]) -> Problem:
    """Return the problem that names unreadable files, given a short reason for each."""
    shown = "; ".join(f"'{path.name}': {reason}" for path, reason in list(reasons.items())[:3])
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    message = f"{count_of(len(reasons), 'file')} could not be read, left out ({shown}{more})."
    return Problem("unreadable", message, tuple(reasons))
