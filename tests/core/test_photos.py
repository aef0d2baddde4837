import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hubstudio.core.errors import PhotosError
from hubstudio.core.photos import PhotoSet, count_of, photos_at, photos_below, scan

MakePhotos = Callable[..., Path]


def kinds(photo_set: PhotoSet) -> list[str]:
    return [problem.kind for problem in photo_set.problems]


def some(*classes: str, each: int = 3) -> list[str]:
    return [f"{name}/{number}.png" for name in classes for number in range(each)]


def test_folders_are_classes_in_natural_order(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*some("class 10", "class 9", "Class 1")))
    assert found.classes == ("Class 1", "class 9", "class 10")
    assert found.counts == {"Class 1": 3, "class 9": 3, "class 10": 3}
    assert not found.problems


def test_nested_folders_belong_to_their_class(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats/indoor", "cats/outdoor/night", "dogs"))
    found = scan(root)
    assert found.counts == {"cats": 6, "dogs": 3}
    assert [found.relative_name(photo) for photo in found.of_class("cats")][3:] == [
        f"cats/outdoor/night/{number}.png" for number in range(3)
    ]


def test_photos_outside_class_folders_are_a_problem_that_does_not_block(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"), "loose.png")
    found = scan(root)
    assert kinds(found) == ["loose_photos"]
    assert found.problems[0].files == (root / "loose.png",)
    assert len(found.photos) == 6
    found.require_trainable()


def test_a_folder_without_photos_is_a_problem_that_does_not_block(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    (root / "birds").mkdir()
    found = scan(root)
    assert kinds(found) == ["empty_class"]
    assert found.classes == ("cats", "dogs")


def test_files_that_are_no_photos_are_named(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    (root / "cats" / "notes.txt").touch()
    assert [(problem.kind, problem.files) for problem in scan(root).problems] == [
        ("not_photos", (root / "cats" / "notes.txt",))
    ]


def test_what_systems_leave_in_folders_is_not_mentioned(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._1.png", "__MACOSX"):
        (root / "cats" / name).touch()
    assert not scan(root).problems


def test_a_single_class_folder_is_recognised_as_one_level_too_deep(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    found = scan(root / "cats")
    assert kinds(found) == ["one_level_too_deep"]
    assert str(root) in found.problems[0].message


def test_a_folder_around_the_photo_folder_is_recognised_as_one_level_too_high(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    found = scan(root.parent)
    assert kinds(found) == ["one_level_too_high"]
    assert str(root) in found.problems[0].message


def test_one_class_alone_blocks(make_photos: MakePhotos) -> None:
    assert kinds(scan(make_photos(*some("cats")))) == ["one_class"]


def test_an_empty_folder_blocks(tmp_path: Path) -> None:
    found = scan(tmp_path)
    assert kinds(found) == ["no_photos"]
    with pytest.raises(PhotosError, match="cannot be trained on yet"):
        found.require_trainable()


def test_a_class_of_two_blocks_and_says_how_many_it_needs(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*some("cats"), *some("dogs", each=2)))
    assert kinds(found) == ["too_few"]
    assert found.problems[0].message == "The class 'dogs' has 2 photos; it needs at least 3."


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_that_leads_back_up_ends(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    (root / "cats" / "again").symlink_to(root / "cats")
    (root / "cats" / "up").symlink_to(root)
    (root / "cats" / "itself").symlink_to("itself")
    assert scan(root).counts == {"cats": 3, "dogs": 3}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_from_one_class_to_another_takes_no_photos_along(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    (root / "cats" / "more").symlink_to(root / "dogs")
    (root / "birds").symlink_to(root)
    found = scan(root)
    assert found.counts == {"cats": 3, "dogs": 3}
    assert kinds(found) == ["empty_class"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes, and links need rights")
def test_only_files_are_photos(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    odd = (root / "cats" / "gone.jpg", root / "cats" / "pipe.jpg")
    odd[0].symlink_to("nowhere")
    os.mkfifo(odd[1])
    found = scan(root)
    assert found.counts == {"cats": 3, "dogs": 3}
    assert [(problem.kind, problem.files) for problem in found.problems] == [("not_photos", odd)]
    assert len(photos_below(root)) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_linked_class_folder_keeps_its_name(make_photos: MakePhotos, tmp_path: Path) -> None:
    root = make_photos(*some("cats", "dogs"))
    (root / "dogs").rename(tmp_path / "elsewhere")
    (root / "dogs").symlink_to(tmp_path / "elsewhere")
    assert scan(root).counts == {"cats": 3, "dogs": 3}


@pytest.mark.parametrize(
    ("name", "message"), [("nowhere", "There is no folder"), ("photos/cats/0.png", "not a folder")]
)
def test_what_is_no_folder_is_refused(make_photos: MakePhotos, tmp_path: Path, name: str, message: str) -> None:
    make_photos(*some("cats"))
    with pytest.raises(PhotosError, match=message):
        scan(tmp_path / name)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "~nobody-is-called-so"])
def test_a_name_that_cannot_be_is_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(PhotosError, match="There is no folder"):
        scan(Path(name) if name.startswith("~") else tmp_path / name)
    assert photos_at([tmp_path / name]) == [tmp_path / name]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_photo_folder_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    with pytest.raises(PhotosError, match=r"not readable text.* Rename the folder"):
        scan(folder)


def test_photos_below_a_folder_come_in_natural_order_without_anything_else(make_photos: MakePhotos) -> None:
    root = make_photos("10.png", "9.png", "more/1.JPG")
    (root / "notes.txt").touch()
    assert photos_below(root) == [root / "9.png", root / "10.png", root / "more" / "1.JPG"]


def test_counts_are_said_with_their_noun() -> None:
    assert (count_of(1, "photo"), count_of(1234, "photo")) == ("1 photo", "1,234 photos")
