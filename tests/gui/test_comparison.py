from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from fake_engine import FakeEngine, put_into_cache
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from test_backbone_page import plan_of, shown_page
from test_backbone_shelf import HANDLE

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender
from hubstudio.core.errors import BackboneError, PhotosError
from hubstudio.core.events import Report
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.project import Project
from hubstudio.gui.comparison_rows import COLUMNS, ContenderOrder, errors_text, in_order, points_of, row_of, verdict
from hubstudio.gui.label_places import free_places
from hubstudio.gui.pages.backbone_page import BackbonePage
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.compare_dialog import CompareDialog

FAST = Contender("fast", "Fast", 80, 100, 400.0, 2.0, 3_000_000, 256, 96)
GOOD = Contender("good", "Good", 84, 100, 45.0, 9.0, 9_000_000, 1280, 224)
FAILED = Contender("bad", "Bad", error="It could not be loaded.")


@pytest.fixture
def page(session_with_photos: Session, qtbot: QtBot) -> BackbonePage:
    put_into_cache(HANDLE)
    page = shown_page(session_with_photos, qtbot)
    qtbot.waitUntil(lambda: HANDLE in page.cards and page.cards[HANDLE].facts.row.presence.is_usable)
    return page


@pytest.fixture
def dialog(page: BackbonePage, qtbot: QtBot) -> CompareDialog:
    page.compare.click()
    dialog = page.comparison.dialog
    assert dialog
    qtbot.addWidget(dialog)
    return dialog


def test_all_that_are_here_are_compared_unless_some_are_cleared(
    dialog: CompareDialog, page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    assert dialog.ticked() == ["studio-mini", HANDLE]
    dialog.choices.item(0).setCheckState(Qt.CheckState.Unchecked)
    dialog.start.click()
    qtbot.waitUntil(lambda: not page.session.comparison.is_going_on)
    assert engine.compared == [HANDLE]


def test_results_come_one_by_one_and_a_row_takes_its_backbone(
    dialog: CompareDialog, page: BackbonePage, qtbot: QtBot
) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: len(dialog.table.texts()) == 2)
    assert [row[:2] for row in dialog.table.texts()] == [["Studio Mini", "86.7 %"], ["MobileNetV2 1.0", "86.7 %"]]
    assert dialog.table.texts()[0][-1] == "in use"
    dialog.table.setCurrentIndex(dialog.table.rows.index(1, 0))
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: plan_of(page).backbone == HANDLE)
    qtbot.waitUntil(lambda: dialog.table.texts()[1][-1] == "in use")


def test_a_comparison_steps_aside_for_what_the_person_asks_and_begins_that_backbone_again(
    dialog: CompareDialog, page: BackbonePage, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.fetching.clear()
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.bar.maximum() == 30)
    page.session.start_training()
    qtbot.waitUntil(lambda: bool(page.session.project.run))
    assert engine.compared == []
    engine.fetching.set()
    qtbot.waitUntil(lambda: engine.compared == ["studio-mini", HANDLE])


