"""A field for a backbone of one's own: typed, pasted or dropped."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from hubstudio.gui.widgets.drop_zone import local_paths


class BackboneField(QWidget):
    """Tells which backbone is wanted."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.text = _FolderLine()
        self.text.setObjectName("backbone")
        self.text.setAccessibleName("Backbone folder or handle")
        self.text.setPlaceholderText("Paste a TF Hub handle, or type or drop a module folder")
        self.text.setToolTip(self.text.placeholderText())
        self.text.setAccessibleDescription(self.text.placeholderText())
        self.use = QPushButton("Use this backbone")
        self.use.setObjectName("use_backbone")
        self.use.setAccessibleName("Use this backbone")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        row.addWidget(self.use)
        self.use.clicked.connect(self._on_wanted)
        self.text.returnPressed.connect(self._on_wanted)

    def _on_wanted(self) -> None:
        if text := self.text.text().strip():
            self.wanted.emit(text)


class _FolderLine(QLineEdit):
    """A line that takes a dropped folder as its path."""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.setText(str(paths[0]))
            self.returnPressed.emit()
        else:
            super().dropEvent(event)
