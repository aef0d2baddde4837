import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

import pytest

from hubstudio.core import photo_check
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.core.photo_check import COMPARING, READING, check_photos
from hubstudio.core.photo_listing import list_photos, scan
from hubstudio.core.photos import PhotoSet
from hubstudio.core.selection import Selection

MakePhotos = Callable[..., Path]


def no_progress(done: int, total: int, what: str) -> None:
    del done, total, what


def checked(photos: PhotoSet) -> PhotoSet:
    return check_photos(photos, no_progress, CancelToken())


def some(classes: str = "ab", each: int = 5) -> list[str]:
    return [f"{name}/{number}.png" for name in classes for number in range(each)]


def kinds(found: PhotoSet) -> list[str]:
    return [problem.kind for problem in found.problems]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fill with the name of every photo that is decoded."""
    names: list[str] = []
    real = photo_check.examine

    def examine(path: Path, side: int) -> object:
        names.append(path.name)
        return real(path, side)

    monkeypatch.setattr(photo_check, "examine", examine)
    return names


# --- what it finds ----------------------------------------------------------------------------------------------------


def test_readable_photos_stay_as_they_are(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*some()))
    after = checked(found)
    assert (after.photos, after.classes, after.problems) == (found.photos, found.classes, ())


def test_what_is_known_of_every_photo_is_said(make_photos: MakePhotos) -> None:
    after = checked(scan(make_photos(*some())))
    assert after.is_checked
    assert {(facts.width, facts.height) for facts in after.facts.values()} == {(80, 64)}
    assert len({facts.digest for facts in after.facts.values()}) == 10
    assert len({facts.group for facts in after.facts.values()}) == 10


def test_no_photos_are_no_stumbling_block(tmp_path: Path) -> None:
    assert kinds(checked(scan(tmp_path))) == ["no_photos"]


def test_unreadable_photos_are_left_out_and_named(make_photos: MakePhotos) -> None:
    root = make_photos(*some())
    (root / "a" / "1.png").write_bytes(b"")
    after = checked(scan(root))
    assert after.counts == {"a": 4, "b": 5}
    assert [photo.path for photo in after.unreadable] == [root / "a" / "1.png"]
    (problem,) = after.problems
    assert (problem.kind, problem.files, problem.details) == (
        "unreadable", (root / "a" / "1.png",), ("the file is empty",),
    )  # fmt: skip
    assert problem.message == "1 file could not be read, left out ('1.png': the file is empty)."


def test_with_every_photo_unreadable_nothing_can_be_trained(make_photos: MakePhotos) -> None:
    root = make_photos(*some(each=1))
    for path in root.glob("*/*"):
        path.write_bytes(b"")
    after = checked(scan(root))
    assert kinds(after)[0] == "no_photos"
    assert "unreadable" in kinds(after)
    assert after.classes == ()


def test_a_class_is_judged_by_what_is_left_of_it(make_photos: MakePhotos) -> None:
    root = make_photos(*some(each=3))
    (root / "b" / "0.png").write_bytes(b"no photo")
    assert kinds(checked(scan(root))) == ["too_few", "unreadable"]


def test_many_unreadable_photos_are_counted(make_photos: MakePhotos) -> None:
    root = make_photos(*some("a"))
    for path in (root / "a").iterdir():
        path.write_bytes(b"")
    message = next(problem.message for problem in checked(scan(root)).problems if problem.kind == "unreadable")
    assert message.startswith("5 files could not be read")
    assert message.endswith("and 2 more).")


@pytest.mark.parametrize("victim", ["a/1.png", "a"])
def test_photos_that_vanish_before_they_are_read_are_named(make_photos: MakePhotos, victim: str) -> None:
    root = make_photos(*some())
    found = scan(root)
    (root / victim).unlink() if victim.endswith("png") else shutil.rmtree(root / victim)
    after = checked(found)
    assert set(after.problems[-1].details) == {"the file is no longer there"}
    assert len(after.photos) + len(after.unreadable) == 10


def test_photos_that_vanish_while_others_are_read_are_named(make_photos: MakePhotos, read: list[str]) -> None:
    root = make_photos(*some(each=80))

    def pull_the_stick(done: int, total: int, what: str) -> None:
        del total
        if (done, what) == (5, READING):
            shutil.rmtree(root)

    after = check_photos(scan(root), pull_the_stick, CancelToken())
    assert len(after.photos) + len(after.unreadable) == 160
    assert after.unreadable


def test_a_photo_replaced_by_a_folder_or_a_pipe_is_named(make_photos: MakePhotos) -> None:
    root = make_photos(*some())
    found = scan(root)
    for name, make in (("a/1.png", Path.mkdir), ("b/1.png", os.mkfifo)):
        (root / name).unlink()
        make(root / name)
    (problem,) = checked(found).problems
    assert problem.details == ("it is a folder", "it is a pipe or a device, not a file")


def test_other_problems_of_the_listing_are_kept(make_photos: MakePhotos) -> None:
    root = make_photos(*some(), "loose.png")
    (root / "a" / "notes.txt").touch()
    assert kinds(checked(scan(root))) == ["loose_photos", "not_photos"]


def test_photos_left_out_are_not_read_and_noted(make_photos: MakePhotos, read: list[str]) -> None:
    root = make_photos(*some("a"), "b/x.png", "b/y.png", "b/z.png", "b/unwanted.png")
    after = checked(list_photos(Selection((root,), frozenset({root / "b/unwanted.png"}))))
    assert "unwanted.png" not in read
    (problem,) = after.problems
    assert (problem.kind, problem.is_note, problem.files) == ("left_out", True, (root / "b/unwanted.png",))


# --- what is known already --------------------------------------------------------------------------------------------


def test_a_second_check_reads_nothing_and_finds_the_same(make_photos: MakePhotos, read: list[str]) -> None:
    root = make_photos(*some())
    shutil.copy(root / "a/1.png", root / "b/9.png")
    first = checked(scan(root))
    read.clear()
    assert checked(scan(root)) == first
    assert not read


def test_only_a_new_photo_is_read(make_photos: MakePhotos, read: list[str]) -> None:
    checked(scan(make_photos(*some())))
    read.clear()
    checked(scan(make_photos("a/new.png")))
    assert read == ["new.png"]


def test_a_photo_of_the_same_size_but_another_time_is_read_again(make_photos: MakePhotos, read: list[str]) -> None:
    root = make_photos(*some())
    checked(scan(root))
    read.clear()
    os.utime(root / "a/1.png", ns=(1, 1))
    checked(scan(root))
    assert read == ["1.png"]


def test_a_photo_of_the_same_time_but_another_size_is_read_again(make_photos: MakePhotos, read: list[str]) -> None:
    root = make_photos(*some())
    checked(scan(root))
    read.clear()
    before = (root / "a/1.png").stat()
    with (root / "a/1.png").open("ab") as file:
        file.write(b"more")
    os.utime(root / "a/1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    checked(scan(root))
    assert read == ["1.png"]


def test_a_photo_from_the_year_2300_is_read(make_photos: MakePhotos) -> None:
    root = make_photos(*some())
    os.utime(root / "a/1.png", ns=(0, 330 * 365 * 86_400 * 10**9))
    assert len(checked(scan(root)).photos) == 10


# --- progress, pause and cancel ---------------------------------------------------------------------------------------


def test_progress_counts_every_photo_once(make_photos: MakePhotos) -> None:
    seen: list[tuple[int, int, str]] = []
    check_photos(scan(make_photos(*some(each=2))), lambda *counts: seen.append(counts), CancelToken())
    assert [(done, total) for done, total, what in seen if what == READING] == [(n, 4) for n in range(5)]
    assert {what for _, _, what in seen} <= {READING, COMPARING}


def test_a_cancelled_check_keeps_what_it_has_read(make_photos: MakePhotos, read: list[str]) -> None:
    root = make_photos(*some("a", each=90))
    cancel = CancelToken()

    def cancel_at_ten(done: int, total: int, what: str) -> None:
        del total, what
        if done == 10:
            cancel.cancel()

    with pytest.raises(Cancelled):
        check_photos(scan(root), cancel_at_ten, cancel)
    read.clear()
    checked(scan(root))
    assert len(read) == 80


def test_it_stops_when_cancelled(make_photos: MakePhotos, read: list[str]) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        check_photos(scan(make_photos(*some())), no_progress, cancel)
    assert not read


def test_a_paused_check_goes_on_where_it_was(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*some("ab", each=45)))
    cancel = CancelToken()
    done_at_pause: list[int] = []
    results: list[PhotoSet] = []

    def pause_at_five(done: int, total: int, what: str) -> None:
        del total
        done_at_pause.append(done)
        if (done, what) == (5, READING):
            cancel.pause()

    worker = Thread(target=lambda: results.append(check_photos(found, pause_at_five, cancel)), daemon=True)
    worker.start()
    while not cancel.is_paused:
        worker.join(0.01)
    worker.join(0.1)
    stood_at, stood_still = done_at_pause[-1], worker.is_alive()
    cancel.resume()
    worker.join(60)
    assert (stood_at, stood_still) == (5, True)
    assert len(results[0].photos) == 90


def test_two_checks_at_once_find_the_same(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*some(each=20)))
    results: list[PhotoSet] = []
    workers: Sequence[Thread] = [Thread(target=lambda: results.append(checked(found))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert results[0] == results[1]
