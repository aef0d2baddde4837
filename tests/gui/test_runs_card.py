from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from activation import activate
from fake_engine import FakeEngine
from PySide6.QtCore import QItemSelectionModel, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QInputDialog, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.core.errors import StudioError
from hubstudio.core.plan import Mode, Optimizer, Plan
from hubstudio.core.run_bin import DELETED
from hubstudio.core.runs import RunRow, read_note
from hubstudio.gui.pages.train_page import TrainPage
from hubstudio.gui.run_items import RunItem, RunKind, run_items
from hubstudio.gui.session import Session
from hubstudio.gui.theme import LIGHT, stylesheet
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.runs_list import RunsList
from hubstudio.gui.widgets.runs_model import ACCURACY, NOTE, NOTES, RUN, TITLE, WHEN
from hubstudio.gui.wording import when_text


@pytest.fixture
def session(trained_session: Session, qtbot: QtBot) -> Session:
    """A session with three runs, of which the last one is used."""
    plan = trained_session.plan
    assert plan
    for name, change in (
        ("run-002", replace(plan, epochs=4, optimizer=Optimizer.SGD)),
        ("run-003", replace(plan.with_mode(Mode.FINE_TUNE), epochs=2)),
    ):
        trained_session.change_plan(change)
        trained_session.start_training()
        qtbot.waitUntil(lambda name=name: trained_session.project.run == name)
    return trained_session


@pytest.fixture
def page(session: Session, thumbnails: Thumbnails, qtbot: QtBot) -> TrainPage:
    page = TrainPage(session, thumbnails)
    qtbot.addWidget(page)
    page.resize(1000, 900)
    page.show()
    page.entered()
    qtbot.waitUntil(lambda: names(page) == ["run-003", "run-002", "run-001"] and page.charts is not None)
    return page


def names(page: TrainPage) -> list[str]:
    return [item.name for item in page.runs_card.list.lines.items]


def press(page: TrainPage, run: str, button: str) -> None:
    page.runs_card.list.choose(run)
    page.runs_card.button(button).click()


def tick(page: TrainPage, *runs: str) -> None:
    lines = page.runs_card.list.lines
    for run in runs:
        lines.tick(lines.row_of(run), ticked=True)


def test_runs_are_listed_newest_first_with_what_came_of_them(page: TrainPage) -> None:
    runs = page.runs_card.list
    assert runs.text(0, TITLE) == "Fine-tune the last 4 blocks · Studio Mini"
    assert [runs.text(row, ACCURACY) for row in range(3)] == ["65.0 %", "82.5 %", "98.2 %"]
    assert runs.text(0, WHEN).startswith("today ")
    spoken = runs.lines.index(0, RUN).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("run-003, Fine-tune the last 4 blocks · Studio Mini, 65.0 % on validation, ")
    assert "used by Review, Classify and Export" in spoken


def test_the_run_in_use_is_at_hand_and_another_can_be_used(page: TrainPage) -> None:
    card = page.runs_card
    assert card.list.chosen
    assert card.list.chosen.name == "run-003"
    assert not card.button("use_run").isEnabled()
    press(page, "run-001", "use_run")
    assert page.session.project.run == "run-001"
    assert [item.is_used for item in card.list.lines.items] == [False, False, True]
    assert page.charts
    assert len(page.charts.loss.chart.curve.training) == 40


def test_enter_uses_the_run_at_hand_and_space_ticks_it(page: TrainPage, qtbot: QtBot) -> None:
    runs = page.runs_card.list
    qtbot.keyClick(runs, Qt.Key.Key_Down)
    qtbot.keyClick(runs, Qt.Key.Key_Space)
    assert runs.ticked == ["run-002"]
    qtbot.keyClick(runs, Qt.Key.Key_Space)
    assert runs.ticked == []
    qtbot.keyClick(runs, Qt.Key.Key_Return)
    assert page.session.project.run == "run-002"


