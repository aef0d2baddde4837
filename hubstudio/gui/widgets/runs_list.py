"""The list of runs, as a table with a line for each.

Space ticks the run at hand for comparing, Enter uses it, F2 writes a note on it, Delete deletes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QHeaderView, QTreeView, QWidget

from hubstudio.gui.run_items import RunItem, RunKind
from hubstudio.gui.widgets.runs_model import ACCURACY, NOTE, NOTES, ROW_HEIGHT, RUN, TITLE, TOOK, WHEN, RunsModel

_WIDTHS = {RUN: 112, ACCURACY: 98, TOOK: 92, WHEN: 122, NOTES: 64, NOTE: 150}
_NARROW_NOTE = 120
_MOST_ROWS, _FEWEST_ROWS = 9, 2
_NARROW, _VERY_NARROW = 800, 640
# Titles stand above what they are about, the frame keeps clear of the header's corners, and the line at hand is flat.
_LOOK = """
QTreeView { padding: 3px; outline: 0; }
QTreeView:focus { padding: 2px; }
QHeaderView::section { padding: 4px 9px; }
"""


class RunsList(QTreeView):
    """Shows lines; what is chosen, ticked and being written outlasts new ones."""

    chosen_changed = Signal()  # the line at hand, or what is known of it
    ticked_changed = Signal()
    use_wanted = Signal(str)
    delete_wanted = Signal(str)
    note_written = Signal(str, str)  # name, text

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._to_come: list[RunItem] | None = None
        self.lines = RunsModel(self)
        self.setModel(self.lines)
        self._set_up()
        self.lines.ticked_changed.connect(self.ticked_changed)
        self.lines.note_written.connect(self.note_written)
        self.selectionModel().currentRowChanged.connect(self._on_current_changed)
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.doubleClicked.connect(self._on_double_clicked)

    @property
    def chosen(self) -> RunItem | None:
        """The line at hand."""
        row = self.currentIndex().row()
        return self.lines.items[row] if 0 <= row < len(self.lines.items) else None

    @property
    def ticked(self) -> list[str]:
        """Names of the runs that are ticked, from top to bottom."""
        return self.lines.ticked

    def show_items(self, items: Sequence[RunItem]) -> None:
        """Show these lines; while a note is being written, once it is."""
        if self.state() is QAbstractItemView.State.EditingState:
            self._to_come = list(items)
            return
        chosen, offset, count = self.chosen, self.verticalScrollBar().value(), len(self.lines.items)
        self.lines.show_items(items)
        self._show_columns()
        if chosen:
            self.choose(chosen.name)
        self.verticalScrollBar().setValue(offset)
        if len(items) != count:
            self.updateGeometry()
        self.chosen_changed.emit()

    def choose(self, name: str) -> None:
        """Make a line the one at hand, if it is there and is not so already."""
        row = self.lines.row_of(name)
        if row >= 0 and row != self.currentIndex().row():
            self.setCurrentIndex(self.lines.index(row, RUN))

    def untick(self) -> None:
        """Tick nothing."""
        self.lines.untick()

    def edit_note(self) -> None:
        """Let the person write on the run at hand, in its line."""
        if self.chosen and self.chosen.kind is RunKind.FINISHED:
            self.edit(self.currentIndex().siblingAtColumn(NOTE))

    def text(self, row: int, column: int) -> str:
        """Return what stands in a cell."""
        return str(self.lines.index(row, column).data())

    def sizeHint(self) -> QSize:
        """Ask for the height of all lines, up to some."""
        rows = max(_FEWEST_ROWS, min(self.lines.rowCount(), _MOST_ROWS))
        height = self.header().sizeHint().height() + rows * ROW_HEIGHT + 2 * self.frameWidth() + 6
        return QSize(super().sizeHint().width(), height)

    def minimumSizeHint(self) -> QSize:
        """Keep that height: the page scrolls, not each of its cards."""
        return QSize(200, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Act on the run at hand."""
        chosen = self.chosen
        if chosen is None or self.state() is QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.use_wanted.emit(chosen.name)
        elif event.key() == Qt.Key.Key_F2:
            self.edit_note()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit(chosen.name)
        elif event.key() == Qt.Key.Key_Space:
            row = self.currentIndex().row()
            self.lines.tick(row, ticked=not self.lines.is_ticked(row))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out where it is narrow what the tooltip and the line below tell, too."""
        super().resizeEvent(event)
        self._show_columns()

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:  # noqa: N802 - Qt's name
        """Show what came while a note was being written."""
        super().closeEditor(editor, hint)
        if self._to_come is not None:
            items, self._to_come = self._to_come, None
            self.show_items(items)

    def _set_up(self) -> None:
        self.setObjectName("runs_list")
        self.setStyleSheet(_LOOK)
        self.setAccessibleName("Runs")
        self.setAccessibleDescription("Space ticks a run to compare it, Enter uses it, F2 writes a note on it")
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setMinimumSectionSize(44)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicator(RUN, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)

    def _show_columns(self) -> None:
        """Leave out what would be empty in every line, and where it is narrow what the line below tells, too."""
        width = self.viewport().width()
        self.setColumnHidden(WHEN, width < _NARROW)
        self.setColumnHidden(NOTES, width < _VERY_NARROW or not any(item.notes for item in self.lines.items))
        self.setColumnWidth(NOTE, _WIDTHS[NOTE] if width >= _NARROW else _NARROW_NOTE)

    def _on_selection_changed(self) -> None:
        """Let what a screen reader selects be the line at hand: it has no other way to say so."""
        selected = self.selectionModel().selectedRows(RUN)
        if selected and selected[0].row() != self.currentIndex().row():
            self.selectionModel().setCurrentIndex(selected[0], QItemSelectionModel.SelectionFlag.NoUpdate)

    def _on_current_changed(self) -> None:
        self.chosen_changed.emit()

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if index.column() == NOTE:
            self.edit_note()
        elif self.chosen:
            self.use_wanted.emit(self.chosen.name)
