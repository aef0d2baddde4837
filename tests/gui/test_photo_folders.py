from __future__ import annotations

import time
from pathlib import Path

import pytest
from photo_folders import make_photos

from hubstudio.gui import photo_folders
from hubstudio.gui.photo_folders import (
    Kind,
    glance,
    holds_class_folders,
    offer_to_add,
    offer_to_classify,
    offer_to_use,
)


def files(folder: Path, *names: str) -> Path:
    """Make empty files: a glance reads names only."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    return files(tmp_path / "flowers", "daisy/1.jpg", "iris/1.JPG", "iris/2.heic", "rose/1.png", "readme.txt")


def test_without_time_folders_are_taken_as_they_are(flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_folders, "_SECONDS", -1)
    assert not glance(flowers).is_all
    assert offer_to_use([flowers]).sentence == "Use the class folders in 'flowers'"
    assert offer_to_add([flowers], [], []).sentence == "Add the photos of 'flowers'"


def test_class_folders_are_counted(flowers: Path) -> None:
    assert offer_to_use([flowers]).sentence == "Use 3 class folders in 'flowers'"


def test_several_class_folders_are_named(flowers: Path) -> None:
    assert offer_to_use([flowers / "daisy", flowers / "iris"]).sentence == "Use 2 classes: daisy, iris"


def test_one_class_folder_is_refused_with_the_folder_above(flowers: Path) -> None:
    offer = offer_to_use([flowers / "daisy"])
    assert not offer.is_possible
    assert offer.sentence == "'daisy' is one class."
    assert str(flowers) in offer.next_step


def test_a_folder_above_the_class_folders_is_refused_with_the_one_to_drop(flowers: Path) -> None:
    offer = offer_to_use([flowers.parent])
    assert not offer.is_possible
    assert "one level too high" in offer.sentence
    assert str(flowers) in offer.next_step


def test_a_split_is_told(tmp_path: Path) -> None:
    files(tmp_path / "set", "Train/a/1.jpg", "Train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg")
    assert offer_to_use([tmp_path / "set"]).sentence.startswith("Use 'set' with its own split: ")


def test_a_table_is_used(tmp_path: Path) -> None:
    assert (
        offer_to_use([files(tmp_path, "labels.csv") / "labels.csv"]).sentence == "Use the photos listed in 'labels.csv'"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("1.jpg", "'1.jpg' is not a folder; a class is one."),
        ("notes.pdf", "'notes.pdf' is not a folder."),
        ("empty", "'empty' holds no photos."),
        ("nowhere", "'nowhere' is not a folder."),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(name: str, sentence: str, tmp_path: Path) -> None:
    files(tmp_path, "1.jpg", "notes.pdf", "empty/readme.txt")
    for offer in (offer_to_use([tmp_path / name]), offer_to_add([tmp_path / name], [], [])):
        assert offer.sentence == sentence
        assert not offer.is_possible
        assert offer.next_step


def test_a_folder_with_class_folders_and_a_stray_photo_is_still_one_of_class_folders(flowers: Path) -> None:
    files(flowers, "stray.jpg")
    assert offer_to_use([flowers]).sentence == "Use 3 class folders in 'flowers'"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["daisy"], "Add photos to 1 class: daisy"),
        (["iris", "rose"], "Add 2 classes: iris, rose"),
        (["daisy", "iris"], "Add 1 class: iris, and photos to 1 class you have"),
        (["."], "Add 2 classes: iris, rose, and photos to 1 class you have"),
    ],
)
def test_adding_says_which_classes_are_new(names: list[str], sentence: str, flowers: Path) -> None:
    paths = [flowers / name for name in names]
    assert offer_to_add(paths, [flowers.parent / "here"], ["daisy"]).sentence == sentence


def test_what_is_there_already_is_not_added_again(flowers: Path) -> None:
    offer = offer_to_add([flowers], [flowers], ["daisy"])
    assert offer.sentence == "'flowers' is among your photos already."
    assert not offer.is_possible


def test_a_project_is_no_folder_of_photos(flowers: Path) -> None:
    assert holds_class_folders(flowers)
    files(flowers, "project.toml")
    assert not holds_class_folders(flowers)


def test_a_glance_at_a_large_class_is_short(tmp_path: Path) -> None:
    folder = files(tmp_path / "large", *(f"{number}.txt" for number in range(3000)))
    began = time.monotonic()
    assert glance(folder).kind in (Kind.CLASSES, Kind.EMPTY)
    assert time.monotonic() - began < 0.1


def test_real_photos_are_told_as_they_are_listed(tmp_path: Path) -> None:
    assert glance(make_photos(tmp_path / "real", {"a": 3, "b": 3}, side=8)).classes == ("a", "b")


def test_a_split_is_seen_though_other_folders_lie_beside_it(tmp_path: Path) -> None:
    for name in ("train/a", "train/b", "val/a", "val/b", "extra"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.jpg").touch()
    assert glance(tmp_path / "photos").kind is Kind.PARTS


def test_the_classify_zone_says_what_would_be_classified(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    assert offer_to_classify([tmp_path / "1.jpg"]).sentence == "Classify 1 file."
    assert offer_to_classify([tmp_path / "1.jpg", folder]).sentence == "Classify 1 file and the photos in 'new'."
