"""How many pixels all threads together may hold while they decode."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager


class DecodingRoom:
    """Lets photos in while there is room for their pixels; one that is larger than the room goes in alone."""

    def __init__(self, pixels: int) -> None:
        self._size = pixels
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def for_pixels(self, pixels: int) -> Generator[None]:
        """Wait for room, and hold it meanwhile."""
        wanted = min(pixels, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + wanted <= self._size)
            self._taken += wanted
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()
