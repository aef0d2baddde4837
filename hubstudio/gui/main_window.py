"""The window: the steps at the side, one page, and the way on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.core.paths import projects_folder
from hubstudio.core.project import STEPS, Project, open_project
from hubstudio.core.settings import Settings
from hubstudio.gui import dialogs
from hubstudio.gui.actions import Actions
from hubstudio.gui.page_stack import PageStack
from hubstudio.gui.pages.page import Page
from hubstudio.gui.photo_folders import holds_class_folders
from hubstudio.gui.preferences import problem_of
from hubstudio.gui.run_desk import run_name
from hubstudio.gui.session import Session
from hubstudio.gui.sidebar import Sidebar
from hubstudio.gui.step_bar import StepBar
from hubstudio.gui.step_states import STEP_NAMES, reason_to_wait, states_of
from hubstudio.gui.theme import apply_theme
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.training_questions import ask_about_running, ask_to_go_on_large
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.photo_chooser import ask_for_table
from hubstudio.gui.widgets.resume_bar import ResumeBar
from hubstudio.gui.wiring import connect_page, connect_window

_NARROW_BELOW = 1000
_USUAL_SIZE = QSize(1240, 780)
_FRAME = QSize(16, 48)
"""What a window manager puts around a window, at most; not known before the window is shown."""


class MainWindow(QMainWindow):
    """Shows a session's project and moves between its steps."""

    painted = Signal()  # once, when the window has first been on screen

    def __init__(self, session: Session, theme: str = "system") -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.session = session
        self.thumbnails = Thumbnails(self)
        self.sidebar = Sidebar()
        self.pages = PageStack(session, self.thumbnails)
        self.step_bar = StepBar()
        self.banner = ErrorCard()
        self.resume_bar = ResumeBar()
        self.menu = Actions(self.menuBar(), theme)
        self._furthest = 0
        self._was_painted = False
        self._may_close = False
        self._has_ended: bool | None = None
        self._has_offered = False
        self._refresh_timer = QTimer(self)
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.timeout.connect(self._refresh)
        self._lay_out()
        connect_window(self)
        self.show_step(session.project.step)
        if problem := problem_of(session.preferences.settings):
            self.show_problem(problem)

    @property
    def step(self) -> str:
        """The step that is shown."""
        return self.session.project.step

    @property
    def has_ended(self) -> bool:
        """Whether the window is closed and nothing that it began works on."""
        return bool(self._has_ended)

    def show_step(self, step: str) -> None:
        """Show a step's page and remember it in the project."""
        self._furthest = max(self._furthest, STEPS.index(step))
        self.session.go_to(step)
        self.sidebar.show_current(step)
        self.pages.show_step(step)
        self._refresh()
        # From here the Tab key goes through the page, and a screen reader says its title.
        self.pages.page(step).setFocus(Qt.FocusReason.OtherFocusReason)

    def go_on(self) -> None:
        """Show the next step, if nothing is missing for it."""
        place = STEPS.index(self.step) + 1
        if place < len(STEPS) and not reason_to_wait(self.pages, self.step):
            self.show_step(STEPS[place])

    def go_back(self) -> None:
        """Show the step before."""
        if place := STEPS.index(self.step):
            self.show_step(STEPS[place - 1])

    def new_project(self) -> None:
        """Begin with an empty project."""
        self._after_training("begin a new project", lambda: self._show_project(Project(Path())))

    def choose_project(self) -> None:
        """Ask for a project's folder and open it."""
        folder = QFileDialog.getExistingDirectory(self, "Open project", str(projects_folder()))
        if folder:
            self.open_project(Path(folder))

    def open_project(self, folder: Path) -> None:
        """Open a project, or begin one on a folder of photos; one that is damaged leaves the current one open."""
        photos = folder if holds_class_folders(folder) else None  # no project is ever kept beside the photos
        try:
            project = Project(Path()) if photos else open_project(folder)
        except StudioError as error:
            self.show_problem(error)
            return
        self._after_training("open the other project", lambda: self._show_project(project, photos))

    def choose_table(self) -> None:
        """Ask for a table of photos and use it."""
        if tables := ask_for_table(self):
            self.show_step("photos")
            self.session.choose_photos(tables)

    def show_problem(self, error: StudioError) -> None:
        """Show a problem that belongs to no page, until it is dismissed."""
        self.banner.show_error(error)

    def show_settings(self) -> None:
        """Show the settings."""
        dialogs.show_settings(self, self.session)

    def show_about(self) -> None:
        """Say what this is."""
        dialogs.show_about(self)

    def refresh_soon(self) -> None:
        """Show anew what is done and missing, once for many changes."""
        if not self._refresh_timer.isActive():
            self._refresh_timer.start(0)

    def close_now(self) -> None:
        """Close without asking; a training is laid aside, unless it was cancelled already."""
        self._may_close = True
        self.session.training.suspend()
        self.close()

    def on_page_built(self, page: Page) -> None:
        """Take a new page in."""
        connect_page(self, page)
        self.refresh_soon()

    def on_run_state_changed(self) -> None:
        """Show the training's progress at the side, but not for every batch."""
        if not self._refresh_timer.isActive():
            self._refresh_timer.start(250)

    def on_runs_changed(self) -> None:
        """Offer once, when a project is opened, to go on with its newest interrupted training."""
        runs, bar = self.session.runs, self.resume_bar
        if runs.unfinished and not self._has_offered and not self.session.is_training:
            self._has_offered = True
            bar.offer(runs.unfinished[-1])
        elif not bar.isHidden() and runs.find_unfinished(bar.offered) is None:
            was_discarded = run_name(runs.deleted) == bar.offered
            bar.show_discarded() if was_discarded else bar.hide()
        elif not bar.isHidden() and (row := runs.find_unfinished(bar.offered)):
            bar.offer(row)

    def resume_training(self, name: str) -> None:
        """Go on with an interrupted training, and show it."""
        self.session.runs.resume(name)
        self.show_step("train")

    def on_found_too_large(self, why: str, go_on: Callable[[], None]) -> None:
        """Ask whether a training shall go on that may not fit into memory."""
        ask_to_go_on_large(self, why, go_on)

    def on_failed(self, kind: str, error: StudioError) -> None:
        """Show what belongs to no page; the pages show the rest."""
        if kind == "save" or (kind == "runs" and self.step != "train"):
            self.show_problem(error)

    def on_theme_chosen(self, theme: str) -> None:
        """Remember the theme; it is shown when that is told."""
        self.session.preferences.change("theme", theme)

    def on_settings_changed(self, settings: Settings) -> None:
        """Show the theme that was chosen."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, settings.theme)
        self.menu.show_theme(settings.theme)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell of the first time."""
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the page more of a small window."""
        super().resizeEvent(event)
        self.sidebar.set_narrow(event.size().width() < _NARROW_BELOW)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while a training runs; else end all work before the window goes."""
        if self.session.is_training and not self._may_close:
            event.ignore()
            ask_about_running(self, "close", self.session.training, self.close_now)
            return
        self.hide()
        if self._has_ended is None:  # a second time would wait as long again
            self._has_ended = self._end_work()
        event.accept()

    def _end_work(self) -> bool:
        has_pictures = self.thumbnails.close(self.session.patience)
        return self.session.close() and has_pictures

    def _after_training(self, to_do: str, go_on: Callable[[], None]) -> None:
        if self.session.is_training:
            ask_about_running(self, to_do, self.session.training, go_on)
        else:
            go_on()

    def _show_project(self, project: Project, photos: Path | None = None) -> None:
        self.banner.show_error(None)
        self.pages.clear()
        self._furthest = 0
        QTimer.singleShot(0, lambda: self._on_pages_gone(project, photos))

    def _on_pages_gone(self, project: Project, photos: Path | None) -> None:
        self._has_offered = False
        self.resume_bar.hide()
        self.session.open(project)
        self.show_step(project.step)
        if photos:
            self.session.choose_photos(photos)

    def _refresh(self) -> None:
        self._refresh_timer.stop()
        self.setWindowTitle(f"{self.session.project.name or 'New project'} – Hub Studio")
        self.sidebar.show_project(self.session.project.name)
        for step, state in states_of(self.pages, self._furthest).items():
            self.sidebar.show_step(step, state)
        place = STEPS.index(self.step)
        next_name = STEP_NAMES[STEPS[place + 1]] if place + 1 < len(STEPS) else ""
        self.step_bar.show_state(has_back=place > 0, next_name=next_name, reason=reason_to_wait(self.pages, self.step))
        is_editing = self.step == "photos"  # what cannot be seen is not changed
        self.menu.show_edits(*((self.session.edit_to_undo, self.session.edit_to_redo) if is_editing else ("", "")))
        self._build_what_is_needed()

    def _build_what_is_needed(self) -> None:
        """Build one more page if the steps at the side depend on it; the others follow at the next turn."""
        if not self._was_painted:
            return
        for step in STEPS:
            page = self.pages.built(step)
            if page is None:
                if self.pages.loads(step):
                    self.refresh_soon()
                else:
                    self.pages.page(step)
                return
            if page.missing():
                return

    def _lay_out(self) -> None:
        self.setMinimumSize(860, 560)
        self.resize(_USUAL_SIZE.boundedTo(self.screen().availableSize() - _FRAME))
        column = QVBoxLayout()
        column.setContentsMargins(28, 20, 28, 18)
        column.setSpacing(0)
        column.addWidget(self.resume_bar)
        column.addWidget(self.pages, 1)
        column.addWidget(self.banner)
        column.addWidget(self.step_bar)
        central = QWidget()
        row = QHBoxLayout(central)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addLayout(column, 1)
        self.setCentralWidget(central)
