"""Fields for numbers: whole ones, and small ones such as learning rates written as people write them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox

from hubstudio.core.hyper_parameters import HyperParameter

_PLACES = 10  # enough for the smallest limit of the table, 1e-8


class WholeField(QSpinBox):
    """A whole number; the wheel only changes it once it has the focus, so that scrolling a page changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page unless the field was chosen."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class FineField(QDoubleSpinBox):
    """A number of any size, shown without needless zeros; takes 0.0001 and 1e-4 alike."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDecimals(_PLACES)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page unless the field was chosen."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def textFromValue(self, val: float) -> str:  # noqa: N802 - Qt's name
        """Return the number without needless zeros."""
        return f"{val:.{_PLACES}f}".rstrip("0").rstrip(".") if abs(val) >= 1e-6 or val == 0 else f"{val:g}"

    def valueFromText(self, text: str) -> float:  # noqa: N802 - Qt's name
        """Return what was typed."""
        return _number(text) or 0.0

    def validate(self, input: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Accept numbers within the limits; let what may become one be typed."""
        value = _number(input)
        if value is None:
            could_become = all(letter in "0123456789.,eE+-" for letter in input)
            state = QValidator.State.Intermediate if could_become else QValidator.State.Invalid
        else:
            within = self.minimum() <= value <= self.maximum()
            state = QValidator.State.Acceptable if within else QValidator.State.Intermediate
        return state, input, pos


def number_field(row: HyperParameter) -> WholeField | FineField:
    """Return the field for a row of the table, with its limits, help and names."""
    if row.whole:
        field: WholeField | FineField = WholeField()
        field.setRange(int(row.minimum), int(row.maximum))
    else:
        field = FineField()
        field.setRange(row.minimum, row.maximum)
    field.setObjectName(row.name)
    field.setAccessibleName(row.label)
    field.setAccessibleDescription(row.help)
    field.setToolTip(f"<qt>{row.help}</qt>")
    field.setKeyboardTracking(False)
    return field


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
