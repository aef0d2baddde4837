"""What sets the plans of several runs apart: a row for each setting, what departs from the first run marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from hubstudio.core.plan_differences import Difference
from hubstudio.gui.theme import colours_of
from hubstudio.gui.widgets.table_twin import RowsModel
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_MOST_ROWS = 12
_LEAST_COLUMN = 110
_MOST_BESIDE = 5  # columns that surely fit
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class DifferencesModel(RowsModel):
    """A row for each setting, a column for each run. What departs is bold, too: not everybody sees colours."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self._differences: Sequence[Difference] = ()
        self._bold = QFont()
        self._bold.setBold(True)

    def show_differences(self, names: Sequence[str], rows: Sequence[Difference]) -> None:
        """Show in what the plans of these runs differ."""
        self._differences = rows
        self.show_rows(("Setting", *names), [(row.label, *row.values) for row in rows])

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell's text, and how it looks."""
        departs = index.column() > 0 and self._differences[index.row()].departs[index.column() - 1]
        match role:
            case Qt.ItemDataRole.TextAlignmentRole:
                return _LEFT
            case Qt.ItemDataRole.BackgroundRole:
                return QColor(colours_of(self._view.palette()).accent_soft) if departs else None
            case Qt.ItemDataRole.FontRole:
                return self._bold if departs else None
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{super().data(index)}, differs" if departs else None
            case _:
                return super().data(index, role)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a column's title, above its values."""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT
        return super().headerData(section, orientation, role)


class PlanDifferencesView(QWidget):
    """Hidden while fewer than two runs are compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._rows: tuple[Difference, ...] = ()
        self.heading = WrappedLabel("", "muted", "plan_differences_heading")
        self.cells = DifferencesModel(self)
        self.table = _table()
        self.table.setModel(self.cells)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        layout.addWidget(self.table)
        self.hide()

    def show_differences(self, names: Sequence[str], rows: Sequence[Difference]) -> None:
        """Show in what the plans of these runs differ; fewer than two runs hide it."""
        self.setVisible(len(names) > 1)
        if (tuple(names), tuple(rows)) == (self._names, self._rows):
            return
        self._names, self._rows = tuple(names), tuple(rows)
        self.heading.say(_heading(names, rows))
        self.table.setVisible(bool(rows))
        self.cells.show_differences(names, rows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._fit()

    def _fit(self) -> None:
        """Be as high as the rows, up to some, so that none is cut."""
        rows = min(len(self._rows), _MOST_ROWS) * self.table.verticalHeader().defaultSectionSize()
        bar = self.table.horizontalScrollBar().sizeHint().height() if len(self._names) > _MOST_BESIDE else 0
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + rows + bar + 6)


def _table() -> QTableView:
    table = QTableView()
    table.setObjectName("plan_differences")
    table.setAccessibleName("Differences between the plans")
    table.setTabKeyNavigation(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 10)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setMinimumSectionSize(_LEAST_COLUMN)
    return table


def _heading(names: Sequence[str], rows: Sequence[Difference]) -> str:
    if len(names) < 2:
        return ""
    if not rows:
        return "These runs have the same plan."
    return f"Where the plans differ; marked is what departs from {names[0]}:"
