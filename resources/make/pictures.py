"""Screenshots of the real window on the sample photos, one for each step, light and dark.

    python resources/make/pictures.py [--out DIR] [--size 1240x900] [--photos DIR]

Without ``--out`` it renews the picture in the README: a fine-tuning that goes on, beside the runs before it. It trains
for real, in a project that is thrown away, and needs no screen: Qt draws into memory.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QElapsedTimer, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from hubstudio.core import resources
from hubstudio.core.augmentation import PRESETS
from hubstudio.core.events import Phase
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.project import STEPS, Project
from hubstudio.core.run_state import Status
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.session import Session
from hubstudio.gui.theme import apply_theme
from hubstudio.ml.loading import make_engine

README_PICTURE = Path(__file__).resolve().parent.parent / "pictures" / "window.png"
_SECONDS = 300
_EPOCHS, _PICTURED_EPOCH = 12, 8
_DONE = (Status.FINISHED, Status.FAILED)


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
            _choose(session, arguments.photos)
            _train(session)
            _fine_tune(session, window, arguments.out)
            if arguments.out:
                _take(app, session, window, arguments)
        finally:
            session.close()


def _choose(session: Session, photos: Path) -> None:
    session.start()
    session.choose_photos(photos)
    _wait(lambda: session.photos_are_checked and session.backbone is not None)


def _train(session: Session) -> None:
    """Make two runs to compare with."""
    for name in ("none", "photos"):
        session.change_plan(replace(_plan(session), augmentation=PRESETS[name]))
        session.start_training()
        _wait(lambda: session.run_state.status in _DONE)


def _fine_tune(session: Session, window: MainWindow, out: Path | None) -> None:
    """Take the README's picture, or one of the same for ``out``, while the last blocks learn."""
    plan = replace(_plan(session), augmentation=PRESETS["none"]).with_mode(Mode.FINE_TUNE)
    session.change_plan(replace(plan, epochs=_EPOCHS, patience=_EPOCHS))
    window.show_step("train")
    _wait(lambda: not session.is_busy("read runs"))
    session.start_training()
    _wait(lambda: _is_pictured(session) or session.run_state.status in _DONE)
    picture = out / "train-running-light.png" if out else README_PICTURE
    picture.parent.mkdir(parents=True, exist_ok=True)
    window.grab().save(str(picture))
    _wait(lambda: session.run_state.status in _DONE)


def _is_pictured(session: Session) -> bool:
    state = session.run_state
    return state.phase is Phase.FINE_TUNE and state.epoch >= _PICTURED_EPOCH


def _plan(session: Session) -> Plan:
    assert session.plan
    return session.plan


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
            arguments.out.mkdir(parents=True, exist_ok=True)
            window.grab().save(str(arguments.out / f"{step}-{theme}.png"))


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
    parser.add_argument("--size", default="1240x900", help="of the window, in pixels")
    parser.add_argument("--photos", type=Path, default=resources.samples_folder())
    return parser.parse_args()


if __name__ == "__main__":
    main()
