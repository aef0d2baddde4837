"""Screenshots of the real window on the sample photos, one for each step, light and dark.

    python resources/make/pictures.py [--out DIR] [--size 1240x780] [--photos DIR]

Without ``--out`` it renews the picture in the README. It trains for real, in a project that is thrown away, and
needs no screen: Qt draws into memory.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QElapsedTimer, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from hubstudio.core import resources
from hubstudio.core.project import STEPS, Project
from hubstudio.core.run_state import Status
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.session import Session
from hubstudio.gui.theme import apply_theme
from hubstudio.ml.loading import make_engine

README_PICTURE = Path(__file__).resolve().parent.parent / "pictures" / "window.png"
_SECONDS = 300


def main() -> None:
    """Train, walk through the steps, and save a picture of each."""
    arguments = _parse()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HUBSTUDIO_HOME"] = home
        app = QApplication([])
        app.setStyle("Fusion")
        apply_theme(app, "light")
        session = Session(Project(Path(home) / arguments.photos.name), make_engine)
        window = MainWindow(session, "light")
        width, height = map(int, arguments.size.split("x"))
        window.resize(width, height)
        window.show()
        try:
            _train(session, arguments.photos)
            _take(app, session, window, arguments)
        finally:
            session.close()


def _train(session: Session, photos: Path) -> None:
    session.start()
    session.choose_photos(photos)
    _wait(lambda: session.photos_are_checked and session.backbone is not None)
    session.start_training()
    _wait(lambda: session.run_state.status in (Status.FINISHED, Status.FAILED))


def _take(app: QApplication, session: Session, window: MainWindow, arguments: argparse.Namespace) -> None:
    for theme in ("light", "dark"):
        apply_theme(app, theme)
        for step in STEPS:
            window.show_step(step)
            if step == "review":
                _wait(lambda: session.evaluation is not None)
            if step == "classify" and theme == "light":
                session.classify(sorted(arguments.photos.rglob("*.jp*g"))[7::45])
                _wait(lambda: not session.is_busy("classify"))
            _settle(1.5)
            if arguments.out:
                arguments.out.mkdir(parents=True, exist_ok=True)
                window.grab().save(str(arguments.out / f"{step}-{theme}.png"))
            elif (step, theme) == ("train", "light"):
                README_PICTURE.parent.mkdir(exist_ok=True)
                window.grab().save(str(README_PICTURE))


def _wait(is_done: Callable[[], bool]) -> None:
    clock = QElapsedTimer()
    clock.start()
    while not is_done():
        if clock.elapsed() > _SECONDS * 1000:
            raise TimeoutError("the window did not get where it should")
        _settle(0.05)


def _settle(seconds: float) -> None:
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for all pictures")
    parser.add_argument("--size", default="1240x780", help="of the window, in pixels")
    parser.add_argument("--photos", type=Path, default=resources.samples_folder())
    return parser.parse_args()


if __name__ == "__main__":
    main()
