"""How much lines are smoothed, from not at all to nearly flat."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

_HUNDREDTHS = 100
_MOST = 99
_WIDTH = 130
_TIP = (
    "Draws the exponential moving average over the measured values, which stay behind it, pale. "
    "The number is the weight of what came before."
)


class SmoothingSlider(QWidget):
    """A slider with its value in words; arrow keys move it by a hundredth, Page Up and Page Down by a tenth."""

    changed = Signal(float)  # weight of the average, 0 to below 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("smoothing")
        self.slider.setAccessibleName("Smoothing")
        self.slider.setRange(0, _MOST)
        self.slider.setPageStep(10)
        self.slider.setFixedWidth(_WIDTH)
        self.setToolTip(_TIP)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.value = QLabel()
        self.value.setProperty("role", "muted")
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance("0.00"))
        label = QLabel("Smoothing")
        label.setBuddy(self.slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (label, self.slider, self.value):
            row.addWidget(widget)
        self.slider.valueChanged.connect(self._on_moved)
        self._name_value()

    @property
    def weight(self) -> float:
        """What is chosen."""
        return self.slider.value() / _HUNDREDTHS

    def _on_moved(self, _: int) -> None:
        self._name_value()
        self.changed.emit(self.weight)

    def _name_value(self) -> None:
        text = f"{self.weight:.2f}" if self.weight else "off"
        self.value.setText(text)
        self.slider.setAccessibleDescription(text)
