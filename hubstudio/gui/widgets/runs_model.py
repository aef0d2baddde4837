"""The lines of the list of runs as a table: what each cell says, what is ticked, and the order."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPixmap
from PySide6.QtWidgets import QWidget

from hubstudio.core.natural_order import natural_key
from hubstudio.core.photos import count_of
from hubstudio.gui.run_items import RunItem, RunKind

HEADER = ("Run", "What learned", "Validation", "Time", "When", "Notes", "Your note")
RUN, TITLE, ACCURACY, TOOK, WHEN, NOTES, NOTE = range(len(HEADER))
ROW_HEIGHT = 28
_TICK_SIDE = 16  # with its border
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_Role = Qt.ItemDataRole


class RunsModel(QAbstractTableModel):
    """Unlike with Qt's own items, nothing of a line outlasts it on the Python side: a freed item crashes PySide."""

    ticked_changed = Signal()
    note_written = Signal(str, str)  # name, text

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: list[RunItem] = []
        self._given: list[RunItem] = []
        self._ticked: set[str] = set()
        self._running: set[str] = set()
        """Trainings whose end has not been seen yet."""
        self._sorted_by = RUN
        self._is_descending = True
        self._bold = QFont()
        self._bold.setBold(True)

    @property
    def ticked(self) -> list[str]:
        """Names of the runs that are ticked, from top to bottom."""
        return [item.name for item in self.items if item.name in self._ticked]

    def show_items(self, items: Sequence[RunItem]) -> None:
        """Show these lines; those that only say something else keep their place.

        Where runs are compared, one that has just ended joins them: it is what somebody waited for.
        """
        self._given = list(items)
        former, new_items = self.items, self._in_order(self._given)
        if [item.name for item in former] == [item.name for item in new_items]:
            self.items = new_items
            for row, (old, new) in enumerate(zip(former, new_items, strict=True)):
                if old != new:
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(HEADER) - 1))
        else:
            self.beginResetModel()
            self.items = new_items
            self.endResetModel()
        possible = {item.name for item in items if _is_tickable(item)}
        ended = self._running & possible
        self._running = (self._running | {item.name for item in items if item.kind is RunKind.RUNNING}) - ended
        ticked = (self._ticked | ended if self._ticked else set[str]()) & possible
        if ticked != self._ticked:
            self._ticked = ticked
            self.ticked_changed.emit()

    def row_of(self, name: str) -> int:
        """Return the row of a line, or -1."""
        return next((row for row, item in enumerate(self.items) if item.name == name), -1)

    def tick(self, row: int, *, ticked: bool) -> None:
        """Tick a run, or not, if it can be."""
        item = self.items[row]
        if _is_tickable(item) and ticked != (item.name in self._ticked):
            self._ticked ^= {item.name}
            self.dataChanged.emit(self.index(row, RUN), self.index(row, RUN), [_Role.CheckStateRole])
            self.ticked_changed.emit()

    def untick(self) -> None:
        """Tick nothing."""
        if self._ticked:
            self._ticked.clear()
            self.dataChanged.emit(self.index(0, RUN), self.index(len(self.items) - 1, RUN), [_Role.CheckStateRole])
            self.ticked_changed.emit()

    def is_ticked(self, row: int) -> bool:
        """Whether a run is ticked."""
        return self.items[row].name in self._ticked

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of lines."""
        return 0 if parent.isValid() else len(self.items)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(HEADER)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> object:
        """Return a column's title."""
        if orientation is Qt.Orientation.Vertical or not 0 <= section < len(HEADER):
            return None
        if role == _Role.TextAlignmentRole:
            return _alignment(section)
        return HEADER[section] if role == _Role.DisplayRole else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Say what can be done with a cell."""
        flags = super().flags(index)
        if not 0 <= index.row() < len(self.items):
            return flags
        item = self.items[index.row()]
        if index.column() == RUN and _is_tickable(item):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        if index.column() == NOTE and item.kind is RunKind.FINISHED:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        """Return what a cell says, and how it looks."""
        if not 0 <= index.row() < len(self.items):
            return None
        item, column = self.items[index.row()], index.column()
        match role:
            case _Role.DisplayRole | _Role.EditRole:
                return _texts(item)[column]
            case _Role.ToolTipRole:
                return item.note if column == NOTE else item.tip
            case _Role.TextAlignmentRole:
                return _alignment(column)
            case _Role.FontRole:
                return self._bold if item.is_used else None
            case _Role.SizeHintRole:
                return QSize(0, ROW_HEIGHT)
            case _Role.AccessibleTextRole:
                return _spoken(item, column)
            case _:
                return self._of_name(item, role) if column == RUN else None

    def setData(self, index: _Index, value: object, role: int = _Role.EditRole) -> bool:  # noqa: N802 - Qt's name
        """Take a tick or a note."""
        if not 0 <= index.row() < len(self.items):
            return False
        item = self.items[index.row()]
        if role == _Role.CheckStateRole and index.column() == RUN:
            self.tick(index.row(), ticked=item.name not in self._ticked)
            return True
        if role == _Role.EditRole and index.column() == NOTE and str(value) != item.note:
            self.note_written.emit(item.name, str(value))
            return True
        return False

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the lines by a column."""
        self._sorted_by, self._is_descending = column, order is Qt.SortOrder.DescendingOrder
        self.layoutAboutToBeChanged.emit()
        known = self.persistentIndexList()
        names = [self.items[index.row()].name for index in known]
        self.items = self._in_order(self._given)
        moved = [self.index(self.row_of(name), index.column()) for name, index in zip(names, known, strict=True)]
        self.changePersistentIndexList(known, moved)
        self.layoutChanged.emit()

    def _of_name(self, item: RunItem, role: int) -> object:
        """Return the box to tick, or what stands in its place, so that names are below each other."""
        if role == _Role.CheckStateRole and _is_tickable(item):
            return Qt.CheckState.Checked if item.name in self._ticked else Qt.CheckState.Unchecked
        return _blank() if role == _Role.DecorationRole and not _is_tickable(item) else None

    def _in_order(self, items: Sequence[RunItem]) -> list[RunItem]:
        """Return the lines in the order of the header; those that are given first are the newest."""
        if self._sorted_by == RUN:
            return list(items) if self._is_descending else list(reversed(items))
        column = self._sorted_by
        return sorted(items, key=lambda item: _sort_key(item, column), reverse=self._is_descending)


def _texts(item: RunItem) -> tuple[str, ...]:
    return (item.name, item.title, item.accuracy, item.took, item.when, str(len(item.notes) or ""), item.note)


def _spoken(item: RunItem, column: int) -> str | None:
    if column == RUN:
        return item.sentence
    return count_of(len(item.notes), "note") if column == NOTES and item.notes else None


def _sort_key(item: RunItem, column: int) -> tuple[object, ...]:
    numbers = {ACCURACY: item.order[0], TOOK: item.order[1], WHEN: item.order[2], NOTES: len(item.notes)}
    if column in numbers:
        return (numbers[column],)
    return natural_key(_texts(item)[column])


def _is_tickable(item: RunItem) -> bool:
    return item.kind is RunKind.FINISHED


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in (ACCURACY, TOOK) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _blank() -> QPixmap:
    blank = QPixmap(_TICK_SIDE, 1)
    blank.fill(Qt.GlobalColor.transparent)
    return blank
