"""A place that files and folders can be dropped on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget


class DropZone(QFrame):
    """Says what it takes, lights up while something is dragged over it, and tells of what was dropped."""

    dropped = Signal(object)  # list[Path] of local files and folders

    def __init__(self, accessible_name: str, prompt: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(accessible_name.casefold().replace(" ", "_"))
        self.setAccessibleName(accessible_name)
        self.setAccessibleDescription(prompt)
        self.setProperty("role", "drop")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self.prompt = QLabel(prompt)
        self.prompt.setWordWrap(True)
        self.prompt.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 16, 16, 16)
        self.body.setSpacing(8)
        self.body.addWidget(self.prompt)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what holds local files."""
        if local_paths(event.mimeData()):
            self._set_hovered(True)
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Keep taking it."""
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        self._set_hovered(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell of the files."""
        self._set_hovered(False)
        if paths := local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def _set_hovered(self, hovered: bool) -> None:
        if self.property("hovered") != hovered:
            self.setProperty("hovered", hovered)
            self.style().unpolish(self)
            self.style().polish(self)


def local_paths(data: QMimeData) -> list[Path]:
    """Return the local files and folders in dragged or copied data."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]
