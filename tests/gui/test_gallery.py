from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from activation import activate
from photo_folders import make_photos
from PIL import Image
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from hubstudio.core.parts import Part
from hubstudio.core.photo_listing import scan
from hubstudio.core.photos import Photo, PhotoSet, ordered
from hubstudio.gui.class_photos import photos_of_class
from hubstudio.gui.gallery import Gallery
from hubstudio.gui.thumbnails import Thumbnails

Key = Qt.Key


@pytest.fixture
def photo_set(tmp_path: Path) -> PhotoSet:
    return scan(make_photos(tmp_path / "shapes", {"blue": 30, "red": 5}))


@pytest.fixture
def gallery(thumbnails: Thumbnails, photo_set: PhotoSet, qtbot: QtBot) -> Gallery:
    made = Gallery(thumbnails)
    qtbot.addWidget(made)
    made.resize(600, 450)
    made.show_class(photo_set, "blue")
    return made


def leaving_out(photo_set: PhotoSet, *paths: Path) -> PhotoSet:
    out = tuple(photo for photo in photo_set.photos if photo.path in paths)
    return ordered(replace(photo_set, photos=tuple(p for p in photo_set.photos if p not in out), left_out=out))


def press(gallery: Gallery, key: Qt.Key, qtbot: QtBot) -> None:
    target: QObject = gallery.large.canvas if gallery.shows_one else gallery.grid
    QTest.keyClick(target, key)


def open_large(gallery: Gallery, row: int, qtbot: QtBot) -> None:
    gallery.grid.go_to(row)
    activate(gallery, qtbot)
    press(gallery, Key.Key_Return, qtbot)
    qtbot.waitUntil(lambda: gallery.large.canvas._image is not None, timeout=5000)


def test_it_says_what_it_shows(gallery: Gallery, qtbot: QtBot) -> None:
    assert gallery.title.text() == "blue"
    assert gallery.summary.text() == "30 photos"
    assert gallery.grid.texts.stringList()[:2] == ["blue 1.jpg", "blue 2.jpg"]
    qtbot.waitUntil(lambda: gallery.grid.pictures.picture(gallery.shown.paths[0]) is not None, timeout=5000)


