"""Reading every photo once: which cannot be used, which look alike, and what else there is to know."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core import path_kinds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import UnreadablePhotoError, examine
from hubstudio.core.groups import groups_of
from hubstudio.core.look_alikes import Links, find_links
from hubstudio.core.looks import LOOK_BYTES, PREVIEW_SIDE, look_at
from hubstudio.core.photo_counts import COUNT_KINDS, count_problems
from hubstudio.core.photo_health import HEALTH_KINDS, health_problems
from hubstudio.core.photo_index import IndexedPhoto, PhotoIndex, Stamp, open_index
from hubstudio.core.photos import Photo, PhotoFacts, PhotoSet, Problem, count_of, ordered

Progress = Callable[[int, int, str], None]
"""Called with (done, all, what is counted): first photos that are read, then photos that are compared."""

READING, COMPARING = "photos", "photos compared"
_AHEAD = 64  # photos given to the threads in advance
_KEEP_EVERY = 2.0  # seconds between writes to the index: what a cancelled check has read is not read again


@dataclass(frozen=True)
class _Read:
    """Photos that were read, in the order they were asked for, and why others could not be."""

    photos: dict[Path, IndexedPhoto]
    reasons: dict[Path, str]


def check_photos(photo_set: PhotoSet, progress: Progress, cancel: CancelToken) -> PhotoSet:
    """Read every photo that is new or changed; return the set with what is known of each photo, without the unreadable.

    Its problems are judged anew. Raises ``Cancelled`` if asked to; what was read by then is not read again.
    """
    if not photo_set.photos:
        return photo_set
    with open_index() as index:
        read = _read_all([photo.path for photo in photo_set.photos], index, progress, cancel)
        readable = replace(
            photo_set,
            photos=tuple(photo for photo in photo_set.photos if photo.path in read.photos),
            unreadable=tuple(photo for photo in photo_set.photos if photo.path in read.reasons),
            facts={},
        )
        readable = ordered(readable)
        links = _links(readable, read.photos, index, progress, cancel)
    checked = replace(readable, facts=_facts(readable, read.photos, links))
    others = [known for known in photo_set.problems if known.kind not in COUNT_KINDS | HEALTH_KINDS | {"unreadable"}]
    loose = next((known.files for known in others if known.kind == "loose_photos"), ())
    found = [*_emptied(photo_set, readable), *([unreadable_problem(read.reasons)] if read.reasons else [])]
    return replace(
        checked, problems=(*count_problems(checked, loose), *found, *others, *health_problems(checked, links))
    )


def _emptied(before: PhotoSet, after: PhotoSet) -> Iterator[Problem]:
    """Classes of which nothing is left: not dropped in silence."""
    for name in (name for name in before.classes if name not in after.classes):
        files = tuple(photo.path for photo in before.of_class(name))
        message = f"The class '{name}' has no readable photo. Add photos to it, or take its folder away."
        yield Problem("unreadable_class", message, files, blocks_training=True)


def unreadable_problem(reasons: dict[Path, str]) -> Problem:
    """Return the problem that names unreadable files, given a short reason for each."""
    shown = "; ".join(f"'{path.name}': {reason}" for path, reason in list(reasons.items())[:3])
    more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    message = f"{count_of(len(reasons), 'file')} could not be read, left out ({shown}{more})."
    return Problem("unreadable", message, tuple(reasons), details=tuple(reasons.values()))


def _read_all(paths: Sequence[Path], index: PhotoIndex, progress: Progress, cancel: CancelToken) -> _Read:
    stamps: dict[Path, Stamp] = {}
    reasons: dict[Path, str] = {}
    for path in paths:
        cancel.check()
        try:
            stamps[path] = Stamp.of(path)
        except OSError as error:
            reasons[path] = "the file is no longer there" if isinstance(error, FileNotFoundError) else _lower(error)
    photos = dict(index.known(list(stamps.items())))
    waiting = [path for path in paths if path in stamps and path not in photos]
    done = len(paths) - len(waiting)
    progress(done, len(paths), READING)
    fresh: list[tuple[Path, Stamp, IndexedPhoto]] = []
    kept_at = time.monotonic()
    try:
        for path, seen in _examined(waiting, cancel):
            done += 1
            if isinstance(seen, str):
                reasons[path] = seen
            else:
                photos[path] = seen
                fresh.append((path, stamps[path], seen))
            if time.monotonic() - kept_at > _KEEP_EVERY:
                index.keep(fresh)
                fresh, kept_at = [], time.monotonic()
            progress(done, len(paths), READING)
    finally:
        index.keep(fresh)
    return _Read(photos, {path: reasons[path] for path in paths if path in reasons})


def _lower(error: OSError) -> str:
    reason = path_kinds.reason(error)
    return reason[:1].lower() + reason[1:]


def _examined(paths: Sequence[Path], cancel: CancelToken) -> Iterator[tuple[Path, IndexedPhoto | str]]:
    """Yield every photo with what it tells, or why it cannot be read; read by several threads, in order."""
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="check")
    waiting: deque[tuple[Path, Future[IndexedPhoto | str]]] = deque()
    try:
        for path in paths:
            waiting.append((path, pool.submit(_examine, path)))
            if len(waiting) >= _AHEAD:
                cancel.check()
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            cancel.check()
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _examine(path: Path) -> IndexedPhoto | str:
    try:
        seen = examine(path, PREVIEW_SIDE)
        return IndexedPhoto(seen.digest, seen.width, seen.height, look_at(seen.preview))
    except UnreadablePhotoError as error:
        return error.reason
    except MemoryError:
        return "there is not enough memory for it"


def _links(
    photo_set: PhotoSet, known: dict[Path, IndexedPhoto], index: PhotoIndex, progress: Progress, cancel: CancelToken
) -> Links:
    """Compare the photos' looks."""
    numbers = {name: number for number, name in enumerate(photo_set.classes)}
    classes = np.array([numbers[photo.class_name] for photo in photo_set.photos], np.int64)
    looks = np.frombuffer(b"".join(known[photo.path].look for photo in photo_set.photos), np.uint8)
    looks = looks.reshape(-1, LOOK_BYTES)
    photos = len(looks)

    def compared(done: int, total: int) -> None:  # steps, of which each photo takes some
        progress(photos * done // max(total, 1), photos, COMPARING)

    return find_links(looks, classes, compared, cancel, index)


def _facts(photo_set: PhotoSet, known: dict[Path, IndexedPhoto], links: Links) -> dict[Path, PhotoFacts]:
    photos = photo_set.photos
    copies = _chains(photos, known)
    groups = groups_of(len(photos), copies, links.near, links.series)
    return {
        photo.path: PhotoFacts(known[photo.path].digest, known[photo.path].width, known[photo.path].height, int(group))
        for photo, group in zip(photos, groups, strict=True)
    }


def _chains(photos: Sequence[Photo], known: dict[Path, IndexedPhoto]) -> NDArray[np.int64]:
    """Return ``[pairs, 2]``: every exact copy with the one before it."""
    last: dict[bytes, int] = {}
    pairs: list[tuple[int, int]] = []
    for place, photo in enumerate(photos):
        digest = known[photo.path].digest
        if digest in last:
            pairs.append((last[digest], place))
        last[digest] = place
    return np.array(pairs, np.int64).reshape(-1, 2)
