from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from hubstudio.gui import large_photos
from hubstudio.gui import thumbnails as thumbnails_module
from hubstudio.gui.large_photos import LargePhotos
from hubstudio.gui.thumbnails import Thumbnails, square_image
from hubstudio.gui.visible_thumbnails import VisibleThumbnails

RED, BLUE = (200, 30, 30), (30, 30, 200)


class PatientThumbnails(QObject):
    """Answers when told to, or at once, without reading anything."""

    doubted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Path] = []
        self._waiting: list[Callable[[], None]] = []

    def request(self, path: Path, side: int, taker: Callable[[Path, QImage | None], None]) -> None:
        self.asked.append(path)
        picture = QImage(side, side, QImage.Format.Format_RGB32)
        self._waiting.append(lambda: taker(path, picture))

    def answer(self) -> None:
        while self._waiting:
            self._waiting.pop(0)()


@pytest.fixture
def source(qtbot: QtBot) -> PatientThumbnails:
    del qtbot
    return PatientThumbnails()


@pytest.fixture
def visible(source: PatientThumbnails) -> VisibleThumbnails:
    return VisibleThumbnails(source)  # type: ignore[arg-type]


def paths(first: int, last: int) -> list[Path]:
    return [Path(f"/photos/{number}.jpg") for number in range(first, last)]


def coloured(path: Path, colour: tuple[int, int, int], side: int = 40) -> Path:
    Image.new("RGB", (side, side), colour).save(path)
    return path


def is_about(image: QImage | None, colour: tuple[int, int, int]) -> bool:
    found = QColor(image.pixel(3, 3)) if image else QColor()
    return (found.red(), found.green(), found.blue()) == pytest.approx(colour, abs=6)


@pytest.mark.parametrize("count", [10, 900, 3000])
def test_however_many_are_in_sight_each_is_asked_for_once(
    visible: VisibleThumbnails, source: PatientThumbnails, count: int
) -> None:
    for _ in range(3):
        visible.want(paths(0, count), 8)
        source.answer()
    assert len(source.asked) == count
    assert all(visible.picture(path) for path in paths(0, count))


def test_what_is_not_wanted_any_more_goes_first(visible: VisibleThumbnails, source: PatientThumbnails) -> None:
    for first in range(0, 5000, 100):
        visible.want(paths(first, first + 300), 8)
        source.answer()
    assert all(visible.picture(path) for path in paths(4900, 5200))
    assert 300 <= len(visible._kept) <= 700


def test_what_was_used_again_stays(visible: VisibleThumbnails, source: PatientThumbnails) -> None:
    for first, last in ((0, 300), (300, 600), (0, 300), (600, 900)):
        visible.want(paths(first, last), 8)
        source.answer()
    assert all(visible.picture(path) for path in paths(0, 300))


def test_few_are_asked_for_at_once_and_pictures_stay_while_they_are_doubted(
    visible: VisibleThumbnails, source: PatientThumbnails
) -> None:
    visible.want(paths(0, 20), 8)
    assert len(source.asked) == 4
    source.answer()
    source.doubted.emit()
    assert all(visible.picture(path) for path in paths(0, 20))
    visible.want(paths(10, 25), 8)
    source.answer()
    assert source.asked[20:] == [*paths(0, 4), *paths(20, 25), *paths(10, 20)]


def test_a_photo_that_was_replaced_is_shown_anew_once_doubted(
    thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def noting(path: Path, *others: object) -> QImage | None:
        made.append(path)
        return square_image(path, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(thumbnails_module, "square_image", noting)
    one, other = coloured(tmp_path / "one.png", RED), coloured(tmp_path / "other.png", RED)
    gone = tmp_path / "gone.png"
    gone.write_bytes(b"")
    visible = VisibleThumbnails(thumbnails)
    visible.want([one, other, gone], 16)
    qtbot.waitUntil(lambda: visible.is_unreadable(gone) and len(visible._kept) == 3, timeout=5000)
    coloured(one, BLUE, 60)
    coloured(gone, BLUE)
    visible.want([one, other, gone], 16)
    assert is_about(visible.picture(one), RED)
    thumbnails.doubt()
    assert is_about(visible.picture(one), RED)
    qtbot.waitUntil(lambda: is_about(visible.picture(one), BLUE), timeout=5000)
    qtbot.waitUntil(lambda: not visible._doubtful, timeout=5000)
    assert is_about(visible.picture(gone), BLUE)
    assert is_about(visible.picture(other), RED)
    assert made.count(other) == 1


class Asking(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.results: list[object] = []

    def take_result(self, result: object) -> None:
        self.results.append(result)


def fail(*_: object) -> object:
    raise RuntimeError("on purpose")


def test_a_job_that_raises_is_answered_and_its_place_is_free_again(
    thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [coloured(tmp_path / f"{number}.png", RED) for number in range(9)]
    visible = VisibleThumbnails(thumbnails)
    asking = Asking()
    with qtbot.captureExceptions(), monkeypatch.context() as patched:
        patched.setattr(thumbnails_module, "square_image", fail)
        visible.want(photos, 16)
        thumbnails.do(fail, asking.take_result)
        qtbot.waitUntil(lambda: all(map(visible.is_unreadable, photos)), timeout=5000)
        qtbot.waitUntil(lambda: asking.results == [None], timeout=5000)
    thumbnails.doubt()
    qtbot.waitUntil(lambda: all(map(visible.picture, photos)), timeout=5000)


def test_memory_that_runs_out_leaves_a_photo_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_memory(*_: object, **__: object) -> Image.Image:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", without_memory)
    assert square_image(coloured(tmp_path / "photo.png", RED), 16) is None


def test_large_photos_go_on_after_one_whose_reading_raises(
    thumbnails: Thumbnails, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = coloured(tmp_path / "bad.png", RED), coloured(tmp_path / "good.png", RED)
    read = large_photos.read_large
    monkeypatch.setattr(large_photos, "read_large", lambda path, side: (fail if path == bad else read)(path, side))
    photos = LargePhotos(thumbnails)
    with qtbot.captureExceptions():
        photos.want([(bad, 16), (good, 16)])
        qtbot.waitUntil(lambda: photos.photo(good, 16) is not None, timeout=5000)
    found = photos.photo(bad, 16)
    assert found is not None
    assert found.image is None
    assert found.reason
