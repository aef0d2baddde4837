from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from hubstudio.gui.thumbnail_cache import ThumbnailCache
from hubstudio.gui.thumbnails import square_image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (60, 40), (200, 30, 30)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "thumbnails"


def square(colour: tuple[int, int, int] = (10, 200, 30), side: int = 32) -> Image.Image:
    return Image.new("RGB", (side, side), colour)


def noise(side: int = 32) -> Image.Image:
    return Image.frombytes("RGB", (side, side), os.urandom(3 * side * side))


def test_a_picture_that_was_kept_is_found_also_by_another_program(folder: Path, photo: Path) -> None:
    one, other = ThumbnailCache(folder), ThumbnailCache(folder)
    assert one.get(photo, 32) is None
    one.put(photo, 32, square())
    for cache in (one, other, ThumbnailCache(folder)):
        found = cache.get(photo, 32)
        assert found is not None
        assert found.getpixel((3, 3)) == pytest.approx((10, 200, 30), abs=3)


def test_a_picture_of_another_size_is_another_picture(folder: Path, photo: Path) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    assert cache.get(photo, 64) is None


def test_a_photo_that_changed_or_went_has_no_picture(folder: Path, photo: Path) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    os.utime(photo, ns=(1, 1))
    assert cache.get(photo, 32) is None
    photo.unlink()
    assert cache.get(photo, 32) is None
    cache.put(photo, 32, square())


def test_a_damaged_file_is_begun_anew(folder: Path, photo: Path) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    cache.close()
    file = next(folder.glob("*.sqlite"))
    for rest in folder.glob("*-*wal"):
        rest.unlink()
    file.write_bytes(b"no database at all " * 500)
    fresh = ThumbnailCache(folder)
    assert fresh.get(photo, 32) is None
    fresh.put(photo, 32, square())
    assert fresh.get(photo, 32) is not None


def test_a_file_damaged_in_its_middle_is_begun_anew(folder: Path, tmp_path: Path) -> None:
    photos = [tmp_path / f"{number}.jpg" for number in range(200)]
    cache = ThumbnailCache(folder)
    for photo in photos:
        photo.write_bytes(b"x")
        cache.put(photo, 32, noise())
    cache.close()
    file = next(folder.glob("*.sqlite"))
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    fresh = ThumbnailCache(folder)
    for _ in range(2):
        for photo in photos:
            if fresh.get(photo, 32) is None:
                fresh.put(photo, 32, square())
    assert all(fresh.get(photo, 32) for photo in photos)


def test_a_healthy_file_stays_even_if_it_was_taken_for_damaged(folder: Path, photo: Path) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    cache._on_trouble(error)
    assert cache.get(photo, 32) is not None


def test_a_damaged_picture_is_as_if_it_were_not_there(folder: Path, photo: Path) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    with sqlite3.connect(next(folder.glob("*.sqlite"))) as connection:
        connection.execute("UPDATE thumbnails SET picture = substr(picture, 1, 40)")
    connection.close()
    assert cache.get(photo, 32) is None
    assert square_image(photo, 32, cache) is not None
    assert cache.get(photo, 32) is not None


