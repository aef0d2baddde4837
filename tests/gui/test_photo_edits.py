from __future__ import annotations

from pathlib import Path

import pytest

from hubstudio.core.errors import PlanError
from hubstudio.core.plan import Plan
from hubstudio.gui.photo_edits import (
    Edit,
    EditHistory,
    PhotoChoices,
    adding,
    choosing,
    leaving_out,
    photos_text,
    putting_back,
    renaming,
    sources_text,
)

HERE = PhotoChoices(photos="/photos")


def named(name: str) -> Edit:
    return Edit(name, HERE, HERE)


def test_photos_are_left_out_by_their_names_below_the_folder() -> None:
    choices = leaving_out([Path("/photos/red/1.jpg"), Path("/elsewhere/2.jpg")], HERE)
    assert choices.left_out == ("red/1.jpg", "/elsewhere/2.jpg")
    assert choices.applied_to(Plan(photos="/photos")).selection.left_out == {
        Path("/photos/red/1.jpg"),
        Path("/elsewhere/2.jpg"),
    }


def test_a_photo_left_out_twice_is_named_once() -> None:
    once = leaving_out([Path("/photos/red/1.jpg")], HERE)
    assert leaving_out([Path("/photos/red/1.jpg")], once) == once


def test_putting_back_is_the_contrary_of_leaving_out() -> None:
    paths = [Path("/photos/red/1.jpg"), Path("/elsewhere/2.jpg")]
    assert putting_back(paths, leaving_out(paths, HERE)) == HERE


def test_names_of_photos_in_a_table_are_below_its_folder() -> None:
    choices = leaving_out([Path("/photos/red/1.jpg")], PhotoChoices(photos="/photos/labels.csv"))
    assert choices.left_out == ("red/1.jpg",)


@pytest.mark.parametrize(
    ("steps", "renamed"),
    [
        ("red>scarlet", "red>scarlet"),
        ("red>scarlet scarlet>ruby", "red>ruby"),
        ("red>scarlet scarlet>red", ""),
        ("red>scarlet scarlet>ruby ruby>red", ""),
        ("red>blue", "red>blue"),
        ("red>blue blue>colour", "red>colour blue>colour"),
        ("red>blue blue>red", "blue>red"),
        ("red>blue blue>colour colour>blue", "red>blue"),
        ("red>other blue>red", "red>other blue>red"),
        ("red>other blue>red red>warm", "red>other blue>warm"),
        ("red>other blue>red other>blue", "red>blue blue>red"),
        ("red>other blue>red other>blue red>other blue>red other>blue", ""),
        ("red>x blue>x x>red", "blue>red"),
        ("never>x", ""),
    ],
)
def test_only_folders_are_renamed_and_none_to_its_own_name(steps: str, renamed: str) -> None:
    choices = HERE
    for step in steps.split():
        old, new = step.split(">")
        choices = renaming(old, new, choices, {"red", "blue"})
    assert choices.renamed == tuple(tuple(pair.split(">")) for pair in renamed.split())


def test_other_folders_begin_with_no_choices() -> None:
    chosen = choosing([Path("/a"), Path("/b")], leaving_out([Path("/photos/red/1.jpg")], HERE))
    assert chosen == PhotoChoices(photos="/a", more_photos=("/b",))


def test_the_same_folder_again_keeps_what_was_chosen_in_it() -> None:
    former = leaving_out([Path("/photos/red/1.jpg")], HERE)
    assert choosing([Path("/photos/../photos")], former) == former


def test_a_folder_is_added_once() -> None:
    choices = adding([Path("/more"), Path("/photos")], HERE)
    assert choices.sources == ("/photos", "/more")
    assert adding([Path("/more")], choices) == choices


def test_names_that_are_no_text_are_refused_as_a_plan_refuses_them() -> None:
    choices = leaving_out([Path("/photos/\udce9.jpg")], HERE)
    with pytest.raises(PlanError):
        choices.applied_to(Plan(photos="/photos"))


def test_what_is_undone_can_be_done_again_until_something_else_is_done() -> None:
    history = EditHistory()
    history.add(named("one"))
    history.add(named("two"))
    assert (history.to_undo, history.to_redo) == ("two", "")
    history.undo()
    assert (history.to_undo, history.to_redo) == ("one", "two")
    history.redo()
    history.undo()
    history.add(named("three"))
    assert (history.to_undo, history.to_redo) == ("three", "")
    assert history.redo() is None


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        ([Path("/a/daisy")], "'daisy'"),
        ([Path("/a/daisy"), Path("/a/iris"), Path("/a/rose")], "'daisy', 'iris' and 'rose'"),
        ([Path(f"/a/{number}") for number in range(5)], "5 folders"),
    ],
)
def test_sources_are_named_or_counted(paths: list[Path], text: str) -> None:
    assert sources_text(paths) == text


def test_one_photo_is_named_and_several_are_counted() -> None:
    assert photos_text("Leave out", [Path("/a/1.jpg")]) == "Leave out '1.jpg'"
    assert photos_text("Leave out", [Path("/a/1.jpg"), Path("/a/2.jpg")]) == "Leave out 2 photos"
