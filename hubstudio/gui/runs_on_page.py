"""What stands between the card of runs and the session: lines, comparisons, curves laid over each other, wishes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from hubstudio.core.errors import StudioError
from hubstudio.core.plan_differences import differences
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.runs import RunRow
from hubstudio.gui.learning_curves import RunCurves, curves_of_history
from hubstudio.gui.run_desk import run_name
from hubstudio.gui.run_items import RunItem, run_items, running_item
from hubstudio.gui.session import Session
from hubstudio.gui.training_questions import ask_for_epochs
from hubstudio.gui.widgets.runs_card import RunsCard, show_folder


class RunsOnPage(QObject):
    """Fills the card and acts on its wishes. Reads the curves of the runs that are ticked, each once."""

    overlay_changed = Signal(object)  # list[RunCurves]

    def __init__(self, session: Session, card: RunsCard) -> None:
        super().__init__(card)
        self._session, self._card = session, card
        self._curves: dict[tuple[Path, object], RunCurves] = {}
        self.overlay: list[RunCurves] = []
        session.runs.changed.connect(self.show_runs)
        session.runs.deleted_changed.connect(self._on_deleted_changed)
        session.runs.logs_written.connect(card.show_logs)
        card.use_wanted.connect(session.use_run)
        card.resume_wanted.connect(session.runs.resume)
        card.continue_wanted.connect(self._on_continue_wanted)
        card.folder_wanted.connect(self._on_folder_wanted)
        card.logs_wanted.connect(self._on_logs_wanted)
        card.delete_wanted.connect(session.runs.delete)
        card.undo_wanted.connect(session.runs.undo_delete)
        card.note_written.connect(session.runs.write_note)
        card.ticked_changed.connect(self._on_ticked)

    def show_runs(self) -> None:
        """Show the runs as they are known, and the training that goes on."""
        session = self._session
        items = run_items(session.runs.rows, session.runs.unfinished, session.project.run, self._name_of)
        self._card.show_items([*self._running(), *items], may_train=not session.is_training)
        self._on_deleted_changed()

    def _running(self) -> list[RunItem]:
        training = self._session.training
        if not (training.is_active and training.out):
            return []
        return [running_item(training.out.name, training.state, training.plan, self._name_of)]

    def _name_of(self, backbone: str) -> str:
        return self._session.backbones.shelf.name_of(backbone)

    def _on_deleted_changed(self) -> None:
        self._card.show_deleted(run_name(self._session.runs.deleted))

    def _on_ticked(self, names: Sequence[str]) -> None:
        rows = [row for name in names if (row := self._session.runs.find(name)) and row.plan]
        plans = [row.plan for row in rows if row.plan]
        self._card.show_differences([row.name for row in rows], differences(plans, self._name_of) if plans else [])
        self.overlay = [self._curves_of(row) for row in rows]
        self.overlay_changed.emit(self.overlay)

    def _curves_of(self, row: RunRow) -> RunCurves:
        key = row.path, row.when  # a name may come again after a run was deleted
        if key not in self._curves:
            try:
                history = RunFolder(row.path).history()
            except StudioError:
                history = []
            self._curves[key] = curves_of_history(row.name, history)
        return self._curves[key]

    def _on_continue_wanted(self, name: str) -> None:
        if (row := self._session.runs.find(name)) and row.plan:
            ask_for_epochs(
                self._card.window(), name, row.plan.epochs, lambda epochs: self._session.runs.continue_run(name, epochs)
            )

    def _on_folder_wanted(self, name: str) -> None:
        unfinished = self._session.runs.find_unfinished(name)
        folder = unfinished.folder if unfinished else self._session.project.runs_folder / name
        show_folder(folder)

    def _on_logs_wanted(self, name: str) -> None:
        dialog = QFileDialog(self._card.window(), "Write TensorBoard logs into", str(self._session.project.folder))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)

        def on_selected(folder: str) -> None:
            self._session.runs.write_logs(name, Path(folder))

        dialog.fileSelected.connect(on_selected)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
