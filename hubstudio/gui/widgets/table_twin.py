"""The text twin of a picture: the same numbers as a table, for keyboards and screen readers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPushButton, QStackedLayout, QTableView, QWidget

from hubstudio.gui.widgets.card import Card

Row = Sequence[str]
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class RowsModel(QAbstractTableModel):
    """Rows of text; rows that only grew are appended, so that the place in the table is kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._header: Row = ()
        self._rows: list[Row] = []

    def show_rows(self, header: Row, rows: Sequence[Row]) -> None:
        """Show these rows."""
        known = len(self._rows)
        if header == self._header and list(rows[:known]) == self._rows:
            self._append(rows[known:])
            return
        self.beginResetModel()
        self._header, self._rows = header, list(rows)
        self.endResetModel()

    def _append(self, rows: Sequence[Row]) -> None:
        if rows:
            first = len(self._rows)
            self.beginInsertRows(_NOWHERE, first, first + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._header)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell's text; numbers, which stand in all columns but the first, end at the right."""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._rows[index.row()][index.column()]
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a column's title."""
        if orientation is Qt.Orientation.Vertical or not 0 <= section < len(self._header):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return self._header[section] if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None


class TableTwin(QTableView):
    """A table to read: arrow keys move in it, Tab leaves it."""

    def __init__(self, name: str, *, wide: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = RowsModel(self)
        self.setModel(self.rows)
        self.setObjectName(name.casefold().replace(" ", "_"))
        self.setAccessibleName(name)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(56)
        header.setResizeContentsPrecision(50)  # rows looked at; all of 10,000 epochs would take long
        self._is_wide = wide

    def show_rows(self, header: Row, rows: Sequence[Row]) -> None:
        """Show these rows below these titles."""
        self.rows.show_rows(header, rows)
        self._size_columns()

    def _size_columns(self) -> None:
        """Numbers get the room they need and the first column the rest; many columns scroll instead."""
        if self._is_wide or not self.rows.columnCount():
            return
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_whole_rows(self, most: int) -> None:
        """Be as high as the rows, up to ``most`` of them: none is cut."""
        shown = min(max(self.rows.rowCount(), 2), most)
        rows = shown * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + 4)  # the frame, also with the focus

    def texts(self) -> list[list[str]]:
        """Return what stands in the cells, row by row."""
        columns = range(self.rows.columnCount())
        return [[str(self.rows.index(row, column).data()) for column in columns] for row in range(self.rows.rowCount())]


class TwinCard(Card):
    """A card with a picture and its table, one of them shown; a button changes between them."""

    def __init__(self, title: str, picture: QWidget, table: TableTwin, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._name = title
        self.pages = QStackedLayout()
        self.pages.addWidget(picture)
        self.pages.addWidget(table)
        self.toggle = QPushButton()
        self.toggle.setObjectName(f"{title.casefold()}_toggle")
        self.toggle.setProperty("role", "quiet")
        self.toggle.clicked.connect(self._on_toggled)
        self.header.addWidget(self.toggle)
        self.body.addLayout(self.pages, 1)
        self._name_toggle()

    @property
    def shows_table(self) -> bool:
        """Whether the table is shown."""
        return self.pages.currentIndex() == 1

    def _on_toggled(self) -> None:
        self.pages.setCurrentIndex(0 if self.shows_table else 1)
        self._name_toggle()

    def _name_toggle(self) -> None:
        text = "Show as picture" if self.shows_table else "Show as table"
        self.toggle.setText(text)
        self.toggle.setAccessibleName(f"{text}: {self._name}")


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
