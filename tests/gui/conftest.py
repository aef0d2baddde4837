"""What the tests of the window share: no screen, an own home, photos, and a session with a fake engine."""

from __future__ import annotations

import os
from pathlib import Path

# On a screen of a common size; Qt's own is 800 × 800. It splits at colons, as after a drive's letter.
os.environ["QT_QPA_PLATFORM"] = (
    "offscreen" if ":" in __file__ else f"offscreen:configfile={Path(__file__).with_name('screen.json')}"
)

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_engine import FakeEngine
from photo_folders import COLOURS, make_photos
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hubstudio.core.project import Project
from hubstudio.gui import photo_folders as gui_photo_folders
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from leftover_windows import free_leftover_windows

PATIENCE = 20_000  # milliseconds


@pytest.fixture(autouse=True)
def garbage_of_others() -> None:
    """Qt objects of earlier tests go here, in the thread they belong to, not in whichever worker collects first."""
    free_leftover_windows()


class PatientBot(QtBot):
    """Waits longer than the five seconds that a busy computer may need for anything."""

    def waitUntil(self, callback: Callable[[], object], *, timeout: int = PATIENCE) -> None:  # noqa: N802
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: object, *, timeout: int = PATIENCE, **options: Any) -> Any:  # noqa: N802
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitSignals(self, signals: object, *, timeout: int = PATIENCE, **options: Any) -> Any:  # noqa: N802
        return super().waitSignals(signals, timeout=timeout, **options)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    del qapp
    return PatientBot(request)


@pytest.fixture(autouse=True)
def time_for_a_glance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy computer shall not make a glance at folders shorter."""
    monkeypatch.setattr(gui_photo_folders, "_SECONDS", 10)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("HUBSTUDIO_HOME", str(folder))
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_photos(tmp_path / "shapes", dict.fromkeys(COLOURS, 10))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def session(qtbot: QtBot, engine: FakeEngine) -> Iterator[Session]:
    """A session on nothing: choose photos first."""
    del qtbot
    session = Session(Project(Path()), lambda: engine)
    yield session
    engine.hold.set()
    session.close()


@pytest.fixture
def session_with_photos(session: Session, photos: Path, qtbot: QtBot) -> Session:
    """A session whose photos are read and checked and whose backbone is known."""
    with qtbot.waitSignals([session.photos_checked, session.backbone_changed], timeout=10_000):
        session.choose_photos(photos)
    return session


@pytest.fixture
def trained_session(session_with_photos: Session, qtbot: QtBot) -> Session:
    """A session with one finished run."""
    session = session_with_photos
    session.start_training()
    qtbot.waitUntil(lambda: bool(session.project.run), timeout=10_000)
    return session


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    del qtbot
    thumbnails = Thumbnails()
    yield thumbnails
    assert thumbnails.close(10)
