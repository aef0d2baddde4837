"""What is asked before classes become one. Nothing blocks: the answer comes by a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from hubstudio.core.photos import count_of
from hubstudio.gui.widgets.question import Question, ask


def ask_to_merge(parent: QWidget, name: str, into: str, counts: dict[str, int], merge: Callable[[], None]) -> QWidget:
    """Say that a class of that name is there, and ask whether both shall be one; ``merge`` is called if so."""
    sums = count_of(counts.get(name, 0) + counts.get(into, 0), "photo")
    question = Question(
        "merge_question",
        "Merge two classes",
        f"There is a class “{_short(into)}” already. Merge “{_short(name)}” into it?",
        f"“{_short(into)}” then has {sums}. The files stay where they are.",
        "Merge",
        "Keep both",
    )
    return ask(parent, question, merge)


class MergeDialog(QDialog):
    """Asks which class another shall become part of."""

    def __init__(self, parent: QWidget, name: str, others: Sequence[str], merge: Callable[[str, str], None]) -> None:
        super().__init__(parent)
        self._name, self._merge = name, merge
        self.setObjectName("merge_dialog")
        self.setWindowTitle("Merge two classes")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QLabel(f"Merge “{_short(name)}” into this class. The files stay where they are.")
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        self.others = QComboBox()
        self.others.setObjectName("merge_into")
        self.others.setAccessibleName("Class to merge into")
        self.others.setEditable(True)
        self.others.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.others.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.others.setMinimumContentsLength(30)
        self.others.addItems(list(others))
        completer = QCompleter(self.others.model(), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.others.setCompleter(completer)
        self.buttons = QDialogButtonBox()
        self.agree = self.buttons.addButton("Merge", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.agree.setProperty("role", "primary")
        for button in self.buttons.buttons():
            button.setObjectName(button.text().casefold())
            button.setAccessibleName(button.text())
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        for widget in (words, self.others, self.buttons):
            layout.addWidget(widget)
        self.others.editTextChanged.connect(self._on_typed)
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.reject)

    def _on_typed(self, text: str) -> None:
        self.agree.setEnabled(self.others.findText(text, Qt.MatchFlag.MatchExactly) >= 0)

    def _on_accepted(self) -> None:
        self.accept()
        self._merge(self._name, self.others.currentText())


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
