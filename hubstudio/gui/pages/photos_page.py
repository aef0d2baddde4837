"""The first step: point at a folder of class folders, and see what is in it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.core.events import Progress
from hubstudio.core.photos import PhotoSet, count_of
from hubstudio.core.project import Project, recent_projects
from hubstudio.core.resources import samples_folder
from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.class_cards import ClassCards
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.health_check import HealthCheck
from hubstudio.gui.widgets.photo_chooser import FirstPhotos, OtherPhotos
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.split_card import SplitCard


class PhotosPage(Page):
    """Empty: ways to choose a folder. Else: its classes, their health, and how the photos are used."""

    step = "photos"
    project_wanted = Signal(object)  # Path of a project to go on with

    def __init__(self, session: Session, thumbnails: Thumbnails) -> None:
        super().__init__(session, "Point at your photos", "One folder per class. Drop a folder here, or choose one.")
        self.problem = ErrorCard()
        self.first = FirstPhotos()
        self.other = OtherPhotos()
        self.cards = ClassCards(thumbnails)
        self.health = HealthCheck()
        self.split = SplitCard()
        self.total = QLabel()
        self.folder = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.overview = self._make_overview()
        self.body.addWidget(self.problem)
        for view in (self.first, self.overview):  # no stacked layout: it would ask for the height of the higher one
            self.body.addWidget(view, 1)
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
        return "" if self.session.photos_are_checked or was_trained_on else "Checking the photos"

    def summary(self) -> str:
        """Photos and classes."""
        photo_set = self.session.photo_set
        return f"{count_of(len(photo_set.photos), 'photo')} · {classes_text(photo_set)}" if photo_set else ""

    def entered(self) -> None:
        """Look which projects there are."""
        if self.session.photo_set is None:
            own = self.session.project.folder
            self.first.show_recent([folder for folder in recent_projects() if folder != own][:4])

    def _make_overview(self) -> QWidget:
        self.total.setObjectName("photo_total")
        self.folder.setProperty("role", "muted")
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.total)
        line.addWidget(self.folder, 1)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addLayout(line)
        left.addWidget(ScrollColumn(self.cards), 1)
        left.addWidget(self.other)
        overview = QWidget()
        row = QHBoxLayout(overview)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(left, 10)
        row.addWidget(self._side(), 4)
        return overview

    def _side(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.health)
        column.addWidget(self.split)
        column.addStretch(1)
        side = ScrollColumn(content)
        side.setMinimumWidth(252)
        side.setMaximumWidth(340)
        return side

    def _connect(self) -> None:
        for zone in (self.first, self.other):
            zone.folder_chosen.connect(self._on_folder_chosen)
            zone.refused.connect(self.problem.show_error)
        self.first.samples_wanted.connect(self._on_samples_wanted)
        self.first.project_wanted.connect(self.project_wanted)
        self.session.photos_changed.connect(self._on_photos_changed)
        self.session.photos_progress.connect(self._on_photos_progress)
        self.session.project_changed.connect(self._on_project_changed)
        self.session.busy_changed.connect(self._on_busy_changed)
        self.session.failed.connect(self._on_failed)

    def _on_folder_chosen(self, folder: Path) -> None:
        self.problem.show_error(None)
        self.session.choose_photos(folder)

    def _on_samples_wanted(self) -> None:
        self._on_folder_chosen(samples_folder())

    def _on_photos_changed(self, _: PhotoSet | None) -> None:
        if not self.session.photos_are_checked:  # a check that ended does not answer why another folder was refused
            self.problem.show_error(None)
        self._show_photos()
        self.done_changed.emit()

    def _on_photos_progress(self, progress: Progress) -> None:
        self.health.show_progress(progress)

    def _on_project_changed(self, project: Project) -> None:
        if self.session.photo_set and project.plan:
            self.split.show_split(self.session.photo_set, project.plan)

    def _on_busy_changed(self, kind: str, progress: Progress | None) -> None:
        if kind == "scan":
            plan = self.session.plan
            self.first.show_busy(plan.photos if plan and progress else "")
            self.done_changed.emit()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind in ("scan", "check"):
            self.problem.show_error(error)
            self.done_changed.emit()

    def _show_photos(self) -> None:
        photo_set, plan = self.session.photo_set, self.session.plan
        self.first.setVisible(photo_set is None)
        self.overview.setVisible(photo_set is not None)
        if photo_set is None or plan is None:
            return
        self.total.setText(f"{classes_text(photo_set)} · {count_of(len(photo_set.photos), 'photo')}")
        self.folder.setText(str(photo_set.root))
        self.cards.show_photos(photo_set)
        self.health.show_photos(photo_set, checked=self.session.photos_are_checked)
        self.split.show_split(photo_set, plan)


def classes_text(photo_set: PhotoSet) -> str:
    """Return '1 class' or '35 classes'."""
    count = len(photo_set.classes)
    return "1 class" if count == 1 else f"{count:,} classes"
