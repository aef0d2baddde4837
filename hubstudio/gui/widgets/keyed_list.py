"""A list whose items are known again by a key, so that a refresh disturbs neither selection nor place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QStringListModel
from PySide6.QtWidgets import QListView, QWidget

_MOST_TOLD = 300
"""Texts changed one by one: each costs an event, and beyond so many all at once are quicker."""


class KeyedList(QListView):
    """Each item has a key and a text, which is what a screen reader says.

    The model is one of Qt's own: a list asks it thousands of questions, and each answer in Python would have to win
    the interpreter from the threads that decode and train.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys: Sequence[object] = ()
        self.texts = QStringListModel(self)
        self.setModel(self.texts)

    def first_in_sight(self) -> int:
        """Return the first row that is seen."""
        raise NotImplementedError

    def show_tiles(self, keys: Sequence[object], texts: list[str]) -> None:
        """Show these; what is selected stays so, and what is in sight stays where it is."""
        if keys == self.keys:
            self._change_texts(texts)
        else:
            self._exchange(keys, texts)
        self.viewport().update()

    def text(self, row: int) -> str:
        """Return what a screen reader says of an item."""
        return str(self.texts.index(row).data())

    def selected_rows(self) -> list[int]:
        """Return the selected rows from top to bottom."""
        selection = self.selectionModel().selection()
        parts = [selection.at(place) for place in range(selection.count())]  # not its thousands of indexes
        return sorted(row for part in parts for row in range(part.top(), part.bottom() + 1))

    def go_to(self, row: int) -> None:
        """Select one tile and bring it into sight."""
        if 0 <= row < len(self.keys):
            index = self.texts.index(row)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)

    def _change_texts(self, texts: list[str]) -> None:
        pairs = zip(self.texts.stringList(), texts, strict=True)
        changed = [row for row, (old, new) in enumerate(pairs) if old != new]
        if len(changed) > _MOST_TOLD and self.state() is not QListView.State.EditingState:
            self._exchange_texts(texts)
            return
        for row in changed:
            self.texts.setData(self.texts.index(row), texts[row])

    def _exchange_texts(self, texts: list[str]) -> None:
        chosen, current = self.selected_rows(), self.currentIndex().row()
        offset = self.verticalScrollBar().value()
        self.texts.setStringList(texts)
        self.doItemsLayout()
        self._select(chosen)
        self._make_current(current)
        self.verticalScrollBar().setValue(offset)

    def _exchange(self, keys: Sequence[object], texts: list[str]) -> None:
        chosen, offset = {self.keys[row] for row in self.selected_rows()}, self.verticalScrollBar().value()
        current, anchor = self._key_of(self.currentIndex().row()), self._key_of(self.first_in_sight())
        before = self.visualRect(self.texts.index(self.first_in_sight())).top()
        self.keys = keys
        self.texts.setStringList(texts)
        self.doItemsLayout()
        row_of = {key: row for row, key in enumerate(keys) if key in (anchor, current) or key in chosen}
        self._select(sorted(row_of[key] for key in chosen if key in row_of))
        if current in row_of:
            self._make_current(row_of[current])
        if anchor in row_of:
            after = self.visualRect(self.texts.index(row_of[anchor])).top()
            offset = self.verticalScrollBar().value() + after - before
        self.verticalScrollBar().setValue(offset)

    def _key_of(self, row: int) -> object:
        return self.keys[row] if 0 <= row < len(self.keys) else None

    def _make_current(self, row: int) -> None:
        self.selectionModel().setCurrentIndex(self.texts.index(row), QItemSelectionModel.SelectionFlag.NoUpdate)

    def _select(self, rows: Sequence[int]) -> None:
        selection = QItemSelection()
        first = 0
        for place, row in enumerate(rows):
            if place + 1 == len(rows) or rows[place + 1] != row + 1:
                selection.select(self.texts.index(rows[first]), self.texts.index(row))
                first = place + 1
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
