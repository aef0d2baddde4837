from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from activation import activate
from drawn_curves import history
from fake_engine import FakeEngine
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.core.augmentation import PRESETS
from hubstudio.core.cost import Cost
from hubstudio.core.errors import StudioError
from hubstudio.core.events import BatchDone, FeaturesDone, Note, Phase, PhaseStarted, RunStarted, TrainingEvent
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.plan import ClassWeights, Mode, Optimizer
from hubstudio.core.plan_choices import PLAN_CHOICES
from hubstudio.core.run_state import RunState, advance
from hubstudio.gui.learning_curves import LearningCurves
from hubstudio.gui.pages.train_page import TrainPage
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.number_field import FineField, WholeField
from hubstudio.gui.widgets.plan_field import ChoiceField
from hubstudio.gui.wording import duration_text, run_detail, time_left_text

Show = Callable[[Session], TrainPage]


@pytest.fixture
def show(thumbnails: Thumbnails, qtbot: QtBot) -> Show:
    """Show a session's page, as the window does."""

    def shown(session: Session) -> TrainPage:
        page = TrainPage(session, thumbnails)
        qtbot.addWidget(page)
        page.resize(900, 700)
        page.show()
        page.entered()
        qtbot.waitUntil(lambda: page.charts is not None)
        return page

    return shown


@pytest.fixture
def page(session_with_photos: Session, show: Show) -> TrainPage:
    return show(session_with_photos)


def train(page: TrainPage, qtbot: QtBot) -> None:
    runs = len(page.session.project.runs())
    page.start.click()
    qtbot.waitUntil(lambda: len(page.session.project.runs()) > runs and not page.session.is_busy("train"))


def feed(page: TrainPage, *events: TrainingEvent) -> None:
    """Tell the page of events as the session would."""
    for event in events:
        page.session.training._set_state(advance(page.session.run_state, event))


RUNNING = (
    RunStarted(Path("run-009"), "studio-mini", Mode.FINE_TUNE, ("a", "b"), {}),
    PhaseStarted(Phase.FEATURES, 0, 1.0),
)


def test_it_says_what_will_happen(page: TrainPage) -> None:
    assert page.plan_card.title.text() == "Extract features · Studio Mini"
    assert page.plan_card.line.said() == "30 photos, 3 classes · 40 epochs"
    assert "stays as it is" in page.plan_card.explained.said()


def test_without_photos_start_waits_and_says_why(session: Session, show: Show) -> None:
    page = show(session)
    assert not page.start.isEnabled()
    assert page.plan_card.reason.said() == "Choose photos first."
    assert page.missing() == "Train once first"


def test_the_fields_follow_the_table(page: TrainPage) -> None:
    for row in HYPER_PARAMETERS:
        field = page.form.fields[row.name]
        assert isinstance(field, WholeField | FineField)
        assert (field.minimum(), field.maximum()) == pytest.approx((row.minimum, row.maximum))
        assert field.accessibleName() == row.label
        assert field.value() == pytest.approx(getattr(page.session.plan, row.name))


def test_each_setting_says_what_it_does_and_why_its_default_is_what_it_is(page: TrainPage) -> None:
    for row in (*HYPER_PARAMETERS, *PLAN_CHOICES):
        field = page.form.rows[row.name]
        for told in (field.line.said(), field.editor.accessibleDescription(), unescape(field.editor.toolTip())):
            assert row.help in told
            assert row.reason in told
    assert "Default 32: " in page.form.rows["batch_size"].line.said()
    assert "Default Adam: " in page.form.rows["optimizer"].line.said()


def test_zero_is_shown_as_what_it_stands_for_and_can_be_typed(page: TrainPage, qtbot: QtBot) -> None:
    for name, typed in (("patience", "3"), ("label_smoothing", "0.1")):
        field = page.form.fields[name]
        assert isinstance(field, WholeField | FineField)
        field.setValue(0)
        assert field.text() == "off"
        for text, value in ((typed, float(typed)), ("0", 0), (typed, float(typed)), ("off", 0)):
            field.selectAll()
            qtbot.keyClicks(field, text)
            field.interpretText()
            assert field.value() == pytest.approx(value)
        assert field.text() == "off"


