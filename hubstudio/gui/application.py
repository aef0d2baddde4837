"""The window as a program: from the first paint to the exit code."""

from __future__ import annotations

import itertools
import logging
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from hubstudio.core.engine import Engine
from hubstudio.core.errors import ProjectError, StudioError
from hubstudio.core.photos import PHOTO_SUFFIXES
from hubstudio.core.project import PROJECT_FILE, Project, open_project, remember
from hubstudio.core.settings import load_settings
from hubstudio.gui.crash_dialog import CrashDialog
from hubstudio.gui.garbage import GarbageCollector
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.process_signals import ProcessSignals
from hubstudio.gui.session import Session
from hubstudio.gui.theme import apply_theme

_LEAST_POINTS = 10.0
# Every call back into Python must win the interpreter from the threads that decode, trace and train. At Python's 5 ms
# a turn of the window's loop took up to 1 s beside TensorFlow and a photo check.
_SECONDS_BETWEEN_THREADS = 0.0005
_LOOKED_AT = 200  # files of a folder, when telling whether it holds photos

_log = logging.getLogger(__name__)


def run(project: Path | None, make_engine: Callable[[], Engine], started: float | None = None) -> int:
    """Show the window until it is closed; return the exit code.

    ``started`` is the ``time.perf_counter()`` at which the program began, for the log.
    """
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    app = _make_application()
    studio = Studio(app, project, make_engine, started)
    try:
        return studio.run()
    finally:
        studio.close()


class Studio(QObject):
    """Holds what lives as long as the program: session, window, and what ends them."""

    def __init__(
        self, app: QApplication, start_with: Path | None, make_engine: Callable[[], Engine], started: float | None
    ) -> None:
        super().__init__()
        self._app = app
        self._started = started
        self._exit_code = 0
        self._crash: CrashDialog | None = None
        self._photos = start_with if start_with and holds_class_folders(start_with) else None
        project, problem = _opened(None if self._photos else start_with)
        settings = load_settings()
        apply_theme(app, settings.theme)
        self.session = Session(project, make_engine, self)
        self.window = MainWindow(self.session, settings.theme)
        if problem:
            self.window.show_problem(problem)
        self._signals = ProcessSignals(self)
        self._garbage = GarbageCollector(self)
        self._former_hook, sys.excepthook = sys.excepthook, self._on_exception
        self._signals.received.connect(self._on_signal)
        self.session.crashed.connect(self.show_crash)
        self.window.painted.connect(self._on_painted)

    def run(self) -> int:
        """Show the window and wait until it is closed."""
        self.window.show()
        self._app.exec()
        return self._exit_code

    def close(self) -> None:
        """Leave nothing running."""
        sys.excepthook = self._former_hook
        self._signals.close()
        self.window.close_now()
        self._garbage.close()

    def show_crash(self, report: str) -> None:
        """Show a report of what nobody foresaw."""
        _log.error("%s", report)
        if self._crash:
            self._crash.add_report(report)
            return
        self._crash = CrashDialog(report, self.window)
        self._crash.finished.connect(self._on_crash_closed)
        self._crash.open()

    def _on_crash_closed(self) -> None:
        self._crash = None

    def _on_painted(self) -> None:
        if self._started is not None:
            _log.info("The window was on screen after %.2f s", time.perf_counter() - self._started)
        self.session.start()
        if self._photos:
            self.session.choose_photos(self._photos)

    def _on_signal(self, number: int) -> None:
        self._exit_code = 128 + number
        self.window.close_now()
        self._app.exit(self._exit_code)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        report = "".join(traceback.format_exception(kind, error, trace))
        QTimer.singleShot(0, self, lambda: self.show_crash(report))


def holds_class_folders(folder: Path) -> bool:
    """Whether a folder is no project but holds folders with photos in them; reads names only, and few of them."""
    try:
        if (folder / PROJECT_FILE).exists():
            return False
        inner = (path for path in itertools.islice(folder.iterdir(), _LOOKED_AT) if path.is_dir())
        return any(
            file.suffix.casefold() in PHOTO_SUFFIXES
            for path in inner
            for file in itertools.islice(path.iterdir(), _LOOKED_AT)
        )
    except OSError:
        return False


def _opened(folder: Path | None) -> tuple[Project, StudioError | None]:
    """Return the project, or an empty one with the reason why."""
    empty = Project(Path())
    if folder is None:
        return empty, None
    try:
        if folder.is_file():
            raise ProjectError(f"'{folder}' is a file, not a project.", next_step="Give a project's folder.")
        project = open_project(folder)
    except StudioError as error:
        return empty, error
    if project.plan:
        remember(project)
    return project, None


def _make_application() -> QApplication:
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication([sys.argv[0] if sys.argv else "hubstudio"])
    app.setApplicationName("Hub Studio")
    app.setApplicationDisplayName("Hub Studio")
    app.setDesktopFileName("hubstudio")
    app.setStyle("Fusion")
    font = app.font()
    if 0 < font.pointSizeF() < _LEAST_POINTS:
        font.setPointSizeF(_LEAST_POINTS)
        app.setFont(font)
    return app
