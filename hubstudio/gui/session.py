"""The controller: holds what the window shows, hands work to the lanes, and tells of changes in signals.

Pages call its methods and listen to its signals; they never write state, and lanes never touch widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Event, Progress, Report, RunCancelled, RunFailed
from hubstudio.core.measures import Evaluation
from hubstudio.core.photo_check import check_photos
from hubstudio.core.photos import PhotoSet, photos_at, scan
from hubstudio.core.plan import Plan
from hubstudio.core.project import Project, new_project_folder, remember
from hubstudio.core.run_state import RunState, Status, advance, stopping
from hubstudio.gui.lane import Job, Lane
from hubstudio.gui.plan_fitting import fit_plan

_FOR_EVERY_PROJECT = ("warm up",)
EngineMaker = Callable[[], Engine]


class EngineDoor:
    """Makes the engine when it is first asked for, in the lane's thread: that is when TensorFlow loads."""

    def __init__(self, make: EngineMaker) -> None:
        self._make = make

    @cached_property
    def engine(self) -> Engine:
        """The engine; loading it takes seconds."""
        return self._make()


class Session(QObject):
    """One open project and everything going on in it."""

    project_changed = Signal(object)  # Project
    photos_changed = Signal(object)  # PhotoSet or None
    photos_progress = Signal(object)  # Progress while photos are checked
    photos_checked = Signal(object)  # PhotoSet, after every photo was read once
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
        self.photo_set: PhotoSet | None = None
        self.photos_are_checked = False
        self.backbone: BackboneInfo | None = None
        self.run_state = RunState()
        self.evaluation: Evaluation | None = None
        self._door = EngineDoor(make_engine)
        self._engine_lane = Lane("engine lane", self)
        self._reading_lane = Lane("reading lane", self)
        self._current: dict[str, Job] = {}
        self._to_classify: tuple[Path, ...] = ()
        self._finishing: dict[str, Callable[[object], None]] = {
            "warm up": self._on_warm,
            "scan": self._on_scanned,
            "check": self._on_checked,
            "probe": self._on_probed,
            "train": self._on_trained,
            "evaluate": self._on_evaluated,
            "classify": self.predictions_ready.emit,
            "export": self.exports_ready.emit,
        }
        for lane in (self._engine_lane, self._reading_lane):
            lane.event_reported.connect(self._on_event)
            lane.job_finished.connect(self._on_finished)
            lane.job_failed.connect(self._on_failed)
            lane.job_cancelled.connect(self._on_cancelled)
            lane.job_crashed.connect(self._on_crashed)

    @property
    def plan(self) -> Plan | None:
        """What the next run will do; None before photos are chosen."""
        return self.project.plan

    @property
    def is_training(self) -> bool:
        """Whether a training is going on."""
        return self.run_state.is_active

    def start(self) -> None:
        """Load the engine in its lane, and read again what the project points at. Call once the window shows."""
        self._on_engine("warm up", lambda engine, report, cancel: None)
        self._read_what_the_plan_names()

    def open(self, project: Project) -> None:
        """Work on another project from now on; what goes on in this one is cancelled."""
        for kind in [kind for kind in self._current if kind not in _FOR_EVERY_PROJECT]:
            self._drop(kind)
        self.project = project
        self.photo_set, self.photos_are_checked, self.backbone = None, False, None
        self.photos_changed.emit(None)
        self.backbone_changed.emit(None)
        self._set_evaluation(None)
        self._set_run_state(RunState())
        if project.folder.name:
            remember(project)
        self.project_changed.emit(project)  # not saved: opening alone writes nothing
        self._read_what_the_plan_names()

    def choose_photos(self, folder: Path) -> None:
        """Point the project at a folder of class folders; ends in ``photos_changed`` or ``failed('scan')``."""
        self._read_photos(folder)

    def use_backbone(self, text: str) -> None:
        """Look into a backbone; ends in ``backbone_changed`` or ``failed('probe')``, which keeps the former one."""
        self._look_into(text.strip())

    def change_plan(self, plan: Plan) -> None:
        """Take over choices for the next run."""
        if plan != self.plan:
            self._save(replace(self.project, plan=plan))

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
        plan = self.plan
        if plan is None or self.is_training:
            return
        out = self.project.next_run_path()
        self._set_run_state(RunState(status=Status.PREPARING))
        self._on_engine("train", lambda engine, report, cancel: engine.train(plan, out, report, cancel))

    def stop_training(self) -> None:
        """Ask the training to end and keep its best epoch; without one it ends as cancelled."""
        if job := self._current.get("train"):
            job.cancel.stop()
            self._set_run_state(stopping(self.run_state))

    def evaluate(self) -> None:
        """Measure the current run on its locked test part; ends in ``evaluation_changed`` or ``failed('evaluate')``."""
        run = self.project.run_path
        self._set_evaluation(None)
        if run:
            self._on_engine("evaluate", lambda engine, report, cancel: engine.evaluate(run, None, report, cancel))

    def classify(self, paths: Sequence[Path]) -> None:
        """Classify photos, and all photos below folders, with the current run or the one that takes its place.

        Ends in ``predictions_ready`` or ``failed('classify')``.
        """
        run = self.project.run_path
        if run and paths:
            self._to_classify = tuple(paths)
            self._on_engine(
                "classify", lambda engine, report, cancel: engine.predict(run, photos_at(paths), report, cancel)
            )

    def export(self, formats: Sequence[str], folder: Path) -> None:
        """Export the current run; ends in ``exports_ready`` or ``failed('export')``."""
        run = self.project.run_path
        if run:
            self._on_engine(
                "export", lambda engine, report, cancel: engine.export(run, formats, folder, report, cancel)
            )

    def cancel(self, kind: str) -> None:
        """Cancel the job of that kind, if one runs or waits."""
        if job := self._current.get(kind):
            job.cancel.cancel()

    def is_busy(self, kind: str) -> bool:
        """Whether a job of that kind runs or waits."""
        return kind in self._current

    def close(self) -> bool:
        """Cancel everything and wait for the lanes to end; False if one still works after ``patience`` seconds."""
        lanes = (self._reading_lane, self._engine_lane)
        for lane in lanes:
            lane.cancel_all()
        have_ended = [lane.close(self.patience) for lane in lanes]
        return all(have_ended)

    def _read_what_the_plan_names(self) -> None:
        if self.plan:
            self._read_photos(Path(self.plan.photos))
            self._look_into(self.plan.backbone)

    def _read_photos(self, folder: Path) -> None:
        self.cancel("check")  # else the scan would wait for it; a scan that fails takes it up again
        self._submit(self._reading_lane, Job("scan", lambda report, cancel: scan(folder)))

    def _look_into(self, text: str) -> None:
        self._on_engine("probe", lambda engine, report, cancel: engine.probe(text))

    def _on_engine(self, kind: str, work: Callable[[Engine, Report, CancelToken], object]) -> None:
        door = self._door
        self._submit(self._engine_lane, Job(kind, lambda report, cancel: work(door.engine, report, cancel)))

    def _submit(self, lane: Lane, job: Job) -> None:
        if former := self._current.get(job.kind):
            former.cancel.cancel()
        self._current[job.kind] = job
        self.busy_changed.emit(job.kind, Progress(0, 0))
        lane.submit(job)

    def _on_event(self, job: Job, event: Event) -> None:
        if self._current.get(job.kind) is not job:
            return
        if isinstance(event, Progress):
            if job.kind == "check":
                self.photos_progress.emit(event)
            self.busy_changed.emit(job.kind, event)
        elif not isinstance(event, RunFailed | RunCancelled):  # how it ended is told by the job itself
            self._set_run_state(advance(self.run_state, event))

    def _on_finished(self, job: Job, result: object) -> None:
        if self._ended(job):
            self._finishing[job.kind](result)

    def _on_failed(self, job: Job, error: StudioError) -> None:
        if not self._ended(job):
            return
        if job.kind == "train":
            self._set_run_state(advance(self.run_state, RunFailed(error, self.run_state.elapsed)))
        self.failed.emit(job.kind, error)
        if job.kind == "scan":
            self._check_what_is_unchecked()

    def _on_cancelled(self, job: Job) -> None:
        if self._ended(job) and job.kind == "train":
            self._set_run_state(advance(self.run_state, RunCancelled(self.run_state.elapsed)))

    def _on_crashed(self, job: Job, report: str) -> None:
        if self._ended(job) and job.kind == "train":
            error = StudioError("The training ended in an error of the program.", next_step="Please send the report.")
            self._set_run_state(advance(self.run_state, RunFailed(error, self.run_state.elapsed)))
        self.crashed.emit(report)
        if job.kind == "scan":
            self._check_what_is_unchecked()

    def _ended(self, job: Job) -> bool:
        """Forget the job; False if a newer one of its kind has taken its place."""
        if self._current.get(job.kind) is not job:
            return False
        del self._current[job.kind]
        self.busy_changed.emit(job.kind, None)
        return True

    def _drop(self, kind: str) -> bool:
        """Cancel the job of that kind and let nothing of it arrive any more; whether its result was still wanted."""
        job = self._current.pop(kind, None)
        if job is None:
            return False
        was_wanted = not job.cancel.is_cancelled
        job.cancel.cancel()
        self.busy_changed.emit(kind, None)
        return was_wanted

    def _on_warm(self, _: object) -> None:
        self.engine_ready.emit()

    def _on_scanned(self, found: object) -> None:
        assert isinstance(found, PhotoSet)
        self._take_photos(found, checked=False)
        self._check(found)

    def _check(self, found: PhotoSet) -> None:
        self._submit(self._reading_lane, Job("check", lambda report, cancel: _checked(found, report, cancel)))

    def _check_what_is_unchecked(self) -> None:
        """Take up the check that another folder had cut short, now that this folder could not be read."""
        if self.photo_set and not (self.photos_are_checked or self.is_busy("scan") or self.is_busy("check")):
            self._check(self.photo_set)

    def _on_checked(self, found: object) -> None:
        assert isinstance(found, PhotoSet)
        self._take_photos(found, checked=True)
        self.photos_checked.emit(found)

    def _take_photos(self, photo_set: PhotoSet, *, checked: bool) -> None:
        self.photo_set = photo_set
        self.photos_are_checked = checked
        folder = str(photo_set.root)
        if not self.plan or self.plan.photos != folder:
            self._point_at(folder)
        self.photos_changed.emit(photo_set)

    def _point_at(self, folder: str) -> None:
        plan = replace(self.plan, photos=folder) if self.plan else Plan(photos=folder)
        if not self.project.folder.name:  # nothing was opened: the project gets its name from the photos
            self.project = replace(self.project, folder=new_project_folder(Path(folder)))
        self._save(replace(self.project, plan=plan))
        if not self.backbone and not self.is_busy("probe"):
            self._look_into(plan.backbone)

    def _on_probed(self, info: object) -> None:
        assert isinstance(info, BackboneInfo)
        self.backbone = info
        if self.plan:
            self.change_plan(fit_plan(replace(self.plan, backbone=info.handle), info))
        self.backbone_changed.emit(info)

    def _on_trained(self, _: object) -> None:
        run = self.run_state.run
        if run:
            self._take_run(run.name)

    def _take_run(self, name: str) -> None:
        self._drop("evaluate")  # what it finds is of the former run; an export goes on: its folder was chosen for it
        photos_wait = self._drop("classify")
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

    def _set_run_state(self, state: RunState) -> None:
        self.run_state = state
        self.run_state_changed.emit(state)

    def _save(self, project: Project) -> None:
        self.project = project
        try:
            if project.folder.name:
                project.save()
                remember(project)
        except StudioError as error:
            self.failed.emit("save", error)
        self.project_changed.emit(project)


def _checked(photo_set: PhotoSet, report: Report, cancel: CancelToken) -> PhotoSet:
    return check_photos(photo_set, lambda done, total: report(Progress(done, total)), cancel)
