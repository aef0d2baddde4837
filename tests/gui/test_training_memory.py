"""Resuming and continuing ask, as beginning does, before more memory is taken than is free."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from hubstudio.core.cost import Cost
from hubstudio.core.run_state import Status
from hubstudio.core.unfinished_runs import UnfinishedRun
from hubstudio.gui import training_desk
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.session import Session

GB = 1_000_000_000
LARGE = Cost(60.0, 12 * GB, 1_000_000, {"loading": 1.0, "fine-tune": 59.0})


@pytest.fixture(autouse=True)
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with 4 GB to give."""
    monkeypatch.setattr(training_desk, "available_memory", lambda: 4 * GB)


@pytest.fixture
def window(trained_session: Session, qtbot: QtBot) -> Iterator[MainWindow]:
    """A window on a project with a finished run."""
    window = MainWindow(trained_session)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: trained_session.runs.find("run-001") is not None)
    yield window
    window.close_now()


@pytest.fixture
def interrupted(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> MainWindow:
    """The same with an interrupted training, ``run-002``."""
    session = window.session
    engine.hold.clear()
    session.start_training()
    qtbot.waitUntil(lambda: session.run_state.saved_epoch == 1)
    session.training.suspend()
    qtbot.waitUntil(lambda: session.runs.find_unfinished("run-002") is not None)
    engine.hold.set()
    return window


def asked(window: MainWindow, qtbot: QtBot) -> QMessageBox:
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "memory_question") is not None)
    box = window.findChild(QMessageBox, "memory_question")
    assert isinstance(box, QMessageBox)
    return box


def press(box: QMessageBox, text: str) -> None:
    next(button for button in box.buttons() if button.text() == text).click()


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}


def test_a_resumed_training_that_may_not_fit_asks_and_stays_as_it_was(
    interrupted: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    session = interrupted.session
    engine.predicted = LARGE
    folder = UnfinishedRun.open(session.project.runs_folder / "run-002").folder
    before, state = content(folder), session.run_state
    session.runs.resume("run-002")
    box = asked(interrupted, qtbot)
    assert "12 GB of memory; 4.0 GB are free" in box.informativeText()
    assert "train anew with a smaller batch size" in box.informativeText()
    assert box.defaultButton().text() == "Not now"
    assert session.run_state == state
    press(box, "Not now")
    assert (session.is_training, content(folder)) == (False, before)
    qtbot.waitUntil(lambda: session.runs.find_unfinished("run-002") is not None)


def test_whoever_says_so_resumes_all_the_same(interrupted: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    session = interrupted.session
    engine.predicted = LARGE
    session.runs.resume("run-002")
    press(asked(interrupted, qtbot), "Go on anyway")
    assert session.is_training
    qtbot.waitUntil(lambda: session.project.run == "run-002")
    assert [epoch.epoch for epoch in session.run_state.history] == list(range(1, 41))


def test_more_epochs_that_may_not_fit_are_asked_about_and_leave_nothing(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    session = window.session
    engine.predicted = LARGE
    session.runs.continue_run("run-001", 3)
    press(asked(window, qtbot), "Not now")
    assert session.run_state.status is Status.FINISHED  # of the training before
    assert [path.name for path in session.project.runs_folder.iterdir()] == ["run-001"]
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "memory_question") is None)
    session.runs.continue_run("run-001", 3)
    press(asked(window, qtbot), "Go on anyway")
    qtbot.waitUntil(lambda: session.project.run == "run-002")
    assert len(session.run_state.history) == 43


@pytest.mark.parametrize("cost", [None, Cost(60.0, 3 * GB, 0)])
def test_what_fits_or_is_not_known_goes_on_without_a_question(
    interrupted: MainWindow, engine: FakeEngine, qtbot: QtBot, cost: Cost | None
) -> None:
    session = interrupted.session
    engine.predicted = cost
    with qtbot.assertNotEmitted(session.training.found_too_large):
        session.runs.resume("run-002")
        qtbot.waitUntil(lambda: session.project.run == "run-002")


def test_a_training_that_is_being_laid_aside_is_not_asked_about(
    interrupted: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    session = interrupted.session
    engine.predicted = LARGE
    engine.hold.clear()
    with qtbot.assertNotEmitted(session.training.found_too_large):
        session.runs.resume("run-002")
        session.training.suspend()
        qtbot.waitUntil(lambda: not session.is_training)
    assert interrupted.findChild(QMessageBox, "memory_question") is None
