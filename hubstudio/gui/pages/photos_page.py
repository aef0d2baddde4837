"""The first step: point at folders of photos, see what is in them, and choose among it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.errors import PhotosError, StudioError
from hubstudio.core.events import Progress
from hubstudio.core.photos import PhotoSet, Problem, count_of
from hubstudio.core.plan import ClassWeights, Plan
from hubstudio.core.project import Project, recent_projects
from hubstudio.core.resources import samples_folder
from hubstudio.core.selection import root_of
from hubstudio.gui.pages.page import Page
from hubstudio.gui.photo_folders import Offer
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.class_list import ClassList
from hubstudio.gui.widgets.edit_notice import EditNotice
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.health_check import HealthCheck
from hubstudio.gui.widgets.photo_chooser import FirstPhotos, MorePhotos, OtherPhotos
from hubstudio.gui.widgets.problem_dialog import ProblemDialog
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.split_card import SplitCard

_FAILURES_SHOWN = ("scan", "check", "split", "export split", "edit")
_MOST_RECENT = 4
_MILLISECONDS_BEFORE_PROGRESS = 300  # of a check after an edit: most are done by then


class PhotosPage(Page):
    """Empty: ways to choose a folder. Else: its classes, their health, and how the photos are used."""

    step = "photos"
    project_wanted = Signal(object)  # Path of a project to go on with

    def __init__(self, session: Session, thumbnails: Thumbnails) -> None:
        super().__init__(session, "Point at your photos", "One folder per class. Drop a folder here, or choose one.")
        self._thumbnails = thumbnails
        self.problem = ErrorCard()
        self.notice = EditNotice()
        self.first = FirstPhotos()
        self.other = OtherPhotos()
        self.more = MorePhotos()
        self.dialog: ProblemDialog | None = None
        self.classes = ClassList(thumbnails)
        self.classes.set_trailing(self.more)
        self.health = HealthCheck()
        self.split = SplitCard()
        self.total = QLabel()
        self.folder = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.overview = self._make_overview()
        self.body.addWidget(self.problem)
        self.body.addWidget(self.notice)
        self.more.take_drops_on(self.overview)
        for view in (self.first, self.overview):  # no stacked layout: it would ask for the height of the higher one
            self.body.addWidget(view, 1)
        self._show_check_later = QTimer(self)
        self._show_check_later.setSingleShot(True)
        self._show_check_later.setInterval(_MILLISECONDS_BEFORE_PROGRESS)
        self._show_check_later.timeout.connect(self._show_check)
        self._connect()
        self._show_photos()

    def missing(self) -> str:
        """Photos, that can be trained on, each of them read once."""
        photo_set = self.session.photo_set
        if photo_set is None:
            return "Reading the photo folders" if self.session.is_busy("scan") else "Choose photos first"
        blocking = [problem.message for problem in photo_set.problems if problem.blocks_training]
        if blocking:
            return blocking[0]
        was_trained_on = bool(self.session.project.run)  # then the check was done before
        if self.session.photos_are_checked or was_trained_on:
            return ""
        is_going_on = self.session.is_busy("check") or self.session.is_busy("scan")
        return "Checking the photos" if is_going_on else "Check the photos first"

    def summary(self) -> str:
        """Photos and classes."""
        photo_set = self.session.photo_set
        return f"{count_of(len(photo_set.photos), 'photo')} · {classes_text(photo_set)}" if photo_set else ""

    def entered(self) -> None:
        """Look which projects there are."""
        if self.session.photo_set is None:
            own = self.session.project.folder
            others = [Project(folder) for folder in recent_projects() if folder != own]
            self.first.show_recent(others[:_MOST_RECENT])

    def _make_overview(self) -> QWidget:
        self.total.setObjectName("photo_total")
        self.folder.setProperty("role", "muted")
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.total)
        line.addWidget(self.folder, 1)
        line.addWidget(self.other)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addLayout(line)
        left.addWidget(self.classes, 1)
        overview = QWidget()
        row = QHBoxLayout(overview)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(left, 10)
        row.addWidget(self._side(), 5)
        return overview

    def _side(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.health, 1)
        column.addWidget(self.split)
        side = ScrollColumn(content)
        side.setMinimumWidth(264)
        side.setMaximumWidth(350)
        return side

    def _connect(self) -> None:
        session = self.session
        for chooser in (self.first, self.other):
            chooser.chosen.connect(self._on_chosen)
        self.more.chosen.connect(self._on_more_chosen)
        for zone in (self.first, self.more):
            zone.refused.connect(self._on_refused)
        self.first.samples_wanted.connect(self._on_samples_wanted)
        self.first.project_wanted.connect(self.project_wanted)
        self.notice.undo_wanted.connect(session.undo)
        self.notice.redo_wanted.connect(session.redo)
        self.classes.rename_wanted.connect(session.rename_class)
        self.classes.leave_out_wanted.connect(session.leave_out)
        self.classes.put_back_wanted.connect(session.put_back)
        self._connect_health()
        self._connect_split()
        session.photos_changed.connect(self._on_photos_changed)
        session.photos_checked.connect(self._on_photos_checked)
        session.photos_progress.connect(self._on_photos_progress)
        session.project_changed.connect(self._on_project_changed)
        session.busy_changed.connect(self._on_busy_changed)
        session.history_changed.connect(self._on_history_changed)
        session.failed.connect(self._on_failed)

    def _connect_health(self) -> None:
        session, health = self.session, self.health
        health.show_wanted.connect(self._on_show_wanted)
        health.put_back_wanted.connect(self._on_put_all_back_wanted)
        health.class_weights_wanted.connect(self._on_class_weights_wanted)
        health.pause_wanted.connect(self._on_pause_wanted)
        health.resume_wanted.connect(self._on_resume_wanted)
        health.cancel_wanted.connect(self._on_cancel_wanted)
        health.check_wanted.connect(session.check_again)

    def _connect_split(self) -> None:
        session, split = self.session, self.split
        split.shares_wanted.connect(self._on_shares_wanted)
        split.export_wanted.connect(session.export_split)
        split.use_wanted.connect(self._on_use_split_wanted)
        split.forget_wanted.connect(session.forget_split)
        session.split_changed.connect(self._show_split)
        session.split_exported.connect(split.show_exported)

    def _on_chosen(self, paths: Sequence[Path]) -> None:
        self.problem.show_error(None)
        self.session.choose_photos(paths)

    def _on_more_chosen(self, paths: Sequence[Path]) -> None:
        self.problem.show_error(None)
        self.session.add_photos(paths)

    def _on_refused(self, offer: Offer) -> None:
        self.problem.show_error(PhotosError(offer.sentence, next_step=offer.next_step))

    def _on_samples_wanted(self) -> None:
        self._on_chosen([samples_folder()])

    def _on_show_wanted(self, problem: Problem) -> None:
        photo_set = self.session.photo_set
        if photo_set is None:
            return
        self.dialog = dialog = ProblemDialog(problem, photo_set, self._thumbnails, self.window())
        dialog.leave_out_wanted.connect(self.session.leave_out)
        dialog.put_back_wanted.connect(self.session.put_back)
        dialog.undo_wanted.connect(self.session.undo)
        dialog.redo_wanted.connect(self.session.redo)
        dialog.finished.connect(self._on_dialog_finished)
        self._tell_dialog(self.session.plan)
        dialog.open()

    def _on_dialog_finished(self) -> None:
        self.dialog = None

    def _on_put_all_back_wanted(self, problem: Problem) -> None:
        self.session.put_back(problem.files)

    def _on_class_weights_wanted(self, wanted: bool) -> None:
        if plan := self.session.plan:
            self.session.change_plan(replace(plan, class_weights=ClassWeights.ON if wanted else ClassWeights.OFF))

    def _on_shares_wanted(self, validation: float, test: float) -> None:
        if plan := self.session.plan:
            self.session.change_plan(replace(plan, validation_share=validation, test_share=test))

    def _on_use_split_wanted(self, file: Path) -> None:
        self.problem.show_error(None)
        self.session.use_split(file)

    def _on_pause_wanted(self) -> None:
        self.session.pause_check()
        self._show_check()

    def _on_resume_wanted(self) -> None:
        self.session.resume_check()
        self._show_check()

    def _on_cancel_wanted(self) -> None:
        self.session.cancel("check")

    def _on_photos_changed(self, _: PhotoSet | None) -> None:
        if not self.session.photos_are_checked:  # a check that ended does not answer why another folder was refused
            self.problem.show_error(None)
        self._show_photos()
        self.done_changed.emit()

    def _on_photos_checked(self) -> None:
        self._thumbnails.doubt()

    def _on_photos_progress(self, progress: Progress) -> None:
        self.health.show_progress(progress)

    def _on_project_changed(self, project: Project) -> None:
        photo_set = self.session.photo_set
        if photo_set and project.plan:
            self._show_split()
            self.health.show_photos(photo_set, has_class_weights=project.plan.class_weights is not ClassWeights.OFF)
            self._tell_dialog(project.plan)

    def _on_busy_changed(self, kind: str, progress: Progress | None) -> None:
        if kind == "scan":
            plan = self.session.plan
            where = f" in '{plan.photos}'" if plan else ""
            self.first.show_busy(f"Reading the folders{where}" if progress else "")
            self.done_changed.emit()
        elif kind == "check" and (progress is None or not progress.total):
            if progress and self.session.photos_are_checked:
                self._show_check_later.start()
            else:
                self._show_check()
            self.done_changed.emit()

    def _on_history_changed(self, done: str) -> None:
        session = self.session
        done = f"Done: {done}" if done and not done.startswith("Undone: ") else done
        self.notice.show_edit(done, can_undo=bool(session.edit_to_undo), can_redo=bool(session.edit_to_redo))

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind in _FAILURES_SHOWN:
            self.problem.show_error(error)
            self.done_changed.emit()

    def _tell_dialog(self, plan: Plan | None) -> None:
        if self.dialog and plan:
            self.dialog.show_left_out(plan.left_out, root_of(Path(plan.photos)))

    def _show_photos(self) -> None:
        photo_set, plan = self.session.photo_set, self.session.plan
        self.first.setVisible(photo_set is None)
        self.overview.setVisible(photo_set is not None)
        if photo_set is None or plan is None:
            self.classes.close_gallery()
            return
        self.total.setText(f"{classes_text(photo_set)} · {count_of(len(photo_set.photos), 'photo')}")
        self.folder.setText(sources_text(plan))
        self.classes.show_photos(photo_set)
        self.more.show_present([Path(source) for source in (plan.photos, *plan.more_photos)], photo_set.classes)
        self.health.show_photos(photo_set, has_class_weights=plan.class_weights is not ClassWeights.OFF)
        self._show_check()
        self._show_split()

    def _show_check(self) -> None:
        self._show_check_later.stop()
        session = self.session
        self.health.show_checking(
            is_going_on=session.is_busy("check"),
            is_paused=session.check_is_paused,
            photo_set=session.photo_set,
            checked=session.photos_are_checked,
        )

    def _show_split(self) -> None:
        if plan := self.session.plan:
            self.split.show_split(self.session.part_counts, plan, is_current=self.session.split_is_current)


def classes_text(photo_set: PhotoSet) -> str:
    """Return '1 class' or '35 classes'."""
    count = len(photo_set.classes)
    return "1 class" if count == 1 else f"{count:,} classes"


def sources_text(plan: Plan) -> str:
    """Return where the photos are: the first path, and how many others."""
    more = len(plan.more_photos)
    return f"{plan.photos} and {more:,} more" if more else plan.photos
