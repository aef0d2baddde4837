"""A field for a backbone of one's own: typed, pasted or dropped."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from hubstudio.gui.widgets.drop_zone import local_paths

_PROMPT = "Paste a TF Hub or Kaggle handle, or drop a module folder or .tar.gz"
_HOVERED = "Drop to use this backbone"


class BackboneField(QWidget):
    """Tells which backbone is wanted. What is dropped on a page around it counts as dropped here."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.text = QLineEdit()
        self.text.setObjectName("backbone")
        self.text.setAccessibleName("Backbone folder or handle")
        self.text.setAccessibleDescription(_PROMPT)
        self.text.setPlaceholderText(_PROMPT)
        self.text.setToolTip(_PROMPT)
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
        self.take_drops_on(self.text)

    def take_drops_on(self, widget: QWidget) -> None:
        """Treat what is dragged over a widget as if it were over the field."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take files and folders; text is left to the line itself."""
        if isinstance(event, QDropEvent) and local_paths(event.mimeData()):  # entering and moving are drops to Qt, too
            if event.type() is QEvent.Type.Drop:
                self._on_dropped(event)
            elif isinstance(event, QDragEnterEvent | QDragMoveEvent):
                self._show_hovered(True)
            event.acceptProposedAction()
            return True
        if isinstance(event, QDragLeaveEvent):
            self._show_hovered(False)
        return super().eventFilter(watched, event)

    def _on_dropped(self, event: QDropEvent) -> None:
        self._show_hovered(False)
        self.text.setText(str(local_paths(event.mimeData())[0]))
        self._on_wanted()

    def _on_wanted(self) -> None:
        if text := self.text.text().strip():
            self.wanted.emit(text)

    def _show_hovered(self, hovered: bool) -> None:
        if self.text.property("hovered") is not hovered:
            self.text.setProperty("hovered", hovered)
            self.text.setPlaceholderText(_HOVERED if hovered else _PROMPT)
            self.text.style().unpolish(self.text)
            self.text.style().polish(self.text)