def test_reset_brings_the_defaults_back_but_not_another_seed(page: TrainPage) -> None:
    page.form.advanced.click()
    assert page.session.plan
    before = page.session.plan
    page.session.change_plan(
        replace(before, epochs=3, dropout=0.7, optimizer=Optimizer.SGD, class_weights=ClassWeights.OFF, seed=9)
    )
    assert page.form.reset.isEnabled()
    page.form.reset.click()
    page.hide()
    assert page.session.plan == replace(before, seed=9)
    assert not page.form.reset.isEnabled()


def test_the_optimizer_is_a_choice(page: TrainPage) -> None:
    field = page.form.fields["optimizer"]
    assert isinstance(field, ChoiceField)
    field.setCurrentText("SGD")
    page.hide()
    assert page.session.plan
    assert page.session.plan.optimizer is Optimizer.SGD


def test_augmentation_is_part_of_the_plan_and_outlasts_a_changed_number(page: TrainPage) -> None:
    page.augmentation.augmentation_changed.emit(PRESETS["photos"])
    page.form.rows["epochs"].editor.setValue(3)  # type: ignore[union-attr]
    page.hide()
    assert page.session.plan
    assert page.session.plan.augmentation == PRESETS["photos"]
    assert page.session.plan.epochs == 3


def test_the_plan_says_that_photos_are_varied_and_is_named_by_what_it_does(page: TrainPage) -> None:
    assert "augmentation" not in page.plan_card.line.said()
    page.augmentation.augmentation_changed.emit(PRESETS["photos"])
    assert page.plan_card.line.said().endswith(" · augmentation: photos")
    page.augmentation.augmentation_changed.emit(replace(PRESETS["photos"], rotation=1))
    assert page.plan_card.line.said().endswith(" · augmentation: own values")
    assert page.plan_card.accessibleName() == page.plan_card.title.text()


def test_only_epochs_is_shown_until_advanced_is_opened(page: TrainPage) -> None:
    assert page.form.fields["epochs"].isVisible()
    assert not page.form.fields["seed"].isVisible()
    page.form.advanced.click()
    assert page.form.fields["seed"].isVisible()
    assert not page.form.fields["head_epochs"].isVisible()


def test_fine_tuning_has_more_fields(page: TrainPage) -> None:
    plan = page.session.plan
    assert plan
    page.form.advanced.click()
    page.session.change_plan(plan.with_mode(Mode.FINE_TUNE))
    assert page.form.fields["head_epochs"].isVisible()
    for row in HYPER_PARAMETERS:
        assert page.form.fields[row.name].isVisible()
    page.session.change_plan(plan.with_mode(Mode.EXTRACT))
    assert [row.name for row in HYPER_PARAMETERS if not page.form.fields[row.name].isVisible()] == [
        row.name for row in HYPER_PARAMETERS if row.fine_tune_only
    ]
    page.session.change_plan(plan.with_mode(Mode.FINE_TUNE))
    assert page.plan_card.line.said().endswith("40 epochs of the head, then 10 epochs of the last 4 blocks")


def test_a_changed_number_is_described_at_once_and_saved_before_training(page: TrainPage, qtbot: QtBot) -> None:
    page.form.fields["epochs"].setValue(3)
    assert page.plan_card.line.said().endswith("3 epochs")
    train(page, qtbot)
    assert page.session.project.runs()[0].plan().epochs == 3


def test_a_number_typed_and_not_confirmed_counts(page: TrainPage, qtbot: QtBot) -> None:
    field = page.form.fields["epochs"]
    field.selectAll()
    qtbot.keyClicks(field, "7")
    train(page, qtbot)
    assert page.session.project.runs()[0].plan().epochs == 7


def test_a_changed_number_is_saved_when_the_page_is_left(page: TrainPage) -> None:
    page.form.fields["batch_size"].setValue(8)
    page.hide()
    assert page.session.plan
    assert page.session.plan.batch_size == 8


