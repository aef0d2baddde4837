"""Small pictures of photos, made off the window's thread."""

from __future__ import annotations

import os
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakMethod

from PIL import Image
from PySide6.QtCore import QDeadlineTimer, QObject, QThreadPool, Signal
from PySide6.QtGui import QImage
from shiboken6 import isValid

from hubstudio.core.decode import UnreadablePhotoError, preview
from hubstudio.core.paths import cache_folder
from hubstudio.gui.qt_types import make_all_types
from hubstudio.gui.thumbnail_cache import ThumbnailCache

_MOST_KEPT = 800
_Key = tuple[Path, int]
Taker = Callable[[Path, QImage | None], None]
ResultTaker = Callable[[Any], None]


@dataclass(frozen=True)
class _Made:
    """A picture, or none if the photo could not be read."""

    image: QImage | None
    stamp: tuple[int, ...] | None
    """Of the file when it was read; equal ones mean unchanged content."""
    age: int
    """How often pictures were doubted before."""


class Thumbnails(QObject):
    """Decodes each photo once for a size; answers come to those who asked, by a method of theirs."""

    doubted = Signal()  # what was answered before may be out of date
    _made = Signal(object, object)  # _Key, _Made; from a worker thread
    _worked = Signal(object, object)  # WeakMethod, result; from a worker thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[_Key, _Made] = OrderedDict()
        self._age = 0
        self._waiting: defaultdict[_Key, list[WeakMethod[Taker]]] = defaultdict(list)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(max(1, min(4, (os.cpu_count() or 2) - 1)))
        self._is_open = True
        self._cache = ThumbnailCache(cache_folder() / "thumbnails")
        self._made.connect(self._on_made)
        self._worked.connect(self._on_worked)

    def request(self, path: Path, side: int, taker: Taker) -> None:
        """Ask for a square picture; ``taker`` (a bound method, held weakly) gets it, at once if it is there."""
        key = (path, side)
        before = self._kept.get(key)
        if before and before.age == self._age:
            self._kept.move_to_end(key)
            self._tell(key, [taker])
            return
        is_new = key not in self._waiting
        self._waiting[key].append(WeakMethod(taker))  # type: ignore[arg-type]
        if is_new and self._is_open:
            make_all_types()
            age = self._age
            self._pool.start(lambda: self._make(key, before, age))

    def doubt(self) -> None:
        """Look at the photos again before a picture is given out once more: some may have been replaced."""
        self._age += 1
        self.doubted.emit()

    def do(self, work: Callable[[], object], taker: ResultTaker) -> None:
        """Do other work on photos before all pictures that wait.

        ``taker`` (held weakly) gets what it returns, or None if it raises.
        """
        if self._is_open:
            make_all_types()
            reference = WeakMethod(taker)
            self._pool.start(lambda: self._work(work, reference), 1)

    def close(self, seconds: float) -> bool:
        """Drop what waits; wait for what runs, or return False if it has not ended in that time."""
        self._is_open = False
        self._pool.clear()
        has_ended = self._pool.waitForDone(QDeadlineTimer(round(seconds * 1000)))
        if has_ended:
            self._cache.close()
        return has_ended

    def _make(self, key: _Key, before: _Made | None, age: int) -> None:
        made = _Made(None, None, age)
        try:
            if self._is_open:
                made = _picture_of(key, before, age, self._cache)
        finally:  # whatever was raised: who waits for an answer has one place less for others
            self._made.emit(key, made)

    def _work(self, work: Callable[[], object], reference: WeakMethod[ResultTaker]) -> None:
        result = None
        try:
            result = work()
        finally:
            self._worked.emit(reference, result)

    def _on_made(self, key: _Key, made: _Made) -> None:
        self._kept[key] = made
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        takers = (reference() for reference in self._waiting.pop(key, []))
        self._tell(key, [taker for taker in takers if taker and isValid(getattr(taker, "__self__", None))])

    def _on_worked(self, reference: WeakMethod[ResultTaker], result: object) -> None:
        taker = reference()
        if taker and isValid(getattr(taker, "__self__", None)):
            taker(result)

    def _tell(self, key: _Key, takers: list[Taker]) -> None:
        image = self._kept[key].image
        for taker in takers:
            taker(key[0], image)


def _picture_of(key: _Key, before: _Made | None, age: int, cache: ThumbnailCache) -> _Made:
    """Make a picture, or take the former one if the photo is the same."""
    stamp = _stamp(key[0])
    if before and before.image and stamp and before.stamp == stamp:
        return replace(before, age=age)
    return _Made(square_image(*key, cache), stamp, age)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def square_image(path: Path, side: int, cache: ThumbnailCache | None = None) -> QImage | None:
    """Return the middle of a photo as a square of ``side`` pixels, or None if it cannot be read."""
    try:
        stamp = _stamp(path)
        square = cache.get(path, side) if cache else None
        if square is None:
            square = _square(path, side)
            if cache and _stamp(path) == stamp:  # else it was replaced meanwhile, and this would pass for the new one
                cache.put(path, side, square)
        return QImage(square.tobytes(), side, side, 3 * side, QImage.Format.Format_RGB888).copy()
    except (UnreadablePhotoError, MemoryError):
        return None


def _square(path: Path, side: int) -> Image.Image:
    photo = preview(path, side)
    edge = min(photo.size)
    left, top = (photo.width - edge) // 2, (photo.height - edge) // 2
    return photo.resize(
        (side, side), Image.Resampling.BILINEAR, box=(left, top, left + edge, top + edge), reducing_gap=2.0
    )
