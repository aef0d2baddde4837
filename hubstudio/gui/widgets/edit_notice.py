"""A line that says what was just done, and offers to take it back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.elided_label import ElidedLabel


class EditNotice(QFrame):
    """Hidden until something was done."""

    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "notice")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.what = ElidedLabel()
        self.what.setObjectName("edit_done")
        self.undo = quiet_button("Undo", "undo_edit")
        self.redo = quiet_button("Redo", "redo_edit")
        self.undo.clicked.connect(self.undo_wanted)
        self.redo.clicked.connect(self.redo_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 6, 4)
        row.setSpacing(4)
        row.addWidget(self.what, 1)
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        self.hide()

    def show_edit(self, done: str, *, can_undo: bool, can_redo: bool) -> None:
        """Say what was done last; nothing hides the line."""
        self.what.setText(done)
        self.undo.setVisible(can_undo)
        self.redo.setVisible(can_redo)
        self.setVisible(bool(done))
