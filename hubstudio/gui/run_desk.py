"""The runs of the open project: read in a lane, deleted so that it can be undone, annotated, gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.errors import RunError, StudioError
from hubstudio.core.events import Report
from hubstudio.core.plan import Plan
from hubstudio.core.project import Project
from hubstudio.core.run_bin import DeletedRun, RunBin, empty_deleted
from hubstudio.core.runs import RunRow, list_runs, write_note
from hubstudio.core.unfinished_runs import SUFFIX, UnfinishedRun, find_unfinished
from hubstudio.gui.engine_work import EngineWork
from hubstudio.gui.jobs import Jobs
from hubstudio.gui.lane import Job
from hubstudio.gui.training_desk import TrainingDesk

_READ, _EMPTY, _LOGS = "read runs", "empty deleted runs", "write logs"


@dataclass(frozen=True)
class UnfinishedRow:
    """An interrupted training as a list shows it."""

    out: Path
    """The run that it is to become."""
    folder: Path
    plan: Plan | None
    """None if it cannot be read."""
    progress: str
    """A clause: 'fine-tuning, epoch 7 of 10'."""
    changed: datetime | None

    @property
    def name(self) -> str:
        """The name of the run that it is to become."""
        return self.out.name


@dataclass(frozen=True)
class _Read:
    folder: Path
    rows: tuple[RunRow, ...]
    unfinished: tuple[UnfinishedRow, ...]


@dataclass(frozen=True)
class _Deleted:
    run: DeletedRun
    was_used: bool


class RunDesk(QObject):
    """Holds the rows as they were read last. ``take_run`` gets the name of the run to use from then on."""

    changed = Signal()  # rows or interrupted trainings
    logs_written = Signal(object)  # Path of the folder
    deleted_changed = Signal()  # what ``undo_delete`` would take back
    failed = Signal(str, object)  # 'runs', StudioError

    def __init__(
        self,
        jobs: Jobs,
        work: EngineWork,
        training: TrainingDesk,
        project: Callable[[], Project],
        take_run: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._work, self._training = jobs, work, training
        self._project, self._take_run = project, take_run
        self.rows: tuple[RunRow, ...] = ()
        self.unfinished: tuple[UnfinishedRow, ...] = ()
        """Newest last, without the training that goes on."""
        self._found: tuple[UnfinishedRow, ...] = ()
        self._bin = RunBin(Path())
        self._deleted: list[_Deleted] = []
        self._was_training = False
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        training.ended.connect(self.read)
        training.state_changed.connect(self._on_training_changed)

    @property
    def deleted(self) -> str:
        """Name of the run that ``undo_delete`` takes back; empty if there is none."""
        return self._deleted[-1].run.name if self._deleted else ""

    def find(self, name: str) -> RunRow | None:
        """Return the row of a finished or damaged run."""
        return next((row for row in self.rows if row.name == name), None)

    def find_unfinished(self, name: str) -> UnfinishedRow | None:
        """Return the row of an interrupted training."""
        return next((row for row in self.unfinished if row.name == name), None)

    def read(self) -> None:
        """Look again which runs there are; ends in ``changed``."""
        project = self._project()
        if not project.folder.name:
            return
        folder = project.runs_folder
        self._submit(_READ, lambda: _Read(folder, tuple(list_runs(folder)), tuple(_list_unfinished(folder))))

    def start(self) -> None:
        """Read the runs of the first project, and remove for good what a crash left deleted in it."""
        self._empty(self._project())
        self.read()

    def open(self, former: Project) -> None:
        """Another project begins: what was deleted in the former one goes for good, and so do leftovers in this."""
        self.rows, self.unfinished, self._found = (), (), ()
        self._give_up_deleted()
        self._empty(former, self._project())
        self.changed.emit()
        self.deleted_changed.emit()
        self.read()

    def close(self) -> None:
        """Remove for good what was deleted."""
        if self._deleted:
            self._give_up_deleted()
            empty_deleted(self._project().runs_folder)

    def resume(self, name: str) -> None:
        """Go on with an interrupted training."""
        if row := self.find_unfinished(name):
            self._training.resume(row.out, row.plan)

    def continue_run(self, name: str, epochs: int) -> None:
        """Train a finished run for so many more epochs, into a new run."""
        if (row := self.find(name)) and row.plan:
            self._training.continue_run(row.path, row.plan, epochs, self._project().next_run_path())

    def delete(self, name: str) -> None:
        """Delete a run, or discard an interrupted training, until ``undo_delete`` or the project closes.

        Of the run in use, another one takes the place.
        """
        was_used = name == self._project().run
        unfinished = self.find_unfinished(name)
        folder = unfinished.folder if unfinished else self._project().runs_folder / name
        try:
            self._refuse_busy(name, was_used=was_used)
            deleted = self._bin_of(folder.parent).delete(folder)
        except StudioError as error:
            self.failed.emit("runs", error)
            return
        self._deleted.append(_Deleted(deleted, was_used and not unfinished))
        self._forget(name)
        if self._deleted[-1].was_used:
            self._take_run(next((row.name for row in self.rows if not row.problem), ""))
        self.deleted_changed.emit()
        self.read()

    def undo_delete(self) -> None:
        """Take back what was deleted last."""
        if not self._deleted:
            return
        last = self._deleted.pop()
        try:
            back = self._bin.restore(last.run)
        except StudioError as error:
            self.failed.emit("runs", error)
        else:
            if last.was_used:
                self._take_run(back.name)
        self.deleted_changed.emit()
        self.read()

    def write_note(self, name: str, text: str) -> None:
        """Keep what the person writes about a run."""
        row = self.find(name)
        if row is None or row.note == text.strip():
            return
        try:
            write_note(row.path, text)
        except StudioError as error:
            self.failed.emit("runs", error)
        self.read()

    def write_logs(self, name: str, folder: Path) -> None:
        """Write a run's learning curves for TensorBoard; ends in ``logs_written`` or ``failed``."""
        run = self._project().runs_folder / name

        def work(engine: Engine, report: Report, cancel: CancelToken) -> Path:
            engine.write_tensorboard(run, folder)
            return folder

        self._work.ask(_LOGS, work)

    def _refuse_busy(self, name: str, *, was_used: bool) -> None:
        if was_used and self._jobs.current("export"):
            raise RunError(f"'{name}' is being exported.", next_step="Wait until that has ended, then delete it.")

    def _bin_of(self, folder: Path) -> RunBin:
        if self._bin.folder != folder:
            self._bin = RunBin(folder)
        return self._bin

    def _give_up_deleted(self) -> None:
        self._deleted.clear()
        self._bin.give_up()

    def _forget(self, name: str) -> None:
        self.rows = tuple(row for row in self.rows if row.name != name)
        self._found = tuple(row for row in self._found if row.name != name)
        self._drop_what_goes_on()

    def _empty(self, *projects: Project) -> None:
        folders = [project.runs_folder for project in projects if project.folder.name]
        if folders:
            self._submit(_EMPTY, lambda: [empty_deleted(folder) for folder in folders])

    def _submit(self, kind: str, work: Callable[[], object]) -> None:
        self._jobs.submit(self._jobs.shelf_lane, Job(kind, lambda report, cancel: work()))

    def _on_finished(self, kind: str, result: object) -> None:
        if kind == _READ and isinstance(result, _Read) and result.folder == self._project().runs_folder:
            self.rows, self._found = result.rows, result.unfinished
            self._drop_what_goes_on()
        elif kind == _LOGS:
            self.logs_written.emit(result)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == _LOGS:
            self.failed.emit("runs", error)

    def _on_training_changed(self) -> None:
        if self._training.is_active != self._was_training:
            self._was_training = self._training.is_active
            self._drop_what_goes_on()

    def _drop_what_goes_on(self) -> None:
        out = self._training.out if self._training.is_active else None
        self.unfinished = tuple(row for row in self._found if row.out != out)
        self.changed.emit()


def _list_unfinished(folder: Path) -> list[UnfinishedRow]:
    rows = [_unfinished_row(run) for run in find_unfinished(folder)]
    return sorted(rows, key=lambda row: row.changed.timestamp() if row.changed else 0.0)


def _unfinished_row(run: UnfinishedRun) -> UnfinishedRow:
    try:
        plan = run.plan()
    except StudioError:
        plan = None
    try:
        changed = run.changed
    except (OSError, ValueError, OverflowError):
        changed = None
    return UnfinishedRow(run.out, run.folder, plan, str(run.progress), changed)


def run_name(deleted: str) -> str:
    """Return what a deleted run, or interrupted training, is called."""
    return deleted.removesuffix(SUFFIX)
