from __future__ import annotations

import time
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from PySide6.QtWidgets import QDialogButtonBox, QInputDialog, QMessageBox, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import Speed
from hubstudio.core.errors import StudioError
from hubstudio.core.events import (
    BatchDone,
    EpochDone,
    Phase,
    PhaseEnd,
    PhaseEnded,
    PhaseStarted,
    RunFinished,
    RunStarted,
    TrainingEvent,
)
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.run_state import RunState, Status, advance
from hubstudio.core.unfinished_runs import find_unfinished
from hubstudio.gui.pages.train_page import TrainPage
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.training_desk import Wish
from hubstudio.gui.training_questions import ask_for_epochs
from hubstudio.gui.widgets import run_card
from hubstudio.gui.widgets.run_card import RunCard
from hubstudio.gui.wording import ending_text, result_text


@pytest.fixture
def training(session_with_photos: Session, engine: FakeEngine, qtbot: QtBot) -> Session:
    """A session whose training stands after its first epoch."""
    engine.hold.clear()
    session_with_photos.start_training()
    qtbot.waitUntil(lambda: session_with_photos.run_state.saved_epoch == 1)
    return session_with_photos


@pytest.fixture
def page(session_with_photos: Session, thumbnails: Thumbnails, qtbot: QtBot) -> TrainPage:
    page = TrainPage(session_with_photos, thumbnails)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.entered()
    return page


def ended(session: Session, qtbot: QtBot) -> RunState:
    qtbot.waitUntil(lambda: not session.is_training)
    return session.run_state


def test_a_pause_shows_at_once_and_is_true_soon(training: Session, engine: FakeEngine, qtbot: QtBot) -> None:
    training.training.pause()
    assert training.run_state.status is Status.PAUSED
    assert training.is_training
    qtbot.waitUntil(engine.standing.is_set)
    engine.hold.set()
    assert len(training.run_state.history) == 1
    training.training.go_on()
    assert training.run_state.status is Status.RUNNING
    assert ended(training, qtbot).status is Status.FINISHED


def test_a_paused_training_can_be_stopped_and_keeps_its_best(training: Session, qtbot: QtBot) -> None:
    training.training.pause()
    training.training.stop()
    assert training.run_state.status is Status.STOPPING
    state = ended(training, qtbot)
    assert (state.status, state.stopped_early) == (Status.FINISHED, True)


def test_a_training_that_is_stopping_is_not_paused(training: Session, qtbot: QtBot) -> None:
    training.training.stop()
    training.training.pause()
    assert training.run_state.status is not Status.PAUSED
    assert ended(training, qtbot).status is Status.FINISHED


def test_a_training_laid_aside_is_found_and_goes_on_to_the_same_end(
    training: Session, engine: FakeEngine, qtbot: QtBot
) -> None:
    training.training.suspend()
    assert ended(training, qtbot).status is Status.SUSPENDED
    assert training.project.run == ""
    qtbot.waitUntil(lambda: bool(training.runs.unfinished))
    row = training.runs.unfinished[0]
    assert (row.name, row.progress) == ("run-001", "the head learning, epoch 1 of 40")
    engine.hold.set()
    training.runs.resume("run-001")
    assert training.training.plan == row.plan
    state = ended(training, qtbot)
    assert [epoch.epoch for epoch in state.history] == list(range(1, 41))
    qtbot.waitUntil(lambda: training.project.run == "run-001" and not training.runs.unfinished)


def test_a_cancelled_training_leaves_nothing_also_if_the_window_closes_then(training: Session, qtbot: QtBot) -> None:
    training.training.cancel()
    training.training.suspend()
    assert training.training.wish is Wish.CANCEL
    assert ended(training, qtbot).status is Status.CANCELLED
    assert list(training.project.runs_folder.iterdir()) == []


