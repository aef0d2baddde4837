from __future__ import annotations

from pathlib import Path

import pytest
from fake_engine import FakeEngine
from photo_folders import make_photos
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from hubstudio.core.photos import scan
from hubstudio.core.project import Project
from hubstudio.core.split import Shares, part_counts, split_photos
from hubstudio.gui.pages.photos_page import PhotosPage
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails


@pytest.fixture
def page(session: Session, thumbnails: Thumbnails, qtbot: QtBot) -> PhotosPage:
    page = PhotosPage(session, thumbnails)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    return page


def drop(widget: QWidget, paths: list[Path]) -> bool:
    """Drop files on a widget; False if it does not take them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(widget, entering)
    if not entering.isAccepted():
        return False
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    return True


def read(page: PhotosPage, folder: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        page.session.choose_photos(folder)


def test_without_photos_the_next_step_waits_for_them(page: PhotosPage) -> None:
    assert page.missing() == "Choose photos first"
    assert page.summary() == ""
    assert page.first.isVisible()
    assert not page.overview.isVisible()


def test_a_dropped_folder_is_read_and_checked(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        assert drop(page.first, [photos])
    assert page.missing() == ""
    assert page.summary() == "30 photos · 3 classes"
    assert page.overview.isVisible()
    assert not page.first.isVisible()


def test_a_typed_folder_is_read_on_enter(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.session.photos_changed, timeout=10_000):
        page.first.folder.setText(str(photos))
        qtbot.keyClick(page.first.folder, Qt.Key.Key_Return)
    assert page.session.photo_set is not None
    assert page.session.photo_set.root == photos


def test_every_class_has_a_card_with_its_count(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, make_photos(tmp_path / "uneven", {"blue": 8, "red": 4}), qtbot)
    cards = page.cards.cards
    assert [(card.title.text(), card.count.text()) for card in cards] == [("blue", "8"), ("red", "4")]
    assert cards[0].accessibleName() == "blue, 8 photos"
    assert page.total.text() == "2 classes · 12 photos"


def test_a_hundred_classes_all_get_their_cards(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    folder = make_photos(tmp_path / "many", {f"class {number}": 3 for number in range(100)}, side=8)
    read(page, folder, qtbot)
    qtbot.waitUntil(lambda: len(page.cards.cards) == 100)


def test_long_class_names_are_told_whole_and_do_not_widen_the_page(
    page: PhotosPage, tmp_path: Path, qtbot: QtBot
) -> None:
    name = "a class name of many words " * 4
    read(page, make_photos(tmp_path / "long", {name.strip(): 3, "red": 3}), qtbot)
    card = page.cards.cards[0]
    assert card.title.toolTip() == name.strip()
    assert page.minimumSizeHint().width() < 620


def test_unreadable_files_are_named_on_demand(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    (photos / "red" / "broken.jpg").write_bytes(b"")
    read(page, photos, qtbot)
    line = next(line for line in page.health.lines if "could not be read" in line.sentence.said())
    assert not line.files.isVisible()
    line.show_files.click()
    qtbot.waitUntil(line.files.isVisible)
    assert line.files.toPlainText() == str(Path("red") / "broken.jpg")
    assert page.health.readable.sentence.said() == "30 photos readable"
    assert page.missing() == ""


def test_a_class_with_too_few_photos_says_so_beside_next(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, make_photos(tmp_path / "few", {"blue": 5, "red": 2}), qtbot)
    assert page.missing() == "The class 'red' has 2 photos; it needs at least 3."


def test_lopsided_classes_are_pointed_out(page: PhotosPage, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, make_photos(tmp_path / "lopsided", {"blue": 20, "red": 4}), qtbot)
    assert page.health.lines[-1].sentence.said().startswith("Classes lopsided (1 : 5.0)")


def test_the_split_is_told_in_numbers(page: PhotosPage, photos: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    said = [line.number.said() for line in page.split.lines.values()]
    assert said == ["18 train", "6 validation", "6 test, locked"]


def test_the_numbers_of_the_split_are_those_of_the_split_itself(photos: Path, tmp_path: Path) -> None:
    uneven = make_photos(tmp_path / "uneven", {"blue": 17, "green": 2, "red": 5}, side=8)
    for photo_set in (scan(photos), scan(uneven)):
        counted = part_counts(photo_set.counts.values(), Shares())
        assert counted == split_photos(photo_set, 1, Shares()).counts()


def test_a_folder_that_is_not_there_keeps_the_photos_and_says_what_to_do(
    page: PhotosPage, photos: Path, qtbot: QtBot
) -> None:
    read(page, photos, qtbot)
    with qtbot.waitSignal(page.session.failed, timeout=10_000):
        page.session.choose_photos(photos / "nowhere")
    assert "There is no folder" in page.problem.what.said()
    assert page.problem.isVisible()
    assert page.overview.isVisible()
    assert page.summary() == "30 photos · 3 classes"


def test_dropped_class_folders_are_refused_with_the_folder_to_drop_instead(page: PhotosPage, photos: Path) -> None:
    drop(page.first, [photos / "red", photos / "blue"])
    assert page.problem.what.said() == "2 folders were dropped; one is needed."
    assert str(photos) in page.problem.rest.said()


def test_a_dropped_file_is_refused(page: PhotosPage, photos: Path) -> None:
    drop(page.first, [photos / "red" / "red 1.jpg"])
    assert page.problem.what.said() == "'red 1.jpg' is not a folder."


def test_something_else_than_files_is_not_taken(page: PhotosPage) -> None:
    assert not drop(page.first, [])


def test_the_drop_zone_stays_for_another_folder(page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot) -> None:
    read(page, photos, qtbot)
    other = make_photos(tmp_path / "other", {"up": 3, "down": 3})
    assert page.other.accessibleName() == page.first.accessibleName() == "Photo drop zone"
    with qtbot.waitSignal(page.session.photos_checked, timeout=10_000):
        drop(page.other, [other])
    assert page.summary() == "6 photos · 2 classes"


def test_a_folder_that_cannot_be_read_says_so_also_when_the_check_of_the_former_has_ended(
    page: PhotosPage, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    page.session.choose_photos(photos)
    qtbot.waitUntil(lambda: page.session.is_busy("check"))
    page.session.choose_photos(tmp_path / "nowhere")
    qtbot.waitUntil(lambda: page.session.photos_are_checked and not page.session.is_busy("scan"), timeout=10_000)
    qtbot.waitUntil(lambda: page.problem.isVisible())
    assert page.missing() == ""


def test_recent_projects_can_be_continued(
    page: PhotosPage, photos: Path, qtbot: QtBot, engine: FakeEngine, thumbnails: Thumbnails
) -> None:
    read(page, photos, qtbot)
    fresh = Session(Project(Path()), lambda: engine)
    later = PhotosPage(fresh, thumbnails)
    qtbot.addWidget(later)
    later.entered()
    button = later.first.recent.itemAt(0).widget()
    assert button.accessibleName() == "Continue shapes"
    with qtbot.waitSignal(later.project_wanted) as told:
        button.click()
    assert told.args == [page.session.project.folder]
    fresh.close()


def test_thumbnails_are_made_when_seen(page: PhotosPage, photos: Path, qtbot: QtBot, thumbnails: Thumbnails) -> None:
    read(page, photos, qtbot)
    qtbot.waitUntil(lambda: len({path for path, _ in thumbnails._kept}) >= 12, timeout=10_000)
