"""Python's cyclic garbage collection, in the window's thread only.

Collected in a working thread, a forgotten widget would be destroyed there, which Qt does not survive; and a full
collection over all that TensorFlow holds stops every thread for longer than a window may stand still: with a small
backbone in training 0.1 s, on busy cores 0.4 s. That one waits until nobody moves the pointer.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QCursor

_MILLISECONDS = 250
_YOUNG_LIMIT, _MIDDLE_LIMIT, _OLD_LIMIT = 2_000, 2, 200
_OLD_LIMIT_IN_USE = 10 * _OLD_LIMIT
_STILL = 20
"""Turns of the timer with the pointer at one place: nobody is at work in the window."""


class GarbageCollector(QObject):
    """Turns automatic collection off while it lives, and collects in small steps from the window's own loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        self._pointer = QPoint()
        self._still = 0
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_MILLISECONDS)
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start()

    def close(self) -> None:
        """Leave collection as it was found."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()

    def _on_timeout(self) -> None:
        young, middle, old = gc.get_count()
        pointer = QCursor.pos()
        self._still = self._still + 1 if pointer == self._pointer else 0
        self._pointer = pointer
        if old > (_OLD_LIMIT if self._still >= _STILL else _OLD_LIMIT_IN_USE):
            gc.collect()
        elif middle > _MIDDLE_LIMIT:
            gc.collect(1)
        elif young > _YOUNG_LIMIT:
            gc.collect(0)
