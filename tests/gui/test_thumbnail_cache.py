from __future__ import annotations

import os
import sqlite3
import threading
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
