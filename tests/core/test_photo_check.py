from collections.abc import Callable
from pathlib import Path

import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.core.photo_check import check_photos
from hubstudio.core.photos import scan

MakePhotos = Callable[..., Path]


def no_progress(done: int, total: int) -> None:
    del done, total


def test_readable_photos_stay_as_they_are(make_photos: MakePhotos) -> None:
    found = scan(make_photos("a/1.png", "a/2.png", "b/1.jpg"))
    assert check_photos(found, no_progress, CancelToken()) == found


def test_unreadable_photos_are_left_out_and_named(make_photos: MakePhotos) -> None:
    root = make_photos(*(f"{name}/{number}.png" for name in "ab" for number in range(5)))
    (root / "a" / "1.png").write_bytes(b"")
    checked = check_photos(scan(root), no_progress, CancelToken())
    assert checked.counts == {"a": 4, "b": 5}
    assert [(problem.kind, problem.files) for problem in checked.problems] == [("unreadable", (root / "a" / "1.png",))]
    assert checked.problems[0].message == "1 file could not be read, left out ('1.png': the file is empty)."


def test_a_class_is_judged_by_what_is_left_of_it(make_photos: MakePhotos) -> None:
    root = make_photos(*(f"{name}/{number}.png" for name in "ab" for number in range(3)))
    (root / "b" / "0.png").write_bytes(b"no photo")
    checked = check_photos(scan(root), no_progress, CancelToken())
    assert [problem.kind for problem in checked.problems] == ["too_few", "unreadable"]


def test_many_unreadable_photos_are_counted(make_photos: MakePhotos) -> None:
    root = make_photos(*(f"a/{number}.png" for number in range(5)))
    for path in (root / "a").iterdir():
        path.write_bytes(b"")
    message = check_photos(scan(root), no_progress, CancelToken()).problems[-1].message
    assert message.startswith("5 files could not be read")
    assert message.endswith("and 2 more).")


def test_progress_counts_every_photo_once(make_photos: MakePhotos) -> None:
    seen: list[tuple[int, int]] = []
    check_photos(scan(make_photos("a/1.png", "b/2.png")), lambda *counts: seen.append(counts), CancelToken())
    assert seen == [(1, 2), (2, 2)]


def test_it_stops_when_cancelled(make_photos: MakePhotos) -> None:
    cancel = CancelToken()
    seen: list[int] = []

    def cancel_at_three(done: int, total: int) -> None:
        del total
        seen.append(done)
        if done == 3:
            cancel.cancel()

    root = make_photos(*(f"a/{number}.png" for number in range(20)))
    with pytest.raises(Cancelled):
        check_photos(scan(root), cancel_at_three, cancel)
    assert seen == [1, 2, 3]
