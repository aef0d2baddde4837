"""The bar below every page: Back, Next, and why Next has to wait."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget


class StepBar(QWidget):
    """Tells that the person wants to go on or back."""

    back_wanted = Signal()
    next_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.reason = QLabel()
        self.reason.setObjectName("next_reason")
        self.reason.setProperty("role", "muted")
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.reason.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.back = _button("Back", "&Back", "Go back; nothing is lost (Alt+Left)")
        self.next = _button("Next", "&Next", "Go on (Alt+Right)")
        self.next.setProperty("role", "primary")
        self.back.clicked.connect(self.back_wanted)
        self.next.clicked.connect(self.next_wanted)
        QShortcut(QKeySequence("Alt+Left"), self, self.back.click)
        QShortcut(QKeySequence("Alt+Right"), self, self.next.click)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 14, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.reason, 1)
        layout.addWidget(self.back)
        layout.addWidget(self.next)

    def show_state(self, *, has_back: bool, next_name: str, reason: str) -> None:
        """Show where one can go; ``next_name`` is empty on the last step, ``reason`` when nothing is missing."""
        self.back.setEnabled(has_back)
        self.next.setVisible(bool(next_name))
        self.next.setText(f"&Next: {next_name}")
        self.next.setEnabled(not reason)
        self.next.setAccessibleDescription(reason)
        self.reason.setText(reason if next_name else "")


def _button(name: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name.casefold())
    button.setAccessibleName(name)
    button.setToolTip(tip)
    return button
