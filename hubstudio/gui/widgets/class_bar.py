"""Above many classes: a field to find one, and the order they stand in."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from hubstudio.core.photos import PhotoSet

BY_NAME, MOST_FIRST, FEWEST_FIRST = "Name", "Most photos", "Fewest photos"


class ClassBar(QWidget):
    """Says which classes are wanted in which order."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setObjectName("find_class")
        self.search.setPlaceholderText("Find a class")
        self.search.setAccessibleName("Find a class")
        self.search.setClearButtonEnabled(True)
        for clear in self.search.findChildren(QToolButton):
            clear.setObjectName("clear_find_class")
            clear.setAccessibleName("Show all classes")
        self.search.setMinimumWidth(120)
        self.search.setMaximumWidth(320)
        self.found = QLabel()
        self.found.setObjectName("classes_found")
        self.found.setProperty("role", "muted")
        self.order = QComboBox()
        self.order.setObjectName("class_order")
        self.order.setAccessibleName("Order of the classes")
        self.order.addItems([BY_NAME, MOST_FIRST, FEWEST_FIRST])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.search, 1)
        row.addWidget(self.found)
        row.addStretch(1)
        row.addWidget(self.order)
        self.search.textChanged.connect(self.changed)
        self.order.currentIndexChanged.connect(self.changed)

    def clear(self) -> None:
        """Want all classes, by name."""
        self.search.clear()
        self.order.setCurrentIndex(0)

    def wanted(self, photo_set: PhotoSet) -> Sequence[str]:
        """Return the classes that fit, in the wanted order, and say how many they are."""
        words = self.search.text().casefold().split()
        found = [name for name in photo_set.classes if all(word in name.casefold() for word in words)]
        counts, order = photo_set.counts, self.order.currentText()
        if order != BY_NAME:
            found.sort(key=lambda name: counts[name], reverse=order == MOST_FIRST)  # stable: equals stay by name
        self.found.setText(f"{len(found):,} of {len(photo_set.classes):,}" if words else "")
        self.found.setAccessibleName(f"{len(found):,} of {len(photo_set.classes):,} classes found" if words else "")
        return found
