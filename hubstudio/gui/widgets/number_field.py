"""Fields for numbers: whole ones, and small ones such as learning rates written as people write them.

Where 0 stands for something, such as ``automatic``, the field says that; 0 and the word can both be typed.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFocusEvent, QValidator, QWheelEvent
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

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Let a number be typed in place of a word."""
        super().focusInEvent(event)
        _select_word(self)

    def textFromValue(self, val: int) -> str:  # noqa: N802 - Qt's name
        """Return the number; Qt itself shows the word at 0."""
        return str(val)

    def validate(self, input: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Accept whole numbers within the limits, and the word; let what may become one be typed."""
        value = _number(input)
        is_right = value is not None and value.is_integer() and self.minimum() <= value <= self.maximum()
        return _state(input, self.specialValueText(), "0123456789-", is_right=is_right), input, pos

    def valueFromText(self, text: str) -> int:  # noqa: N802 - Qt's name
        """Return what was typed."""
        return int(_number(text) or 0)


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

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Let a number be typed in place of a word."""
        super().focusInEvent(event)
        _select_word(self)

    def textFromValue(self, val: float) -> str:  # noqa: N802 - Qt's name
        """Return the number without needless zeros."""
        return f"{val:.{_PLACES}f}".rstrip("0").rstrip(".") if abs(val) >= 1e-6 or val == 0 else f"{val:g}"

    def valueFromText(self, text: str) -> float:  # noqa: N802 - Qt's name
        """Return what was typed."""
        return _number(text) or 0.0

    def validate(self, input: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Accept numbers within the limits, and the word; let what may become one be typed."""
        value = _number(input)
        is_right = value is not None and self.minimum() <= value <= self.maximum()
        return _state(input, self.specialValueText(), "0123456789.,eE+-", is_right=is_right), input, pos


def number_field(row: HyperParameter) -> WholeField | FineField:
    """Return the field for a row of the table, with its limits, help and names."""
    if row.whole:
        field: WholeField | FineField = WholeField()
        field.setRange(int(row.minimum), int(row.maximum))
    else:
        field = FineField()
        field.setRange(row.minimum, row.maximum)
    if row.zero:
        field.setSpecialValueText(row.zero)
    field.setObjectName(row.name)
    field.setAccessibleName(row.label)
    field.setKeyboardTracking(False)
    return field


def _state(text: str, word: str, letters: str, *, is_right: bool) -> QValidator.State:
    """Judge what was typed: a right number, the word that stands for 0, something on the way to either, or neither."""
    text = text.strip()
    if is_right or (word and text == word):
        return QValidator.State.Acceptable
    could_become = word.startswith(text) or all(letter in letters for letter in text)
    return QValidator.State.Intermediate if could_become else QValidator.State.Invalid


def _select_word(field: QAbstractSpinBox) -> None:
    """Select the word that stands for 0, once the click that gave the focus is over."""
    if field.specialValueText() and field.text() == field.specialValueText():
        QTimer.singleShot(0, field, field.selectAll)


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
