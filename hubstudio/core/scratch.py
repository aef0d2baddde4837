"""Memory that a thread uses again: the system hands out new memory filled with zeros, which takes as long as work."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_MOST_KEPT = 16_000_000
"""Bytes; what is larger is new every time, and the system has quicker ways for it."""


class Scratch(threading.local):
    """One array for each thread, whose content is anything, and gone with the next one that is asked for."""

    def __init__(self) -> None:
        self._kept = np.empty(0, np.uint8)

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of this shape."""
        needed = math.prod(shape) * np.dtype(dtype).itemsize
        if needed > _MOST_KEPT:
            return np.empty(shape, dtype)
        if needed > len(self._kept):
            self._kept = np.empty(needed, np.uint8)
        return self._kept[:needed].view(dtype).reshape(shape)
