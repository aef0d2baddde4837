from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from hubstudio.core.engine import Prediction
from hubstudio.core.errors import StudioError
from hubstudio.gui.pages.classify_page import ClassifyPage
from hubstudio.gui.predictions_file import predictions_csv
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.prediction_card import prediction_text, whole_percent
from hubstudio.gui.widgets.prediction_grid import MOST_CARDS


@pytest.fixture
def page(trained_session: Session, thumbnails: Thumbnails, qtbot: QtBot) -> ClassifyPage:
    page = ClassifyPage(trained_session, thumbnails)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.entered()
    return page


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "mixed" / f"{number}.jpg" for number in range(4)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 30), (60 * number, 90, 200)).save(path)
    return paths


def answered(page: ClassifyPage, count: int, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(page.grid.cards()) == count and not page.session.is_busy("classify"), timeout=10_000)


def drop(page: ClassifyPage, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    page.drop_zone.dropEvent(event)


def names(page: ClassifyPage) -> list[str]:
    return [card.prediction.file.name for card in page.grid.cards()]


def test_dropped_photos_are_answered_in_their_order(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    drop(page, files)
    answered(page, 4, qtbot)
    assert names(page) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert page.status.said().startswith("4 photos · ")
    assert page.status.said().endswith(" each")
    assert page.summary() == "4 photos"


def test_the_newest_are_on_top(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    drop(page, files[:2])
    answered(page, 2, qtbot)
    drop(page, files[2:])
    answered(page, 4, qtbot)
    assert names(page) == ["2.jpg", "3.jpg", "0.jpg", "1.jpg"]


def test_what_is_dropped_meanwhile_waits_its_turn(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    drop(page, files[:1])
    drop(page, files[1:2])
    drop(page, files[2:])
    answered(page, 4, qtbot)
    assert sorted(names(page)) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]


def test_a_folder_gives_the_photos_below_it(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    (files[0].parent / "notes.txt").write_text("not a photo")
    deep = files[0].parent / "more" / "deep"
    deep.mkdir(parents=True)
    files[3].rename(deep / "3.jpg")
    page.typed.setText(str(files[0].parent))
    qtbot.keyClick(page.typed, Qt.Key.Key_Return)
    answered(page, 4, qtbot)
    assert sorted(names(page)) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]


def test_a_file_that_is_no_photo_is_named_with_the_reason(
    page: ClassifyPage, files: list[Path], tmp_path: Path, qtbot: QtBot
) -> None:
    odd = tmp_path / "notes.txt"
    odd.write_text("not a photo")
    drop(page, [odd, files[0]])
    answered(page, 2, qtbot)
    card = page.grid.cards()[0]
    assert card.accessibleName() == "notes.txt: could not be read, it is not a photo in a format that is known here"
    assert "1 could not be read" in page.status.said()


def test_an_empty_folder_is_an_error(page: ClassifyPage, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "nothing").mkdir()
    page.classify([tmp_path / "nothing"])
    qtbot.waitUntil(lambda: page.error.isVisible())
    assert page.error.what.text() == "There are no photos in 'nothing'."


def test_a_failure_is_told_and_the_next_photos_work(
    page: ClassifyPage, files: list[Path], qtbot: QtBot, engine: FakeEngine
) -> None:
    engine.problem = StudioError("The run is damaged.", next_step="Train again.")
    drop(page, files)
    qtbot.waitUntil(lambda: page.error.isVisible())
    drop(page, files)
    answered(page, 4, qtbot)
    assert not page.error.isVisible()


def test_a_card_is_one_sentence(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    drop(page, files[:1])
    answered(page, 1, qtbot)
    assert page.grid.cards()[0].accessibleName() == "0.jpg: blue 57 %"


def test_clear_takes_everything_away(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    drop(page, files)
    answered(page, 4, qtbot)
    page.clear.click()
    assert page.grid.cards() == []
    assert page.status.said() == "No photo classified yet."
    assert not page.save.isEnabled()


def test_only_the_newest_cards_are_kept_but_all_answers(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    many = [Prediction(files[0].with_name(f"{number}.jpg"), {"a": 1.0}) for number in range(MOST_CARDS + 50)]
    page.session.predictions_ready.emit(many)
    answered(page, MOST_CARDS, qtbot)
    assert names(page)[0] == "0.jpg"
    assert len(page.predictions) == MOST_CARDS + 50
    assert "the newest 200 are shown" in page.status.said()


def test_another_run_takes_the_answers_of_the_former_away(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    drop(page, files)
    answered(page, 4, qtbot)
    page.session.start_training()
    qtbot.waitUntil(lambda: page.session.project.run == "run-002")
    assert page.predictions == []


def test_without_a_run_nothing_can_be_dropped(session: Session, thumbnails: Thumbnails, qtbot: QtBot) -> None:
    page = ClassifyPage(session, thumbnails)
    qtbot.addWidget(page)
    assert not page.drop_zone.isEnabled()
    assert page.status.said() == "There is no trained model yet. Train once first."


def test_while_training_the_photos_wait(
    page: ClassifyPage, files: list[Path], qtbot: QtBot, engine: FakeEngine
) -> None:
    engine.hold.clear()
    page.session.start_training()
    drop(page, files)
    assert page.status.said() == "Waiting until the training is done"
    page.cancel.click()
    engine.hold.set()
    qtbot.waitUntil(lambda: not page.session.is_busy("classify"))
    assert page.grid.cards() == []


def test_photos_that_waited_for_a_training_are_answered_by_its_model(
    page: ClassifyPage, files: list[Path], qtbot: QtBot, engine: FakeEngine
) -> None:
    engine.hold.clear()
    page.session.start_training()
    drop(page, files[:2])
    drop(page, files[2:])
    engine.hold.set()
    qtbot.waitUntil(lambda: page.session.project.run == "run-002", timeout=10_000)
    answered(page, 4, qtbot)
    assert names(page) == ["2.jpg", "3.jpg", "0.jpg", "1.jpg"]
    assert page.status.said().startswith("4 photos")


def test_a_typed_path_needs_no_enter_key(page: ClassifyPage, files: list[Path], qtbot: QtBot) -> None:
    assert page.classify_typed.accessibleName() == page.classify_typed.text() == "Classify this path"
    page.typed.setText(str(files[0]))
    page.classify_typed.click()
    answered(page, 1, qtbot)


def test_the_csv_has_a_line_for_every_photo(
    page: ClassifyPage, files: list[Path], tmp_path: Path, qtbot: QtBot
) -> None:
    odd = tmp_path / "notes, odd.txt"
    odd.write_text("not a photo")
    drop(page, [files[0], odd])
    answered(page, 2, qtbot)
    target = tmp_path / "out" / "answers.csv"
    page.save_csv(target)
    assert page.status.said() == f"Saved to {target}"
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "label", "confidence", "blue", "green", "red"]
    assert [row["label"] for row in rows] == ["blue", ""]
    assert rows[1]["file"] == str(odd)


def test_a_csv_that_cannot_be_written_is_told(page: ClassifyPage, tmp_path: Path) -> None:
    page.save_csv(tmp_path)
    assert page.error.isVisible()
    assert "could not be written" in page.error.what.text()


def test_classes_of_all_answers_are_columns() -> None:
    text = predictions_csv([Prediction(Path("a"), {"x": 0.75, "y": 0.25}), Prediction(Path("b"), {"z": 1.0})])
    assert text.splitlines() == [
        "file,label,confidence,x,y,z",
        "a,x,0.750000,0.750000,0.250000,",
        "b,z,1.000000,,,1.000000",
    ]


def test_percent_is_not_rounded_to_certainty() -> None:
    assert [whole_percent(share) for share in (1.0, 0.999, 0.98, 0.001, 0.0)] == [
        "100 %",
        "> 99 %",
        "98 %",
        "< 1 %",
        "0 %",
    ]


def test_the_sentence_of_a_prediction() -> None:
    assert (
        prediction_text(Prediction(Path("IMG_2041.jpg"), {"sunflower": 0.98, "daisy": 0.02}))
        == "IMG_2041.jpg: sunflower 98 %"
    )


def test_a_drop_on_the_text_field_reaches_the_zone_around_it(session: Session, qtbot: QtBot) -> None:
    page = ClassifyPage(session, Thumbnails())
    qtbot.addWidget(page)
    assert not page.typed.acceptDrops()
