"""The Photos step in the real window: what is dropped on it, what it finds, and what can be done about it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from e2e.conftest import OpenStudio, Trained
from e2e.studio_window import StudioWindow
from e2e.waiting import wait_until
from hubstudio.core import paths
from hubstudio.core.project import Project, open_project
from hubstudio.core.review_looks import LOOKS
from hubstudio.core.run_folder import RunFolder

pytestmark = [pytest.mark.screen, pytest.mark.slow]

ZONE = "Photo drop zone"
PER_CLASS = 12
Classes = dict[str, list[Path]]


def test_findings_are_told_and_mended_and_remembered_while_the_files_stay_as_they_are(
    open_studio: OpenStudio, classes: Classes, tmp_path: Path
) -> None:
    folder = fruit_with_faults(classes, tmp_path / "fruit")
    before = digest_of(folder)
    studio = open_studio()
    studio.drop(ZONE, [folder])
    usable = 3 * PER_CLASS + 3  # with a copy, a stray one and a HEIC, without the broken one
    is_read(studio, f"3 classes · {usable + 1} photos", usable)
    studio.wait_for_text("1 file could not be read, left out ('broken.jpg':")
    studio.wait_for_text("1 photo is an exact copy of another")
    studio.wait_for_text("1 folder without photos, left out: 'plum'")
    in_two = studio.wait_for_text("class with exactly the same photo ('kiwi' and 'lemon')")
    assert not any("HEIC" in text for text in studio.texts())

    studio.press(f"Show files: {in_two}")
    studio.choose("lemon/stray.jpg")
    studio.press("Leave out ticked")
    studio.wait_for_text("1 of these left out")
    studio.press("Close")
    is_read(studio, f"3 classes · {usable - 1} photos")
    studio.wait_for(lambda: in_two not in studio.texts(), "the finding stays")
    studio.press("Undo")
    is_read(studio, f"3 classes · {usable} photos")
    assert studio.wait_for_text("with exactly the same photo") == in_two
    studio.press("Redo")
    is_read(studio, f"3 classes · {usable - 1} photos")
    close(studio)

    project = only_project()
    assert project.plan is not None
    assert project.plan.left_out == ("lemon/stray.jpg",)
    studio = open_studio(project.folder)
    is_read(studio, f"3 classes · {usable - 1} photos")
    studio.wait_for_text("1 photo left out by you.")
    studio.press("Put all photos back")
    is_read(studio, f"3 classes · {usable} photos")
    close(studio)
    assert only_project().plan == replace(project.plan, left_out=())
    assert digest_of(folder) == before


def test_the_zone_says_what_a_drop_will_do_and_takes_class_folders_tables_and_splits(
    open_studio: OpenStudio, classes: Classes, tmp_path: Path
) -> None:
    folder = fruit(classes, tmp_path / "fruit", ("kiwi", "lemon", "pear"))
    loose = folder / "kiwi" / classes["kiwi"][0].name
    studio = open_studio()
    with studio.dragging(ZONE, [loose]):
        studio.wait_for_text(f"'{loose.name}' is not a folder; a class is one.")
    studio.find("Drop a folder of class folders here")
    studio.wait_for_text(f"'{loose.name}' is not a folder; a class is one.")  # now as the reason why nothing happened
    with studio.dragging(ZONE, [folder / "kiwi"]):
        studio.wait_for_text(f"'kiwi' is one class. Drop the folder above it, '{folder}', or several class folders")
    with studio.dragging(ZONE, [folder / "kiwi", folder / "lemon"]):
        studio.wait_for_text("Use 2 classes: kiwi, lemon")
    is_read(studio, f"2 classes · {2 * PER_CLASS} photos", 2 * PER_CLASS)
    with studio.dragging(ZONE, [folder / "pear"]):
        studio.wait_for_text("Add 1 class: pear")
    is_read(studio, f"3 classes · {3 * PER_CLASS} photos", 3 * PER_CLASS)

    studio.keys("ctrl+n")
    table = table_of(folder, tmp_path / "labels.csv")
    with studio.dragging(ZONE, [table]):
        studio.wait_for_text("Use the photos listed in 'labels.csv'")
    is_read(studio, f"3 classes · {3 * PER_CLASS} photos", 3 * PER_CLASS)

    studio.keys("ctrl+n")
    divided = divided_fruit(classes, tmp_path / "divided")
    with studio.dragging(ZONE, [divided]):
        studio.wait_for_text("Use 'divided' with its own split: ")
    is_read(studio, "2 classes · 24 photos", 24)
    studio.wait_for_text("are kept as the split.")
    for words in ("14 train", "4 validation", "6 test, locked"):
        studio.find(words)
    close(studio)


def test_classes_and_their_photos_from_the_keyboard(open_studio: OpenStudio, classes: Classes, tmp_path: Path) -> None:
    folder = fruit(classes, tmp_path / "fruit", ("kiwi", "lemon", "pear"))
    studio = open_studio(folder)
    is_read(studio, f"3 classes · {3 * PER_CLASS} photos", 3 * PER_CLASS)

    go_to_class(studio, "lemon")
    studio.keys("F2")
    studio.wait_for_focus("New name of lemon")
    studio.types("lime")
    studio.keys("Return")
    studio.wait_for_focus(f"lime, {PER_CLASS} photos")  # the keyboard stays where it was
    go_to_class(studio, "pear")
    studio.keys("F2")
    studio.wait_for_focus("New name of pear")
    studio.types("kiwi")
    studio.keys("Return")
    studio.wait_for_text("There is a class “kiwi” already. Merge “pear” into it?")
    studio.wait_for_focus("Keep both")
    studio.keys("Tab", "space")
    is_read(studio, f"2 classes · {3 * PER_CLASS} photos")
    studio.keys("ctrl+z")
    is_read(studio, f"3 classes · {3 * PER_CLASS} photos")

    go_to_class(studio, "kiwi")
    studio.keys("Return")
    first, second = sorted((folder / "kiwi").iterdir())[:2]
    studio.wait_for_focus(first.name)
    studio.keys("Return")
    studio.wait_for_focus(f"{first.name}, 1 of {PER_CLASS}")
    studio.keys("Right")
    studio.wait_for_focus(f"{second.name}, 2 of {PER_CLASS}")
    studio.keys("Delete")
    studio.wait_for_focus(f"{second.name}, left out, 2 of {PER_CLASS}")
    studio.keys("Escape")
    studio.wait_for_focus(f"{second.name}, left out")
    studio.find(f"{PER_CLASS - 1} photos, 1 left out")
    studio.keys("Escape")
    studio.wait_for_focus(f"kiwi, {PER_CLASS - 1} photos")
    is_read(studio, f"3 classes · {3 * PER_CLASS - 1} photos")
    close(studio)
    plan = only_project().plan
    assert plan is not None
    assert plan.renamed == (("lemon", "lime"),)
    assert plan.left_out == (f"kiwi/{second.name}",)


def test_a_hundred_classes_are_searched_and_the_check_of_their_photos_is_paused_and_cancelled(
    open_studio: OpenStudio, tmp_path: Path
) -> None:
    folder = hundred_classes(tmp_path / "hundred")
    studio = open_studio()
    studio.drop(ZONE, [folder])
    studio.press("Pause the check")
    studio.wait_for_text("Paused: ")
    studio.type_into("Find a class", "kind 07")  # 070 to 079, and 007
    studio.find("11 of 100 classes found")
    assert any(text.startswith("kind 07") for text in studio.texts())
    assert not any(text.startswith("kind 08") for text in studio.texts())
    paused = studio.wait_for_text("Paused: ")  # what was being read at the pause is read by now
    studio.type_into("Find a class", "plum")
    studio.wait_for_text("No class is called “plum”.")
    studio.press("Show all classes")
    assert studio.wait_for_text("Paused: ") == paused
    studio.press("Resume the check")
    studio.press("Cancel the check")
    studio.wait_for_text("3,000 photos not checked yet")
    studio.press("Check again")
    is_read(studio, "100 classes · 3,000 photos", 3000)
    close(studio)


def test_the_fifth_look_at_the_test_photos_warns(open_studio: OpenStudio, trained: Trained, tmp_path: Path) -> None:
    project = copy_of(trained, tmp_path)
    for looked in project.rglob(LOOKS):  # other tests measured this run before
        looked.unlink()
    studio = open_studio(project)
    for look in range(1, 6):
        studio.press("Review")
        studio.find("The first look at these test photos." if look == 1 else f"Look {look} at these test photos.")
        warns = studio.first("The number flatters more with every look") is not None
        assert warns is (look == 5)
        studio.press("Photos")
        studio.wait_until_gone("Measure again")
    close(studio)


def is_read(studio: StudioWindow, total: str, readable: int = 0) -> None:
    """Wait until the page counts so many photos and has read them all."""
    studio.wait_for(lambda: studio.first(total) is not None, f"not {total!r}")
    studio.wait_for_text(f"{readable:,} photos readable" if readable else " photos readable")


def go_to_class(studio: StudioWindow, name: str) -> None:
    """Go to a class as a person does without a mouse: type the beginning of its name in the list."""
    studio.focus("Classes")

    def is_there() -> bool:
        studio.types(name[0])
        return studio.has_focus(f"{name}, {PER_CLASS} photos")

    # Letters that follow each other within 0.4 s are taken for one word.
    wait_until(is_there, f"typing does not lead to {name!r}", pause=0.6)


def close(studio: StudioWindow) -> None:
    """Close the window; nothing may have gone wrong in it."""
    studio.ask_to_close()
    assert studio.wait_for_end() == 0
    assert "Traceback" not in studio.said()


def fruit(classes: Classes, folder: Path, names: Sequence[str]) -> Path:
    """Make class folders of some sample photos."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for photo in classes[name][:PER_CLASS]:
            shutil.copy(photo, folder / name)
    return folder