def test_showing_a_plan_changes_nothing_in_it(page: TrainPage) -> None:
    before = page.session.plan
    page.entered()
    page.hide()
    assert page.session.plan == before


@pytest.mark.parametrize(
    ("typed", "value"), [("1e-4", 1e-4), ("0.0003", 3e-4), ("0,01", 0.01), ("2.5e-7", 2.5e-7), ("0", 0.0)]
)
def test_small_numbers_are_typed_as_people_write_them(qtbot: QtBot, typed: str, value: float) -> None:
    field = FineField()
    qtbot.addWidget(field)
    field.setRange(0, 10)
    field.setKeyboardTracking(False)
    field.selectAll()
    qtbot.keyClicks(field, typed)
    field.interpretText()
    assert field.value() == pytest.approx(value)
    assert float(field.text()) == pytest.approx(value)


def test_a_training_ends_with_its_best_epoch_and_start_is_there_again(page: TrainPage, qtbot: QtBot) -> None:
    train(page, qtbot)
    assert page.run_card.status.said().startswith("Training finished (best kept: epoch 40,")
    assert page.start.isVisible()
    assert page.start.isEnabled()
    assert not page.run_card.stop.isVisible()
    assert page.missing() == ""
    assert page.summary().endswith("on validation")


def test_prediction_and_truth_of_a_finished_training_are_told_by_the_same_clock(
    page: TrainPage, qtbot: QtBot, engine: FakeEngine
) -> None:
    engine.predicted = Cost(40.0, 700_000_000, 5_000_000)
    train(page, qtbot)
    qtbot.waitUntil(lambda: "Predicted " in page.run_card.sentence.said())
    assert page.session.run_state.elapsed == 42  # reading the photos included, which nobody can predict
    assert page.run_card.sentence.said() == "Predicted 40 s, took 41 s."


def test_a_training_that_was_stopped_is_not_held_against_its_prediction(
    page: TrainPage, qtbot: QtBot, engine: FakeEngine
) -> None:
    engine.predicted = Cost(40.0, 700_000_000, 5_000_000)
    engine.hold.clear()
    page.start.click()
    qtbot.waitUntil(lambda: page.session.run_state.epoch > 0)
    page.run_card.stop.click()
    qtbot.waitUntil(lambda: "It took " in page.run_card.sentence.said())
    assert "Predicted" not in page.run_card.sentence.said()


def test_the_cost_is_told_before_the_start_and_follows_what_is_typed(page: TrainPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.plan_card.estimate.said().startswith("Estimated on this computer: "))
    before = page.plan_card.estimate.said()
    page.form.fields["epochs"].setValue(9000)
    assert page.plan_card.estimate.said() != before


def test_stop_keeps_the_best(page: TrainPage, qtbot: QtBot, engine: FakeEngine) -> None:
    engine.hold.clear()
    page.start.click()
    qtbot.waitUntil(lambda: page.run_card.status.said() == "Epoch 1 of 40")
    assert page.missing() == "Training is running"
    assert page.summary() == "Epoch 1 of 40"
    assert not page.plan_card.isVisible()
    assert page.charts
    assert page.charts.isVisible()
    page.run_card.stop.click()
    assert not page.run_card.stop.isEnabled()
    qtbot.waitUntil(lambda: "Training finished (stopped early" in page.run_card.status.said())


def test_the_focus_goes_with_the_training_and_the_page_shows_it(
    page: TrainPage, qtbot: QtBot, engine: FakeEngine
) -> None:
    activate(page, qtbot)
    page.resize(900, 400)
    page.form.advanced.click()
    page.scroller.verticalScrollBar().setValue(200)
    engine.hold.clear()
    page.start.setFocus()
    page.start.click()
    qtbot.waitUntil(lambda: page.run_card.status.said() == "Epoch 1 of 40")
    assert page.run_card.pause.hasFocus()
    assert page.scroller.verticalScrollBar().value() == 0
    engine.hold.set()
    qtbot.waitUntil(lambda: page.start.isVisible())
    assert page.start.hasFocus()
    assert page.scroller.verticalScrollBar().value() == 0


