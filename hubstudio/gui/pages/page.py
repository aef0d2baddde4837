"""What the six pages have in common: a title, a sentence, a body, and what still has to be done here."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from hubstudio.gui.session import Session


class Page(QWidget):
    """A step of the journey. The window shows ``missing()`` beside a disabled Next."""

    done_changed = Signal()  # ``missing()`` or ``summary()`` may answer differently now

    step = ""
    """One of ``hubstudio.core.project.STEPS``."""

    def __init__(self, session: Session, title: str, subtitle: str) -> None:
        super().__init__()
        self.session = session
        self.setObjectName(f"{self.step}_page")
        self.setAccessibleName(title)
        self.title = QLabel(title)
        self.title.setObjectName("page_title")
        self.subtitle = QLabel(subtitle)
        self.subtitle.setObjectName("page_subtitle")
        self.subtitle.setWordWrap(True)
        self.body = QVBoxLayout()
        self.body.setSpacing(12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.title)
        layout.addWidget(self.subtitle)
        layout.addSpacing(8)
        layout.addLayout(self.body, 1)

    def missing(self) -> str:
        """Return why the next step cannot be taken yet, or an empty string."""
        return ""

    def summary(self) -> str:
        """Return the few words that stand under the step's name once it is done."""
        return ""

    def entered(self) -> None:
        """Called each time the page is shown."""
