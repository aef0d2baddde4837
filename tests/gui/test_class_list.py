from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from photo_folders import make_photos
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from hubstudio.core.photos import Photo, PhotoSet, ordered
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.class_bar import FEWEST_FIRST, MOST_FIRST
from hubstudio.gui.widgets.class_list import ClassList
from hubstudio.gui.widgets.class_questions import MergeDialog

MakeSet = Callable[[dict[str, int]], PhotoSet]


@pytest.fixture
def photo_set(tmp_path: Path) -> MakeSet:
    """Return sets of photos that need not be there."""

    def make(counts: dict[str, int]) -> PhotoSet:
        photos = [Photo(tmp_path / name / f"{n}.jpg", name) for name, count in counts.items() for n in range(count)]
        return ordered(PhotoSet(tmp_path, (), tuple(photos)))

    return make


@pytest.fixture
def classes(thumbnails: Thumbnails, qtbot: QtBot) -> ClassList:
    made = ClassList(thumbnails)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    return made


def names(classes: ClassList) -> list[str]:
    return [classes.grid.name(row) for row in range(len(classes.grid.keys))]


def type_name(classes: ClassList, row: int, name: str, qtbot: QtBot) -> None:
    classes.grid.setFocus()
    classes.grid.go_to(row)
    qtbot.keyClick(classes.grid, Qt.Key.Key_F2)
    editor = classes.findChild(QLineEdit, "class_name")
    assert isinstance(editor, QLineEdit)
    qtbot.keyClicks(editor, name)
    qtbot.keyClick(editor, Qt.Key.Key_Return)


def test_a_screen_reader_says_class_and_count(classes: ClassList, photo_set: MakeSet) -> None:
    classes.show_photos(photo_set({"daisy": 262, "iris": 1}))
    face = QAccessible.queryAccessibleInterface(classes.grid)
    said = [face.child(place).text(QAccessible.Text.Name) for place in range(face.childCount())]
    assert said == ["daisy, 262 photos", "iris, 1 photo"]


def test_few_classes_need_no_search(classes: ClassList, photo_set: MakeSet) -> None:
    classes.show_photos(photo_set({f"class {number}": 3 for number in range(12)}))
    assert not classes.bar.isVisible()
    classes.show_photos(photo_set({f"class {number}": 3 for number in range(13)}))
    assert classes.bar.isVisible()


def test_many_classes_can_be_searched(classes: ClassList, photo_set: MakeSet, qtbot: QtBot) -> None:
    classes.show_photos(photo_set({f"class {number}": 3 for number in range(100)}))
    qtbot.keyClicks(classes.bar.search, "9 CLASS")
    assert len(names(classes)) == 19
    assert classes.bar.found.text() == "19 of 100"
    qtbot.keyClicks(classes.bar.search, "x")
    assert classes.nothing.isVisible()
    assert classes.nothing.text() == "No class is called “9 CLASSx”."
    classes.bar.search.clear()
    assert len(names(classes)) == 100


def test_many_classes_can_be_sorted(classes: ClassList, photo_set: MakeSet) -> None:
    classes.show_photos(photo_set({f"class {number}": number % 7 + 1 for number in range(20)}))
    classes.bar.order.setCurrentText(MOST_FIRST)
    assert names(classes)[:3] == ["class 6", "class 13", "class 5"]
    classes.bar.order.setCurrentText(FEWEST_FIRST)
    assert names(classes)[:3] == ["class 0", "class 7", "class 14"]


def test_only_photos_in_sight_or_near_it_are_read(
    classes: ClassList, tmp_path: Path, qtbot: QtBot, thumbnails: Thumbnails
) -> None:
    folder = make_photos(tmp_path / "many", {f"class {number}": 1 for number in range(80)}, side=8)
    photos = [Photo(path, path.parent.name) for path in folder.rglob("*.jpg")]
    classes.show_photos(ordered(PhotoSet(folder, (), tuple(photos))))
    qtbot.waitUntil(lambda: len(thumbnails._kept) >= 8, timeout=5000)
    qtbot.wait(100)
    assert len(thumbnails._kept) < 40


def test_a_new_name_is_told(classes: ClassList, photo_set: MakeSet, qtbot: QtBot) -> None:
    classes.show_photos(photo_set({"daisy": 3, "iris": 3}))
    with qtbot.waitSignal(classes.rename_wanted) as told:
        type_name(classes, 1, "lily", qtbot)
    assert told.args == ["iris", "lily"]


@pytest.mark.parametrize("typed", ["iris", " "])
def test_a_name_that_stays_or_is_empty_changes_nothing(
    classes: ClassList, photo_set: MakeSet, qtbot: QtBot, typed: str
) -> None:
    classes.show_photos(photo_set({"daisy": 3, "iris": 3}))
    with qtbot.assertNotEmitted(classes.rename_wanted, wait=100):
        type_name(classes, 1, typed, qtbot)


