"""The values of an augmentation as check boxes and sliders, drawn from the table of changes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from hubstudio.core.augmentation import CHANGES, NO_AUGMENTATION, Augmentation, Change
from hubstudio.core.plan import Mode

_LEAST_SLIDER = 90
_WIDEST_TEXT = "32 per photo"


class AugmentationForm(QWidget):
    """Edits an augmentation; what a slider cannot show exactly stays as it is until that slider is moved."""

    changed = Signal(object)  # Augmentation

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._augmentation = NO_AUGMENTATION
        self.switches = {change.name: ChangeSwitch(change) for change in CHANGES if change.is_switch}
        self.sliders = {change.name: ChangeSlider(change) for change in CHANGES if not change.is_switch}
        self._labels: dict[str, QLabel] = {}
        self._values: dict[str, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._switch_row())
        column.addLayout(self._slider_grid())
        column.addStretch(1)
        for label in (*self._labels.values(), *self._values.values()):
            label.raise_()  # behind the sliders in the order of children: what looks for a name finds the slider first

    def show_augmentation(self, augmentation: Augmentation, mode: Mode) -> None:
        """Show values without telling of them."""
        self._augmentation = augmentation
        for name, switch in self.switches.items():
            with QSignalBlocker(switch):
                switch.setChecked(getattr(augmentation, name))
        for name, slider in self.sliders.items():
            slider.show_value(getattr(augmentation, name))
            self._values[name].setText(slider.text)
            for widget in (slider, self._labels[name], self._values[name]):
                widget.setVisible(mode is Mode.EXTRACT or not slider.change.extract_only)

    def _switch_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        for switch in self.switches.values():
            switch.moved.connect(self._on_moved)
            row.addWidget(switch)
        row.addStretch(1)
        return row

    def _slider_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, (name, slider) in enumerate(self.sliders.items()):
            label, value = QLabel(slider.change.label), QLabel()
            label.setBuddy(slider)
            label.setToolTip(slider.toolTip())
            value.setMinimumWidth(self.fontMetrics().horizontalAdvance(_WIDEST_TEXT) + 4)
            self._labels[name], self._values[name] = label, value
            for column, widget in enumerate((label, slider, value)):
                grid.addWidget(widget, row, column)
            slider.moved.connect(self._on_moved)
        return grid

    def _on_moved(self, name: str, value: float) -> None:
        self._augmentation = replace(self._augmentation, **{name: value})
        if slider := self.sliders.get(name):
            slider.show_value(value)
            self._values[name].setText(slider.text)
        self.changed.emit(self._augmentation)


class ChangeSwitch(QCheckBox):
    """One change that is on or off."""

    moved = Signal(str, object)  # the change's name, bool

    def __init__(self, change: Change) -> None:
        super().__init__(change.label)
        self._name = change.name
        self.setObjectName(f"augmentation_{change.name}")
        self.setAccessibleName(change.label)
        self.setAccessibleDescription(change.help)
        self.setToolTip(f"<qt>{change.help}</qt>")
        self.toggled.connect(self._on_toggled)

    def _on_toggled(self, checked: bool) -> None:
        self.moved.emit(self._name, checked)


class ChangeSlider(QSlider):
    """One value; the wheel only changes it once it has the focus, so that scrolling a page changes nothing."""

    moved = Signal(str, object)  # the change's name, its value

    def __init__(self, change: Change) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.change = change
        self.text = ""
        """The value as a person reads it, which may lie between two places of the slider."""
        self.setObjectName(f"augmentation_{change.name}")
        self.setAccessibleName(change.label)
        self.setToolTip(f"<qt>{change.help}</qt>")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(_LEAST_SLIDER)
        self.setRange(round(change.minimum / change.step), round(change.maximum / change.step))
        self.setPageStep(max(1, (self.maximum() - self.minimum()) // 10))
        self.show_value(change.minimum)
        self.valueChanged.connect(self._on_value_changed)

    @property
    def wanted(self) -> float:
        """The value at the slider's place, without what counting in steps leaves behind it."""
        value = float(f"{self.value() * self.change.step:.6g}")
        return int(value) if self.change.kind is int else value

    def show_value(self, value: float) -> None:
        """Show a value without telling of it."""
        with QSignalBlocker(self):
            self.setValue(round(value / self.change.step))
        self.text = self.change.text(value)
        # a screen reader reads the slider's place; what it stands for, with its unit, follows
        self.setAccessibleDescription(f"{self.text}. {self.change.help}")

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page unless the slider was chosen."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def _on_value_changed(self) -> None:
        self.moved.emit(self.change.name, self.wanted)
