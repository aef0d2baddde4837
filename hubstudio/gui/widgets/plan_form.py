"""The numbers a training can be tuned with, as fields: Epochs always, the others under Advanced."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.hyper_parameters import HYPER_PARAMETERS, HyperParameter
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.widgets.number_field import FineField, WholeField, number_field

_ALWAYS_SHOWN = "epochs"
_FINE_TUNE_ONLY = frozenset(("head_epochs", "fine_tune_learning_rate"))
_COLUMNS = 2
_OPEN, _CLOSED = "▾", "▸"
_FIELD_WIDTH = 120


class PlanForm(QWidget):
    """Edits the numbers of a plan; what it does not show stays as it is."""

    plan_changed = Signal(object)  # Plan

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan: Plan | None = None
        self._fold = QWidget(self)
        self.fields = {row.name: number_field(row) for row in HYPER_PARAMETERS}
        for row in HYPER_PARAMETERS:
            self.fields[row.name].valueChanged.connect(self._on_value_changed)
            self.fields[row.name].setMinimumWidth(_FIELD_WIDTH)
            self.fields[row.name].setParent(self._fold)
        self._labels = {row.name: _label_of(row, self.fields[row.name]) for row in HYPER_PARAMETERS}
        self.advanced = _fold_button()
        self.advanced.toggled.connect(self._on_folded)
        self._fold.hide()
        self._grid = QGridLayout(self._fold)
        self._grid.setContentsMargins(0, 4, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setColumnMinimumWidth(2, 12)
        self._grid.setColumnStretch(5, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._first_row())
        layout.addWidget(self._fold)
        self._fill_grid(Mode.EXTRACT)
        for label in self._labels.values():
            label.raise_()  # behind the fields in the order of children: what looks for a name finds the field first

    def show_plan(self, plan: Plan) -> None:
        """Show the numbers of a plan."""
        if plan == self._plan:
            return
        if self._plan is None or plan.mode is not self._plan.mode:
            self._fill_grid(plan.mode)
        self._plan = None  # so that setting the fields is not taken for typing
        for name, field in self.fields.items():
            field.setValue(getattr(plan, name))
        self._plan = plan

    def commit(self) -> None:
        """Take over what is typed but not yet confirmed."""
        for field in self.fields.values():
            field.interpretText()

    def applied_to(self, plan: Plan) -> Plan:
        """Return a plan with the numbers that are shown."""
        values = {name: _value(field) for name, field in self.fields.items()}
        return replace(plan, **values)  # type: ignore[arg-type]  # the fields keep the table's kinds

    def _first_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._labels[_ALWAYS_SHOWN])
        row.addWidget(self.fields[_ALWAYS_SHOWN])
        row.addWidget(self.advanced)
        row.addStretch(1)
        return row

    def _fill_grid(self, mode: Mode) -> None:
        shown = [name for name in self.fields if name != _ALWAYS_SHOWN]
        used = [name for name in shown if mode is Mode.FINE_TUNE or name not in _FINE_TUNE_ONLY]
        for place, name in enumerate(used):
            row, column = divmod(place, _COLUMNS)
            self._grid.addWidget(self._labels[name], row, column * 3)
            self._grid.addWidget(self.fields[name], row, column * 3 + 1)
        for name in shown:
            self._labels[name].setVisible(name in used)
            self.fields[name].setVisible(name in used)

    def _on_folded(self, is_open: bool) -> None:
        self.advanced.setText(f"{_OPEN if is_open else _CLOSED} Advanced")
        self._fold.setVisible(is_open)

    def _on_value_changed(self) -> None:
        if self._plan is None:
            return
        self._plan = self.applied_to(self._plan)
        self.plan_changed.emit(self._plan)


def _label_of(row: HyperParameter, field: QWidget) -> QLabel:
    label = QLabel(row.label, field.parentWidget())
    label.setToolTip(field.toolTip())
    label.setBuddy(field)
    return label


def _value(field: WholeField | FineField) -> float:
    """Return the value as the plan holds it: the many places of a field leave no rounding behind."""
    return field.value() if isinstance(field, WholeField) else float(f"{field.value():.10g}")


def _fold_button() -> QPushButton:
    button = QPushButton(f"{_CLOSED} Advanced")
    button.setObjectName("advanced")
    button.setAccessibleName("Advanced")
    button.setAccessibleDescription("Shows batch size, learning rates and other numbers")
    button.setProperty("role", "quiet")
    button.setCheckable(True)
    return button
