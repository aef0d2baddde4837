"""The answers as cards, newest on top; made a few at a time, so that the window stays quick."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLayoutItem, QVBoxLayout, QWidget

from hubstudio.core.engine import Prediction
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.prediction_card import PredictionCard

MOST_CARDS = 200
_CARDS_AT_A_TIME = 8
_COLUMN_WIDTH = 280


class NewestFirstGrid(CardGrid):
    """Puts every new card in front of the others."""

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        """Take over an item as the first."""
        self._items.insert(0, item)


class PredictionGrid(QWidget):
    """Holds the newest cards; older ones go when there are too many."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._waiting: deque[Prediction] = deque()
        self.grid = NewestFirstGrid(_COLUMN_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.grid)
        layout.addStretch(1)
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._make_some)

    def add(self, predictions: Sequence[Prediction]) -> None:
        """Show these above what is there, the first on top."""
        self._waiting.extend(reversed(predictions[:MOST_CARDS]))
        self._timer.start()

    def clear(self) -> None:
        """Take all cards away."""
        self._waiting.clear()
        self._timer.stop()
        self.grid.clear()

    def cards(self) -> list[PredictionCard]:
        """Return the cards from top to bottom."""
        widgets = (item.widget() for place in range(self.grid.count()) if (item := self.grid.itemAt(place)))
        return [widget for widget in widgets if isinstance(widget, PredictionCard)]

    def _make_some(self) -> None:
        for _ in range(min(_CARDS_AT_A_TIME, len(self._waiting))):
            self.grid.addWidget(PredictionCard(self._waiting.popleft(), self._thumbnails))
        while self.grid.count() > MOST_CARDS:
            item = self.grid.takeAt(self.grid.count() - 1)
            if item and (card := item.widget()):
                card.hide()
                card.deleteLater()
        if not self._waiting:
            self._timer.stop()
