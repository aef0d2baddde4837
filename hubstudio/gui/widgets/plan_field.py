"""One setting of a plan: its name, its field, and below them what it does and why its default is what it is."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.hyper_parameters import HyperParameter
from hubstudio.core.plan import Plan
from hubstudio.core.plan_choices import Option, PlanChoice
from hubstudio.core.plan_differences import number_text
from hubstudio.gui.widgets.number_field import FineField, WholeField, number_field
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_FIELD_WIDTH = 128


class ChoiceField(QComboBox):
    """A choice of the plan; the wheel only changes it once it has the focus."""

    def __init__(self, row: PlanChoice) -> None:
        super().__init__()
        self.options: tuple[Option, ...] = tuple(row.options)
        self.addItems(list(row.options.values()))
        self.setObjectName(row.name)
        self.setAccessibleName(row.label)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page unless the field was chosen."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class PlanField(QWidget):
    """Shows one value of a plan, and tells when the person changes it."""

    changed = Signal()

    def __init__(self, row: HyperParameter | PlanChoice, *, is_short: bool = False) -> None:
        """Make the field; a short one leaves it to others to place ``line``."""
        super().__init__()
        self.row = row
        self._lead = f"{row.label}: " if is_short else ""
        self.editor = ChoiceField(row) if isinstance(row, PlanChoice) else number_field(row)
        self.editor.setMinimumWidth(_FIELD_WIDTH)
        if isinstance(self.editor, ChoiceField):
            self.editor.currentIndexChanged.connect(self._on_changed)
        else:
            self.editor.valueChanged.connect(self._on_changed)
        self.line = WrappedLabel("", "muted", f"{row.name}_explained")
        self._lay_out(is_short=is_short)

    @property
    def value(self) -> object:
        """The value as the plan holds it."""
        if isinstance(self.editor, ChoiceField):
            return self.editor.options[self.editor.currentIndex()]
        if isinstance(self.editor, WholeField):
            return self.editor.value()
        return float(f"{self.editor.value():.10g}")  # the many places of a field leave no rounding behind

    def show_value(self, plan: Plan, default: Plan) -> None:
        """Show the plan's value without telling of it, and what it is by default."""
        value = getattr(plan, self.row.name)
        with QSignalBlocker(self.editor):
            if isinstance(self.editor, ChoiceField):
                self.editor.setCurrentIndex(self.editor.options.index(value))
            else:
                self.editor.setValue(value)
        self._explain(getattr(default, self.row.name))

    def commit(self) -> None:
        """Take over what is typed but not yet confirmed."""
        if isinstance(self.editor, WholeField | FineField):
            self.editor.interpretText()

    def _explain(self, default: object) -> None:
        row = self.row
        word = row.word(default) if isinstance(row, PlanChoice) else number_text(row, default)  # type: ignore[arg-type]
        reason = f"Default {word}: {row.reason}"
        self.line.say(f"{self._lead}{row.help}\n{reason}")
        self.editor.setAccessibleDescription(f"{row.help} {reason}")
        self.setToolTip(f"<qt>{escape(row.help)}<br><br>{escape(reason)}</qt>")
        self.editor.setToolTip(self.toolTip())

    def _lay_out(self, *, is_short: bool) -> None:
        self.name = QLabel(self.row.label)
        self.name.setBuddy(self.editor)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.name, 0 if is_short else 1)
        row.addWidget(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        if not is_short:
            column.addWidget(self.line)
            column.addStretch(1)
        self.name.raise_()  # behind the field in the order of children: what looks for a name finds the field first

    def _on_changed(self) -> None:
        self.changed.emit()
