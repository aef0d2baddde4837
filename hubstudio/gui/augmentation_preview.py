"""Examples of how training photos are varied: the person's own photos, made off the window's thread."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from hubstudio.core.augmentation import NO_AUGMENTATION, Augmentation
from hubstudio.core.augmenting import BytePixels, augmented
from hubstudio.core.decode import UnreadablePhotoError, preview
from hubstudio.gui.thumbnails import Thumbnails

SIDE = 160
"""Of a picture, in pixels. Changes are measured in shares of the side, so they look as they do at the backbone's."""
VIEWS = 3
"""Varied views of each photo."""
_TRIED = 12
"""Photos tried at most, since some may be unreadable. As many are drawn however few are wanted: the first stay so."""


@dataclass(frozen=True)
class Example:
    """A photo as the backbone gets it, and varied."""

    path: Path
    original: QImage
    views: tuple[QImage, ...]


@dataclass(frozen=True)
class _Wish:
    paths: tuple[Path, ...]
    count: int
    augmentation: Augmentation
    drawing: int


@dataclass(frozen=True)
class _Made:
    examples: tuple[Example, ...]
    read: Mapping[Path, BytePixels | None]
    """The photos that were tried; None for what could not be read."""


class AugmentationPreview(QObject):
    """Makes one set of examples at a time; what is wanted meanwhile comes next, and only the last of it."""

    arrived = Signal(object)  # tuple[Example, ...]; none if no photo could be read

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._photos: Sequence[Path] = ()
        self._augmentation, self._count, self._drawing = NO_AUGMENTATION, 0, 0
        self._is_in_sight = False
        self._is_making = False
        self._begun: _Wish | None = None
        self._read: Mapping[Path, BytePixels | None] = {}
        thumbnails.doubted.connect(self._on_doubted)

    def want(self, photos: Sequence[Path], augmentation: Augmentation, count: int) -> None:
        """Make ``count`` examples of these values, drawn from these photos."""
        if photos is not self._photos:
            self._photos, self._begun = photos, None
        self._augmentation, self._count = augmentation, count
        self._make()

    def draw_others(self) -> None:
        """Draw other photos and other random numbers."""
        self._drawing += 1
        self._make()

    def set_in_sight(self, is_in_sight: bool) -> None:
        """Work only while somebody looks."""
        self._is_in_sight = is_in_sight
        self._make()

    def _make(self) -> None:
        if self._is_making or not (self._is_in_sight and self._photos and self._count):
            return
        wish = _Wish(_drawn(self._photos, self._drawing), self._count, self._augmentation, self._drawing)
        if wish == self._begun:
            return
        self._begun, self._is_making = wish, True
        read = self._read
        self._thumbnails.do(lambda: _made(wish, read), self._on_made)

    def _on_made(self, made: _Made | None) -> None:
        self._is_making = False
        if self._begun is not None:  # else other photos came meanwhile, or these were doubted
            if made:
                self._read = made.read
            self.arrived.emit(made.examples if made else ())
        self._make()

    def _on_doubted(self) -> None:
        self._begun, self._read = None, {}
        self._make()


def _drawn(photos: Sequence[Path], drawing: int) -> tuple[Path, ...]:
    places = random.Random(drawing).sample(range(len(photos)), min(_TRIED, len(photos)))
    return tuple(photos[place] for place in places)


def _made(wish: _Wish, read: Mapping[Path, BytePixels | None]) -> _Made:
    """Make a wish come true; runs in a worker thread."""
    found: dict[Path, BytePixels | None] = {}
    examples: list[Example] = []
    for place, path in enumerate(wish.paths):
        if len(examples) == wish.count:
            break
        pixels = found[path] = read[path] if path in read else _pixels(path)
        if pixels is not None:
            examples.append(_example(path, pixels, wish, place))
    return _Made(tuple(examples), found)


def _example(path: Path, pixels: BytePixels, wish: _Wish, place: int) -> Example:
    numbers = range(place * VIEWS, (place + 1) * VIEWS)
    views = (augmented(pixels, wish.augmentation, wish.drawing, number) for number in numbers)
    return Example(path, _image(pixels), tuple(map(_image, views)))


def _pixels(path: Path) -> BytePixels | None:
    """Return a photo as the backbone gets it, squeezed into a square; None if it cannot be read."""
    try:
        return np.asarray(preview(path, SIDE).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    except (UnreadablePhotoError, MemoryError):
        return None


def _image(pixels: BytePixels) -> QImage:
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
