import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from hubstudio.core.cancel import CancelToken
from hubstudio.core.photo_check import check_photos
from hubstudio.core.photo_listing import scan
from hubstudio.core.photos import PhotoSet, Problem
from hubstudio.core.split import Shares, split_photos
from pictures import picture

MakePhotos = Callable[..., Path]
NAMES = [f"{name}/{number}.png" for name in ("cats", "dogs") for number in range(6)]


@pytest.fixture
def root(make_photos: MakePhotos) -> Path:
    return make_photos(*NAMES)


def checked(root: Path) -> PhotoSet:
    return check_photos(scan(root), lambda *_: None, CancelToken())


def problem(root: Path) -> Problem:
    """Return the only problem."""
    (found,) = checked(root).problems
    return found


def names(found: Problem, root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in found.files]


def save_again(source: Path, target: Path) -> None:
    """Save the same shot smaller and as a JPEG, as messengers do."""
    with Image.open(source) as image:
        image.convert("RGB").resize((image.width * 9 // 10, image.height * 9 // 10)).save(target, quality=80)


def save_large(path: Path, number: int) -> None:
    picture(number, 256).save(path)


def test_photos_that_differ_are_no_problem(root: Path) -> None:
    assert not checked(root).problems


def test_an_exact_copy_is_noted(root: Path) -> None:
    shutil.copy(root / "cats/1.png", root / "cats/copy.jpg")
    found = problem(root)
    assert (found.kind, found.is_note) == ("copies", True)
    assert found.message == "1 photo is an exact copy of another: kept together on one side of the split."
    assert names(found, root) == ["cats/1.png", "cats/copy.jpg"]


def test_several_copies_of_several_photos_are_grouped(root: Path) -> None:
    for number in range(2):
        for copy in "xy":
            shutil.copy(root / f"cats/{number}.png", root / f"cats/{copy}{number}.png")
    found = problem(root)
    assert found.message.startswith("4 photos are exact copies of others")
    assert [len(group) for group in found.groups] == [3, 3]
    assert tuple(path for group in found.groups for path in group) == found.files


def test_a_copy_in_another_class_is_a_problem(root: Path) -> None:
    shutil.copy(root / "cats/1.png", root / "dogs/copy.png")
    found = problem(root)
    assert (found.kind, found.is_note, found.blocks_training) == ("copies_across", False, False)
    assert names(found, root) == ["cats/1.png", "dogs/copy.png"]
    assert "('cats' and 'dogs')" in found.message


@pytest.mark.parametrize(
    ("target", "kind", "is_note"), [("cats", "look_alikes", True), ("dogs", "look_alikes_across", False)]
)
def test_a_shot_saved_again_is_found(root: Path, target: str, kind: str, is_note: bool) -> None:
    save_large(root / "cats/large.png", 77)
    save_again(root / "cats/large.png", root / target / "small.jpg")
    found = problem(root)
    assert (found.kind, found.is_note) == (kind, is_note)
    assert sorted(names(found, root)) == sorted(["cats/large.png", f"{target}/small.jpg"])
    assert "of 64 bits apart" in found.message


def test_copies_and_look_alikes_stay_on_one_side_of_the_split(root: Path) -> None:
    save_large(root / "cats/large.png", 77)
    save_again(root / "cats/large.png", root / "dogs/small.jpg")
    shutil.copy(root / "dogs/small.jpg", root / "cats/copy.jpg")
    found = checked(root)
    alike = {root / "cats/large.png", root / "dogs/small.jpg", root / "cats/copy.jpg"}
    for seed in range(20):
        assigned = split_photos(found, seed, Shares()).assigned
        assert len({part for photo, part in assigned if photo.path in alike}) == 1


def test_very_small_photos_are_named_with_their_sizes(root: Path) -> None:
    picture(5, 63).save(root / "cats/tiny.png")
    found = problem(root)
    assert (found.kind, found.details) == ("small", ("79 × 63 pixels",))


def test_one_pixel_is_no_stumbling_block(root: Path) -> None:
    Image.new("RGB", (1, 1)).save(root / "cats/pixel.png")
    Image.new("RGB", (3000, 1)).save(root / "cats/line.png")
    found = checked(root)
    assert len(found.photos) == 14
    assert found.problems[-1].kind == "small"


def test_photos_of_one_colour_are_not_all_the_same_shot(root: Path) -> None:
    for number, colour in enumerate(("red", "blue", "white", "black")):
        Image.new("RGB", (100, 100), colour).save(root / f"{('cats', 'dogs')[number % 2]}/{colour}.png")
    assert not checked(root).problems


def test_lopsided_classes_are_a_problem_with_the_ratio(root: Path) -> None:
    for number in range(12):
        picture(900 + number).save(root / f"cats/more {number}.png")
    found = problem(root)
    assert found.kind == "lopsided"
    assert "(1 : 3.0): 'dogs' has 6 photos, the largest class 18" in found.message
    assert not found.blocks_training


def test_classes_that_are_nearly_even_are_no_problem(root: Path) -> None:
    for number in range(11):
        picture(900 + number).save(root / f"cats/more {number}.png")
    assert not checked(root).problems


def test_every_group_of_every_problem_is_among_its_files(root: Path) -> None:
    shutil.copy(root / "cats/1.png", root / "cats/copy.png")
    shutil.copy(root / "cats/2.png", root / "dogs/copy.png")
    save_large(root / "dogs/large.png", 77)
    save_again(root / "dogs/large.png", root / "cats/small.jpg")
    found = checked(root)
    assert [each.kind for each in found.problems] == ["copies_across", "look_alikes_across", "copies"]
    assert all(sum(each.groups, ()) == each.files for each in found.problems)
