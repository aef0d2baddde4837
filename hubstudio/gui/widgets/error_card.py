"""An error where it belongs: what happened, what was found, what to do next."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.gui.widgets.wrapped_label import WrappedLabel


class ErrorCard(QFrame):
    """Hidden until ``show_error``; the person may dismiss it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "error")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.what = WrappedLabel("", "bad", "error_what")
        self.rest = WrappedLabel("", "", "error_rest")
        self.dismiss = QPushButton("Dismiss")
        self.dismiss.setObjectName("dismiss_error")
        self.dismiss.setAccessibleName("Dismiss")
        self.dismiss.setProperty("role", "quiet")
        self.dismiss.clicked.connect(self.hide)
        self.words = QVBoxLayout()
        self.words.setSpacing(4)
        self.words.addWidget(self.what)
        self.words.addWidget(self.rest)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10, 8, 10)
        layout.addLayout(self.words, 1)
        layout.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_error(self, error: StudioError | None) -> None:
        """Show an error, or nothing."""
        self.what.say(error.what if error else "")
        rest = " ".join(part for part in (error.found, error.next_step) if part) if error else ""
        self.rest.say(rest)
        self.rest.setVisible(bool(rest))
        self.setAccessibleName(str(error) if error else "")
        self.setVisible(error is not None)
