"""Photos of one size in a file, read where they lie: fine enough that features from them are those of the photos.

Whole levels are not: photos that were enlarged to the backbone's size gave features that were off by up to a sixth of
their spread. 256 steps a level cost twice the space.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.hyper_parameters import PIXEL_BYTES
from hubstudio.ml.border_store import reserved_array

_STEPS = 256  # a level; 255 levels of them fit into 16 bits


@dataclass(frozen=True)
class PixelFile:
    """Photos ``[photos, size, size, 3]`` on disk."""

    steps: NDArray[np.uint16]

    @classmethod
    def make(cls, file: Path, photos: int, size: int) -> PixelFile:
        """Make a file for so many photos, with its space reserved. Raises ``OSError`` if the disk has not that much."""
        assert np.dtype(np.uint16).itemsize == PIXEL_BYTES
        return cls(reserved_array(file, (photos, size, size, 3), np.uint16))

    def put(self, first: int, photos: NDArray[np.float32]) -> None:
        """Write photos, 0 to 255, from a row on."""
        self.steps[first : first + len(photos)] = np.rint(photos * _STEPS)

    def photos(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return some rows, 0 to 255."""
        return self.steps[rows].astype(np.float32) * np.float32(1 / _STEPS)

    def whole_levels(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return some rows rounded to whole levels, as pictures are."""
        return np.rint(self.photos(rows)).astype(np.uint8)

    def first(self, photos: int) -> PixelFile:
        """Return the first rows, without copying them."""
        return PixelFile(self.steps[:photos])
