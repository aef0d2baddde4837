"""A problem with a backbone and the way on: what it does that is not harmless, and to use it anyway."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError, UnsafeModuleError
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.question import Question
from hubstudio.gui.widgets.wrapped_label import WrappedLabel


class BackboneProblem(ErrorCard):
    """An error card; for a module that was refused for what it may do, also that list and a way to insist."""

    trust_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.operations = WrappedLabel("", "", "unsafe_operations")
        self.insist = quiet_button("Use it anyway…", "use_anyway")
        self.insist.setAutoDefault(True)
        self.insist.clicked.connect(self.trust_wanted)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.operations)
        column.addWidget(self.insist, 0, Qt.AlignmentFlag.AlignLeft)
        self.words.addLayout(column)

    def show_error(self, error: StudioError | None) -> None:
        """Show an error, or nothing."""
        super().show_error(error)
        operations = error.operations if isinstance(error, UnsafeModuleError) else ()
        self.operations.say("\n".join(f"• {operation}" for operation in operations))
        self.operations.setVisible(bool(operations))
        self.insist.setVisible(bool(operations))


def trust_question(name: str) -> Question:
    """Return what is asked before a refused module is used."""
    return Question(
        "trust_module_question",
        "Use this module?",
        f"Use '{name}' although it can touch files or run code?",
        "A module is a program. This one can read or write your files, or run code, each time it is used. "
        "Use it only if you know who made it. You are asked once for this module.",
        "Use it anyway",
        "Do not use it",
        is_destructive=True,
    )
