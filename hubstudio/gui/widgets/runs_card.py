"""The runs of a project: which one is used, how they compare, what people wrote on them, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.core.plan_differences import Difference
from hubstudio.core.run_folder import RunFolder
from hubstudio.gui.run_items import RunItem, RunKind
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.flow_row import FlowRow
from hubstudio.gui.widgets.notice import Notice
from hubstudio.gui.widgets.plan_differences_view import PlanDifferencesView
from hubstudio.gui.widgets.runs_list import RunsList
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_HINT = "Tick runs to lay their curves over each other"
_FINISHED, _DAMAGED, _UNFINISHED = RunKind.FINISHED, RunKind.DAMAGED, RunKind.UNFINISHED


class RunsCard(Card):
    """Hidden while there is no run and nothing to take back. Its signals carry the name of the run at hand."""

    use_wanted = Signal(str)
    resume_wanted = Signal(str)
    continue_wanted = Signal(str)
    folder_wanted = Signal(str)
    logs_wanted = Signal(str)
    delete_wanted = Signal(str)
    undo_wanted = Signal()
    note_written = Signal(str, str)  # name, text
    ticked_changed = Signal(object)  # list of names

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Runs", parent)
        self._may_train = True
        self._used = ""
        self.hint = ElidedLabel(_HINT)
        self.hint.setProperty("role", "muted")
        self.untick = quiet_button("Untick all", "untick_runs")
        self.list = RunsList()
        self.details = WrappedLabel("", "muted", "run_details")
        self.comparison = PlanDifferencesView()
        self.deleted = Notice("run_deleted", "Undo", "undo_delete")
        self.logs = Notice("logs_written", "Show folder", "show_logs_folder")
        self._logs = Path()
        self._actions: list[tuple[QPushButton, frozenset[RunKind]]] = []
        self._add_actions()
        self._lay_out()
        self._connect()
        self.hide()

    def show_items(self, items: Sequence[RunItem], *, may_train: bool = True) -> None:
        """Show these runs; while one is training, no other can."""
        self._may_train = may_train
        self.list.show_items(items)
        used = next((item.name for item in items if item.is_used), "")
        if used != self._used or self.list.chosen is None:  # another run is used now: that is what it is about
            self._used = used
            self.list.choose(used or (items[0].name if items else ""))
        self._show_chosen()
        self._show_or_hide()

    def show_deleted(self, name: str) -> None:
        """Offer to take back what was deleted last; an empty name offers nothing."""
        self.deleted.say(f"{name} was deleted." if name else "")
        self._show_or_hide()

    def show_logs(self, folder: Path) -> None:
        """Say where TensorBoard logs were written."""
        self._logs = folder
        self.logs.say(f"The TensorBoard logs are in {folder}.")

    def show_differences(self, names: Sequence[str], rows: Sequence[Difference]) -> None:
        """Show in what the plans of the ticked runs differ."""
        self.comparison.show_differences(names, rows)

    def button(self, name: str) -> QPushButton:
        """Return the button of an action."""
        return next(button for button, _ in self._actions if button.objectName() == name)

    def _add_actions(self) -> None:
        self._add("Use this run", "use_run", self.use_wanted.emit, _FINISHED)
        self._add("Resume", "resume_run", self.resume_wanted.emit, _UNFINISHED)
        self._add("Continue with more epochs…", "continue_run", self.continue_wanted.emit, _FINISHED)
        self._add("Note…", "note_on_run", lambda name: self.list.edit_note(), _FINISHED)
        self._add("Show folder", "show_run_folder", self.folder_wanted.emit, _FINISHED, _DAMAGED, _UNFINISHED)
        self._add("TensorBoard logs…", "run_logs", self.logs_wanted.emit, _FINISHED)
        self._add("Delete", "delete_run", self.delete_wanted.emit, _FINISHED, _DAMAGED)
        self._add("Discard", "discard_run", self.delete_wanted.emit, _UNFINISHED)

    def _add(self, text: str, name: str, act: Callable[[str], object], *kinds: RunKind) -> None:
        button = quiet_button(text, name)

        def on_clicked() -> None:
            if chosen := self.list.chosen:
                act(chosen.name)

        button.clicked.connect(on_clicked)
        self._actions.append((button, frozenset(kinds)))

    def _lay_out(self) -> None:
        self.header.addWidget(self.hint)
        self.header.addWidget(self.untick)
        row = FlowRow()
        for button, _ in self._actions:
            row.addWidget(button)
        for widget in (self.list, self.details):
            self.body.addWidget(widget)
        self.body.addLayout(row)
        for notice in (self.deleted, self.logs):
            self.body.addWidget(notice)
        self.body.addWidget(self.comparison)

    def _connect(self) -> None:
        runs = self.list
        runs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        runs.customContextMenuRequested.connect(self._show_menu)
        runs.chosen_changed.connect(self._show_chosen)
        runs.ticked_changed.connect(self._on_ticked)
        runs.use_wanted.connect(self._on_use_wanted)
        runs.delete_wanted.connect(self._on_delete_wanted)
        runs.note_written.connect(self.note_written)
        self.untick.clicked.connect(runs.untick)
        self.deleted.button.clicked.connect(self.undo_wanted)
        self.logs.button.clicked.connect(lambda: show_folder(self._logs))
        self._on_ticked()

    def _show_chosen(self) -> None:
        item = self.list.chosen
        for button, kinds in self._actions:
            button.setVisible(item is not None and item.kind in kinds)
            if item:
                button.setAccessibleName(f"{button.text().rstrip('…')}: {item.name}")
        for name in ("resume_run", "continue_run"):
            self.button(name).setEnabled(self._may_train)
        self.button("use_run").setEnabled(item is not None and not item.is_used)
        self.details.say(_details(item) if item else "")
        self.details.setVisible(bool(self.details.said()))

    def _show_menu(self, place: QPoint) -> None:
        item = self.list.chosen
        if item is None or item.kind is RunKind.RUNNING:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button, kinds in self._actions:
            if item.kind in kinds:
                action = menu.addAction(button.text())
                action.setEnabled(button.isEnabled())
                action.triggered.connect(button.click)
        menu.popup(self.list.viewport().mapToGlobal(place))

    def _on_use_wanted(self, name: str) -> None:
        item = self.list.chosen
        if item and item.name == name and item.kind is RunKind.FINISHED:
            self.use_wanted.emit(name)
        elif item and item.kind is RunKind.UNFINISHED and self._may_train:
            self.resume_wanted.emit(name)

    def _on_delete_wanted(self, name: str) -> None:
        if (item := self.list.chosen) and item.kind is not RunKind.RUNNING:
            self.delete_wanted.emit(name)

    def _on_ticked(self) -> None:
        ticked = self.list.ticked
        self.untick.setVisible(bool(ticked))
        self.hint.setVisible(not ticked)
        self.ticked_changed.emit(ticked)

    def _show_or_hide(self) -> None:
        self.setVisible(self.list.lines.rowCount() > 0 or not self.deleted.isHidden())


def _details(item: RunItem) -> str:
    used = "Review, Classify and Export use this run." if item.is_used else ""
    first = " ".join(part for part in (item.details, used) if part)
    mine = f"Your note: {item.note}" if item.note else ""
    return "\n".join(line for line in (first, *(f"• {note}" for note in item.notes), mine) if line)


def show_folder(folder: Path) -> None:
    """Show a folder in the system's own program for that."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def predicted_and_taken(run: RunFolder) -> tuple[float, float] | None:
    """Return how many seconds a run was to take and took, both from when its photos were known.

    None if nothing was measured before it, or the run cannot be read.
    """
    try:
        cost = run.metrics()["cost"]
        return float(cost["predicted"]["seconds"]), float(cost["actual"]["seconds"])
    except (KeyError, TypeError, ValueError, StudioError):
        return None
