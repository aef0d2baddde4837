"""A quiet bar that offers to go on with an interrupted training."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hubstudio.gui.run_desk import UnfinishedRow
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_BELOW = 12


class ResumeBar(QWidget):
    """Hidden while there is nothing to offer."""

    resume_wanted = Signal(str)  # name of the run that it is to become
    discard_wanted = Signal(str)
    undo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resume_bar")
        self._offered = ""
        self.text = WrappedLabel("", "", "interrupted_training")
        self.resume = quiet_button("Resume", "resume_interrupted", "Resume training")
        self.discard = quiet_button("Discard", "discard_interrupted", "Discard interrupted training")
        self.undo = quiet_button("Undo", "undo_discard")
        self.later = quiet_button("Later", "later_interrupted")
        frame = QFrame()
        frame.setProperty("role", "notice")
        frame.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self)  # the room below goes with the bar when it is hidden
        column.setContentsMargins(0, 0, 0, _BELOW)
        column.addWidget(frame)
        row = QHBoxLayout(frame)
        row.setContentsMargins(14, 4, 6, 4)
        row.setSpacing(4)
        row.addWidget(self.text, 1)
        for button in (self.resume, self.discard, self.undo, self.later):
            button.setAutoDefault(True)
            row.addWidget(button)
        self.resume.clicked.connect(self._on_resume_clicked)
        self.discard.clicked.connect(self._on_discard_clicked)
        self.undo.clicked.connect(self.undo_wanted)
        self.later.clicked.connect(self.hide)
        self.hide()

    @property
    def offered(self) -> str:
        """Name of the run that the interrupted training is to become."""
        return self._offered

    def offer(self, row: UnfinishedRow) -> None:
        """Offer to go on with a training."""
        self._offered = row.name
        self._show(f"A training was interrupted: {row.progress}.", may_undo=False)
        self.setToolTip(str(row.folder))

    def show_discarded(self) -> None:
        """Say that what was offered is gone, and offer to take that back."""
        self._show(f"The interrupted training {self._offered} was discarded.", may_undo=True)

    def _show(self, text: str, *, may_undo: bool) -> None:
        self.text.say(text)
        self.setAccessibleName(text)
        for button in (self.resume, self.discard):
            button.setVisible(not may_undo)
        self.undo.setVisible(may_undo)
        self.later.setText("Dismiss" if may_undo else "Later")
        self.later.setAccessibleName(self.later.text())
        self.show()

    def _on_resume_clicked(self) -> None:
        self.hide()
        self.resume_wanted.emit(self._offered)

    def _on_discard_clicked(self) -> None:
        self.discard_wanted.emit(self._offered)
