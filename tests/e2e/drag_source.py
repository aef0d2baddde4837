"""A small window that files can be dragged from: python drag_source.py LEFT TOP SIDE FILE...

Says on stdout how far the drag is: ready, dragging, accepted or refused (by what is under the mouse), dropped. It ends
once what was dropped on has fetched the files' names.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, QRect, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget


def main(arguments: list[str]) -> int:
    """Show the window until one drag is done."""
    app = QApplication(arguments[:1])
    left, top, side = map(int, arguments[1:4])
    source = DragSource(arguments[4:])
    source.setGeometry(QRect(left, top, side, side))
    source.show()
    return app.exec()


class DragSource(QWidget):
    """Above all other windows, and left alone by the window manager."""

    def __init__(self, files: list[str]) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.X11BypassWindowManagerHint | Qt.WindowType.WindowStaysOnTopHint)
        self._files = files
        self._was_painted = False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first time."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, lambda: _say("ready"))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the files until the button is let go."""
        del event
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(file) for file in self._files])
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.actionChanged.connect(_on_action_changed)
        drag.destroyed.connect(QApplication.quit)  # once the other side has fetched what it wanted
        _say("dragging")
        action = drag.exec(Qt.DropAction.CopyAction)
        _say("dropped" if action is Qt.DropAction.CopyAction else "not taken")


def _on_action_changed(action: Qt.DropAction) -> None:
    _say("refused" if action is Qt.DropAction.IgnoreAction else "accepted")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
