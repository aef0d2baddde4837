"""The command line with the real engine, the bundled samples and the bundled backbone, as processes."""

from __future__ import annotations

import csv
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import EPOCHS, Trained
from e2e.program import LONGEST, PROGRAM, done, hubstudio
from hubstudio.core.engine import EXPORT_FORMATS
from hubstudio.core.parts import Part
from hubstudio.core.run_folder import RunFolder

Classes = dict[str, list[Path]]


@pytest.fixture(scope="module")
def evaluation(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``evaluate --json`` says of the run."""
    return done("evaluate", trained.run, home=tmp_path_factory.mktemp("home"))


def test_help_names_every_command() -> None:
    ended = hubstudio("--help")
    assert (ended.code, ended.err) == (0, "")
    for command in ("demo", "check", "backbones", "train", "evaluate", "predict", "export"):
        assert command in ended.out


def test_check_counts_the_samples(samples: Path, classes: Classes) -> None:
    document = done("check", samples)
    assert document["classes"] == {name: len(photos) for name, photos in classes.items()}
    assert [problem for problem in document["problems"] if not problem["is_note"]] == []


def test_train_says_what_it_came_to(trained: Trained, classes: Classes) -> None:
    document = trained.document
    assert document["run"] == str(trained.run)
    assert document["classes"] == list(classes)
    assert set(document["counts"]) == {"train", "validation", "test"}
    assert sum(document["counts"].values()) == sum(map(len, classes.values()))
    assert (document["backbone"], document["mode"], document["epochs"]) == ("studio-mini", "extract", EPOCHS)
    assert 1 <= document["best_epoch"] <= EPOCHS
    assert 1 / len(classes) < document["validation_accuracy"] <= 1  # better than chance
    seconds = document["seconds"]
    assert 0 < seconds["features"] + seconds["training"] <= seconds["total"]


def test_train_leaves_a_complete_run_and_nothing_else(trained: Trained) -> None:
    run = RunFolder.open(trained.run)
    assert len(run.history()) == EPOCHS
    assert run.metrics()["validation_accuracy"] == trained.document["validation_accuracy"]
    assert [path.name for path in trained.run.parent.iterdir()] == [trained.run.name]


def test_evaluate_measures_on_the_locked_test_part(trained: Trained, evaluation: dict[str, Any]) -> None:
    document = evaluation
    confusion = document["confusion"]
    photos, correct = sum(map(sum, confusion)), sum(row[place] for place, row in enumerate(confusion))
    low, high = document["interval"]
    assert document["classes"] == list(document["per_class"]) == trained.classes
    assert document["photos"] == trained.document["counts"]["test"] == photos
    assert document["accuracy"] == pytest.approx(correct / photos)
    assert 0 <= low < document["accuracy"] <= high <= 1
    for own, row in zip(document["per_class"].values(), confusion, strict=True):
        assert set(own) == {"precision", "recall", "f1", "photos"}
        assert own["photos"] == sum(row)


def test_evaluate_and_predict_agree(trained: Trained, evaluation: dict[str, Any]) -> None:
    photos = RunFolder.open(trained.run).photos_of(Part.TEST)
    answers = done("predict", trained.run, *(photo.path for photo in photos))["predictions"]
    names = trained.classes
    confusion = [[0] * len(names) for _ in names]
    for photo, answer in zip(photos, answers, strict=True):
        confusion[names.index(photo.class_name)][names.index(answer["label"])] += 1
    assert confusion == evaluation["confusion"]


def test_evaluate_measures_on_other_folders_too(trained: Trained, samples: Path, classes: Classes) -> None:
    document = done("evaluate", trained.run, samples)
    assert document["photos"] == sum(map(len, classes.values()))
    assert document["accuracy"] > 1.5 / len(classes)  # clearly better than chance


def test_predict_answers_in_the_order_given(
    trained: Trained, classes: Classes, tmp_path: Path, broken_photo: Path
) -> None:
    one, *_, last = [photos[0] for photos in classes.values()]
    missing = tmp_path / "missing.jpg"
    folder = tmp_path / "Obst & Gemüse"
    folder.mkdir()
    for name in ("photo 10.jpg", "photo 9.jpg"):
        shutil.copy(one, folder / name)
    answers = done("predict", trained.run, last, broken_photo, missing, folder, one)["predictions"]
    shown = [last, broken_photo, missing, folder / "photo 9.jpg", folder / "photo 10.jpg", one]
    assert [answer["file"] for answer in answers] == list(map(str, shown))
    assert [place for place, answer in enumerate(answers) if "error" in answer] == [1, 2]
    assert_is_answer(answers[0], trained.classes)
    assert answers[3]["scores"] == pytest.approx(answers[5]["scores"], abs=1e-6)  # the same photo


def test_export_writes_every_format_and_checks_it(trained: Trained, tmp_path: Path) -> None:
    out = tmp_path / "exported models"
    files = done("export", trained.run, "--format", ",".join(EXPORT_FORMATS), "--out", out)["files"]
    assert [file["format"] for file in files] == list(EXPORT_FORMATS)
    for file in files:
        path = Path(file["path"])
        assert path.parent == out
        assert file["bytes"] == size_of(path) > 0
        assert file["checked_photos"] > 0
        assert file["largest_difference"] < 1e-3
    assert (out / "labels.txt").read_text("utf-8").splitlines() == trained.classes
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_backbones_lists_the_bundled_one_and_the_catalogue() -> None:
    listed = {entry["name"]: entry for entry in done("backbones")["backbones"]}
    assert [name for name, entry in listed.items() if entry["state"] == "bundled"] == ["studio-mini"]
    assert listed["mobilenet-v2-100-224"]["state"] == "absent"
    assert listed["mobilenet-v2-100-224"]["imagenet_top1"] == 71.8


def test_backbones_probe_looks_inside() -> None:
    document = done("backbones", "probe", "studio-mini")
    assert document["features"] > 0
    assert document["trainable"] is True
    assert document["blocks"]
    assert {"input_size", "format"} <= set(document)


def test_a_plan_repeats_a_run_to_the_last_digit(trained: Trained, tmp_path: Path) -> None:
    again = tmp_path / "again"
    home = trained.project.parent / "home"  # knows which runtime was the fastest when it was tried
    for segment in home.rglob("features/*/*.npy"):
        segment.unlink()
    done("train", "--plan", trained.run / "plan.toml", "--out", again, home=home)
    for name in ("history.csv", "split.csv", "plan.toml", "classes.txt"):
        assert (again / name).read_bytes() == (trained.run / name).read_bytes(), name
    with (again / "history.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == EPOCHS


@pytest.mark.parametrize(
    "command",
    [
        ("check", "{nowhere}"),
        ("train", "{nowhere}", "--out", "{nowhere}/run"),
        ("train", "{samples}", "--out", "{run}"),
        ("train", "{samples}", "--out", "{nowhere}", "--epochs", "0"),
        ("train", "{samples}", "--out", "{nowhere}", "--backbone", "studio-maxi"),
        ("evaluate", "{nowhere}"),
        ("predict", "{nowhere}", "{samples}"),
        ("export", "{run}", "--format", "kears", "--out", "{nowhere}"),
    ],
    ids=" ".join,
)
def test_a_mistake_says_what_was_found_and_what_to_do(
    command: tuple[str, ...], trained: Trained, samples: Path, tmp_path: Path
) -> None:
    places = {"nowhere": tmp_path / "nowhere", "samples": samples, "run": trained.run}
    ended = hubstudio(*(word.format(**places) for word in command), "--json")
    assert ended.code == 1
    assert set(ended.document["error"]) == {"what", "found", "next"}
    assert ended.document["error"]["what"]
    assert "Traceback" not in ended.err
    assert not places["nowhere"].exists()


@pytest.mark.parametrize("command", [("trian",), ("train",), ("train", "photos", "--out", "run", "--epochs", "many")])
def test_wrong_usage_ends_with_2(command: tuple[str, ...]) -> None:
    ended = hubstudio(*command)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_an_interrupted_training_goes_on_where_it_was(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "here" / "run"
    out.parent.mkdir()
    command = ("train", samples, "--out", out, "--mode", "fine-tune", "--epochs", 2, "--head-epochs", 10_000)
    code, document = interrupted_at("Epoch 2", *command, "--patience", 3)
    assert code == 130
    assert "Interrupted" in document["error"]["what"]
    assert document["error"]["next"] == f"hubstudio train --resume '{out}'"
    assert [path.name for path in out.parent.iterdir()] == ["run.unfinished"]
    ended = hubstudio("train", "--resume", out, "--json")
    assert (ended.code, json.loads(ended.out)["run"]) == (0, str(out))
    assert [path.name for path in out.parent.iterdir()] == ["run"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_an_interrupted_export_leaves_nothing(trained: Trained, tmp_path: Path) -> None:
    out = tmp_path / "here"
    formats = ",".join(EXPORT_FORMATS)
    code, document = interrupted_at("1 of", "export", trained.run, "--format", formats, "--out", out)
    assert code == 130
    assert "Interrupted" in document["error"]["what"]
    assert not out.exists() or list(out.iterdir()) == []


def assert_is_answer(answer: dict[str, Any], classes: list[str]) -> None:
    assert list(answer["scores"]) == classes
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["confidence"] == max(answer["scores"].values()) == answer["scores"][answer["label"]]


def size_of(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def interrupted_at(text: str, *command: object) -> tuple[int, dict[str, Any]]:
    """Run a command on a terminal, press Ctrl+C once its progress bar says ``text``, return how it ended."""
    terminal, inner = os.openpty()
    try:
        with subprocess.Popen(
            [*PROGRAM, *map(str, command), "--json"], stdout=subprocess.PIPE, stderr=inner, stdin=subprocess.DEVNULL
        ) as process:
            try:
                read_until(text, terminal, process)
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=LONGEST)
            finally:
                process.kill()
        return process.returncode, json.loads(out)
    finally:
        os.close(inner)
        os.close(terminal)


def read_until(text: str, terminal: int, process: subprocess.Popen[bytes]) -> None:
    shown, end = b"", time.monotonic() + LONGEST
    while text.encode() not in shown:
        assert process.poll() is None, shown.decode("utf-8", "replace")
        assert time.monotonic() < end, shown.decode("utf-8", "replace")
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 65536)
