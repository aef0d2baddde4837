import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from hubstudio.core import paths, photo_index
from hubstudio.core.looks import LOOK_BYTES
from hubstudio.core.photo_index import IndexedPhoto, Stamp, open_index

SEEN = IndexedPhoto(bytes(16), 640, 480, bytes(LOOK_BYTES))
STAMP = Stamp(1, 2, 3)
PHOTO = Path("/photos/1.jpg")


def keep(*photos: tuple[Path, Stamp, IndexedPhoto]) -> None:
    with open_index() as index:
        index.keep(photos or [(PHOTO, STAMP, SEEN)])


def known(path: Path = PHOTO, stamp: Stamp = STAMP) -> IndexedPhoto | None:
    with open_index() as index:
        return dict(index.known([(path, stamp)])).get(path)


def test_what_was_kept_is_known_when_opened_again() -> None:
    keep()
    assert known() == SEEN


@pytest.mark.parametrize("stamp", [Stamp(9, 2, 3), Stamp(1, 9, 3), Stamp(1, 2, 9)])
def test_a_changed_file_is_not_known(stamp: Stamp) -> None:
    keep()
    assert known(stamp=stamp) is None


def test_what_is_kept_again_replaces_what_was() -> None:
    keep()
    newer = IndexedPhoto(bytes(15) + b"1", 1, 2, bytes(LOOK_BYTES))
    keep((PHOTO, STAMP, newer))
    assert known() == newer


def test_thousands_of_photos_are_asked_for_at_once() -> None:
    photos = [(Path(f"/{number}.jpg"), Stamp(number, 2, 3)) for number in range(2500)]
    keep(*((path, stamp, SEEN) for path, stamp in photos))
    with open_index() as index:
        assert [path for path, _ in sorted(index.known(photos), key=lambda row: int(row[0].stem))] == [
            path for path, _ in photos
        ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_paths_that_are_no_text_are_known_again() -> None:
    odd = Path(os.fsdecode(b"/caf\xe9\n'.jpg"))
    keep((odd, STAMP, SEEN))
    assert known(odd) == SEEN


@pytest.mark.parametrize("when", [2**33 * 10**9, -(10**9), 0])
def test_a_file_from_any_time_is_known_again(monkeypatch: pytest.MonkeyPatch, when: int) -> None:

    class Odd:
        st_size, st_ctime_ns, st_mtime_ns = 1, 7, when

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lambda path: Odd)
        stamp = Stamp.of(PHOTO)
    keep((PHOTO, stamp, SEEN))
    assert known(stamp=stamp) == SEEN


def test_another_version_knows_nothing_of_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    with monkeypatch.context() as patched:
        patched.setattr(photo_index, "_VERSION", "2")
        assert known() is None
    assert known() is None


def test_an_index_with_other_columns_is_begun_anew() -> None:
    paths.photo_index_file().parent.mkdir(parents=True)
    with sqlite3.connect(paths.photo_index_file()) as database:
        database.executescript("CREATE TABLE about (version TEXT); CREATE TABLE photo (path BLOB PRIMARY KEY)")
    database.close()
    keep()
    assert known() == SEEN


@pytest.mark.parametrize("damage", [b"no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 5000, b"x"])
def test_a_file_that_is_no_database_is_replaced(damage: bytes) -> None:
    paths.photo_index_file().parent.mkdir(parents=True)
    paths.photo_index_file().write_bytes(damage)
    keep()
    assert known() == SEEN


def test_damage_in_the_middle_is_begun_anew_next_time() -> None:
    many = [(Path(f"/{number}.jpg"), STAMP, SEEN) for number in range(3000)]
    keep(*many)
    file = paths.photo_index_file()
    content = bytearray(file.read_bytes())
    content[8192:-4096] = b"\xff" * len(content[8192:-4096])
    file.write_bytes(content)
    for _ in range(3):
        keep(*many)
    assert known(Path("/2500.jpg")) == SEEN


def test_rows_that_cannot_be_are_not_known() -> None:
    keep((PHOTO, STAMP, IndexedPhoto(b"short", 640, 480, SEEN.look)), (Path("/2.jpg"), STAMP, IndexedPhoto(
        SEEN.digest, 640, 480, b"short")))  # fmt: skip
    assert known() is None
    assert known(Path("/2.jpg")) is None


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let another program hold the index while the test runs."""
    keep()
    monkeypatch.setattr(photo_index, "_WAIT", 0.05)
    other = sqlite3.connect(paths.photo_index_file(), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.usefixtures("locked")
def test_an_index_that_another_program_holds_is_no_stumbling_block() -> None:
    keep((Path("/2.jpg"), STAMP, SEEN))
    known()
    assert paths.photo_index_file().is_file()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_no_stumbling_block(own_home: Path) -> None:
    own_home.chmod(0o500)
    try:
        keep()
        assert known() is None
    finally:
        own_home.chmod(0o700)


def test_a_file_where_the_folder_should_be_is_no_stumbling_block(own_home: Path) -> None:
    (own_home / "cache").touch()
    keep()
    assert known() is None


def test_a_folder_where_the_file_should_be_is_no_stumbling_block() -> None:
    paths.photo_index_file().mkdir(parents=True)
    keep()
    assert known() is None


def in_threads(*jobs: Callable[[], None]) -> None:
    threads = [Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_several_threads_may_begin_and_fill_the_index_together() -> None:
    def job(number: int) -> Callable[[], None]:
        return lambda: [keep((Path(f"/{number}/{step}.jpg"), STAMP, SEEN)) for step in range(5)] and None

    in_threads(*(job(number) for number in range(6)))
    assert all(known(Path(f"/{number}/{step}.jpg")) for number in range(6) for step in range(5))
