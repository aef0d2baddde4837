"""Text on as many lines as it needs; words too long for a line, such as paths, break anywhere."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_LONG_WORD = re.compile(r"\S{25,}")
_BREAK = "\u200b"  # zero width space: a place to break that is not seen


class WrappedLabel(QLabel):
    """A label that wraps and never makes its page wider; screen readers get the text as it was given."""

    def __init__(self, text: str = "", role: str = "", name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        if role:
            self.setProperty("role", role)
        if name:
            self.setObjectName(name)
        self.say(text)

    def say(self, text: str) -> None:
        """Show ``text``; the same text again costs nothing."""
        if text != self.accessibleName() or not self.text():
            self.setAccessibleName(text)
            self.setText(breakable(text))

    def say_in_place(self, text: str) -> None:
        """Show ``text`` that changes many times a second: the layouts around are only asked if it needs more lines.

        Else each time would pass through all of them up to the window, and every size they ask a widget of ours for
        has to win the interpreter from the threads that decode.
        """
        if text == self.accessibleName():
            return
        height = self.heightForWidth(self.width())
        self.setAccessibleName(text)
        was_hidden = self.testAttribute(Qt.WidgetAttribute.WA_WState_Hidden)
        self.setAttribute(Qt.WidgetAttribute.WA_WState_Hidden)  # what is hidden does not ask its layout
        self.setText(breakable(text))
        self.setAttribute(Qt.WidgetAttribute.WA_WState_Hidden, was_hidden)
        if self.heightForWidth(self.width()) != height:
            self.updateGeometry()

    def said(self) -> str:
        """Return the text as it was given."""
        return self.accessibleName()


def breakable(text: str) -> str:
    """Return ``text`` with invisible places to break every few letters of its long words."""
    return _LONG_WORD.sub(lambda word: _BREAK.join(re.findall(r".{1,8}", word[0])), text)
