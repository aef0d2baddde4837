from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from activation import activate
from fake_engine import FakeEngine
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QMessageBox,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import ProjectError, StudioError
from hubstudio.core.project import PROJECT_FILE, STEPS, Project, open_project
from hubstudio.core.run_state import Status
from hubstudio.core.settings import load_settings
from hubstudio.gui.application import Studio
from hubstudio.gui.main_window import MainWindow
from hubstudio.gui.photo_folders import holds_class_folders
from hubstudio.gui.session import Session

Opener = Callable[..., MainWindow]


@pytest.fixture
def open_window(qtbot: QtBot, engine: FakeEngine) -> Iterator[Opener]:
    """Open windows as the program does: the session starts after the first paint."""
    opened: list[MainWindow] = []

    def opener(project: Project | None = None) -> MainWindow:
        window = MainWindow(Session(project or Project(Path()), lambda: engine))
        opened.append(window)
        qtbot.addWidget(window)
        window.painted.connect(window.session.start)
        with qtbot.waitSignal(window.painted, timeout=5000):
            window.show()
        return window

    yield opener
    engine.hold.set()
    for window in opened:
        window.close_now()


@pytest.fixture
def window(open_window: Opener) -> MainWindow:
    return open_window()


def choose(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignals([window.session.photos_checked, window.session.backbone_changed], timeout=10_000):
        window.session.choose_photos(photos)
    qtbot.waitUntil(window.step_bar.next.isEnabled, timeout=5000)


def train(window: MainWindow, qtbot: QtBot) -> None:
    window.session.start_training()
    qtbot.waitUntil(lambda: bool(window.session.project.run), timeout=10_000)


def question_of(window: MainWindow, qtbot: QtBot) -> QMessageBox:
    qtbot.waitUntil(lambda: window.findChild(QMessageBox) is not None)
    box = window.findChild(QMessageBox)
    assert box is not None
    return box


def test_the_steps_have_the_names_they_are_known_by(window: MainWindow) -> None:
    names = [button.accessibleName() for button in window.sidebar.buttons.values()]
    assert names == ["Photos", "Backbone", "Train", "Review", "Classify", "Export"]
    assert window.step_bar.back.accessibleName() == "Back"
    assert window.step_bar.next.accessibleName() == "Next"


def test_at_the_start_only_the_shown_page_is_built(window: MainWindow) -> None:
    assert [step for step in STEPS if window.pages.built(step)] == ["photos"]


def test_next_is_disabled_with_its_reason_until_the_step_is_done(
    window: MainWindow, photos: Path, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: window.step_bar.reason.text() == "Choose photos first")
    assert not window.step_bar.next.isEnabled()
    choose(window, photos, qtbot)
    assert window.step_bar.reason.text() == ""


def test_a_step_opens_when_nothing_before_it_is_missing(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    assert not window.sidebar.buttons["backbone"].isEnabled()
    choose(window, photos, qtbot)
    qtbot.waitUntil(window.sidebar.buttons["train"].isEnabled, timeout=5000)
    assert not window.sidebar.buttons["review"].isEnabled()


def test_a_step_left_behind_is_ticked_with_its_summary(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    window.step_bar.next.click()
    assert window.session.project.step == "backbone"
    assert window.sidebar.buttons["photos"].text().startswith("✓")
    assert window.sidebar.summaries["photos"].text() == "30 photos · 3 classes"
    assert window.sidebar.buttons["backbone"].isChecked()


def test_back_loses_nothing(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    window.step_bar.next.click()
    plan = window.session.plan
    window.step_bar.back.click()
    assert window.step == "photos"
    assert window.session.plan == plan
    assert window.step_bar.next.isEnabled()


def test_the_journey_works_from_the_keyboard(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    activate(window, qtbot)
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: window.step == "backbone")
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: window.step == "photos")
    qtbot.waitUntil(window.sidebar.buttons["train"].isEnabled, timeout=5000)
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.step == "train")


def test_after_a_training_all_steps_are_open(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    train(window, qtbot)
    qtbot.waitUntil(window.sidebar.buttons["review"].isEnabled, timeout=5000)


def test_a_project_opens_again_where_it_was(open_window: Opener, photos: Path, qtbot: QtBot) -> None:
    first = open_window()
    choose(first, photos, qtbot)
    train(first, qtbot)
    first.show_step("review")
    first.close_now()
    again = open_window(open_project(first.session.project.folder))
    assert again.step == "review"
    assert again.sidebar.buttons["review"].isChecked()
    qtbot.waitUntil(lambda: again.sidebar.summaries["photos"].text() == "30 photos · 3 classes", timeout=10_000)


def test_another_project_takes_the_place_of_this_one(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    folder = window.session.project.folder
    window.step_bar.next.click()
    window.new_project()
    qtbot.waitUntil(lambda: window.session.project.name == "")
    assert window.step == "photos"
    assert window.step_bar.reason.text() == "Choose photos first"
    window.open_project(folder)
    qtbot.waitUntil(lambda: window.session.project.folder == folder)
    assert window.step == "backbone"
    qtbot.waitUntil(lambda: window.session.photos_are_checked, timeout=10_000)


def test_a_damaged_project_is_explained_and_the_open_one_stays(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / PROJECT_FILE).write_text("step = [")
    window.open_project(tmp_path)
    assert window.banner.isVisible()
    assert "could not be opened" in window.banner.what.said()
    assert window.session.project.folder == Path()


@pytest.fixture
def training(window: MainWindow, photos: Path, engine: FakeEngine, qtbot: QtBot) -> MainWindow:
    """A window with a training that stands after its first epoch."""
    choose(window, photos, qtbot)
    engine.hold.clear()
    window.session.start_training()
    qtbot.waitUntil(lambda: window.session.run_state.saved_epoch == 1)
    return window


def answer(window: MainWindow, qtbot: QtBot, text: str) -> None:
    box = question_of(window, qtbot)
    next(button for button in box.buttons() if button.text() == text).click()


def run_folders(window: MainWindow) -> list[str]:
    return sorted(path.name for path in window.session.project.runs_folder.iterdir())


def test_closing_while_training_asks_and_can_be_refused(training: MainWindow, qtbot: QtBot) -> None:
    training.close()
    box = question_of(training, qtbot)
    assert {button.accessibleName() for button in box.buttons()} == {
        "Keep for later",
        "Stop and keep best",
        "Cancel training",
        "Keep training",
    }
    assert box.defaultButton() is box.escapeButton()
    answer(training, qtbot, "Keep training")
    assert training.isVisible()
    assert training.session.is_training


def test_a_second_wish_to_close_asks_no_second_question(training: MainWindow, qtbot: QtBot) -> None:
    training.close()
    training.close()
    question_of(training, qtbot)
    assert len(training.findChildren(QMessageBox)) == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [("Keep for later", ["run-001.unfinished"]), ("Stop and keep best", ["run-001"]), ("Cancel training", [])],
)
def test_the_answer_decides_what_is_left_and_then_every_thread_ends(
    training: MainWindow, qtbot: QtBot, text: str, left: list[str]
) -> None:
    training.close()
    answer(training, qtbot, text)
    qtbot.waitUntil(lambda: not training.isVisible())
    assert not training.session._engine_lane.isRunning()
    assert not training.session._jobs.reading_lane.isRunning()
    assert run_folders(training) == left


def test_a_training_that_fails_while_it_is_stopped_keeps_the_window_open(
    training: MainWindow, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CancelToken, "stop", lambda token: setattr(engine, "problem", StudioError("Disk is full.")))
    training.close()
    answer(training, qtbot, "Stop and keep best")
    qtbot.waitUntil(lambda: training.session.run_state.status is Status.FAILED)
    QApplication.processEvents()
    assert training.isVisible()


def test_a_window_that_is_closed_from_outside_lays_its_training_aside(training: MainWindow) -> None:
    training.close_now()
    assert run_folders(training) == ["run-001.unfinished"]


def reopened(first: MainWindow, open_window: Opener, engine: FakeEngine, qtbot: QtBot) -> MainWindow:
    """Close a window whose training goes on, and open its project again."""
    first.close_now()
    engine.hold.set()
    again = open_window(open_project(first.session.project.folder))
    qtbot.waitUntil(again.resume_bar.isVisible)
    return again


def test_an_interrupted_training_is_offered_at_the_start_and_goes_on(
    training: MainWindow, open_window: Opener, engine: FakeEngine, qtbot: QtBot
) -> None:
    again = reopened(training, open_window, engine, qtbot)
    assert again.resume_bar.text.said() == "A training was interrupted: the head learning, epoch 1 of 40."
    again.resume_bar.resume.click()
    qtbot.waitUntil(lambda: again.session.project.run == "run-001")
    assert again.step == "train"
    assert not again.resume_bar.isVisible()
    assert [path.name for path in engine.resumed] == ["run-001"]
    assert len(again.session.run_state.history) == 40
    assert run_folders(again) == ["run-001"]


def test_an_offer_also_comes_where_the_window_opens_on_the_runs(
    training: MainWindow, open_window: Opener, engine: FakeEngine, qtbot: QtBot
) -> None:
    training.session.go_to("train")
    again = reopened(training, open_window, engine, qtbot)
    with qtbot.waitSignal(again.session.runs.changed):
        again.session.runs.read()
    assert again.step == "train"
    assert again.resume_bar.isVisible()


def test_an_offer_put_off_does_not_come_again(
    training: MainWindow, open_window: Opener, engine: FakeEngine, qtbot: QtBot
) -> None:
    again = reopened(training, open_window, engine, qtbot)
    again.resume_bar.later.click()
    with qtbot.waitSignal(again.session.runs.changed):
        again.session.runs.read()
    assert not again.resume_bar.isVisible()
    assert [row.name for row in again.session.runs.unfinished] == ["run-001"]


def test_a_discarded_training_can_be_taken_back(
    training: MainWindow, open_window: Opener, engine: FakeEngine, qtbot: QtBot
) -> None:
    again = reopened(training, open_window, engine, qtbot)
    again.resume_bar.discard.click()
    qtbot.waitUntil(again.resume_bar.undo.isVisible)
    assert "run-001 was discarded" in again.resume_bar.text.said()
    again.resume_bar.undo.click()
    qtbot.waitUntil(again.resume_bar.resume.isVisible)
    assert "run-001.unfinished" in run_folders(again)


def test_a_project_without_interrupted_trainings_offers_nothing(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    train(window, qtbot)
    with qtbot.waitSignal(window.session.runs.changed):
        window.session.runs.read()
    assert not window.resume_bar.isVisible()


def test_opening_a_folder_of_photos_begins_a_project_elsewhere_and_leaves_the_folder_unchanged(
    window: MainWindow, photos: Path, qtbot: QtBot
) -> None:
    before = sorted(photos.rglob("*"))
    with qtbot.waitSignal(window.session.photos_checked, timeout=10_000):
        window.open_project(photos)
    assert sorted(photos.rglob("*")) == before
    assert window.session.project.name == "shapes"
    assert window.session.project.folder != photos


def test_opening_a_folder_alone_writes_nothing_into_it(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "empty").mkdir()
    window.open_project(tmp_path / "empty")
    qtbot.waitUntil(lambda: window.session.project.name == "empty")
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("to_do", ["begin a new project", "open the other project"])
def test_the_question_says_what_follows_and_that_follows_once_the_training_was_laid_aside(
    to_do: str, training: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = training.session.project.folder
    training.new_project() if to_do == "begin a new project" else training.open_project(tmp_path / "other")
    assert question_of(training, qtbot).text() == (f"Training is running. What shall become of it before you {to_do}?")
    answer(training, qtbot, "Keep for later")
    qtbot.waitUntil(lambda: training.session.project.folder != folder)
    assert (folder / "runs" / "run-001.unfinished" / "plan.toml").exists()
    assert not training.session.is_training


def test_a_project_that_cannot_be_saved_is_told_in_the_window(window: MainWindow) -> None:
    window.session.failed.emit("save", ProjectError("The project could not be saved.", next_step="Free the disk."))
    assert window.banner.isVisible()
    assert window.banner.rest.said() == "Free the disk."
    window.banner.dismiss.click()
    assert not window.banner.isVisible()


def test_a_chosen_theme_is_remembered(window: MainWindow) -> None:
    window.menu.theme_chosen.emit("dark")
    assert load_settings().theme == "dark"
    window.menu.theme_chosen.emit("system")


def test_every_control_has_a_name(window: MainWindow, photos: Path, qtbot: QtBot) -> None:
    choose(window, photos, qtbot)
    for step in ("photos", "backbone", "train"):
        page = window.pages.page(step)
        kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QLineEdit)
        controls = [control for kind in kinds for control in page.findChildren(kind)]
        nameless = [
            control
            for control in controls
            if not control.objectName().startswith("qt_")
            and control.parent().metaObject().className() not in ("QSpinBox", "QWidget", "ScrollColumn")
            and not (control.accessibleName() and control.objectName())
        ]
        assert nameless == []


def test_a_new_window_fits_on_a_small_screen_with_its_frame(
    open_window: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for screen, size in (((1920, 1040), (1240, 780)), ((1366, 728), (1240, 680)), ((1024, 728), (1008, 680))):
        free = SimpleNamespace(availableSize=lambda screen=screen: QSize(*screen))  # less the bar of the desktop
        monkeypatch.setattr(MainWindow, "screen", lambda _, free=free: free)
        assert open_window().size() == QSize(*size)


def test_the_smallest_window_holds_the_page_without_cutting_the_buttons(
    window: MainWindow, photos: Path, qtbot: QtBot
) -> None:
    choose(window, photos, qtbot)
    window.resize(860, 560)
    qtbot.waitUntil(lambda: window.width() == 860)
    right = window.step_bar.next.mapTo(window, window.step_bar.next.rect().bottomRight())
    assert right.x() < 860
    assert right.y() < 560


def test_the_program_opens_a_folder_of_class_folders_as_a_new_project(
    photos: Path, engine: FakeEngine, qtbot: QtBot, qapp: object
) -> None:
    assert holds_class_folders(photos)
    studio = Studio(qapp, photos, lambda: engine)  # type: ignore[arg-type]
    with qtbot.waitSignal(studio.session.photos_checked, timeout=10_000):
        studio.window.show()
    assert studio.session.project.name == "shapes"
    studio.close()
    assert not studio.session._engine_lane.isRunning()


def test_the_program_starts_empty_on_a_damaged_project_and_says_so(
    tmp_path: Path, engine: FakeEngine, qtbot: QtBot, qapp: object
) -> None:
    (tmp_path / PROJECT_FILE).write_text("step = [")
    studio = Studio(qapp, tmp_path, lambda: engine)  # type: ignore[arg-type]
    with qtbot.waitSignal(studio.session.engine_ready, timeout=10_000):
        studio.window.show()
    assert studio.window.banner.isVisible()
    assert studio.session.project.folder == Path()
    studio.close()


def test_a_crash_shows_a_report_that_can_be_copied(engine: FakeEngine, qtbot: QtBot, qapp: object) -> None:
    studio = Studio(qapp, None, lambda: engine)  # type: ignore[arg-type]
    studio.window.show()
    studio.session.crashed.emit("Traceback: ZeroDivisionError")
    dialog = studio.window.findChild(QPushButton, "copy_report")
    assert dialog is not None
    dialog.click()
    assert "ZeroDivisionError" in qapp.clipboard().text()  # type: ignore[attr-defined]
    studio.close()


HANGS_WHEN_ASKED_TO_END = """
import os, signal, threading
from hubstudio.gui.application import run
from hubstudio.gui.session import Session

def make_engine():
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()

Session.patience = 0.1
run(None, make_engine)
"""


def test_the_program_ends_though_some_work_does_not() -> None:
    command = [sys.executable, "-c", HANGS_WHEN_ASKED_TO_END]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert "Some work did not end in time" in done.stderr
