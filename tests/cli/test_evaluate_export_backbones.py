from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core.measures import wilson_interval

Hubstudio = Callable[..., Ended]


def test_evaluate_json_holds_every_promised_field(hubstudio: Hubstudio, trained: Path) -> None:
    document = hubstudio("evaluate", trained, "--json").document
    assert document["photos"] == 4
    assert document["accuracy"] == 0.75
    assert document["interval"] == list(wilson_interval(3, 4))
    assert document["classes"] == ["cats", "dogs"]
    assert document["confusion"] == [[3, 1], [0, 0]]
    assert document["per_class"]["cats"] == {"precision": 1.0, "recall": 0.75, "f1": 6 / 7, "photos": 4}
    assert document["unreadable"] == ["cats/torn.jpg"]


def test_what_was_not_measured_is_null(hubstudio: Hubstudio, trained: Path) -> None:
    dogs = hubstudio("evaluate", trained, "--json").document["per_class"]["dogs"]
    assert dogs == {"precision": 0.0, "recall": None, "f1": 0.0, "photos": 0}


def test_an_accuracy_is_said_with_photos_interval_and_source(hubstudio: Hubstudio, trained: Path) -> None:
    out = hubstudio("evaluate", trained).out
    assert out.startswith("75.0 % right on 4 photos of the locked test part (95 % interval 30.1 % to 95.4 %).")
    assert "1 × 'cats' called 'dogs'" in out
    assert "Could not be read, left out: cats/torn.jpg" in out


def test_libraries_that_print_do_not_spoil_stdout(hubstudio: Hubstudio, trained: Path) -> None:
    ended = hubstudio("evaluate", trained, "--json")
    assert "chatters" not in ended.out
    assert "a library chatters on stdout" in ended.err


def test_evaluate_takes_other_photos_by_their_absolute_path(
    hubstudio: Hubstudio, engine: FakeEngine, trained: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    assert hubstudio("evaluate", trained, "photos", "--json").document["source"] == str(photos)
    assert engine.asked == [photos]


def test_evaluate_says_that_other_photos_are_not_there(
    hubstudio: Hubstudio, engine: FakeEngine, trained: Path, tmp_path: Path
) -> None:
    ended = hubstudio("evaluate", trained, tmp_path / "nowhere", "--json")
    assert ended.code == 1
    assert "There is no folder" in ended.document["error"]["what"]
    assert not engine.asked


def test_export_json_lists_the_files(hubstudio: Hubstudio, trained: Path, tmp_path: Path) -> None:
    document = hubstudio("export", trained, "--format", "keras, TFLITE", "--out", tmp_path / "out", "--json").document
    assert [file["format"] for file in document["files"]] == ["keras", "tflite"]
    assert document["files"][0] == {
        "format": "keras",
        "path": str(tmp_path / "out" / "keras"),
        "bytes": 5,
        "checked_photos": 8,
        "largest_difference": 1e-6,
    }


def test_export_says_how_each_file_was_checked(hubstudio: Hubstudio, trained: Path, tmp_path: Path) -> None:
    out = hubstudio("export", trained, "--format", "keras", "--out", tmp_path / "out").out
    assert "8 photos" in out
    assert "1.0e-06" in out


def test_an_unknown_format_is_answered_with_the_nearest(hubstudio: Hubstudio, trained: Path, tmp_path: Path) -> None:
    ended = hubstudio("export", trained, "--format", "tflight", "--out", tmp_path / "out", "--json")
    assert ended.code == 1
    assert ended.document["error"]["found"] == "Did you mean 'tflite'?"


def test_backbones_lists_the_bundled_ones(hubstudio: Hubstudio) -> None:
    document = hubstudio("backbones", "--json").document
    assert document["backbones"][0]["name"] == "studio-mini"
    assert document["backbones"][0]["state"] == "bundled"
    assert "studio-mini" in hubstudio("backbones").out


def test_probe_json_holds_every_promised_field(hubstudio: Hubstudio) -> None:
    document = hubstudio("backbones", "probe", "https://host/tiny/1", "--json").document
    assert document["input_size"] == 96
    assert document["features"] == 1280
    assert document["trainable"] is True
    assert document["format"] == "TF2 SavedModel"
    assert document["blocks"][1] == {"name": "block_1", "variables": 6, "parameters": 2000, "trainable": 4}


def test_probe_says_in_words_what_is_inside(hubstudio: Hubstudio) -> None:
    out = hubstudio("backbones", "probe", "studio-mini").out
    assert "96 px" in out
    assert "yes, 2 blocks" in out


@pytest.mark.parametrize("arguments", [("probe",), ("look", "studio-mini")])
def test_probe_misused_is_wrong_usage(hubstudio: Hubstudio, arguments: tuple[str, ...]) -> None:
    assert hubstudio("backbones", *arguments).code == 2
