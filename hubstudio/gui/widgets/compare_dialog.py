"""A shoot-out: backbones to choose, and what came out, as a plot and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from hubstudio.core.comparison import Contender
from hubstudio.core.events import Progress
from hubstudio.gui.comparison_rows import COLUMNS, ContenderOrder, errors_text, in_order, points_of, row_of, verdict
from hubstudio.gui.shelf import ShelfRow
from hubstudio.gui.widgets.accuracy_plot import AccuracyPlot
from hubstudio.gui.widgets.buttons import dialog_button
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.table_twin import TableTwin
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_INTRO = (
    "Trains a head on each backbone with your photos and measures it on the validation photos. "
    "Your test photos stay locked."
)
_MOST_ROWS = 6
_HANDLE = Qt.ItemDataRole.UserRole


class CompareDialog(QDialog):
    """Stays open beside the window. Changes nothing itself: it tells what is wanted and shows what it is given."""

    start_wanted = Signal(object)  # list[str] of handles
    cancel_wanted = Signal()
    backbone_wanted = Signal(str)  # handle to go on with

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compare_dialog")
        self.setWindowTitle("Compare backbones")
        self.resize(1040, 660)
        self._contenders: tuple[Contender, ...] = ()
        self._shown: list[Contender] = []
        self._used = ""
        self._reason = ""
        self._goes_on = False
        self.choices = QListWidget()
        self.start = dialog_button("Compare", "start_comparison")
        self.cancel = dialog_button("Stop", "stop_comparison")
        self.reason = WrappedLabel("", "warning", "comparison_reason")
        self.status = WrappedLabel("", "muted", "comparison_status")
        self.bar = QProgressBar()
        self.problem = ErrorCard()
        self.plot = AccuracyPlot()
        self.order = QComboBox()
        self.table = TableTwin("Comparison of backbones")
        self.errors = WrappedLabel("", "bad", "comparison_errors")
        self.verdict = WrappedLabel("", "", "comparison_verdict")
        self.close_button = dialog_button("Close", "close_comparison")
        self._name()
        self._lay_out()
        self._connect()
        self._refresh()

    def show_choices(self, rows: Sequence[ShelfRow], chosen: Sequence[str] = ()) -> None:
        """Offer these backbones; those that are new are ticked, unless ``chosen`` says which are."""
        known = {self._handle(place): self._is_ticked(place) for place in range(self.choices.count())}
        names = [self.choices.item(place).text() for place in range(self.choices.count())]
        if list(known) == [row.handle for row in rows] and names == [row.name for row in rows]:
            return
        self.choices.clear()
        for row in rows:
            item = QListWidgetItem(row.name, self.choices)
            item.setData(_HANDLE, row.handle)
            item.setToolTip(row.handle)
            ticked = known.get(row.handle, row.handle in chosen if chosen else True)
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self._refresh()

    def show_reason(self, reason: str) -> None:
        """Say why nothing can be compared now; empty if it can."""
        self._reason = reason
        self._refresh()

    def show_state(self, contenders: Sequence[Contender], status: str, *, goes_on: bool, used: str) -> None:
        """Show results and what goes on; ``used`` is the handle that the plan is built on."""
        self._contenders, self._used, self._goes_on = tuple(contenders), used, goes_on
        self.status.say(status)
        self.bar.setMaximum(0)
        self._show_results()
        self._refresh()

    def show_progress(self, progress: Progress) -> None:
        """Show how far the backbone at hand is."""
        self.bar.setMaximum(progress.total)
        self.bar.setValue(progress.done)

    def ticked(self) -> list[str]:
        """Return the handles that are to be compared."""
        return [self._handle(place) for place in range(self.choices.count()) if self._is_ticked(place)]

    def _name(self) -> None:
        self.choices.setObjectName("backbones_to_compare")
        self.choices.setAccessibleName("Backbones to compare")
        self.choices.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # long names are elided
        self.start.setProperty("role", "primary")
        self.bar.setObjectName("comparison_progress")
        self.bar.setAccessibleName("Progress of the comparison")
        self.bar.setTextVisible(False)
        self.order.setObjectName("comparison_order")
        self.order.setAccessibleName("Order of the results")
        self.order.setAccessibleDescription("Order of the results")
        for order in ContenderOrder:
            self.order.addItem(f"By {order.value[0].lower()}{order.value[1:]}", order.value)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setAccessibleDescription("Enter takes the backbone of a row for the project")

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        for widget in (self.choices, self.reason, self.status, self.bar):
            left.addWidget(widget, 1 if widget is self.choices else 0)
        row = QHBoxLayout()
        row.addWidget(self.start)
        row.addWidget(self.cancel)
        row.addStretch(1)
        left.addLayout(row)
        side = QWidget()
        side.setLayout(left)
        side.setFixedWidth(240)
        left.setContentsMargins(0, 0, 0, 0)
        body = QHBoxLayout()
        body.setSpacing(16)
        body.addWidget(side)
        body.addWidget(self._results(), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(12)
        column.addWidget(WrappedLabel(_INTRO, "muted"))
        column.addWidget(self.problem)
        column.addLayout(body, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.verdict, 1)
        buttons.addWidget(self.close_button)
        column.addLayout(buttons)

    def _results(self) -> QWidget:
        card = Card("Accuracy and speed")
        card.header.addWidget(self.order)
        hint = QLabel("Click a row, or press Enter on it, to go on with that backbone")
        hint.setProperty("role", "muted")
        card.body.addWidget(self.plot, 1)
        card.body.addWidget(hint)
        card.body.addWidget(self.table)
        card.body.addWidget(self.errors)
        return card

    def _connect(self) -> None:
        self.start.clicked.connect(lambda: self.start_wanted.emit(self.ticked()))
        self.cancel.clicked.connect(self.cancel_wanted)
        self.close_button.clicked.connect(self.close)
        self.choices.itemChanged.connect(self._refresh)
        self.order.currentIndexChanged.connect(self._show_results)
        self.table.clicked.connect(self._on_row_chosen)
        self.table.activated.connect(self._on_row_chosen)
        self.table.horizontalHeader().sectionClicked.connect(self._on_column_clicked)
        self.table.horizontalHeader().setSectionsClickable(True)

    def _show_results(self) -> None:
        at = self.table.currentIndex().row()
        current = self._shown[at].backbone if 0 <= at < len(self._shown) else ""
        self._shown = in_order(self._contenders, ContenderOrder(self.order.currentData()))
        self.table.show_rows(COLUMNS, [row_of(one, self._used) for one in self._shown])
        self.table.show_whole_rows(_MOST_ROWS)
        self.plot.show_points(points_of(self._contenders))
        self.verdict.say(verdict(self._contenders))
        self.errors.say(errors_text(self._contenders))
        self.errors.setVisible(bool(self.errors.said()))
        places = [place for place, one in enumerate(self._shown) if one.backbone == current]
        if places:
            self.table.setCurrentIndex(self.table.rows.index(places[0], 0))

    def _refresh(self) -> None:
        self.start.setVisible(not self._goes_on)
        self.start.setEnabled(not self._reason and len(self.ticked()) > 0)
        self.cancel.setVisible(self._goes_on)
        self.bar.setVisible(self._goes_on)
        self.choices.setEnabled(not self._goes_on)
        self.reason.say(self._reason)
        self.reason.setVisible(bool(self._reason) and not self._goes_on)
        self.status.setVisible(bool(self.status.said()))

    def _on_row_chosen(self, index: QModelIndex) -> None:
        contender = self._shown[index.row()]
        if not contender.error and contender.backbone != self._used:
            self.backbone_wanted.emit(contender.backbone)

    def _on_column_clicked(self, column: int) -> None:
        place = self.order.findData(COLUMNS[column])
        if place >= 0:
            self.order.setCurrentIndex(place)

    def _handle(self, place: int) -> str:
        return str(self.choices.item(place).data(_HANDLE))

    def _is_ticked(self, place: int) -> bool:
        return self.choices.item(place).checkState() is Qt.CheckState.Checked
