from collections.abc import Callable
from pathlib import Path

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
    out = hubstudio("check", photos).out
    assert "16 photos in 2 classes" in out
    assert "- 1 photo outside any class folder, left out." in out


def test_no_folder_is_a_mistake(hubstudio: Hubstudio, tmp_path: Path) -> None:
    ended = hubstudio("check", tmp_path / "nowhere", "--json")
    assert ended.code == 1
    assert "There is no folder" in ended.document["error"]["what"]