def test_the_notes_of_a_run_are_told_with_how_it_ended(page: TrainPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.notes = ("2 files could not be read.",)
    page.start.click()
    qtbot.waitUntil(lambda: names(page)[0] == "run-004" and page.session.project.run == "run-004")
    qtbot.waitUntil(lambda: "• 2 files could not be read." in page.runs_card.details.said())
    assert page.runs_card.details.said().startswith("Kept: epoch 2 of fine-tuning.")
    assert "2 files could not be read." in page.runs_card.list.lines.index(0, RUN).data(Qt.ItemDataRole.ToolTipRole)


def test_ticked_runs_are_laid_over_each_other_and_their_plans_compared(page: TrainPage) -> None:
    tick(page, "run-001")
    card = page.runs_card
    assert card.comparison.isHidden()
    tick(page, "run-002")
    assert page.charts
    assert [run.name for run in page.charts.shown_runs] == ["run-002", "run-001"]
    assert [len(run.history) for run in page.charts.shown_runs] == [4, 40]
    assert not card.comparison.isHidden()
    cells = card.comparison.cells
    rows = [[cells.index(row, column).data() for column in range(3)] for row in range(cells.rowCount())]
    assert rows == [["Epochs", "4", "40"], ["Optimizer", "SGD", "Adam"]]
    assert cells.index(0, 1).data(Qt.ItemDataRole.BackgroundRole) is None
    assert cells.index(0, 2).data(Qt.ItemDataRole.BackgroundRole) is not None
    assert cells.index(0, 2).data(Qt.ItemDataRole.AccessibleTextRole) == "40, differs"
    card.untick.click()
    assert card.comparison.isHidden()
    assert [run.name for run in page.charts.shown_runs] == ["run-003"]


def test_a_training_that_goes_on_is_listed_and_keeps_the_charts_with_others_over_it(
    page: TrainPage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.hold.clear()
    page.start.click()
    qtbot.waitUntil(lambda: page.session.run_state.epoch == 1)
    assert names(page)[0] == "run-004"
    assert page.runs_card.list.text(0, ACCURACY) == "running"
    tick(page, "run-001")
    assert page.charts
    qtbot.waitUntil(
        lambda: bool(page.charts) and [run.name for run in page.charts.shown_runs] == ["run-004", "run-001"]
    )
    page.runs_card.list.choose("run-001")
    assert not page.runs_card.button("continue_run").isEnabled()
    page.run_card.pause.click()
    assert page.runs_card.list.text(0, ACCURACY) == "paused"


def test_a_note_is_written_in_its_line_and_kept(page: TrainPage, qtbot: QtBot) -> None:
    runs = page.runs_card.list
    runs.choose("run-002")
    qtbot.keyClick(runs, Qt.Key.Key_F2)
    editor = runs.findChild(QLineEdit)
    assert editor is not None
    page.session.runs.changed.emit()  # what is read meanwhile does not take the pen away
    qtbot.keyClicks(editor, "the quick one")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    run = page.session.project.runs_folder / "run-002"
    qtbot.waitUntil(lambda: read_note(run) == "the quick one")
    qtbot.waitUntil(lambda: runs.text(1, NOTE) == "the quick one")
    assert "Your note: the quick one" in page.runs_card.details.said()


def test_a_note_that_cannot_be_kept_is_told_and_the_old_one_stays(page: TrainPage, qtbot: QtBot) -> None:
    (page.session.project.runs_folder / "run-002" / "note.txt").mkdir()
    page.runs_card.note_written.emit("run-002", "lost")
    assert "could not be saved" in page.runs_problem.what.said()
    qtbot.waitUntil(lambda: not page.session.is_busy("read runs"))
    assert page.runs_card.list.text(1, NOTE) == ""


def test_a_deleted_run_can_be_taken_back_and_another_is_used_meanwhile(page: TrainPage, qtbot: QtBot) -> None:
    folder = page.session.project.runs_folder
    press(page, "run-003", "delete_run")
    assert names(page) == ["run-002", "run-001"]
    assert page.session.project.run == "run-002"
    assert not (folder / "run-003").exists()
    assert page.runs_card.deleted.text.said() == "run-003 was deleted."
    page.runs_card.deleted.button.click()
    qtbot.waitUntil(lambda: names(page) == ["run-003", "run-002", "run-001"])
    assert page.session.project.run == "run-003"
    assert (folder / "run-003" / "model.keras").exists()
    assert page.runs_card.deleted.isHidden()


def test_deleting_all_runs_leaves_none_in_use_and_each_can_be_taken_back(page: TrainPage, qtbot: QtBot) -> None:
    for name in ("run-001", "run-003", "run-002"):
        page.runs_card.list.choose(name)
        qtbot.keyClick(page.runs_card.list, Qt.Key.Key_Delete)
    assert page.session.project.run == ""
    assert page.missing() == "Train once first"
    assert page.runs_card.isVisible()
    for _ in range(3):
        page.runs_card.deleted.button.click()
    qtbot.waitUntil(lambda: sorted(names(page)) == ["run-001", "run-002", "run-003"])


def test_what_was_deleted_goes_for_good_when_the_project_closes(page: TrainPage) -> None:
    folder = page.session.project.runs_folder
    press(page, "run-001", "delete_run")
    assert (folder / DELETED).exists()
    assert page.session.close()
    assert sorted(path.name for path in folder.iterdir()) == ["run-002", "run-003"]


def test_what_a_crash_left_deleted_goes_when_the_project_is_opened_again(page: TrainPage, qtbot: QtBot) -> None:
    session, folder = page.session, page.session.project.runs_folder
    press(page, "run-001", "delete_run")
    session.open(session.project)
    qtbot.waitUntil(lambda: not (folder / DELETED).exists())
    assert session.runs.deleted == ""


def test_a_run_that_is_being_exported_is_not_deleted(
    page: TrainPage, engine: FakeEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    engine.hold.clear()
    page.start.click()
    page.session.export(["keras"], tmp_path / "out")
    press(page, "run-003", "delete_run")
    assert "is being exported" in page.runs_problem.what.said()
    assert (page.session.project.runs_folder / "run-003").exists()
    with qtbot.waitSignal(page.session.exports_ready):
        engine.hold.set()


def test_an_interrupted_training_is_listed_and_gone_on_with(page: TrainPage, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.hold.clear()
    page.start.click()
    qtbot.waitUntil(lambda: page.session.run_state.saved_epoch == 1)
    page.session.training.suspend()
    qtbot.waitUntil(lambda: bool(page.session.runs.unfinished))
    card = page.runs_card
    card.list.choose("run-004")
    assert card.list.text(0, ACCURACY) == "interrupted"
    assert card.details.said() == "Interrupted: fine-tuning, epoch 1 of 2. It can go on from there."
    shown = [button.objectName() for button, _ in card._actions if not button.isHidden()]
    assert shown == ["resume_run", "show_run_folder", "discard_run"]
    engine.hold.set()
    card.button("resume_run").click()
    qtbot.waitUntil(lambda: page.session.project.run == "run-004")
    assert [path.name for path in engine.resumed] == ["run-004"]


def test_continuing_asks_for_how_long(page: TrainPage, engine: FakeEngine, qtbot: QtBot) -> None:
    press(page, "run-002", "continue_run")
    dialog = page.findChild(QInputDialog)
    assert dialog is not None
    assert dialog.intValue() == 4
    dialog.setIntValue(3)
    dialog.accept()
    qtbot.waitUntil(lambda: page.session.project.run == "run-004")
    assert [(run.name, epochs) for run, epochs in engine.continued] == [("run-002", 3)]


def test_tensorboard_logs_are_written_where_asked_and_shown(page: TrainPage, tmp_path: Path, qtbot: QtBot) -> None:
    page.session.runs.write_logs("run-002", tmp_path / "logs")
    qtbot.waitUntil(lambda: page.runs_card.logs.isVisible())
    assert (tmp_path / "logs" / "events").read_text() == "run-002"
    assert str(tmp_path / "logs") in page.runs_card.logs.text.said()


def test_logs_that_cannot_be_written_are_told(
    page: TrainPage, engine: FakeEngine, tmp_path: Path, qtbot: QtBot
) -> None:
    engine.problem = StudioError("The folder cannot be written to.")
    page.session.runs.write_logs("run-002", tmp_path / "logs")
    qtbot.waitUntil(lambda: page.runs_problem.isVisible())
    assert page.runs_problem.what.said() == "The folder cannot be written to."


def test_a_folder_is_shown_by_the_system(page: TrainPage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    press(page, "run-002", "show_run_folder")
    assert [Path(url.toLocalFile()) for url in opened] == [page.session.project.runs_folder / "run-002"]


def test_a_damaged_run_says_what_is_wrong_and_can_only_be_looked_at_or_deleted(page: TrainPage, qtbot: QtBot) -> None:
    folder = page.session.project.runs_folder
    (folder / "run-002" / "metrics.json").write_text("{")
    (folder / "run-003" / "history.csv").write_text("nonsense\n1\n")
    (folder / "run-001" / "model.keras").unlink()
    page.session.runs.read()
    qtbot.waitUntil(lambda: page.runs_card.list.text(1, ACCURACY) == "damaged")
    page.runs_card.list.choose("run-001")
    assert "Missing: model.keras" in page.runs_card.details.said()
    shown = [button.objectName() for button, _ in page.runs_card._actions if not button.isHidden()]
    assert shown == ["show_run_folder", "delete_run"]
    tick(page, "run-001", "run-002", "run-003")
    assert page.runs_card.list.ticked == ["run-003"]


@pytest.fixture
def runs(qtbot: QtBot) -> Iterator[RunsList]:
    runs = RunsList()
    qtbot.addWidget(runs)
    runs.resize(900, 300)
    tester = QAbstractItemModelTester(runs.lines, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield runs
    del tester


def item(name: str, accuracy: float = 0.5) -> RunItem:
    return RunItem(name, RunKind.FINISHED, "Extract features", f"{accuracy:.1%}", order=(accuracy, 0.0, 0.0))


def test_ticks_and_the_line_at_hand_outlast_new_lines_and_another_order(runs: RunsList) -> None:
    runs.show_items([item("c", 0.9), item("b", 0.7), item("a", 0.8)])
    runs.choose("b")
    runs.lines.tick(2, ticked=True)
    runs.show_items([item("d", 0.1), item("c", 0.9), item("b", 0.7), item("a", 0.8)])
    runs.sortByColumn(ACCURACY, Qt.SortOrder.DescendingOrder)
    assert [line.name for line in runs.lines.items] == ["c", "a", "b", "d"]
    assert runs.chosen
    assert runs.chosen.name == "b"
    assert runs.ticked == ["a"]
    runs.show_items([item("c", 0.9), item("b", 0.7)])
    assert runs.ticked == []
    assert runs.chosen.name == "b"


def test_a_line_that_only_says_something_else_keeps_its_place(runs: RunsList) -> None:
    runs.show_items([item("b"), item("a")])
    resets: list[None] = []
    runs.lines.modelReset.connect(lambda: resets.append(None))
    runs.show_items([replace(item("b"), note="new"), item("a")])
    assert runs.text(0, NOTE) == "new"
    assert resets == []


def test_a_click_into_the_box_ticks(runs: RunsList) -> None:
    runs.show_items([item("b"), replace(item("a"), kind=RunKind.DAMAGED)])
    for row in (0, 1):
        runs.lines.setData(runs.lines.index(row, RUN), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    assert runs.ticked == ["b"]


def test_the_list_is_as_high_as_its_lines_up_to_some(runs: RunsList) -> None:
    heights: list[int] = []
    for count in (1, 3, 9, 100):
        runs.show_items([item(f"run-{number:03}") for number in range(count)])
        heights.append(runs.sizeHint().height())
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_narrow_lists_leave_out_what_is_least_wanted(runs: RunsList) -> None:
    runs.show_items([item("a")])
    runs.show()
    runs.resize(600, 300)
    assert runs.isColumnHidden(WHEN)
    runs.resize(1000, 300)
    assert not runs.isColumnHidden(WHEN)


def test_a_column_that_would_be_empty_in_every_line_is_left_out(runs: RunsList) -> None:
    runs.show()
    runs.resize(1000, 300)
    runs.show_items([item("b"), item("a")])
    assert runs.isColumnHidden(NOTES)
    runs.show_items([item("b"), replace(item("a"), notes=("The loss jumped.",))])
    assert not runs.isColumnHidden(NOTES)


def test_what_a_screen_reader_selects_is_the_line_at_hand(runs: RunsList) -> None:
    runs.show_items([item("b"), item("a")])
    runs.choose("b")
    flags = QItemSelectionModel.SelectionFlag
    runs.selectionModel().select(runs.lines.index(1, RUN), flags.ClearAndSelect | flags.Rows)  # as Qt does for it
    assert runs.chosen
    assert runs.chosen.name == "a"


def test_the_header_keeps_clear_of_the_frame_with_and_without_the_focus(qtbot: QtBot) -> None:
    window, runs = QWidget(), RunsList()
    window.setStyleSheet(stylesheet(LIGHT, 13))
    qtbot.addWidget(window)
    QVBoxLayout(window).addWidget(runs)
    window.show()
    activate(window, qtbot)
    runs.setFocus()
    qtbot.waitUntil(runs.hasFocus)
    focused = runs.header().geometry()
    runs.clearFocus()
    assert runs.header().geometry() == focused
    assert focused.left() >= 4  # two pixels of frame, and its round corners
    assert focused.top() >= 4


def test_a_hundred_runs_are_read_beside_the_window_and_shown_in_a_moment(page: TrainPage, qtbot: QtBot) -> None:
    folder = page.session.project.runs_folder
    long = "x" * 120
    for number in range(4, 103):
        shutil.copytree(folder / "run-002", folder / f"run-{number:03}-{long}")
    (folder / f"run-050-{long}" / "metrics.json").write_text(json.dumps({"validation_accuracy": "much"}))
    page.session.runs.read()
    qtbot.waitUntil(lambda: len(names(page)) == 102)
    lines = page.runs_card.list.lines.items
    began = time.process_time()
    page.runs_card.list.show_items(lines[1:])
    page.runs_card.list.grab()
    assert time.process_time() - began < 1.0
    assert page.width() == 1000


@pytest.mark.parametrize(
    ("back", "text"),
    [(timedelta(hours=2), "today 10:05"), (timedelta(days=1), "yesterday 12:05"), (timedelta(days=20), "3 Nov 12:05"),
     (timedelta(days=600), "2 Apr 2025"), (timedelta(days=-3), "26 Nov 2026")],
)  # fmt: skip
def test_dates_are_told_as_people_say_them(back: timedelta, text: str) -> None:
    now = datetime(2026, 11, 23, 12, 5).astimezone()
    assert when_text(now - back, now) == text


def test_no_date_is_no_text() -> None:
    assert when_text(None) == ""


def test_a_run_that_has_just_ended_joins_those_that_are_compared(page: TrainPage, qtbot: QtBot) -> None:
    tick(page, "run-001")
    page.start.click()
    qtbot.waitUntil(lambda: page.runs_card.list.ticked == ["run-004", "run-001"])
    assert page.charts
    assert page.charts.loss.chart.curve.training
    page.runs_card.list.untick()
    page.start.click()
    qtbot.waitUntil(lambda: names(page)[0] == "run-005" and page.session.project.run == "run-005")
    assert page.runs_card.list.ticked == []


def test_the_run_in_use_says_which_one_did_better() -> None:
    rows = [RunRow(Path(f"run-{n}"), Plan("photos"), accuracy, "head", 3) for n, accuracy in ((2, 0.895), (1, 0.967))]
    used = {item.name: item.details for item in run_items(rows, (), "run-2", str)}
    assert used["run-2"] == "Kept: epoch 3 of the head. run-1 did better on its validation photos: 96.7 %."
    assert used["run-1"] == "Kept: epoch 3 of the head."
    assert all("did better" not in item.details for item in run_items(rows, (), "run-1", str))
