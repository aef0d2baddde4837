"""Photos for looking at one at a time: read off the window's thread, the neighbours ahead."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from hubstudio.core.decode import UnreadablePhotoError, decode, examine
from hubstudio.gui.thumbnails import Thumbnails

WHOLE = 0
"""Instead of a side: every pixel."""
_PREVIEWS_KEPT = 7
_Key = tuple[Path, int]


@dataclass(frozen=True)
class LargePhoto:
    """A photo for a view whose shorter side is ``side``; without ``image`` there is a ``reason``, a short clause."""

    path: Path
    side: int
    image: QImage | None = None
    width: int = 0
    height: int = 0
    """Of the whole photo, in pixels."""
    reason: str = ""


class LargePhotos(QObject):
    """Reads one photo at a time, the most wanted first; every call of ``want`` is a new list."""

    arrived = Signal(object)  # LargePhoto

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._wanted: Sequence[_Key] = ()
        self._reading: _Key | None = None
        self._kept: OrderedDict[_Key, LargePhoto] = OrderedDict()

    def want(self, keys: Sequence[_Key]) -> None:
        """Read these (path, side) in this order, and nothing else that has not been begun."""
        self._wanted = keys
        for key in [key for key in self._kept if key[1] == WHOLE and key not in keys]:
            del self._kept[key]  # tens of megabytes
        self._read_next()

    def photo(self, path: Path, side: int) -> LargePhoto | None:
        """Return a photo that was read."""
        return self._kept.get((path, side))

    def clear(self) -> None:
        """Forget all."""
        self._wanted = ()
        self._kept.clear()

    def _read_next(self) -> None:
        if self._reading:
            return
        path, side = next((key for key in self._wanted if key not in self._kept), (None, 0))
        if path is not None:
            self._reading = (path, side)
            self._thumbnails.do(lambda: read_large(path, side), self._on_read)

    def _on_read(self, read: LargePhoto | None) -> None:
        key, self._reading = self._reading, None
        if key is None:
            return
        photo = read or LargePhoto(*key, reason="something went wrong while it was read")
        if key in self._wanted:
            self._kept[key] = photo
            while len(self._kept) > _PREVIEWS_KEPT:
                self._kept.popitem(last=False)
            self.arrived.emit(photo)
        self._read_next()


def read_large(path: Path, side: int) -> LargePhoto:
    """Read a photo, shrunk to ``side`` pixels at its shorter side, or whole. Raises nothing."""
    try:
        if side == WHOLE:
            whole = decode(path)
            return LargePhoto(path, side, _image(whole), whole.width, whole.height)
        seen = examine(path, side)
        return LargePhoto(path, side, _image(seen.preview), seen.width, seen.height)
    except UnreadablePhotoError as error:
        return LargePhoto(path, side, reason=error.reason)
    except MemoryError:
        return LargePhoto(path, side, reason="the memory of this computer is not enough for it")


def _image(photo: Image.Image) -> QImage:
    width, height = photo.size
    made = QImage(photo.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return made.convertToFormat(QImage.Format.Format_RGB32)  # owns its pixels, and is what the screen draws quickest
