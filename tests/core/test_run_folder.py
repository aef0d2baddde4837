import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hubstudio.core.errors import RunError
from hubstudio.core.events import EpochDone, Phase, PhaseEnd
from hubstudio.core.parts import Part
from hubstudio.core.photos import Photo, PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import MODEL, RunFolder, RunSummary, require_free, write_records, write_summary
from hubstudio.core.split import Shares, split_photos

ODD_NAMES = ("plain", 'quote"d, comma', "line\nbreak", "back\\slash\\n", "carriage\rreturn", "日本 é", " spaces ", "'")
EPOCHS = (
    EpochDone(Phase.HEAD, 1, 2, 0.1 + 0.2, 0.5, 0.7, 0.6, 1e-3, True, 1.0),
    EpochDone(Phase.FINE_TUNE, 1, 2, 0.2, 0.9, 0.4, 0.8, 1e-4, False, 2.0),
)


def summary(classes: tuple[str, ...]) -> RunSummary:
    seconds = {"features": 1.0, "training": 2.0, "total": 3.5}
    return RunSummary("run", classes, {"train": 1}, "mini", "extract", 2, 1, "head", 0.6, 0.7, False, seconds, 96, 1280)


def write_run(path: Path, classes: tuple[str, ...] = ODD_NAMES) -> tuple[Plan, PhotoSet]:
    root = path.parent / "photos"
    photos = tuple(Photo(root / name / f"{number}, {name}.jpg", name) for name in classes for number in range(4))
    photo_set, plan = PhotoSet(root, classes, photos), Plan(photos=str(root))
    path.mkdir()
    write_records(path, plan, photo_set, split_photos(photo_set, plan.seed, Shares()), EPOCHS)
    write_summary(path, summary(classes))
    (path / MODEL).touch()
    return plan, photo_set


def test_plan_classes_and_split_read_back_whatever_the_names(tmp_path: Path) -> None:
    plan, photo_set = write_run(tmp_path / "run")
    run = RunFolder.open(tmp_path / "run")
    assert run.plan() == plan
    assert run.classes() == ODD_NAMES
    split = split_photos(photo_set, plan.seed, Shares())
    assert run.split() == [(photo_set.relative_name(photo), photo.class_name, part) for photo, part in split.assigned]


def test_the_photos_of_a_part_are_where_the_plan_says(tmp_path: Path) -> None:
    plan, photo_set = write_run(tmp_path / "run")
    expected = split_photos(photo_set, plan.seed, Shares()).part(Part.TEST)
    assert tuple(RunFolder.open(tmp_path / "run").photos_of(Part.TEST)) == expected


def test_the_history_keeps_every_digit(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    first, second = RunFolder.open(tmp_path / "run").history()
    assert float(first["loss"]) == 0.1 + 0.2
    assert (first["phase"], first["is_best"], second["phase"], second["is_best"]) == ("head", "1", "fine-tune", "0")


def test_metrics_hold_the_summary(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    metrics = RunFolder.open(tmp_path / "run").metrics()
    assert metrics["seconds"]["total"] == 3.5
    assert metrics["classes"] == list(ODD_NAMES)


def test_how_a_run_ended_is_how_its_last_phase_did() -> None:
    assert summary(("a", "b")).last_end is None
    ended = {"head": "all_epochs", "fine-tune": "no_better"}
    assert replace(summary(("a", "b")), ended=ended).last_end is PhaseEnd.NO_BETTER


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_names_that_are_no_text_read_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    write_run(tmp_path / "run", (name, "b"))
    assert RunFolder.open(tmp_path / "run").classes() == (name, "b")
    assert RunFolder.open(tmp_path / "run").metrics()["classes"][0] == name


def test_a_folder_that_is_not_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no run folder"):
        RunFolder.open(tmp_path / "nowhere")


def test_what_an_incomplete_run_misses_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    (tmp_path / "run" / "classes.txt").unlink()
    (tmp_path / "run" / "model.keras").unlink()
    with pytest.raises(RunError, match=r"Missing: classes\.txt, model\.keras"):
        RunFolder.open(tmp_path / "run")


@pytest.mark.parametrize(("name", "content"), [("split.csv", ""), ("split.csv", "file,class,part\na,b\n")])
def test_a_damaged_split_is_said(tmp_path: Path, name: str, content: str) -> None:
    write_run(tmp_path / "run")
    (tmp_path / "run" / name).write_text(content)
    with pytest.raises(RunError, match=r"'split\.csv' of the run 'run' could not be read"):
        RunFolder.open(tmp_path / "run").split()


@pytest.mark.parametrize("content", ["{", "[1, 2]", ""])
def test_damaged_metrics_are_said(tmp_path: Path, content: str) -> None:
    write_run(tmp_path / "run")
    (tmp_path / "run" / "metrics.json").write_text(content)
    with pytest.raises(RunError, match=r"metrics\.json"):
        RunFolder.open(tmp_path / "run").metrics()


def test_a_free_name_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert require_free(Path("run")) == tmp_path / "run"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_cannot_be_is_refused_before_the_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="There can be no folder"):
        require_free(tmp_path / name)
    with pytest.raises(RunError, match="There is no run folder"):
        RunFolder.open(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_that_leads_nowhere_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "gone")
    with pytest.raises(RunError, match="exists already"):
        require_free(tmp_path / "run")


def test_an_empty_folder_is_free_and_anything_else_is_not(tmp_path: Path) -> None:
    assert require_free(tmp_path) == tmp_path
    (tmp_path / "file").touch()
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(RunError, match="exists already"):
            require_free(taken)
