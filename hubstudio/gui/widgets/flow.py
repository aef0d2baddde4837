"""Cards in as many columns as fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class CardGrid(QLayout):
    """Lays widgets in equally wide columns, none below ``column_width``; a row is as high as its highest card."""

    def __init__(self, column_width: int, spacing: int = 12, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._column_width = column_width
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        """Take over an item; called by ``addWidget``."""
        self._items.append(item)

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]  # noqa: N802 - Qt's name; None ends a walk
        """Return the item at a place, or None."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]  # noqa: N802 - Qt's name; None ends a walk
        """Give an item back, or None."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def clear(self) -> None:
        """Remove all widgets and let them go."""
        while item := self.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()

    def arrange(self, widgets: Sequence[QWidget]) -> None:
        """Put these first, in this order; what is hidden takes no place, wherever it is."""
        place_of: dict[QWidget | None, int] = {widget: place for place, widget in enumerate(widgets)}

        def place(item: QLayoutItem) -> int:
            return place_of.get(item.widget(), len(place_of))

        self._items.sort(key=place)
        self.invalidate()

    def columns(self, width: int) -> int:
        """Return how many columns fit into a width."""
        return max(1, (width + self.spacing()) // (self._column_width + self.spacing()))

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802 - Qt's name
        """Grow to the sides only."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        """Say that fewer columns need more height."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows."""
        return self._lay(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802 - Qt's name
        """Place the cards."""
        super().setGeometry(rect)
        self._lay(rect, move=True)

    def sizeHint(self) -> QSize:
        """Ask for one column."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        """One column, one card."""
        heights = [item.minimumSize().height() for item in self._items]
        return QSize(min(self._column_width, 160), max(heights, default=0))

    def _lay(self, rect: QRect, *, move: bool) -> int:
        shown = [item for item in self._items if not item.isEmpty()]
        columns, gap = self.columns(rect.width()), self.spacing()
        width = (rect.width() - gap * (columns - 1)) // columns
        top = rect.y()
        for first in range(0, len(shown), columns):
            row = shown[first : first + columns]
            height = max(_height(item, width) for item in row)
            if move:
                for place, item in enumerate(row):
                    item.setGeometry(QRect(rect.x() + place * (width + gap), top, width, height))
            top += height + gap
        return max(0, top - gap - rect.y())


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
