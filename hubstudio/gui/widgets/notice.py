"""A quiet line that says how things are, with one thing to do about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.wrapped_label import WrappedLabel


class Notice(QFrame):
    """Hidden while it has nothing to say."""

    def __init__(self, name: str, button: str, button_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "notice")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.text = WrappedLabel("", "", name)
        self.button = quiet_button(button, button_name)
        self.button.setAutoDefault(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 6, 4)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.hide()

    def say(self, text: str) -> None:
        """Show a sentence; none hides the line."""
        self.text.say(text)
        self.setVisible(bool(text))
