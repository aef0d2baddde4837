"""The side of the window: the project, the six steps, and what each one came to."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout

from hubstudio.core.project import STEPS
from hubstudio.gui.step_states import STEP_NAMES, StepState
from hubstudio.gui.widgets.elided_label import ClausesLabel, ElidedLabel

_WIDE, _NARROW = 216, 204


class Sidebar(QFrame):
    """Six buttons; the checked one is the step that is shown."""

    step_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "sidebar")
        self.setAccessibleName("Steps")
        self.buttons: dict[str, QPushButton] = {}
        self.summaries: dict[str, ClausesLabel] = {}
        title = QLabel("Hub Studio")
        title.setProperty("role", "heading")
        self.project_name = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.project_name.setObjectName("project_name")
        self.project_name.setProperty("role", "muted")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 16, 12, 14)
        self._column.setSpacing(2)
        self._column.addWidget(title)
        self._column.addWidget(self.project_name)
        self._column.addSpacing(10)
        for number, step in enumerate(STEPS, 1):
            self._add_step(number, step)
        self._column.addStretch(1)
        self._column.addWidget(_footer())
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:
        """Take less room in a small window."""
        self.setFixedWidth(_NARROW if narrow else _WIDE)

    def show_project(self, name: str) -> None:
        """Show which project is open."""
        self.project_name.setText(name or "No project yet")

    def show_current(self, step: str) -> None:
        """Mark the step that is shown."""
        with QSignalBlocker(self.buttons[step]):
            self.buttons[step].setChecked(True)

    def show_step(self, step: str, state: StepState) -> None:
        """Show how far a step is."""
        button = self.buttons[step]
        mark = "✓" if state.is_done else str(STEPS.index(step) + 1)
        button.setText(f"{mark}\u2003{STEP_NAMES[step]}")
        button.setEnabled(state.is_open or button.isChecked())
        button.setAccessibleDescription(state.summary)
        self.summaries[step].setText(state.summary)
        self.summaries[step].setVisible(state.is_done and bool(state.summary))

    def _on_toggled(self, checked: bool) -> None:
        # toggled, not clicked: screen readers toggle a checkable button without clicking it
        if checked:
            self.step_wanted.emit(next(step for step, button in self.buttons.items() if button.isChecked()))

    def _add_step(self, number: int, step: str) -> None:
        button = QPushButton(f"{number}\u2003{STEP_NAMES[step]}")
        button.setObjectName(f"step_{step}")
        button.setAccessibleName(STEP_NAMES[step])
        button.setProperty("role", "step")
        button.setCheckable(True)
        button.setAutoExclusive(True)
        button.setShortcut(f"Ctrl+{number}")
        button.setToolTip(f"{STEP_NAMES[step]} (Ctrl+{number})")
        button.toggled.connect(self._on_toggled)
        summary = ClausesLabel()
        summary.setProperty("role", "muted")
        summary.setContentsMargins(0, 0, 0, 0)
        summary.setIndent(0)
        summary.hide()
        indented = QVBoxLayout()
        indented.setContentsMargins(31, 0, 0, 4)
        indented.addWidget(summary)
        self.buttons[step], self.summaries[step] = button, summary
        self._column.addWidget(button)
        self._column.addLayout(indented)


def _footer() -> QLabel:
    footer = QLabel("Runs on this computer.\nNo photo leaves it.")
    footer.setProperty("role", "muted")
    footer.setWordWrap(True)
    return footer
