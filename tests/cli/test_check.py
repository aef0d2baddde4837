import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended

Hubstudio = Callable[..., Ended]


def test_json_holds_classes_and_no_problems(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("check", photos, "--json")
    assert ended.code == 0
    assert ended.document["classes"] == {"cats": 8, "dogs": 8}
    assert ended.document["problems"] == []


def test_problems_are_listed_and_are_no_failure(hubstudio: Hubstudio, photos: Path) -> None:
    (photos / "cats" / "torn.jpg").write_bytes(b"no photo")
    ended = hubstudio("check", photos, "--json")
    (problem,) = ended.document["problems"]
    assert ended.code == 0
    assert problem["kind"] == "unreadable"
    assert problem["files"] == [str(photos / "cats" / "torn.jpg")]
    assert "1 file could not be read" in problem["message"]


def test_photos_that_cannot_train_end_with_1_and_still_one_document(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("check", photos / "cats", "--json")
    assert ended.code == 1
    assert ended.document["problems"][0]["kind"] == "one_level_too_deep"
    assert ended.document["error"]["what"]


def test_a_class_that_unreadable_photos_leave_too_small_cannot_train(hubstudio: Hubstudio, photos: Path) -> None:
    for number in range(1, 7):
        (photos / "dogs" / f"{number}.png").write_bytes(b"")
    ended = hubstudio("check", photos, "--json")
    assert ended.code == 1
    assert ended.document["classes"] == {"cats": 8, "dogs": 2}


def test_a_person_reads_classes_and_problems(hubstudio: Hubstudio, photos: Path) -> None:
    (photos / "loose.jpg").touch()
    (photos / "cats" / "1.png").rename(photos / "cats" / "one\nline.png")
    out = hubstudio("check", photos).out
    assert "16 photos in 2 classes" in out
    assert "- 1 photo outside any class folder, left out." in out


def test_no_folder_is_a_mistake(hubstudio: Hubstudio, tmp_path: Path) -> None:
    ended = hubstudio("check", tmp_path / "nowhere", "--json")
    assert ended.code == 1
    assert "There is no folder" in ended.document["error"]["what"]


def test_json_tells_how_the_photos_would_be_divided(hubstudio: Hubstudio, photos: Path) -> None:
    split = hubstudio("check", photos, "--json").document["split"]
    assert list(split) == ["train", "validation", "test"]
    assert sum(split.values()) == 16


def test_json_tells_every_file_of_a_problem_and_their_groups(hubstudio: Hubstudio, photos: Path) -> None:
    shutil.copy(photos / "cats/1.png", photos / "dogs/copy.png")
    (problem,) = hubstudio("check", photos, "--json").document["problems"]
    pair = [str(photos / "cats/1.png"), str(photos / "dogs/copy.png")]
    assert set(problem) == {"kind", "files", "message", "blocks_training", "is_note", "details", "groups"}
    assert (problem["kind"], problem["files"], problem["groups"]) == ("copies_across", pair, [pair])
    assert (problem["blocks_training"], problem["is_note"]) == (False, False)


def test_several_folders_and_tables_are_taken_together(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("photos/dogs/1.png,dogs\nphotos/dogs/2.png,dogs\nphotos/dogs/3.png,dogs\n")
    ended = hubstudio("check", photos / "cats", tmp_path / "list.csv", "--json")
    assert ended.document["classes"] == {"cats": 8, "dogs": 3}


def test_photos_are_left_out_from_whatever_folder_they_are_named(
    hubstudio: Hubstudio, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos / "cats")
    document = hubstudio("check", "..", "--leave-out", "1.png", "--leave-out", "../dogs/2.png", "--json").document
    assert document["classes"] == {"cats": 7, "dogs": 7}
    assert [(problem["kind"], len(problem["files"])) for problem in document["problems"]] == [("left_out", 2)]


def test_a_mistyped_photo_to_leave_out_is_said(hubstudio: Hubstudio, photos: Path) -> None:
    assert (
        "to leave out not found among the photos: '99.png'"
        in hubstudio("check", photos, "--leave-out", photos / "99.png").out
    )


def test_classes_are_renamed_and_merged(hubstudio: Hubstudio, photos: Path) -> None:
    assert hubstudio("check", photos, "--rename", "cats=lions", "--json").document["classes"] == {"dogs": 8, "lions": 8}
    merged = hubstudio("check", photos, "--rename", "cats=dogs", "--json")
    assert (merged.code, merged.document["classes"]) == (1, {"dogs": 16})


@pytest.mark.parametrize("pair", ["cats", "=cats", "cats=", ""])
def test_a_rename_without_two_names_is_wrong_usage(hubstudio: Hubstudio, photos: Path, pair: str) -> None:
    assert hubstudio("check", photos, "--rename", pair).code == 2


def test_a_split_that_is_written_can_be_given_back_under_another_seed(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path
) -> None:
    written = hubstudio("check", photos, "--seed", 5, "--split-out", tmp_path / "a.csv", "--json").document["split"]
    options = ("--seed", 6, "--split", tmp_path / "a.csv", "--split-out", tmp_path / "b.csv", "--json")
    assert hubstudio("check", photos, *options).document["split"] == written
    assert (tmp_path / "b.csv").read_text() == (tmp_path / "a.csv").read_text()


def test_a_split_never_takes_a_photos_place(hubstudio: Hubstudio, photos: Path) -> None:
    before = (photos / "cats/1.png").read_bytes()
    ended = hubstudio("check", photos, "--split-out", photos / "cats/1.png")
    assert ended.code == 1
    assert (photos / "cats/1.png").read_bytes() == before


def test_the_seed_decides_the_split(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        hubstudio("check", photos, "--seed", seed, "--split-out", tmp_path / f"{seed}.csv")
    assert (tmp_path / "1.csv").read_text() != (tmp_path / "2.csv").read_text()


def test_the_shares_decide_the_split(hubstudio: Hubstudio, photos: Path) -> None:
    split = hubstudio("check", photos, "--test-share", "0.9", "--validation-share", "0.05", "--json").document["split"]
    assert split["test"] > 9


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--test-share", "1.5"), 1), (("--test-share", "nan"), 1), (("--test-share", "much"), 2), (("--seed", "-1"), 1),
     (("--seed", "x"), 2), (("--split", "nowhere.csv"), 1), (("--test-share", "0.5", "--validation-share", "0.5"), 1)],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(
    hubstudio: Hubstudio, photos: Path, options: tuple[str, ...], code: int
) -> None:
    ended = hubstudio("check", photos, *options, "--json")
    assert ended.code == code
    assert ended.document["error"]["what"]


def test_names_cannot_speak_to_the_terminal(hubstudio: Hubstudio, photos: Path) -> None:
    (photos / "cats").rename(photos / "\x1b[31mred\ncats")
    (photos / "dogs" / "\x9b2J.jpg").touch()
    ended = hubstudio("check", photos)
    assert "\\x1b[31mred\\x0acats" in ended.out
    assert not {"\x1b", "\x9b"} & set(ended.out + ended.err)