def test_delete_asks_for_the_selected_photos_to_be_left_out(gallery: Gallery, qtbot: QtBot) -> None:
    gallery.grid.go_to(2)
    QTest.keyClick(gallery.grid, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert gallery.chosen.text() == "2 selected"
    with qtbot.waitSignal(gallery.leave_out_wanted) as told:
        press(gallery, Key.Key_Delete, qtbot)
    assert told.args == [list(gallery.shown.paths[2:4])]


def test_photos_left_out_stay_in_their_place_and_can_be_put_back(
    gallery: Gallery, photo_set: PhotoSet, qtbot: QtBot
) -> None:
    path = gallery.shown.paths[2]
    gallery.grid.go_to(2)
    assert not gallery.put_back.isEnabled()
    gallery.show_photos(leaving_out(photo_set, path))
    assert gallery.grid.texts.stringList()[2] == "blue 3.jpg, left out"
    assert gallery.summary.text() == "29 photos, 1 left out"
    assert gallery.grid.selected_rows() == [2]
    assert not gallery.leave_out.isEnabled()
    with qtbot.waitSignal(gallery.put_back_wanted) as told:
        gallery.put_back.click()
    assert told.args == [[path]]


def test_photos_left_out_by_a_file_cannot_be_put_back_here(gallery: Gallery, photo_set: PhotoSet, qtbot: QtBot) -> None:
    by_file, by_hand = gallery.shown.paths[1:3]
    changed = leaving_out(photo_set, by_file, by_hand)
    given = tuple(replace(p, given=Part.LEFT_OUT) if p.path == by_file else p for p in changed.left_out)
    gallery.show_photos(replace(changed, left_out=given))
    assert gallery.grid.texts.stringList()[1:3] == ["blue 2.jpg, left out by a file", "blue 3.jpg, left out"]
    assert gallery.summary.text() == "28 photos, 2 left out"
    gallery.grid.go_to(1)
    assert not gallery.put_back.isEnabled()
    assert not gallery.leave_out.isEnabled()
    assert gallery.put_back.toolTip() == "Left out by the table or the split file: change it there."
    gallery._on_opened(1)
    assert gallery.large.use.text() == "Put back"
    assert not gallery.large.use.isEnabled()
    gallery._show_all()
    gallery.grid.selectAll()
    assert gallery.put_back.isEnabled()
    with qtbot.waitSignal(gallery.put_back_wanted) as told:
        gallery.put_back.click()
    assert told.args == [[by_hand]]


@pytest.mark.parametrize("count", [3, 400])
def test_selection_and_place_stay_when_many_are_left_out(
    thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot, count: int
) -> None:
    photos = tuple(Photo(tmp_path / "blue" / f"{number}.jpg", "blue") for number in range(1000))
    photo_set = ordered(PhotoSet(tmp_path, (), photos))
    gallery = Gallery(thumbnails)
    qtbot.addWidget(gallery)
    gallery.resize(600, 450)
    gallery.show_class(photo_set, "blue")
    grid = gallery.grid
    qtbot.waitUntil(lambda: grid.verticalScrollBar().maximum() > 1000)
    grid.go_to(500)
    for _ in range(count - 1):
        QTest.keyClick(grid, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    offset = grid.verticalScrollBar().value()
    told: list[int] = []
    grid.texts.dataChanged.connect(lambda: told.append(1))
    chosen = grid.selected_paths()
    gallery.show_photos(leaving_out(photo_set, *chosen))
    assert grid.selected_paths() == chosen
    assert grid.currentIndex().row() == 500 + count - 1
    assert grid.verticalScrollBar().value() == offset
    assert gallery.put_back.isEnabled()
    assert grid.text(500) == "500.jpg, left out"
    assert len(told) < 10


def test_opened_anew_they_are_in_their_place_too(gallery: Gallery, photo_set: PhotoSet) -> None:
    paths = gallery.shown.paths
    changed = leaving_out(photo_set, *paths[3:12])
    assert photos_of_class(changed, "blue").paths == paths


def test_unreadable_photos_are_there_and_say_why(gallery: Gallery, photo_set: PhotoSet, qtbot: QtBot) -> None:
    photo = photo_set.of_class("blue")[1]
    photo.path.write_bytes(b"")
    rest = tuple(other for other in photo_set.photos if other is not photo)
    gallery.show_photos(replace(photo_set, photos=rest, unreadable=(photo,)))
    assert gallery.summary.text() == "29 photos, 1 could not be read"
    gallery._on_opened(1)
    qtbot.waitUntil(lambda: "could not be read: the file is empty" in gallery.large.canvas._words, timeout=5000)
    assert not gallery.large.use.isEnabled()


def test_one_photo_is_shown_large_with_what_is_known_of_it(gallery: Gallery, qtbot: QtBot) -> None:
    open_large(gallery, 11, qtbot)
    large, path = gallery.large, gallery.shown.paths[11]
    assert large.position.text() == "12 of 30"
    assert large.name.text() == "blue 12.jpg"
    assert large.facts.text() == f"48 × 36 pixels · {path.parent}"
    assert large.canvas.accessibleName() == "blue 12.jpg, 12 of 30"


def test_keys_go_through_the_photos(gallery: Gallery, qtbot: QtBot) -> None:
    open_large(gallery, 0, qtbot)
    seen: list[int] = []
    for key in (Key.Key_Left, Key.Key_Right, Key.Key_End, Key.Key_Right, Key.Key_Left, Key.Key_Home, Key.Key_PageDown):
        press(gallery, key, qtbot)
        seen.append(gallery.large.row)
    assert seen == [0, 1, 29, 29, 28, 0, 10]
    press(gallery, Key.Key_Escape, qtbot)
    assert gallery.isVisible()
    assert not gallery.shows_one
    assert gallery.grid.selected_rows() == [10]
    press(gallery, Key.Key_Escape, qtbot)
    assert not gallery.isVisible()


def test_the_neighbours_are_read_ahead(gallery: Gallery, qtbot: QtBot) -> None:
    open_large(gallery, 10, qtbot)
    side, paths = gallery.large._side(), gallery.shown.paths
    qtbot.waitUntil(lambda: all(gallery.large.photos.photo(paths[row], side) for row in (9, 11)), timeout=5000)


def test_at_100_percent_every_pixel_is_shown(thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "set" / "big").mkdir(parents=True)
    Image.effect_noise((1500, 1000), 60).save(tmp_path / "set" / "big" / "noise.png")
    gallery = Gallery(thumbnails)
    qtbot.addWidget(gallery)
    gallery.resize(500, 400)
    gallery.show_class(scan(tmp_path / "set"), "big")
    open_large(gallery, 0, qtbot)
    canvas = gallery.large.canvas
    assert canvas.photo_rect().width() <= canvas.width()
    press(gallery, Key.Key_1, qtbot)
    qtbot.waitUntil(lambda: canvas._image is not None and canvas._image.width() == 1500, timeout=5000)
    assert canvas.photo_rect().width() * canvas.devicePixelRatioF() == pytest.approx(1500)
    press(gallery, Key.Key_0, qtbot)
    assert canvas.photo_rect().width() <= canvas.width()


def test_leaving_out_the_large_photo_turns_into_putting_it_back(
    gallery: Gallery, photo_set: PhotoSet, qtbot: QtBot
) -> None:
    open_large(gallery, 4, qtbot)
    path = gallery.shown.paths[4]
    with qtbot.waitSignal(gallery.leave_out_wanted) as told:
        press(gallery, Key.Key_Delete, qtbot)
    assert told.args == [[path]]
    gallery.show_photos(leaving_out(photo_set, path))
    assert gallery.large.use.text() == "Put back"
    assert gallery.large.path() == path
    with qtbot.waitSignal(gallery.put_back_wanted):
        gallery.large.use.click()


def test_it_follows_a_class_that_got_another_name(gallery: Gallery, photo_set: PhotoSet) -> None:
    renamed = [replace(p, class_name="sky") if p.class_name == "blue" else p for p in photo_set.photos]
    gallery.show_photos(ordered(replace(photo_set, photos=tuple(renamed))))
    assert gallery.isVisible()
    assert gallery.title.text() == "sky"


@pytest.mark.parametrize("what", ["the class is gone", "other photos"])
def test_it_closes_when_its_photos_are_gone(gallery: Gallery, photo_set: PhotoSet, what: str, tmp_path: Path) -> None:
    kept = tuple(photo for photo in photo_set.photos if photo.class_name != "blue")
    gone = ordered(replace(photo_set, photos=kept))
    gallery.show_photos(gone if what == "the class is gone" else replace(photo_set, root=tmp_path / "other"))
    assert not gallery.isVisible()


def test_what_is_scrolled_past_is_not_read(
    thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    request = thumbnails.request

    def noting(path: Path, side: int, taker: Callable[..., None]) -> None:
        asked.append(path)
        request(path, side, taker)

    monkeypatch.setattr(thumbnails, "request", noting)
    gallery = Gallery(thumbnails)
    qtbot.addWidget(gallery)
    gallery.resize(400, 300)
    gallery.show_class(scan(make_photos(tmp_path / "many", {"blue": 400}, side=8)), "blue")
    qtbot.waitUntil(lambda: gallery.grid.verticalScrollBar().maximum() > 1000)
    for value in range(0, gallery.grid.verticalScrollBar().maximum(), 50):
        gallery.grid.verticalScrollBar().setValue(value)
        gallery.grid.repaint()
    QTest.keyClick(gallery.grid, Key.Key_End)
    qtbot.waitUntil(lambda: gallery.grid.pictures.picture(gallery.shown.paths[-1]) is not None, timeout=5000)
    assert len(asked) < 100
