"""What tests of the window leave behind, freed in the thread that it belongs to."""

from __future__ import annotations

import gc
import sys


def free_leftover_windows() -> None:
    """Let Qt delete windows that were dropped, as the program does it, and collect the rest, in this thread.

    PySide frees the items of nested layouts in any order, and now and then one twice; and a worker thread that happens
    to collect garbage must not be the one that destroys Qt objects.
    """
    if "PySide6.QtWidgets" in sys.modules:
        from PySide6.QtCore import QEvent
        from PySide6.QtWidgets import QApplication

        if isinstance(app := QApplication.instance(), QApplication):
            for window in app.topLevelWidgets():
                window.deleteLater()
            app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