def fruit_with_faults(classes: Classes, folder: Path) -> Path:
    """Make class folders with everything in them that can be found."""
    fruit(classes, folder, ("kiwi", "lemon", "pear"))
    kiwis, pears = classes["kiwi"], classes["pear"]
    (folder / "kiwi" / "broken.jpg").write_bytes(kiwis[0].read_bytes()[:1000])
    shutil.copy(pears[0], folder / "pear" / "again.jpg")
    shutil.copy(kiwis[1], folder / "lemon" / "stray.jpg")
    with Image.open(pears[PER_CLASS]) as photo:
        pillow_heif.from_pillow(photo).save(folder / "pear" / "phone.HEIC")
    (folder / "plum").mkdir()
    return folder


def table_of(folder: Path, file: Path) -> Path:
    """Write the photos of a folder with their classes into a table."""
    rows = [f"{photo.relative_to(file.parent)},{photo.parent.name}" for photo in sorted(folder.rglob("*.jpg"))]
    file.write_text("\n".join(["path,label", *rows]), "utf-8")
    return file


def divided_fruit(classes: Classes, folder: Path) -> Path:
    """Make class folders that are divided already."""
    for part, start, end in (("Train", 0, 7), ("Val", 7, 9), ("test", 9, 12)):
        for name in ("lemon", "tomato"):
            (folder / part / name).mkdir(parents=True)
            for photo in classes[name][start:end]:
                shutil.copy(photo, folder / part / name)
    return folder