def test_the_focus_stays_with_a_training_that_is_stopped(page: TrainPage, qtbot: QtBot, engine: FakeEngine) -> None:
    activate(page, qtbot)
    engine.hold.clear()
    page.start.click()
    qtbot.waitUntil(lambda: page.run_card.status.said() == "Epoch 1 of 40")
    page.run_card.stop.setFocus()
    page.run_card.stop.click()
    assert page.run_card.hasFocus()
    engine.hold.set()
    qtbot.waitUntil(lambda: page.start.isVisible())
    assert page.start.hasFocus()


def test_before_there_is_an_epoch_to_keep_it_can_only_be_cancelled(page: TrainPage, qtbot: QtBot) -> None:
    feed(page, *RUNNING, FeaturesDone(12, 868, 1.5))
    assert page.run_card.stop.text() == "Cancel"
    feed(page, replace(RUNNING[0], resumed=True))
    qtbot.waitUntil(lambda: page.run_card.stop.text() == "Stop, keep best")


def test_what_came_of_a_training_stands_above_the_augmentation(page: TrainPage, qtbot: QtBot) -> None:
    train(page, qtbot)
    assert page.charts
    page.grab()
    places = [
        widget.mapTo(page, QPoint()).y()
        for widget in (page.run_card, page.plan_card, page.charts, page.runs_card, page.augmentation)
    ]
    assert places == sorted(places)


def test_the_charts_hold_the_history(page: TrainPage, qtbot: QtBot) -> None:
    train(page, qtbot)
    assert page.charts
    assert len(page.charts.loss.chart.curve.training) == 40
    assert page.charts.loss.chart.curve.planned == 40


def test_photos_through_the_backbone_are_counted_with_their_speed(page: TrainPage, qtbot: QtBot) -> None:
    feed(page, *RUNNING, FeaturesDone(12, 868, 1.5), FeaturesDone(512, 868, 11.0))
    qtbot.waitUntil(lambda: page.run_card.status.said() == "Photo 512 of 868 prepared")
    assert page.run_card.detail.said() == "53 photos/s"
    assert page.run_card.time_left.text() == "about 7 s left"
    assert page.run_card.bar.value() == round(1000 * 512 / 868)


def test_a_note_is_shown(page: TrainPage) -> None:
    feed(
        page, *RUNNING, Note("2 files could not be read, left out.", 2.0), Note("The head-only weights were kept.", 3.0)
    )
    assert page.run_card.notes.said() == "• 2 files could not be read, left out.\n• The head-only weights were kept."


def test_photos_of_an_epoch_are_counted() -> None:
    state = RunState()
    for event in (*RUNNING, PhaseStarted(Phase.HEAD, 40, 2.0)):
        state = advance(state, event)
    assert run_detail(advance(state, BatchDone(Phase.HEAD, 1, 12, 28, 0.5, 3.0, 384, 868))) == "photo 384 of 868"
    assert run_detail(advance(state, BatchDone(Phase.HEAD, 1, 12, 28, 0.5, 3.0))) == "batch 12 of 28"


def test_a_failure_says_what_was_found_and_what_to_do(page: TrainPage, qtbot: QtBot, engine: FakeEngine) -> None:
    engine.problem = StudioError("The disk is full.", found="12 kB are free.", next_step="Make room, then train again.")
    page.start.click()
    qtbot.waitUntil(lambda: page.run_card.problem.isVisible())
    assert page.run_card.status.said() == "Training failed"
    assert page.run_card.problem.what.text() == "The disk is full."
    assert page.run_card.problem.rest.text() == "12 kB are free. Make room, then train again."
    assert page.start.isEnabled()
    page.run_card.problem.dismiss.click()
    page.entered()
    assert not page.run_card.problem.isVisible()


