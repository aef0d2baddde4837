"""Two widgets beside each other, or below each other where the room is narrow."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget


class SideBySide(QWidget):
    """Turns from a row into a column when it gets narrower than ``narrow`` pixels."""

    def __init__(self, left: QWidget, right: QWidget, narrow: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._narrow = narrow
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(14)
        self._box.addWidget(left, 1)
        self._box.addWidget(right, 1)

    @property
    def is_stacked(self) -> bool:
        """Whether the widgets are below each other."""
        return self._box.direction() is QBoxLayout.Direction.TopToBottom

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose row or column by the new width."""
        super().resizeEvent(event)
        stacked = event.size().width() < self._narrow
        if stacked != self.is_stacked:
            way = QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight
            self._box.setDirection(way)
            self.updateGeometry()
