"""What a training can be tuned with, as fields: Epochs always, the others under Advanced."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.plan_choices import PLAN_CHOICES
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.plan_field import PlanField
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_ALWAYS_SHOWN = "epochs"
_NEVER_RESET = "seed"  # it decides the split: another one would make runs that cannot be compared
_OPEN, _CLOSED = "▾", "▸"
_COLUMN_WIDTH = 290


class PlanForm(QWidget):
    """Edits what tunes a plan; what it does not show stays as it is."""

    plan_changed = Signal(object)  # Plan

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan: Plan | None = None
        self.rows = {
            row.name: PlanField(row, is_short=row.name == _ALWAYS_SHOWN) for row in (*HYPER_PARAMETERS, *PLAN_CHOICES)
        }
        self.fields = {name: field.editor for name, field in self.rows.items()}
        self.advanced = _fold_button()
        self.reset = quiet_button("Reset to defaults", "reset_plan")
        self.reset.setToolTip("Sets all of these back to their defaults, but the seed, which decides the split")
        self._fold = QWidget(self)
        self._fold.hide()
        self._lay_out()
        for field in self.rows.values():
            field.changed.connect(self._on_value_changed)
        self.advanced.toggled.connect(self._on_folded)
        self.reset.clicked.connect(self._on_reset_clicked)

    def show_plan(self, plan: Plan) -> None:
        """Show the values of a plan, without those that have no meaning in its mode."""
        if plan == self._plan:
            return
        if self._plan is None or plan.mode is not self._plan.mode:
            self._show_rows(plan.mode)
        self._plan = plan
        for field in self.rows.values():
            field.show_value(plan, _default(plan))
        self._show_reset()

    def commit(self) -> None:
        """Take over what is typed but not yet confirmed."""
        for field in self.rows.values():
            field.commit()

    def applied_to(self, plan: Plan) -> Plan:
        """Return a plan with the values that are shown."""
        values = {name: field.value for name, field in self.rows.items()}
        return replace(plan, **values)  # type: ignore[arg-type]  # the fields keep the table's kinds

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(12)
        first.addWidget(self.rows[_ALWAYS_SHOWN])
        first.addWidget(self.advanced)
        first.addStretch(1)
        first.addWidget(self.reset)
        grid = CardGrid(_COLUMN_WIDTH, 16)
        for name, field in self.rows.items():
            if name != _ALWAYS_SHOWN:
                grid.addWidget(field)
        column = QVBoxLayout(self._fold)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(12)
        column.addWidget(WrappedLabel(_INTRODUCTION, "muted", "advanced_introduction"))
        column.addWidget(self.rows[_ALWAYS_SHOWN].line)  # its field stands above the fold
        column.addLayout(grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(first)
        layout.addWidget(self._fold)
        self.reset.hide()

    def _show_rows(self, mode: Mode) -> None:
        for field in self.rows.values():
            field.setVisible(mode is Mode.FINE_TUNE or not field.row.fine_tune_only)

    def _show_reset(self) -> None:
        self.reset.setEnabled(self._plan is not None and self._plan != _reset(self._plan))

    def _on_folded(self, is_open: bool) -> None:
        self.advanced.setText(f"{_OPEN if is_open else _CLOSED} Advanced")
        self._fold.setVisible(is_open)
        self.reset.setVisible(is_open)

    def _on_value_changed(self) -> None:
        if self._plan is not None:
            self._take(self.applied_to(self._plan))

    def _on_reset_clicked(self) -> None:
        if self._plan is not None:
            plan = _reset(self._plan)
            for field in self.rows.values():
                field.show_value(plan, _default(plan))
            self._take(plan)

    def _take(self, plan: Plan) -> None:
        self._plan = plan
        self._show_reset()
        self.plan_changed.emit(plan)


_INTRODUCTION = "The defaults work without being touched. Each says what it does, and why its default is what it is."


def _default(plan: Plan) -> Plan:
    return Plan(plan.photos).with_mode(plan.mode)


def _reset(plan: Plan) -> Plan:
    default = _default(plan)
    names = [row.name for row in (*HYPER_PARAMETERS, *PLAN_CHOICES) if row.name != _NEVER_RESET]
    return replace(plan, **{name: getattr(default, name) for name in names})


def _fold_button() -> QPushButton:
    button = QPushButton(f"{_CLOSED} Advanced")
    button.setObjectName("advanced")
    button.setAccessibleName("Advanced")
    button.setAccessibleDescription("Shows batch size, learning rates and other settings")
    button.setProperty("role", "quiet")
    button.setCheckable(True)
    return button
