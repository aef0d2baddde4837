import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cli.conftest import Ended, FakeEngine

Hubstudio = Callable[..., Ended]


def test_json_answers_in_the_order_given(hubstudio: Hubstudio, photos: Path, trained: Path) -> None:
    files = [photos / "dogs" / "2.png", photos / "cats" / "1.png"]
    document = hubstudio("predict", trained, *files, "--json").document
    assert document == {
        "predictions": [
            {"file": str(file), "label": "cats", "confidence": 0.875, "scores": {"cats": 0.875, "dogs": 0.125}}
            for file in files
        ]
    }


def test_folders_are_looked_through_in_natural_order(
    hubstudio: Hubstudio, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("new/10.png", "new/9.png", "new/more/1.PNG", "new/notes.txt", "new/.hidden.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(tmp_path / name, "PNG")
    monkeypatch.chdir(tmp_path)
    predictions = hubstudio("predict", trained, "./new", "--json").document["predictions"]
    assert [entry["file"] for entry in predictions] == [
        str(Path("new") / name) for name in ("9.png", "10.png", "more/1.PNG")
    ]


def test_files_are_named_as_they_were_given(
    hubstudio: Hubstudio, trained: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    predictions = hubstudio("predict", trained, "./cats/../cats/1.png", "--json").document["predictions"]
    assert [entry["file"] for entry in predictions] == ["./cats/../cats/1.png"]


def test_explicit_files_are_tried_whatever_they_are_called(hubstudio: Hubstudio, trained: Path, photos: Path) -> None:
    (photos / "cats" / "1.png").rename(photos / "noext")
    assert hubstudio("predict", trained, photos / "noext", "--json").document["predictions"][0]["label"] == "cats"


def test_a_file_that_fails_gives_an_entry_and_the_others_their_answers(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, trained: Path
) -> None:
    (photos / "notes.txt").touch()
    files = [photos / "gone.jpg", photos / "cats" / "1.png", photos / "notes.txt"]
    ended = hubstudio("predict", trained, *files, "--json")
    predictions = ended.document["predictions"]
    assert ended.code == 0
    assert predictions[0] == {"file": str(files[0]), "error": "there is no such file"}
    assert predictions[1]["label"] == "cats"
    assert predictions[2] == {"file": str(files[2]), "error": "it is not a photo in a format that is known here"}
    assert engine.asked == [files[1:]]


def test_not_a_single_answer_is_a_mistake_in_one_document(hubstudio: Hubstudio, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = hubstudio("predict", trained, tmp_path / "gone.jpg", tmp_path / "empty", "--json")
    assert ended.code == 1
    assert [entry["error"] for entry in ended.document["predictions"]] == [
        "there is no such file",
        "the folder holds no photos",
    ]
    assert ended.document["error"]["what"] == "Not a single photo could be classified."
    assert "Not a single photo" in ended.err


def test_a_person_reads_a_table(hubstudio: Hubstudio, photos: Path, trained: Path) -> None:
    ended = hubstudio("predict", trained, photos / "cats" / "1.png", photos / "gone.jpg")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["file", "answer", "confidence"]
    assert lines[1].split()[1:] == ["cats", "87.5", "%"]
    assert lines[2].endswith("there is no such file")


def test_a_folder_that_is_no_run_is_said(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("predict", photos, photos, "--json")
    assert ended.code == 1
    assert "is not a complete run" in ended.document["error"]["what"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_file_name_that_is_no_text_is_classified(
    hubstudio: Hubstudio, photos: Path, trained: Path, options: tuple[str, ...]
) -> None:
    odd = photos / os.fsdecode(b"caf\xe9.png")
    (photos / "cats" / "1.png").rename(odd)
    ended = hubstudio("predict", trained, odd, *options)
    assert ended.code == 0
    assert "caf\\udce9.png" in ended.out
