"""Python's cyclic garbage collection, in the window's thread only.

Collected in a working thread, a forgotten widget would be destroyed there, which Qt does not survive; and a full
collection over all that TensorFlow holds stops every thread for longer than a window may stand still.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_MILLISECONDS = 250
_YOUNG_LIMIT, _MIDDLE_LIMIT, _OLD_LIMIT = 2_000, 2, 200


class GarbageCollector(QObject):
    """Turns automatic collection off while it lives, and collects in small steps from the window's own loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
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
        if old > _OLD_LIMIT:
            gc.collect()
        elif middle > _MIDDLE_LIMIT:
            gc.collect(1)
        elif young > _YOUNG_LIMIT:
            gc.collect(0)