@pytest.mark.parametrize(("button", "merges"), [("merge", True), ("keep_both", False)])
def test_the_name_of_another_class_is_asked_about_first(
    classes: ClassList, photo_set: MakeSet, qtbot: QtBot, button: str, merges: bool
) -> None:
    classes.show_photos(photo_set({"daisy": 3, "iris": 4}))
    told: list[tuple[str, str]] = []
    classes.rename_wanted.connect(lambda old, new: told.append((old, new)))
    type_name(classes, 1, "daisy", qtbot)
    qtbot.waitUntil(lambda: classes.window().findChild(QMessageBox, "merge_question") is not None)
    box = classes.window().findChild(QMessageBox, "merge_question")
    assert isinstance(box, QMessageBox)
    assert "7 photos" in box.informativeText()
    assert not told
    next(found for found in box.buttons() if found.objectName() == button).click()
    assert told == ([("iris", "daisy")] if merges else [])


def test_a_class_can_be_merged_into_one_that_is_chosen(classes: ClassList, photo_set: MakeSet, qtbot: QtBot) -> None:
    classes.show_photos(photo_set({"daisy": 3, "iris": 4, "lily": 5}))
    menu = classes.menu_for(1)
    next(action for action in menu.actions() if action.text() == "Merge into…").trigger()
    dialog = classes.window().findChild(MergeDialog)
    assert isinstance(dialog, MergeDialog)
    assert [dialog.others.itemText(place) for place in range(dialog.others.count())] == ["daisy", "lily"]
    dialog.others.setEditText("nothing of the kind")
    assert not dialog.agree.isEnabled()
    dialog.others.setEditText("lily")
    with qtbot.waitSignal(classes.rename_wanted) as told:
        dialog.agree.click()
    assert told.args == ["iris", "lily"]


def test_a_refresh_keeps_place_selection_and_pictures(classes: ClassList, tmp_path: Path, qtbot: QtBot) -> None:
    folder = make_photos(tmp_path / "some", {f"class {number}": 4 for number in range(40)}, side=8)
    photos = [Photo(path, path.parent.name) for path in sorted(folder.rglob("*.jpg"))]
    full = ordered(PhotoSet(folder, (), tuple(photos)))
    classes.show_photos(full)
    qtbot.waitUntil(lambda: classes.grid.verticalScrollBar().maximum() > 1000)
    classes.grid.go_to(30)
    shown = classes.grid.photos_of(30)
    qtbot.waitUntil(lambda: all(classes.grid.pictures.picture(path) for path in shown), timeout=5000)
    before = classes.grid.tile_rect(30).top()
    fewer = ordered(replace(full, photos=tuple(photo for photo in full.photos if photo.class_name != "class 1")))
    classes.show_photos(fewer)
    row = classes.grid.keys.index("class 30")
    assert classes.grid.selected_rows() == [row] == [29]
    assert abs(classes.grid.tile_rect(row).top() - before) <= classes.grid.cell.height()
    assert all(classes.grid.pictures.picture(path) for path in shown)


def test_tiles_are_where_the_list_believes_them_to_be(classes: ClassList, photo_set: MakeSet, qtbot: QtBot) -> None:
    classes.show_photos(photo_set({f"class {number}": 3 for number in range(50)}))
    for width in (300, 622, 640, 967, 1266):
        classes.resize(width, 480)
        qtbot.waitUntil(
            lambda: all(
                classes.grid.visualRect(classes.grid.texts.index(row)).contains(classes.grid.tile_rect(row).center())
                for row in (0, 1, 2, 3, 7, 49)
            )
        )


def test_the_widget_of_the_page_stands_after_the_last_class_or_below_the_list(
    classes: ClassList, photo_set: MakeSet, qtbot: QtBot
) -> None:
    tile = QLabel("+ Drop another folder")
    classes.set_trailing(tile)
    classes.show_photos(photo_set({"daisy": 3}))
    qtbot.waitUntil(lambda: tile.geometry().topLeft() == classes.grid.tile_rect(1).topLeft() and tile.height() > 100)
    classes.show_photos(photo_set({f"class {number}": 3 for number in range(30)}))
    qtbot.waitUntil(lambda: tile.y() >= classes.grid.geometry().bottom() and tile.height() < 60)
    classes.show_photos(photo_set({"daisy": 3}))
    qtbot.waitUntil(lambda: tile.geometry().topLeft() == classes.grid.tile_rect(1).topLeft())


def test_enter_and_double_click_show_the_photos_of_a_class(
    classes: ClassList, photo_set: MakeSet, qtbot: QtBot
) -> None:
    classes.show_photos(photo_set({"daisy": 3, "iris": 4}))
    classes.grid.go_to(1)
    qtbot.keyClick(classes.grid, Qt.Key.Key_Return)
    assert classes.gallery is not None
    assert classes.gallery.shown.name == "iris"
    classes.gallery.close()
    place = classes.grid.tile_rect(0).center()
    qtbot.mouseClick(classes.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(classes.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert classes.gallery.isVisible()
    assert classes.gallery.shown.name == "daisy"


def test_a_class_may_be_called_anything(classes: ClassList, photo_set: MakeSet, qtbot: QtBot) -> None:
    odd = ["a\nb", "<b>bold</b>", "日本語", "&amp", "x" * 500]
    classes.show_photos(photo_set(dict.fromkeys(odd, 3)))
    assert sorted(names(classes)) == sorted(odd)
    assert not classes.grid.grab().isNull()
    assert classes.grid.indexAt(QPoint(20, 20)).row() == 0
    assert classes.minimumSizeHint().width() < 400
