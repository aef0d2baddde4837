"""The window as a program: from the first paint to the exit code."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from hubstudio.core.engine import Engine
from hubstudio.core.errors import ProjectError, StudioError
from hubstudio.core.project import Project, open_project, remember
from hubstudio.gui.crash_dialog import CrashDialog
from hubstudio.gui.crash_stacks import show_stacks_on_crash
from hubstudio.gui.garbage import GarbageCollector
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.photo_folders import holds_class_folders
from hubstudio.gui.process_signals import ProcessSignals
from hubstudio.gui.session import Session
from hubstudio.gui.theme import apply_theme

_LEAST_POINTS = 10.0
# Every call back into Python must win the interpreter from the threads that decode, trace and train, and painting the
# window makes a hundred. At Python's 5 ms a turn of its loop took up to 1 s beside TensorFlow and a photo check, at
# 0.5 ms up to 0.16 s after Start. Extraction is as fast at 0.1 ms as at 5.
_SECONDS_BETWEEN_THREADS = 0.0001

_log = logging.getLogger(__name__)


def run(project: Path | None, make_engine: Callable[[], Engine]) -> int:
    """Show the window until it is closed; return the exit code."""
    show_stacks_on_crash()
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    app = _make_application()
    studio = Studio(app, project, make_engine)
    try:
        code = studio.run()
    finally:
        has_ended = studio.close()
    if not has_ended:
        _leave_at_once(code)
    return code


class Studio(QObject):
    """Holds what lives as long as the program: session, window, and what ends them."""

    def __init__(self, app: QApplication, start_with: Path | None, make_engine: Callable[[], Engine]) -> None:
        super().__init__()
        self._app = app
        self._exit_code = 0
        self._crash: CrashDialog | None = None
        self._photos = start_with if start_with and holds_class_folders(start_with) else None
        project, problem = _opened(None if self._photos else start_with)
        self.session = Session(project, make_engine, self)
        theme = self.session.preferences.settings.theme
        apply_theme(app, theme)
        self.window = MainWindow(self.session, theme)
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

    def close(self) -> bool:
        """End all work; False if some of it does not end."""
        sys.excepthook = self._former_hook
        self._signals.close()
        self.window.close_now()
        self._garbage.close()
        return self.window.has_ended

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


def _leave_at_once(code: int) -> None:
    """End the process though a thread still works.

    It hangs where nothing in Python can reach it, and a Qt thread that is destroyed while it runs aborts the program.
    ``QThread.terminate`` is worse: it would stop the thread in the middle of anything, with its locks held, and this
    one would then wait for them. Nothing is lost: a project is saved on every change, and files are written whole.
    """
    _log.warning("Some work did not end in time; the program ends without it.")
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream:  # there is none without a console
            stream.flush()
    os._exit(code)


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
