import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled, PhotosError
from hubstudio.core.parts import Part
from hubstudio.core.photo_listing import list_photos, photos_at, photos_below, scan
from hubstudio.core.photos import PhotoSet, count_of
from hubstudio.core.selection import Selection

MakePhotos = Callable[..., Path]


@pytest.fixture
def make_photos(tmp_path: Path) -> MakePhotos:
    """Make empty files under these names below one folder, which is returned: nothing here looks into them."""

    def make(*names: str) -> Path:
        for name in names:
            (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "photos" / name).touch()
        return tmp_path / "photos"

    return make


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


def test_folders_nested_deeper_than_functions_may_be_are_gone_through(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    deep = root / "cats"
    for _ in range(600):
        deep /= "a"
        deep.mkdir()
    (deep / "1.png").touch()
    assert scan(root).counts == {"cats": 4, "dogs": 3}


# --- several sources --------------------------------------------------------------------------------------------------


def test_class_folders_dropped_together_are_the_classes(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats/indoor", "cats", "dogs", "birds"))
    found = scan(root / "cats", root / "dogs")
    assert found.counts == {"cats": 6, "dogs": 3}
    assert not found.problems


def test_a_class_folder_is_added_to_a_folder_of_classes(make_photos: MakePhotos, tmp_path: Path) -> None:
    root = make_photos(*some("cats", "dogs", "birds"))
    (root / "birds").rename(tmp_path / "birds")
    found = scan(root, tmp_path / "birds")
    assert found.counts == {"birds": 3, "cats": 3, "dogs": 3}
    assert found.root == root


def test_classes_of_one_name_in_two_folders_are_one_class(make_photos: MakePhotos) -> None:
    root = make_photos(*some("old/cats", "old/dogs", "new/cats", "new/dogs"))
    assert scan(root / "old", root / "new").counts == {"cats": 6, "dogs": 6}


@pytest.mark.parametrize("names", [("", ""), ("", "cats"), ("cats", ""), ("cats", "", "cats/..")])
def test_a_folder_within_another_or_given_twice_counts_once(make_photos: MakePhotos, names: tuple[str, ...]) -> None:
    root = make_photos(*some("cats", "dogs"))
    found = scan(*(root / name for name in names))
    assert found.counts == {"cats": 3, "dogs": 3}
    assert not found.problems


def test_a_photo_folder_with_a_stray_photo_given_twice_is_no_class(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"), "stray.png")
    assert scan(root, root).classes == ("cats", "dogs")


def test_a_folder_and_a_table_of_the_same_photos_count_once(make_photos: MakePhotos, tmp_path: Path) -> None:
    root = make_photos(*some("cats", "dogs"))
    table = tmp_path / "more.csv"
    table.write_text("photos/cats/0.png,cats,test\nphotos/dogs/0.png,dogs,val\n")
    for sources in ((root, table), (table, root)):
        found = scan(*sources)
        assert found.counts == {"cats": 3, "dogs": 3}
        given = Counter(photo.given for photo in found.photos)
        assert given == {None: 4, Part.TEST: 1, Part.VALIDATION: 1}


def test_a_table_that_contradicts_a_folder_is_named(make_photos: MakePhotos, tmp_path: Path) -> None:
    root = make_photos(*some("cats", "dogs"))
    (tmp_path / "more.csv").write_text("photos/cats/0.png,lions\n")
    found = scan(root, tmp_path / "more.csv")
    assert found.counts == {"cats": 3, "dogs": 3}
    assert [(problem.kind, problem.files) for problem in found.problems] == [
        ("contradicting", (root / "cats" / "0.png",))
    ]


def test_a_missing_source_among_several_is_refused(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    with pytest.raises(PhotosError, match="There is no folder"):
        scan(root, root / "nowhere")


# --- a split that the person gave -------------------------------------------------------------------------------------


def divided(names: tuple[str, ...]) -> list[str]:
    return [photo for name in names for photo in some(f"{name}/cats", f"{name}/dogs")]


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Train", "VALIDATION", "Test"), ("training", "valid", "testing")]
)
def test_folders_of_parts_are_a_split_in_any_case(make_photos: MakePhotos, names: tuple[str, ...]) -> None:
    found = scan(make_photos(*divided(names)))
    assert found.classes == ("cats", "dogs")
    assert Counter(photo.given for photo in found.photos) == {Part.TRAINING: 6, Part.VALIDATION: 6, Part.TEST: 6}
    assert [(problem.kind, problem.is_note) for problem in found.problems] == [("given_split", True)]


@pytest.mark.parametrize(
    ("names", "said"),
    [(("train", "val"), "for test are drawn"), (("train", "test"), "for validation are drawn"),
     (("train", "unused"), "for validation and test are drawn")],
)  # fmt: skip
def test_a_part_that_was_not_given_is_said_to_be_drawn(
    make_photos: MakePhotos, names: tuple[str, ...], said: str
) -> None:
    assert said in scan(make_photos(*divided(names))).problems[0].message


def test_a_folder_of_unused_photos_beside_the_parts_is_left_out(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*divided(("train", "test", "unused"))))
    assert len(found.photos) == 12
    assert len(found.left_out) == 6


def test_an_empty_folder_beside_the_parts_is_no_class(make_photos: MakePhotos) -> None:
    root = make_photos(*divided(("train", "test")))
    (root / "notes" / "old").mkdir(parents=True)
    found = scan(root)
    assert found.classes == ("cats", "dogs")
    assert kinds(found) == ["given_split", "empty_class"]


def test_photos_deep_beside_the_parts_are_named(make_photos: MakePhotos) -> None:
    root = make_photos(*divided(("train", "test")), "more/a/b/1.png")
    found = scan(root)
    assert kinds(found) == ["given_split", "loose_photos"]
    assert found.problems[1].files == (root / "more/a/b/1.png",)


def test_a_test_folder_without_classes_is_no_class(make_photos: MakePhotos) -> None:
    found = scan(make_photos(*some("train/cats", "train/dogs", "test")))
    assert found.counts == {"cats": 3, "dogs": 3}
    assert kinds(found) == ["given_split", "loose_photos"]


@pytest.mark.parametrize("name", ["test", "train", "val"])
def test_a_class_called_like_a_part_is_a_class(make_photos: MakePhotos, name: str) -> None:
    found = scan(make_photos(*some(name, "cats", "dogs")))
    assert set(found.classes) == {name, "cats", "dogs"}
    assert {photo.given for photo in found.photos} == {None}


def test_classes_called_train_and_test_are_classes_where_photos_lie_in_them(make_photos: MakePhotos) -> None:
    assert scan(make_photos(*some("train", "test"))).classes == ("test", "train")


# --- choices ----------------------------------------------------------------------------------------------------------


def test_a_photo_left_out_is_set_aside(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs", each=4))
    found = list_photos(Selection((root,), frozenset({root / "cats/1.png"})))
    assert found.counts == {"cats": 3, "dogs": 4}
    assert [photo.path for photo in found.left_out] == [root / "cats/1.png"]


def test_with_every_photo_left_out_training_is_blocked(make_photos: MakePhotos) -> None:
    root = make_photos("cats/1.png")
    (problem,) = list_photos(Selection((root,), frozenset({root / "cats/1.png"}))).problems
    assert problem.message == "Every photo is left out; put some back."


def test_a_photo_to_leave_out_that_is_not_there_is_noted(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    (problem,) = list_photos(Selection((root,), frozenset({root / "cats/99.png"}))).problems
    assert (problem.kind, problem.is_note, problem.files) == ("left_out_missing", True, (root / "cats/99.png",))


def test_renamed_classes_can_be_merged_and_swapped(make_photos: MakePhotos) -> None:
    root = make_photos(*some("a", "b", "c"))
    swapped = list_photos(Selection((root,), renamed={"a": "b", "b": "a"}))
    assert {photo.class_name: photo.path.parent.name for photo in swapped.photos} == {"a": "b", "b": "a", "c": "c"}
    assert list_photos(Selection((root,), renamed={"a": "c", "b": "x"})).counts == {"c": 6, "x": 3}


def test_a_mistyped_class_to_rename_is_named(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "dogs"))
    (problem,) = list_photos(Selection((root,), renamed={"cat": "lions"})).problems
    assert problem.message == "There is no class 'cat' to rename. Did you mean 'cats'?"


# --- folders that do not hold still -----------------------------------------------------------------------------------


def closing(monkeypatch: pytest.MonkeyPatch, closed: Path) -> None:
    """Let the system refuse to list a folder, as it does where permission lacks; root would be let in."""
    real = os.scandir

    def scandir(folder: Path) -> Iterator[os.DirEntry[str]]:
        if Path(folder) == closed:
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_nested_folder_that_cannot_be_read_is_named(make_photos: MakePhotos, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_photos(*some("cats", "cats/closed", "dogs"))
    closing(monkeypatch, root / "cats/closed")
    found = scan(root)
    assert found.counts == {"cats": 3, "dogs": 3}
    (problem,) = found.problems
    assert (problem.kind, problem.files, problem.details) == (
        "closed_folder", (root / "cats/closed",), ("Permission denied",),
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(make_photos: MakePhotos) -> None:
    root = make_photos(*some("cats", "cats/closed", "dogs"))
    (root / "cats/closed").chmod(0)
    try:
        assert kinds(scan(root)) == ["closed_folder"]
    finally:
        (root / "cats/closed").chmod(0o700)


def test_a_photo_folder_that_cannot_be_read_is_refused(
    make_photos: MakePhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_photos(*some("cats", "dogs"))
    closing(monkeypatch, root)
    with pytest.raises(PhotosError, match="could not be read"):
        scan(root)


@pytest.mark.parametrize("gone_at", range(1, 12))
@pytest.mark.parametrize("victim", ["", "cats", "train/cats", "cats/0.png", "table.csv"])
def test_a_folder_changed_while_it_is_scanned_is_at_most_refused(
    make_photos: MakePhotos, monkeypatch: pytest.MonkeyPatch, gone_at: int, victim: str
) -> None:
    root = make_photos(*some("cats/in", "dogs"), *divided(("train", "test")))
    (root / "table.csv").write_text("cats/in/0.png,cats\ndogs/0.png,dogs\n")
    asked = 0
    real = os.scandir

    def scandir(folder: Path) -> Iterator[os.DirEntry[str]]:
        nonlocal asked
        asked += 1
        if asked == gone_at:
            shutil.rmtree(root / victim, ignore_errors=True)
            (root / victim).unlink(missing_ok=True) if victim.endswith(("png", "csv")) else None
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    try:
        found = scan(root, root / "table.csv")
    except PhotosError:
        return
    assert len(found.photos) <= 21


def test_strays_beside_a_given_split_do_not_undo_it(make_photos: MakePhotos) -> None:
    split = [f"{part}/{name}/{number}.png" for part in ("TRAIN", "Test") for name in "ab" for number in range(3)]
    root = make_photos(*split, "preview.png", "extra/1.png")
    found = scan(root)
    assert found.counts == {"a": 6, "b": 6}
    assert {photo.given for photo in found.photos} == {Part.TRAINING, Part.TEST}
    (loose,) = [problem for problem in found.problems if problem.kind == "loose_photos"]
    assert set(loose.files) == {root / "preview.png", root / "extra" / "1.png"}


def test_the_folders_of_a_split_dropped_together_are_kept_as_it(make_photos: MakePhotos) -> None:
    root = make_photos(*(f"{part}/{name}/{n}.png" for part in ("train", "val") for name in "ab" for n in range(3)))
    found = scan(root / "val", root / "train")
    assert found.counts == {"a": 6, "b": 6}
    assert {photo.given for photo in found.photos} == {Part.TRAINING, Part.VALIDATION}


def test_classes_that_hold_folders_of_the_same_names_are_pointed_out(make_photos: MakePhotos) -> None:
    root = make_photos(*(f"{year}/{name}/{n}.png" for year in ("2023", "2024") for name in "ab" for n in range(3)))
    (problem,) = [problem for problem in scan(root).problems if problem.kind == "repeated_folders"]
    assert "'2023', '2024'" in problem.message
    assert "'a', 'b'" in problem.message


def test_folders_far_above_the_classes_are_recognised(make_photos: MakePhotos) -> None:
    root = make_photos(*(f"my photos/2024/{name}/{n}.png" for name in "ab" for n in range(3)))
    (problem,) = scan(root).problems
    assert problem.kind == "one_level_too_high"
    assert f"Use '{root / 'my photos' / '2024'}'" in problem.message


def test_classes_that_differ_in_case_only_are_pointed_out(make_photos: MakePhotos) -> None:
    root = make_photos("one.png", "two.png", "three.png", "four.png")
    (root / "labels.csv").write_text("one.png,Hat\ntwo.png,hat\nthree.png,shoe\nfour.png,Hat\n")
    assert "similar_names" in kinds(scan(root / "labels.csv"))


def test_parts_in_a_table_are_said_to_be_kept(make_photos: MakePhotos) -> None:
    root = make_photos("one.png", "two.png")
    (root / "labels.csv").write_text("path,label,split\none.png,a,train\ntwo.png,b,test\n")
    (note,) = [problem for problem in scan(root / "labels.csv").problems if problem.kind == "given_split"]
    assert note.message == (
        "The parts in the table (train, test) are kept as the split. Photos for validation are drawn from the training "
        "ones."
    )


def test_listing_ends_when_cancelled(make_photos: MakePhotos) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list_photos(Selection((make_photos(*some("a", "b")),)), cancel)


def test_classes_that_happen_to_be_called_like_parts_are_classes(make_photos: MakePhotos) -> None:
    root = make_photos(*some("train/steam", "train/diesel", "test/blood", "test/driving"))
    assert scan(root).counts == {"test": 6, "train": 6}
