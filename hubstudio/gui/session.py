"""The controller: holds what the window shows, hands work to the lanes, and tells of changes in signals.

Pages call its methods and listen to its signals; they never write state, and lanes never touch widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cost import PhotoAmount
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Event, Progress
from hubstudio.core.measures import Evaluation
from hubstudio.core.photo_listing import photos_at
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.project import Project, new_project_folder, remember
from hubstudio.core.run_state import RunState
from hubstudio.core.split import Split
from hubstudio.gui import downloads, photo_edits
from hubstudio.gui.backbone_desk import BackboneDesk
from hubstudio.gui.comparison_desk import ComparisonDesk
from hubstudio.gui.engine_work import WARM_UP, EngineMaker, EngineWork
from hubstudio.gui.jobs import Jobs
from hubstudio.gui.photo_desk import PhotoDesk
from hubstudio.gui.preferences import Preferences
from hubstudio.gui.run_desk import RunDesk
from hubstudio.gui.speed_desk import SpeedDesk
from hubstudio.gui.training_desk import TrainingDesk

_FOR_EVERY_PROJECT = (WARM_UP, downloads.PREFIX)


class Session(QObject):
    """One open project and everything going on in it."""

    project_changed = Signal(object)  # Project
    photos_changed = Signal(object)  # PhotoSet or None
    photos_progress = Signal(object)  # Progress while photos are checked
    photos_checked = Signal(object)  # PhotoSet, after every photo was read once
    split_changed = Signal(object)  # Split, or None while the photos are not divided
    split_exported = Signal(object)  # Path
    history_changed = Signal(str)  # the edit of the photos just made or taken back; empty if there is none
    backbone_changed = Signal(object)  # BackboneInfo or None while it is being looked into
    run_state_changed = Signal(object)  # RunState
    evaluation_changed = Signal(object)  # Evaluation or None
    predictions_ready = Signal(object)  # list[Prediction]
    exports_ready = Signal(object)  # list[ExportedFile]
    busy_changed = Signal(str, object)  # job kind, Progress or None when it ended
    failed = Signal(str, object)  # job kind, StudioError
    crashed = Signal(str)  # traceback
    engine_ready = Signal()

    patience = 15.0
    """Seconds that ``close`` gives each lane: some work cannot be cancelled, such as a fetch on a dead network."""

    def __init__(self, project: Project, make_engine: EngineMaker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.evaluation: Evaluation | None = None
        self._jobs = Jobs(self)
        self._engine_lane = self._jobs.engine_lane
        self._work = EngineWork(self._jobs, make_engine, self)
        self.preferences = Preferences(self)
        self.backbones = BackboneDesk(
            self._jobs, self._work, self.preferences, lambda: self.plan, self.change_plan, self
        )
        self.speeds = SpeedDesk(self._jobs, self._work, self.backbones, lambda: self.plan, self._photo_amount, self)
        self.comparison = ComparisonDesk(self._jobs, self._work, lambda: self.plan, self)
        self.training = TrainingDesk(self._jobs, self._work, self)
        self.runs = RunDesk(self._jobs, self._work, self.training, lambda: self.project, self.use_run, self)
        self._desk = PhotoDesk(self._jobs, lambda: self.plan, self._take_photo_choices, self)
        self._amount: tuple[Split, PhotoAmount] | None = None
        self._to_classify: tuple[Path, ...] = ()
        self._finishing: dict[str, Callable[[object], None]] = {
            WARM_UP: lambda _: self.engine_ready.emit(),
            "evaluate": self._on_evaluated,
            "classify": self.predictions_ready.emit,
            "export": self.exports_ready.emit,
        }
        self._connect()

    def _connect(self) -> None:
        jobs, desk = self._jobs, self._desk
        jobs.busy_changed.connect(self.busy_changed)
        jobs.reported.connect(self._on_reported)
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.crashed.connect(self._on_crashed)
        desk.changed.connect(self.photos_changed)
        desk.checked.connect(self.photos_checked)
        desk.progress.connect(self.photos_progress)
        desk.split_changed.connect(self.split_changed)
        desk.split_exported.connect(self.split_exported)
        desk.history_changed.connect(self.history_changed)
        desk.failed.connect(self.failed)
        self.training.state_changed.connect(self.run_state_changed)
        self.training.trained.connect(self._take_run)
        self.training.failed.connect(self.failed)
        self.runs.failed.connect(self.failed)
        desk.split_changed.connect(self.speeds.look_at_plan)
        self.backbones.chosen.connect(self.backbone_changed)
        self.backbones.failed.connect(self.failed)

    @property
    def plan(self) -> Plan | None:
        """What the next run will do; None before photos are chosen."""
        return self.project.plan

    @property
    def photo_set(self) -> PhotoSet | None:
        """The photos that are shown; None before some are chosen."""
        return self._desk.photo_set

    @property
    def photos_are_checked(self) -> bool:
        """Whether each of the photos that are shown was read once."""
        return self._desk.is_checked

    @property
    def split(self) -> Split | None:
        """How the photos are divided; None until they are checked."""
        return self._desk.split

    @property
    def backbone(self) -> BackboneInfo | None:
        """The backbone that is chosen; None while none was looked into."""
        return self.backbones.info

    @property
    def split_is_current(self) -> bool:
        """Whether it is the photos that are shown which are divided, not those before an edit."""
        return self._desk.division_is_current

    @property
    def part_counts(self) -> dict[str, int]:
        """How many photos are in each part; empty until they are divided."""
        return self._desk.division.counts if self._desk.division else {}

    @property
    def edit_to_undo(self) -> str:
        """The edit of the photos that ``undo`` takes back; empty if there is none."""
        return self._desk.history.to_undo

    @property
    def edit_to_redo(self) -> str:
        """The edit of the photos that ``redo`` makes again; empty if there is none."""
        return self._desk.history.to_redo

    @property
    def check_is_paused(self) -> bool:
        """Whether the check of the photos stands still until it may go on."""
        return self._desk.check_is_paused

    @property
    def run_state(self) -> RunState:
        """How far the training is."""
        return self.training.state

    @property
    def is_training(self) -> bool:
        """Whether a training is going on."""
        return self.training.is_active

    def start(self) -> None:
        """Load the engine in its lane, and read again what the project points at. Call once the window shows."""
        self._work.ask(WARM_UP, lambda engine, report, cancel: None)
        self.backbones.read_shelf()
        self.runs.start()
        self._read_what_the_plan_names()

    def open(self, project: Project) -> None:
        """Work on another project from now on; what goes on in this one is cancelled."""
        for kind in self._jobs.kinds:
            if not kind.startswith(_FOR_EVERY_PROJECT):
                self._jobs.drop(kind)
        former, self.project = self.project, project
        self._desk.clear()
        self.backbones.clear()
        self.comparison.clear()
        self._set_evaluation(None)
        self.training.clear()
        if project.folder.name:
            remember(project)
        self.project_changed.emit(project)  # not saved: opening alone writes nothing
        self.runs.open(former)
        self._read_what_the_plan_names()

    def choose_photos(self, paths: Path | Sequence[Path]) -> None:
        """Point the project at folders and tables of photos instead of what it has.

        Ends in ``photos_changed``, or in ``failed('scan')``, which keeps the former ones.
        """
        sources = _listed(paths)
        name = f"Use {photo_edits.sources_text(sources)}"
        self._desk.propose(name, lambda former: photo_edits.choosing(sources, former))

    def add_photos(self, paths: Path | Sequence[Path]) -> None:
        """Add folders and tables of photos; ends as ``choose_photos`` does, also in failure if that adds nothing."""
        sources = _listed(paths)
        name = f"Add {photo_edits.sources_text(sources)}"
        adds = self.plan is not None
        self._desk.propose(name, lambda former: photo_edits.adding(sources, former), only_adds=adds)

    def leave_out(self, paths: Sequence[Path]) -> None:
        """Use these photos no longer; their files stay as they are."""
        if paths:
            name = photo_edits.photos_text("Leave out", paths)
            self._desk.edit(name, lambda former: photo_edits.leaving_out(paths, former))

    def put_back(self, paths: Sequence[Path]) -> None:
        """Use photos again that were left out."""
        if paths:
            name = photo_edits.photos_text("Put back", paths)
            self._desk.edit(name, lambda former: photo_edits.putting_back(paths, former))

    def rename_class(self, old: str, new: str) -> None:
        """Call a class otherwise in the project; by the name of another class, it becomes one with that."""
        new = " ".join(new.split())
        if new and new != old and self.photo_set:
            is_merge, found = new in self.photo_set.classes, self.photo_set.found_classes
            name = f"Merge '{old}' into '{new}'" if is_merge else f"Rename '{old}' to '{new}'"
            self._desk.edit(name, lambda former: photo_edits.renaming(old, new, former, found))

    def undo(self) -> None:
        """Take the last edit of the photos back."""
        self._desk.undo()

    def redo(self) -> None:
        """Make the edit of the photos again that was taken back last."""
        self._desk.redo()

    def check_again(self) -> None:
        """List and check the photos once more; what did not change is not read again."""
        if self.plan:
            self._desk.read()

    def pause_check(self) -> None:
        """Let the check of the photos stand still."""
        self._desk.pause_check()

    def resume_check(self) -> None:
        """Let a paused check go on."""
        self._desk.resume_check()

    def use_split(self, file: Path) -> None:
        """Keep the parts that a split file gives; ends in ``split_changed`` or ``failed('split')``."""
        self._desk.use_split(file)

    def forget_split(self) -> None:
        """Divide the photos by content and seed again."""
        self._desk.edit("Divide by content", lambda former: replace(former, split_file=""))

    def export_split(self, file: Path) -> None:
        """Write who is in which part; ends in ``split_exported`` or ``failed('export split')``."""
        self._desk.export_split(file)

    def use_backbone(self, text: str) -> None:
        """Choose a backbone; ends in ``backbone_changed`` or ``failed('probe')``, which keeps the former one."""
        self.backbones.use(text)

    def change_plan(self, plan: Plan) -> None:
        """Take over choices for the next run."""
        if plan != self.plan:
            self._save(replace(self.project, plan=plan))
            self._desk.look_at_plan()
            self.speeds.look_at_plan()
            self.comparison.look_at_plan()

    def go_to(self, step: str) -> None:
        """Remember which step is shown."""
        if step != self.project.step:
            self._save(replace(self.project, step=step))

    def use_run(self, name: str) -> None:
        """Work on another of the project's runs in Review, Classify and Export."""
        if name != self.project.run:
            self._take_run(name)

    def start_training(self) -> None:
        """Train by the plan; progress comes as ``run_state_changed``."""
        if self.plan:
            classes = self.photo_set.classes if self.photo_set and self.photos_are_checked else ()
            self.training.start(self.plan, self.project.next_run_path(), classes)

    def evaluate(self) -> None:
        """Measure the current run on its locked test part; ends in ``evaluation_changed`` or ``failed('evaluate')``."""
        run = self.project.run_path
        self._set_evaluation(None)
        if run:
            self._work.ask("evaluate", lambda engine, report, cancel: engine.evaluate(run, None, report, cancel))

    def classify(self, paths: Sequence[Path]) -> None:
        """Classify photos, and all photos below folders, with the current run or the one that takes its place.

        Ends in ``predictions_ready`` or ``failed('classify')``.
        """
        run = self.project.run_path
        if run and paths:
            self._to_classify = tuple(paths)
            self._work.ask(
                "classify", lambda engine, report, cancel: engine.predict(run, photos_at(paths), report, cancel)
            )

    def export(self, formats: Sequence[str], folder: Path) -> None:
        """Export the current run; ends in ``exports_ready`` or ``failed('export')``."""
        run = self.project.run_path
        if run:
            self._work.ask("export", lambda engine, report, cancel: engine.export(run, formats, folder, report, cancel))

    def cancel(self, kind: str) -> None:
        """Cancel the job of that kind, if one runs or waits; a check leaves the photos listed and unchecked."""
        self._jobs.cancel(kind)

    def is_busy(self, kind: str) -> bool:
        """Whether a job of that kind runs or waits."""
        return self._jobs.current(kind) is not None

    def close(self) -> bool:
        """Cancel everything and wait for the lanes to end; False if one still works after ``patience`` seconds."""
        has_ended = self._jobs.close(self.patience)
        self.runs.close()
        return has_ended

    def _photo_amount(self) -> PhotoAmount | None:
        """Return how much there is to train on; None until the photos are checked."""
        photo_set, split = self.photo_set, self.split
        if not (photo_set and split and self.photos_are_checked):
            return None
        if self._amount is None or self._amount[0] is not split:
            self._amount = split, PhotoAmount.of(photo_set, split)
        return self._amount[1]

    def _read_what_the_plan_names(self) -> None:
        if self.plan:
            self._desk.read()
            self.backbones.look_into(self.plan.backbone, self.plan.features)

    def _on_reported(self, kind: str, event: Event) -> None:
        if isinstance(event, Progress):
            self.busy_changed.emit(kind, event)

    def _on_finished(self, kind: str, result: object) -> None:
        if kind in self._finishing:
            self._finishing[kind](result)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind in self._finishing:
            self.failed.emit(kind, error)

    def _on_crashed(self, kind: str, report: str, was_wanted: bool) -> None:
        del kind, was_wanted
        self.crashed.emit(report)

    def _take_photo_choices(self, plan: Plan) -> None:
        if not self.project.folder.name:  # nothing was opened: the project gets its name from the photos
            self.project = replace(self.project, folder=new_project_folder(photo_edits.namesake(plan)))
        self._save(replace(self.project, plan=plan))
        self._desk.look_at_plan()
        self.comparison.look_at_plan()
        if not self.backbone and not self.is_busy("probe") and not self.is_busy("understand"):
            self.backbones.look_into(plan.backbone, plan.features)

    def _take_run(self, name: str) -> None:
        self._jobs.drop("evaluate")  # it is about the former run; an export goes on: its folder was chosen for it
        photos_wait = self._jobs.drop("classify")
        self._save(replace(self.project, run=name))
        self._set_evaluation(None)
        if photos_wait:
            self.classify(self._to_classify)

    def _on_evaluated(self, result: object) -> None:
        assert isinstance(result, Evaluation)
        self._set_evaluation(result)

    def _set_evaluation(self, evaluation: Evaluation | None) -> None:
        self.evaluation = evaluation
        self.evaluation_changed.emit(evaluation)

    def _save(self, project: Project) -> None:
        self.project = project
        try:
            if project.folder.name:
                project.save()
                remember(project)
        except StudioError as error:
            self.failed.emit("save", error)
        self.project_changed.emit(project)


def _listed(paths: Path | Sequence[Path]) -> list[Path]:
    return [paths] if isinstance(paths, Path) else list(paths)
