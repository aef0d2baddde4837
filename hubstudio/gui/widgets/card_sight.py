"""Keeps one card of a column in sight: that of what is wanted or chosen, wherever sorting and resizing put it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QTimer
from PySide6.QtWidgets import QWidget

from hubstudio.gui.widgets.scroll_column import ScrollColumn

_MARGIN = 12


class CardSight(QObject):
    """Scrolls when another card is to be seen, and when the column is resized while the card is in sight; never else.

    The card may come later than the wish to see it: ``look_again`` is called when there are other cards.
    """

    def __init__(self, column: ScrollColumn, find_card: Callable[[str], QWidget | None]) -> None:
        super().__init__(column)
        self._column, self._find_card = column, find_card
        self.handle = ""
        """Of the backbone whose card is kept in sight."""
        self._is_due = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)  # once the layouts have settled
        self._soon.timeout.connect(self._scroll)
        column.installEventFilter(self)

    def show(self, handle: str) -> None:
        """Bring a card into sight, as soon as it is there."""
        self.handle, self._is_due = handle, True
        self._soon.start()

    def look_again(self, *, is_due: bool = False) -> None:
        """Bring the card into sight if that was not possible yet, or ``is_due`` again."""
        self._is_due = self._is_due or is_due
        if self._is_due:
            self._soon.start()

    def is_in_sight(self) -> bool:
        """Whether the whole card is seen."""
        card, content = self._card(), self._column.widget()
        if card is None or content is None:
            return False
        seen = QRect(-content.pos(), self._column.viewport().size())
        return seen.contains(QRect(card.mapTo(content, QPoint()), card.size()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow a card that is in sight when the column gets another size; the column itself hears of it later."""
        if watched is self._column and event.type() is QEvent.Type.Resize and self.is_in_sight():
            self.look_again(is_due=True)
        return super().eventFilter(watched, event)

    def _scroll(self) -> None:
        if self._is_due and (card := self._card()):
            self._is_due = False
            self._column.settle(card)
            self._column.ensureWidgetVisible(card, 0, _MARGIN)

    def _card(self) -> QWidget | None:
        card = self._find_card(self.handle)
        return card if card and card.isVisible() else None
