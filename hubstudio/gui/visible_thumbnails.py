"""Small pictures for a view that scrolls: what is in sight is asked for, what was scrolled past is not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from hubstudio.gui.thumbnails import Thumbnails

_ASKED_AT_ONCE = 4
"""Enough to keep the workers busy, few enough that what comes into sight need not wait for what has left it."""
_MOST_KEPT = 700
"""Unless more are wanted: what is wanted is never dropped, since it would be asked for again at once."""


class VisibleThumbnails(QObject):
    """Asks ``Thumbnails`` for a few pictures at a time, the most wanted first; every call of ``want`` is a new list."""

    arrived = Signal(object)  # Path

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._side = 0
        self._wanted: dict[Path, None] = {}
        self._asked: set[Path] = set()
        self._kept: OrderedDict[Path, QImage | None] = OrderedDict()
        self._doubtful: set[Path] = set()
        """Kept, but the photos may have changed since."""
        self._is_asking = False
        thumbnails.doubted.connect(self._on_doubted)

    def want(self, paths: Sequence[Path], side: int) -> None:
        """Ask for these, first things first, and for nothing else that has not been asked for yet."""
        if side != self._side:
            self._side = side
            self._kept.clear()
            self._asked.clear()
            self._doubtful.clear()
        self._wanted = dict.fromkeys(paths)
        for path in self._wanted.keys() & self._kept.keys():
            self._kept.move_to_end(path)
        self._drop_oldest()
        self._ask()

    def picture(self, path: Path) -> QImage | None:
        """Return a picture if it is there and readable."""
        return self._kept.get(path)

    def is_unreadable(self, path: Path) -> bool:
        """Whether the photo was asked for and could not be read."""
        return path in self._kept and self._kept[path] is None

    def _ask(self) -> None:
        if self._is_asking:  # an answer that was there at once: the loop below goes on
            return
        self._is_asking = True
        try:
            for path in self._to_ask():
                if len(self._asked) >= _ASKED_AT_ONCE:
                    break
                self._asked.add(path)
                self._thumbnails.request(path, self._side, self._on_picture)
        finally:
            self._is_asking = False

    def _to_ask(self) -> Iterator[Path]:
        yield from (path for path in self._wanted if path not in self._kept and path not in self._asked)
        if self._doubtful:
            yield from (path for path in self._wanted if path in self._doubtful and path not in self._asked)

    def _on_picture(self, path: Path, picture: QImage | None) -> None:
        if path not in self._asked or (picture is not None and picture.width() != self._side):
            return
        self._asked.discard(path)
        self._doubtful.discard(path)
        self._kept[path] = picture
        self._drop_oldest()
        self.arrived.emit(path)
        self._ask()

    def _on_doubted(self) -> None:
        self._doubtful = set(self._kept)
        self._ask()

    def _drop_oldest(self) -> None:
        surplus = len(self._kept) - max(_MOST_KEPT, len(self._wanted))
        if surplus > 0:
            for path in list(islice((path for path in self._kept if path not in self._wanted), surplus)):
                del self._kept[path]
