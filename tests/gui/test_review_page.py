from __future__ import annotations

from dataclasses import replace

import pytest
from fake_engine import FakeEngine
from pytestqt.qtbot import QtBot

from hubstudio.core.errors import StudioError
from hubstudio.core.measures import Evaluation
from hubstudio.core.review_looks import looks
from hubstudio.gui.pages.review_page import ReviewPage, class_rows
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.accuracy_card import interval_text, photos_text, unreadable_text, weakest_class

FLOWERS = Evaluation(("daisy", "iris", "pansy"), ((38, 1, 0), (0, 29, 2), (0, 3, 30)))


def shown(session: Session, qtbot: QtBot) -> ReviewPage:
    page = ReviewPage(session)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.entered()
    return page


def test_without_a_run_it_says_what_is_missing(session: Session, qtbot: QtBot) -> None:
    page = shown(session, qtbot)
    assert page.missing() == "Train once first"
    assert page.status.said() == "There is no trained model yet. Train once first."
    assert not page.again.isVisible()


def test_entering_measures_once(trained_session: Session, qtbot: QtBot) -> None:
    page = shown(trained_session, qtbot)
    assert page.bar.isVisible()
    assert page.status.said().startswith("Measuring on the test photos")
    qtbot.waitUntil(lambda: page.results.isVisible())
    evaluation = trained_session.evaluation
    page.entered()
    assert trained_session.evaluation is evaluation
    assert not trained_session.is_busy("evaluate")


def test_it_shows_accuracy_with_its_photos_and_bounds(trained_session: Session, qtbot: QtBot) -> None:
    page = shown(trained_session, qtbot)
    qtbot.waitUntil(lambda: page.results.isVisible())
    assert page.accuracy.figure.text() == "100.0 %"
    tested = trained_session.part_counts["test"]
    assert page.accuracy.photos.said() == f"of {tested} photos it never saw"
    assert page.accuracy.interval.said().startswith("95 % sure it lies between ")
    assert page.summary() == f"100.0 % on {tested} held-out"
    assert [row[0] for row in page.classes.texts()] == ["blue", "green", "red"]


def test_a_failure_can_be_tried_again(trained_session: Session, qtbot: QtBot, engine: FakeEngine) -> None:
    engine.problem = StudioError("The photos are gone.", found="No folder.", next_step="Put them back.")
    page = shown(trained_session, qtbot)
    qtbot.waitUntil(lambda: page.error.isVisible())
    assert page.error.what.text() == "The photos are gone."
    assert page.status.said() == "Not measured yet."
    page.again.click()
    qtbot.waitUntil(lambda: page.results.isVisible())
    assert not page.error.isVisible()


def test_another_run_is_measured_anew(trained_session: Session, qtbot: QtBot) -> None:
    page = shown(trained_session, qtbot)
    qtbot.waitUntil(lambda: page.results.isVisible())
    trained_session.start_training()
    qtbot.waitUntil(lambda: trained_session.project.run == "run-002")
    assert not page.results.isVisible()
    page.entered()
    qtbot.waitUntil(lambda: page.results.isVisible())


def test_while_training_the_test_waits(trained_session: Session, qtbot: QtBot, engine: FakeEngine) -> None:
    engine.hold.clear()
    trained_session.start_training()
    page = shown(trained_session, qtbot)
    assert page.status.said() == "The test waits until the training is done."
    assert not trained_session.is_busy("evaluate")
    engine.hold.set()
    qtbot.waitUntil(lambda: trained_session.project.run == "run-002")
    assert page.status.said() == "Not measured yet."


@pytest.mark.parametrize(
    ("evaluation", "text"),
    [
        (FLOWERS, "of 103 photos it never saw"),
        (replace(FLOWERS, source="holiday"), "of 103 photos in holiday"),
        (Evaluation(("a", "b"), ((0, 0), (0, 0))), "There was no photo to measure on."),
    ],
)
def test_it_says_what_was_measured_on(evaluation: Evaluation, text: str) -> None:
    assert photos_text(evaluation) == text


def test_the_bounds_are_those_of_wilson() -> None:
    assert interval_text(Evaluation(("a", "b"), ((90, 10), (0, 86)))) == "95 % sure it lies between 90.4 and 97.1"


def test_the_weakest_class_is_the_least_found_one() -> None:
    assert weakest_class(FLOWERS) == ("pansy", pytest.approx(30 / 33))
    assert weakest_class(Evaluation(("a", "b"), ((0, 0), (0, 0)))) is None


def test_unreadable_photos_are_named() -> None:
    gone = replace(FLOWERS, unreadable=("a.jpg", "b.jpg", "c.jpg", "d.jpg"))
    assert unreadable_text(gone) == "4 photos could not be read and not counted: a.jpg, b.jpg, c.jpg and 1 more."


def test_what_was_not_measured_is_a_dash() -> None:
    rows = class_rows(Evaluation(("a", "b"), ((4, 0), (0, 0))))
    assert rows == [("a", "4", "100 %", "100 %", "100 %"), ("b", "0", "–", "–", "–")]


def test_every_opening_of_the_result_is_counted_as_a_look(trained_session: Session, qtbot: QtBot) -> None:
    page = shown(trained_session, qtbot)
    qtbot.waitUntil(lambda: page.results.isVisible())
    assert page.looks.said() == "The first look at these test photos."
    page.entered()
    assert page.looks.said() == "Look 2 at these test photos."
    assert trained_session.project.run_path is not None
    assert looks(trained_session.project.run_path) == 2
    assert not page.flattery_card.isVisible()


def test_from_the_fifth_look_on_it_says_what_looking_does_to_the_number(trained_session: Session, qtbot: QtBot) -> None:
    page = shown(trained_session, qtbot)
    qtbot.waitUntil(lambda: page.results.isVisible())
    for _ in range(4):
        page.entered()
    assert page.flattery_card.isVisible()
    assert page.flattery.said().startswith("You have looked at these test photos 5 times.")


def test_a_result_that_nobody_sees_is_not_looked_at(trained_session: Session, qtbot: QtBot) -> None:
    page = ReviewPage(trained_session)
    qtbot.addWidget(page)
    with qtbot.waitSignal(trained_session.evaluation_changed, timeout=10_000):
        trained_session.evaluate()
    qtbot.waitUntil(lambda: trained_session.evaluation is not None)
    assert trained_session.project.run_path is not None
    assert looks(trained_session.project.run_path) == 0


def test_looks_at_another_run_on_the_same_test_photos_count_too(trained_session: Session, qtbot: QtBot) -> None:
    page = shown(trained_session, qtbot)
    qtbot.waitUntil(lambda: page.results.isVisible())
    trained_session.start_training()
    qtbot.waitUntil(lambda: trained_session.project.run == "run-002")
    page.entered()
    qtbot.waitUntil(lambda: page.results.isVisible())
    assert page.looks.said() == "Look 2 at these test photos."


def test_a_page_built_after_the_measuring_shows_it(trained_session: Session, qtbot: QtBot) -> None:
    trained_session.evaluate()
    qtbot.waitUntil(lambda: trained_session.evaluation is not None)
    page = shown(trained_session, qtbot)
    assert page.results.isVisible()
    assert page.accuracy.figure.text() == "100.0 %"