def test_a_folder_that_cannot_be_means_to_go_on_without(tmp_path: Path, photo: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ThumbnailCache(tmp_path / "file" / "thumbnails")
    cache.put(photo, 32, square())
    assert cache.get(photo, 32) is None
    assert square_image(photo, 32, cache) is not None


def test_what_was_not_used_for_longest_goes_first(folder: Path, tmp_path: Path) -> None:
    cache = ThumbnailCache(folder, most_bytes=400_000)
    photos = [tmp_path / f"{number}.jpg" for number in range(400)]
    for photo in photos:
        photo.write_bytes(b"x")
        cache.put(photo, 32, noise())
    kept = [photo for photo in photos if cache.get(photo, 32)]
    assert 20 < len(kept) < 250
    assert photos[-1] in kept
    assert photos[0] not in kept
    assert sum(file.stat().st_size for file in folder.glob("*.sqlite")) < 1_000_000


def test_several_threads_of_two_programs_may_ask_at_once(folder: Path, tmp_path: Path) -> None:
    caches = [ThumbnailCache(folder), ThumbnailCache(folder)]
    photos = [tmp_path / f"{number}.jpg" for number in range(30)]
    for photo in photos:
        photo.write_bytes(b"x")

    def work(cache: ThumbnailCache) -> None:
        for photo in photos:
            if cache.get(photo, 32) is None:
                cache.put(photo, 32, square())

    threads = [threading.Thread(target=work, args=(cache,)) for cache in caches * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(cache.get(photo, 32) for cache in caches for photo in photos)


_MANY_BEGIN = """
import sys, time
from pathlib import Path
from PIL import Image
from hubstudio.gui.thumbnail_cache import ThumbnailCache

base, photo = Path(sys.argv[1]), Path(sys.argv[2])
(base / f"ready {photo.stem}").touch()
while not (base / "go").exists():
    time.sleep(0.001)
for number in range(25):
    cache = ThumbnailCache(base / str(number))
    cache.get(photo, 32)
    cache.put(photo, 32, Image.new("RGB", (32, 32), (10, 200, 30)))
    assert cache.get(photo, 32), number
    cache.close()
"""


@pytest.mark.parametrize("is_damaged", [False, True])
def test_several_programs_may_begin_at_once_and_none_takes_the_file_from_others(
    tmp_path: Path, folder: Path, is_damaged: bool
) -> None:
    photos = [tmp_path / f"{number}.jpg" for number in range(4)]
    for photo in photos:
        photo.write_bytes(b"x")
    folder.mkdir()
    if is_damaged:
        for number in range(25):
            ThumbnailCache(folder / str(number)).put(photos[0], 32, square())
            next((folder / str(number)).glob("*.sqlite")).write_bytes(b"no database at all " * 500)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _MANY_BEGIN, str(folder), str(photo)], stderr=subprocess.PIPE, text=True
        )
        for photo in photos
    ]
    deadline = time.monotonic() + 30
    while len(list(folder.glob("ready *"))) < len(photos) and time.monotonic() < deadline:
        time.sleep(0.01)
    (folder / "go").touch()
    assert [program.communicate(timeout=60)[1] for program in programs] == [""] * len(programs)
    if not is_damaged:
        caches = [ThumbnailCache(folder / str(number)) for number in range(25)]
        assert all(cache.get(photo, 32) for cache in caches for photo in photos)


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_ERROR", "SQLITE_BUSY"])
def test_only_damage_makes_it_begin_anew(folder: Path, photo: Path, name: str) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    file = next(folder.glob("*.sqlite"))
    number = file.stat().st_ino
    error = sqlite3.OperationalError("no such luck")
    error.sqlite_errorcode = getattr(sqlite3, name)
    cache._on_trouble(error)
    assert file.stat().st_ino == number
    assert ThumbnailCache(folder).get(photo, 32) is not None
    assert (cache.get(photo, 32) is not None) == (name in ("SQLITE_FULL", "SQLITE_BUSY"))


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_program_that_writes_for_long_only_keeps_others_from_writing(
    folder: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, is_begun: bool
) -> None:
    monkeypatch.setattr("hubstudio.gui.thumbnail_cache._PATIENCE", 0.1)
    folder.mkdir()
    if is_begun:
        ThumbnailCache(folder).put(photo, 32, square())
    cache = ThumbnailCache(folder)
    writer = sqlite3.connect(folder / "thumbnails-1.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert (cache.get(photo, 32) is not None) == is_begun
    cache.put(photo, 64, square(side=64))
    assert cache.get(photo, 64) is None
    writer.execute("ROLLBACK")
    writer.close()
    cache.put(photo, 64, square(side=64))
    assert cache.get(photo, 64) is not None


def test_a_closed_cache_answers_that_nothing_is_there(folder: Path, photo: Path) -> None:
    cache = ThumbnailCache(folder)
    cache.put(photo, 32, square())
    cache.close()
    assert cache.get(photo, 32) is None
    cache.put(photo, 32, square())


def test_a_second_opening_need_not_decode(folder: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = square_image(photo, 32, ThumbnailCache(folder))
    monkeypatch.setattr("hubstudio.gui.thumbnails.preview", lambda path, side: pytest.fail("decoded again"))
    second = square_image(photo, 32, ThumbnailCache(folder))
    assert first is not None
    assert second is not None
    assert second.size() == first.size()


def test_a_photo_replaced_while_it_is_read_is_not_kept_as_the_new_one(
    folder: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_then_replaced(path: Path, side: int) -> Image.Image:
        found = Image.open(path).convert("RGB")
        Image.new("RGB", (80, 80), (10, 10, 200)).save(path)
        return found

    cache = ThumbnailCache(folder)
    monkeypatch.setattr("hubstudio.gui.thumbnails.preview", read_then_replaced)
    assert square_image(photo, 32, cache) is not None
    assert cache.get(photo, 32) is None