def hundred_classes(folder: Path) -> Path:
    """Make 100 classes of 30 photos; they share 100 files, each of which stands in 30 classes."""
    random = np.random.default_rng(7)
    drawn = folder.with_name("drawn")
    drawn.mkdir()
    for number in range(100):
        coarse = random.integers(0, 256, (9, 9, 3), np.uint8)
        Image.fromarray(coarse).resize((480, 480), Image.Resampling.BICUBIC).save(drawn / f"{number:03}.jpg")
    for number in range(100):
        of_class = folder / f"kind {number:03}"
        of_class.mkdir(parents=True)
        for place in range(30):
            name = f"{(number + place) % 100:03}.jpg"
            os.link(drawn / name, of_class / name)
    return folder


def copy_of(trained: Trained, folder: Path) -> Path:
    """Return a project of its own with a copy of the trained run, which notes every look."""
    own = folder / "fruit"
    run = own / "runs" / trained.run.name
    shutil.copytree(trained.run, run)
    Project(own, RunFolder.open(run).plan(), step="photos", run=run.name).save()
    return own


def digest_of(folder: Path) -> str:
    """Return what tells whether any name, byte or date below a folder has changed."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(f"{path.relative_to(folder)} {path.stat().st_mtime_ns}\n".encode())
        if path.is_file():
            found.update(path.read_bytes())
    return found.hexdigest()


def only_project() -> Project:
    """Return the project that the window has made."""
    (folder,) = paths.projects_folder().iterdir()
    return open_project(folder)
