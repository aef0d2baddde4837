"""A card: a framed piece of a page, with a title."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from hubstudio.gui.widgets.elided_label import ElidedLabel


class Card(QFrame):
    """A frame with a title at the left of ``header`` and room below in ``body``."""

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = ElidedLabel(title)
        self.title.setProperty("role", "heading")
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.title.setVisible(bool(title))
        self.header = QHBoxLayout()
        self.header.setSpacing(8)
        self.header.addWidget(self.title, 1)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 12, 14, 14)
        self._column.setSpacing(8)
        self._column.addLayout(self.header)
        self._column.addLayout(self.body, 1)
        if title:
            self.setAccessibleName(title)

    def set_compact(self) -> None:
        """Take less room: for a card within a card."""
        self._column.setContentsMargins(10, 6, 10, 10)
        self._column.setSpacing(2)

    def set_chosen(self, chosen: bool) -> None:
        """Show the card as the chosen one of several, or as any other."""
        if self.property("chosen") != chosen:
            self.setProperty("chosen", chosen)
            self.style().unpolish(self)
            self.style().polish(self)