def test_a_comparison_can_be_stopped_and_keeps_what_is_known(
    dialog: CompareDialog, page: BackbonePage, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = engine.compare

    def slow_second(plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
        if HANDLE in backbones:
            engine.fetching.clear()  # stands still until it is cancelled
        return compare(plan, backbones, report, cancel)

    monkeypatch.setattr(engine, "compare", slow_second)
    dialog.start.click()
    qtbot.waitUntil(lambda: len(dialog.table.texts()) == 1 and page.session.comparison.at_hand == HANDLE)
    dialog.cancel.click()
    assert not page.session.comparison.is_going_on
    assert dialog.start.isVisible()
    assert [row[0] for row in dialog.table.texts()] == ["Studio Mini"]
    assert engine.compared == ["studio-mini"]


def test_a_problem_with_the_photos_ends_the_comparison_and_is_told(
    dialog: CompareDialog, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.problem = PhotosError("The folder is gone.")
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.problem.isVisible())
    assert dialog.problem.what.said() == "The folder is gone."
    assert dialog.start.isVisible()


def test_all_are_compared_on_the_photos_of_the_start_and_a_change_of_them_is_told(
    dialog: CompareDialog, page: BackbonePage, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, compare, plans = page.session, engine.compare, list[Plan]()

    def noted(plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
        plans.append(plan)
        return compare(plan, backbones, report, cancel)

    monkeypatch.setattr(engine, "compare", noted)
    engine.fetching.clear()
    dialog.start.click()
    qtbot.waitUntil(lambda: bool(plans))
    assert session.photo_set
    session.leave_out([session.photo_set.photos[0].path])
    qtbot.waitUntil(lambda: bool(session.plan and session.plan.left_out))
    engine.fetching.set()
    qtbot.waitUntil(lambda: engine.compared == ["studio-mini", HANDLE] and not session.comparison.is_going_on)
    assert [plan.left_out for plan in plans] == [(), ()]
    assert dialog.status.said() == "2 compared, by the photos and settings from before their last change"
    session.undo()
    qtbot.waitUntil(lambda: dialog.status.said() == "2 compared")


def test_results_hold_when_only_the_use_of_the_chosen_backbone_changes_and_not_when_the_head_does(
    dialog: CompareDialog, page: BackbonePage, qtbot: QtBot
) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: len(dialog.table.texts()) == 2)
    page.session.change_plan(replace(plan_of(page).with_mode(Mode.FINE_TUNE), unfreeze=2, backbone=HANDLE))
    assert not page.session.comparison.is_outdated
    page.session.change_plan(replace(plan_of(page), hidden_units=64))
    assert page.session.comparison.is_outdated


def test_another_project_forgets_the_results(dialog: CompareDialog, page: BackbonePage, qtbot: QtBot) -> None:
    dialog.start.click()
    qtbot.waitUntil(lambda: len(dialog.table.texts()) == 2)
    page.session.open(Project(Path()))
    assert dialog.table.texts() == []
    assert dialog.reason.said() == "The photos have to be checked first."
    assert not dialog.start.isEnabled()


def test_a_click_on_a_column_sorts_by_it(dialog: CompareDialog) -> None:
    dialog.show_state([GOOD, FAST, FAILED], "", goes_on=False, used="good")
    assert [row[0] for row in dialog.table.texts()] == ["Good", "Fast", "Bad"]
    dialog.table.horizontalHeader().sectionClicked.emit(COLUMNS.index("Photos/s"))
    assert [row[0] for row in dialog.table.texts()] == ["Fast", "Good", "Bad"]
    assert dialog.errors.said() == "• Bad: It could not be loaded."


def test_names_in_the_plot_do_not_cover_each_other(dialog: CompareDialog) -> None:
    alike = [replace(FAST, backbone=name, name=f"{name} network") for name in ("a", "b", "c", "d", "e", "f", "g")]
    dialog.show_state([GOOD, *alike], "", goes_on=False, used="good")
    QApplication.processEvents()
    shown = dialog.plot.names_shown()
    assert "Good" in shown
    assert 1 < len(shown) < 8
    rects = [name.sceneBoundingRect() for name in dialog.plot._names if name.isVisible()]  # type: ignore[reportPrivateUsage]
    assert not any(one.intersects(other) for one, other in combinations(rects, 2))


def test_names_of_close_points_stand_at_both_sides_and_the_best_comes_first() -> None:
    room = QRectF(0, 0, 400, 200)
    points, sizes = [QPointF(100, 100), QPointF(120, 100)], [QSizeF(60, 20)] * 2
    first, second = free_places(points, sizes, room, 10)
    assert first == QRectF(30, 90, 60, 20)
    assert second == QRectF(130, 90, 60, 20)
    alone, none = free_places([QPointF(100, 10)] * 2, sizes, QRectF(80, 0, 100, 20), 10)
    assert alone
    assert none is None


def test_the_table_shows_whole_rows(dialog: CompareDialog) -> None:
    dialog.show_state([GOOD, FAST, FAILED], "", goes_on=False, used="good")
    QApplication.processEvents()
    table = dialog.table
    assert table.viewport().height() >= 3 * table.rowHeight(0)
    assert table.verticalScrollBar().maximum() == 0


def test_a_module_that_cannot_be_used_is_not_offered_to_compare_and_its_card_says_why(
    page: BackbonePage, dialog: CompareDialog, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = "https://example.org/models/me/scores/1"
    put_into_cache(handle)
    probe, why = engine.probe, BackboneError("It is a classification module.")

    def refusing(backbone: str, features: str = "") -> BackboneInfo:
        if backbone == handle:
            raise why
        return probe(backbone, features)

    monkeypatch.setattr(engine, "probe", refusing)
    page.session.use_backbone(handle)
    qtbot.waitUntil(lambda: handle in page.cards and page.cards[handle].state.text() == "Cannot be used")
    assert page.cards[handle].state.toolTip() == "It is a classification module."
    assert "It is a classification module." in page.cards[handle].choice.accessibleDescription()
    assert dialog.ticked() == ["studio-mini", HANDLE]
    assert plan_of(page).backbone == "studio-mini"
    monkeypatch.setattr(engine, "probe", probe)
    page.cards[handle].choice.click()
    qtbot.waitUntil(lambda: plan_of(page).backbone == handle)


def test_the_plot_says_in_words_what_it_shows(dialog: CompareDialog) -> None:
    dialog.show_state([GOOD, FAST, FAILED], "", goes_on=False, used="good")
    assert dialog.plot.accessibleDescription() == "Good: 84.0 %, 45 photos/s; Fast: 80.0 %, 400 photos/s"


def test_a_row_tells_accuracy_with_its_interval() -> None:
    low, high = GOOD.interval
    expected = ("Good", "84.0 %", f"{low * 100:.0f} to {high * 100:.0f} %", "45", "9.0 MB", "9.0 s", "in use")
    assert row_of(GOOD, "good") == expected
    assert row_of(FAILED, "good") == ("Bad", "–", "–", "–", "–", "–", "failed")
    assert [point.name for point in points_of([GOOD, FAILED])] == ["Good"]
    assert errors_text([GOOD]) == ""


def test_the_verdict_names_the_fastest_of_those_that_may_be_as_good() -> None:
    assert verdict([GOOD]) == ""
    assert verdict([GOOD, FAST, FAILED]) == (
        "Good is right most often: 84.0 % of 100 validation photos. "
        "On so few photos others may be as good; of these Fast is the fastest."
    )
    as_good = Contender("slow", "Slow", 84, 100, 9.0, 30.0, 90_000_000, 2048, 224)
    assert verdict([as_good, GOOD]) == (
        "Good and Slow are right equally often: 84.0 % of 100 validation photos. Good is the fastest of them."
    )
    far_behind = Contender("poor", "Poor", 30, 100, 900.0, 1.0, 1, 1, 1)
    assert verdict([GOOD, far_behind]) == "Good is right most often: 84.0 % of 100 validation photos."


@pytest.mark.parametrize("order", list(ContenderOrder))
def test_what_came_to_nothing_goes_last_in_every_order(order: ContenderOrder) -> None:
    assert in_order([FAILED, GOOD, FAST], order)[-1] is FAILED