def test_a_training_that_fails_can_be_gone_on_with(training: Session, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.problem = StudioError("The disk is full.", next_step="Make room, then resume.")
    assert ended(training, qtbot).status is Status.FAILED
    qtbot.waitUntil(lambda: [row.name for row in training.runs.unfinished] == ["run-001"])
    engine.hold.set()
    training.runs.resume("run-001")
    assert ended(training, qtbot).status is Status.FINISHED


def test_a_run_is_continued_into_a_new_one(trained_session: Session, engine: FakeEngine, qtbot: QtBot) -> None:
    session = trained_session
    qtbot.waitUntil(lambda: session.runs.find("run-001") is not None)
    session.runs.continue_run("run-001", 5)
    qtbot.waitUntil(lambda: session.project.run == "run-002")
    assert [(run.name, epochs) for run, epochs in engine.continued] == [("run-001", 5)]
    assert len(session.run_state.history) == 45
    assert len(RunFolder(session.project.runs_folder / "run-001").history()) == 40


def test_a_second_training_does_not_begin_beside_the_first(training: Session) -> None:
    before = training.run_state
    training.start_training()
    training.runs.resume("run-001")
    assert training.run_state is before


def test_the_training_that_goes_on_is_not_offered_to_be_gone_on_with(training: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(training.runs.changed):
        training.runs.read()
    assert training.runs.unfinished == ()
    assert find_unfinished(training.project.runs_folder) == []


def test_the_card_pauses_and_resumes(page: TrainPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.hold.clear()
    page.start.click()
    qtbot.waitUntil(lambda: page.session.run_state.epoch == 1)
    card = page.run_card
    card.pause.click()
    assert card.status.said() == "Paused in epoch 1 of 40"
    assert (card.pause.text(), card.pause.accessibleName()) == ("Resume", "Resume training")
    assert card.time_left.text() == ""
    assert page.summary() == "Paused, epoch 1 of 40"
    card.pause.click()
    assert card.pause.text() == "Pause"
    page.session.training.suspend()
    assert "Laying the training aside" in card.status.said()
    assert not card.pause.isEnabled()


def state_after(*events: TrainingEvent) -> RunState:
    state = RunState(status=Status.PREPARING)
    for event in events:
        state = advance(state, event)
    return state


STARTED = RunStarted(Path("run-001"), "studio-mini", Mode.FINE_TUNE, ("a", "b"), {})


def test_the_phases_are_named_and_the_present_one_is_marked(qtbot: QtBot) -> None:
    card = RunCard()
    qtbot.addWidget(card)
    plan = Plan("photos").with_mode(Mode.FINE_TUNE)
    card.show_state(state_after(STARTED, PhaseStarted(Phase.FINE_TUNE, 10, 1.0)), plan)
    labels = [label for label in card.phases.labels.values() if not label.isHidden()]
    assert [label.text() for label in labels] == ["✓ Features", "✓ Head", "Fine-tuning", "Saving"]
    assert [label.property("role") for label in labels] == ["muted", "muted", "now", "muted"]
    assert card.phases.accessibleName() == "Phase 3 of 4: Fine-tuning"
    card.show_state(state_after(STARTED, PhaseStarted(Phase.HEAD, 10, 1.0)), plan.with_mode(Mode.EXTRACT))
    assert card.phases.labels[Phase.FINE_TUNE].isHidden()
    assert card.phases.accessibleName() == "Phase 2 of 3: Head"


def test_memory_is_looked_at_only_while_a_training_is_seen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_card, "memory_in_use", lambda: 1_234_000_000)
    card = RunCard()
    qtbot.addWidget(card)
    card.show()
    assert not card._looks.isActive()
    card.show_state(state_after(STARTED), None)
    assert card._looks.isActive()
    assert card.memory.text() == "1.2 GB of memory"
    card.hide()
    assert not card._looks.isActive()
    card.show()
    assert card._looks.isActive()
    card.show_state(RunState(status=Status.CANCELLED), None)
    assert not card._looks.isActive()


def epoch(phase: Phase, number: int, accuracy: float, *, is_best: bool = True) -> EpochDone:
    return EpochDone(phase, number, 10, 0.5, 0.9, 0.5, accuracy, 0.001, is_best, float(number))


def test_the_end_says_which_phase_won_and_why_it_ended() -> None:
    state = state_after(
        STARTED,
        PhaseStarted(Phase.HEAD, 10, 0.0),
        epoch(Phase.HEAD, 1, 0.92),
        PhaseStarted(Phase.FINE_TUNE, 10, 1.0),
        BatchDone(Phase.FINE_TUNE, 1, 1, 1, 0.5, 1.0),
        epoch(Phase.FINE_TUNE, 1, 0.95),
        epoch(Phase.FINE_TUNE, 2, 0.94, is_best=False),
        PhaseEnded(Phase.FINE_TUNE, PhaseEnd.NO_BETTER, 1, 3.0),
        RunFinished(Path("run-001"), Phase.FINE_TUNE, 1, 0.95, stopped_early=False, elapsed=4.0),
    )
    assert ending_text(state) == (
        "Fine-tuning won: 95.0 % on validation against 92.0 % of the head alone. "
        "Validation stopped improving at epoch 1; keeping that one."
    )


@pytest.mark.parametrize(
    ("moved", "text"),
    [
        (0.9, "The head alone won: 92.0 % on validation against 90.0 % of fine-tuning."),
        (0.92, "Both phases came to 92.0 % on validation; the head alone is kept, whose loss is lower."),
    ],
)
def test_the_end_says_how_the_head_alone_did_beside_fine_tuning(moved: float, text: str) -> None:
    state = state_after(
        STARTED,
        PhaseStarted(Phase.HEAD, 10, 0.0),
        epoch(Phase.HEAD, 1, 0.92),
        PhaseStarted(Phase.FINE_TUNE, 10, 1.0),
        epoch(Phase.FINE_TUNE, 1, moved, is_best=False),
        RunFinished(Path("run-001"), Phase.HEAD, 0, 0.92, stopped_early=False, elapsed=4.0),
    )
    assert ending_text(state).startswith(text)


@pytest.mark.parametrize(
    ("mode", "phase", "best", "stopped", "text"),
    [
        (Mode.EXTRACT, "head", 12, False, "Kept: epoch 12 of the head."),
        (Mode.FINE_TUNE, "fine-tune", 3, True, "Kept: epoch 3 of fine-tuning. It was stopped early."),
        (Mode.FINE_TUNE, "head", 0, False, "Fine-tuning did no better than the head alone, whose weights were kept."),
    ],
)
def test_an_older_run_says_what_it_kept(mode: Mode, phase: str, best: int, stopped: bool, text: str) -> None:
    assert result_text(Plan("photos").with_mode(mode), phase, best, stopped_early=stopped) == text


def question_of(widget: QWidget, qtbot: QtBot) -> QMessageBox:
    qtbot.waitUntil(lambda: widget.findChild(QMessageBox, "memory_question") is not None)
    box = widget.findChild(QMessageBox, "memory_question")
    assert isinstance(box, QMessageBox)
    return box


def press(box: QMessageBox, text: str) -> None:
    next(button for button in box.buttons() if button.text() == text).click()


def test_a_training_that_is_too_big_asks_before_it_starts(
    page: TrainPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubstudio.gui.pages.train_page.available_memory", lambda: 100_000_000)
    qtbot.waitUntil(lambda: page.session.speeds.cost() is not None)
    page.start.click()
    box = question_of(page, qtbot)
    assert "100 MB are free" in box.informativeText()
    assert box.defaultButton().text() == "Change the plan"
    press(box, "Change the plan")
    assert page.session.run_state.status is Status.IDLE
    qtbot.waitUntil(lambda: page.findChild(QMessageBox, "memory_question") is None)
    page.start.click()
    press(question_of(page, qtbot), "Train anyway")
    assert ended(page.session, qtbot).status is Status.FINISHED


@pytest.mark.parametrize(("fails", "advice"), [(False, "Wait until time and memory are shown"), (True, "Close other")])
def test_a_training_that_looks_too_big_asks_before_its_backbone_was_measured(
    page: TrainPage,
    engine: FakeEngine,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    fails: bool,
    advice: str,
) -> None:
    def measure(plan: Plan, cancel: CancelToken) -> Speed:
        while not fails:
            cancel.check()
            time.sleep(0.01)
        raise StudioError("It cannot be measured.")

    monkeypatch.setattr(engine, "measure", measure)
    monkeypatch.setattr("hubstudio.gui.pages.train_page.available_memory", lambda: 100_000_000)
    session = page.session
    plan = session.plan
    assert plan is not None
    qtbot.waitUntil(lambda: session.speeds.is_settled(plan) if fails else session.speeds.is_measuring)
    assert session.speeds.cost() is None
    page.start.click()
    box = question_of(page, qtbot)
    assert "100 MB are free. This is a guess" in box.informativeText()
    assert advice in box.informativeText()
    press(box, "Change the plan")
    assert session.run_state.status is Status.IDLE
    monkeypatch.setattr("hubstudio.gui.pages.train_page.available_memory", lambda: 100_000_000_000)
    page.start.click()
    assert ended(session, qtbot).status is Status.FINISHED


def test_a_training_that_fits_starts_without_a_question(page: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.session.speeds.cost() is not None)
    page.start.click()
    assert page.session.is_training
    assert page.findChild(QMessageBox) is None
    assert ended(page.session, qtbot).status is Status.FINISHED


def test_more_epochs_are_asked_for_by_name(qtbot: QtBot) -> None:
    parent, wanted = QWidget(), list[int]()
    qtbot.addWidget(parent)
    dialog: QInputDialog = ask_for_epochs(parent, "run-003", 12, wanted.append)
    field = dialog.findChild(QSpinBox, "more_epochs")
    assert isinstance(field, QSpinBox)
    assert (field.accessibleName(), field.value(), field.minimum()) == ("More epochs", 12, 1)
    field.setValue(7)
    buttons = dialog.findChild(QDialogButtonBox)
    assert isinstance(buttons, QDialogButtonBox)
    buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert wanted == [7]