def test_many_events_make_few_drawings(page: TrainPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(page, *RUNNING, PhaseStarted(Phase.HEAD, 40, 2.0))
    drawn: list[RunState] = []
    show_state = page.run_card.show_state

    def count(state: RunState, *others: Any) -> None:
        drawn.append(state)
        show_state(state, *others)

    monkeypatch.setattr(page.run_card, "show_state", count)
    feed(page, *(BatchDone(Phase.HEAD, 1, batch, 500, 0.5, 2.0 + batch / 100) for batch in range(1, 501)))
    qtbot.waitUntil(lambda: bool(drawn) and drawn[-1].done == 500)
    assert len(drawn) <= 5


def test_many_epochs_make_few_drawings_of_the_charts(
    page: TrainPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.session.training.plan = page.session.plan
    feed(page, *RUNNING, PhaseStarted(Phase.HEAD, 40, 2.0))
    assert page.charts
    drawn: list[int] = []
    show_curves = page.charts.show_curves

    def count(curves: LearningCurves) -> None:
        drawn.append(len(curves.history))
        show_curves(curves)

    monkeypatch.setattr(page.charts, "show_curves", count)
    feed(page, *history(40))
    qtbot.waitUntil(lambda: drawn[-1:] == [40])
    assert len(drawn) <= 5


def test_every_control_has_an_accessible_name_and_an_object_name(page: TrainPage, qtbot: QtBot) -> None:
    train(page, qtbot)
    page.form.advanced.click()
    controls: list[QWidget] = [*page.findChildren(QAbstractButton), *page.findChildren(QAbstractSpinBox)]
    own = [control for control in controls if not control.objectName().startswith("qt_") and control.isVisible()]
    assert len(own) > 10
    assert [type(control) for control in own if not control.accessibleName() or not control.objectName()] == []


def test_tab_reaches_the_start_button_from_epochs(page: TrainPage, qtbot: QtBot) -> None:
    focusable = [
        widget
        for widget in page.findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert page.start in focusable
    assert page.form.fields["epochs"] in focusable


def test_the_test_photos_stay_locked(page: TrainPage) -> None:
    texts = [label.text() for label in page.findChildren(QLabel)]
    assert "The test photos stay locked until you open Review." in texts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "about 1 s left"), (17, "about 20 s left"), (130, "about 2 min left"),
     (7000, "about 1 h 50 min left")],
)  # fmt: skip
def test_the_time_left_is_rounded(seconds: float | None, text: str) -> None:
    assert time_left_text(seconds) == text


def test_durations_are_told_in_their_units() -> None:
    assert [duration_text(value) for value in (4.21, 38, 185, 7800)] == ["4.2 s", "38 s", "3 min 5 s", "2 h 10 min"]


def test_a_number_changed_just_before_going_on_is_kept(page: TrainPage) -> None:
    page.form.fields["epochs"].setValue(12)
    page.session.go_to("backbone")
    assert page.session.plan
    assert page.session.plan.epochs == 12
    assert page.form.fields["epochs"].value() == 12


def test_a_number_changed_just_before_does_not_reach_another_project(page: TrainPage, tmp_path: Path) -> None:
    page.form.fields["epochs"].setValue(12)
    other = replace(page.session.project, folder=tmp_path / "other")
    page.session.open(other)
    page.hide()
    assert page.session.plan == other.plan


def test_a_page_built_while_training_shows_it(
    session_with_photos: Session, qtbot: QtBot, engine: FakeEngine, show: Show
) -> None:
    engine.hold.clear()
    session_with_photos.start_training()
    qtbot.waitUntil(lambda: bool(session_with_photos.run_state.history))
    page = show(session_with_photos)
    assert page.run_card.status.said() == "Epoch 1 of 40"
    assert page.charts
    assert len(page.charts.loss.chart.curve.training) == 1


def test_a_number_typed_without_pressing_anything_is_saved_after_a_moment(
    session_with_photos: Session, qtbot: QtBot, thumbnails: Thumbnails
) -> None:
    page = TrainPage(session_with_photos, thumbnails)
    qtbot.addWidget(page)
    page.form.fields["epochs"].setValue(77)
    qtbot.waitUntil(lambda: session_with_photos.plan is not None and session_with_photos.plan.epochs == 77)
