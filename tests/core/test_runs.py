from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubstudio.core import runs as core_runs
from hubstudio.core.errors import RunError
from hubstudio.core.plan import Plan
from hubstudio.core.run_bin import DELETED
from hubstudio.core.runs import list_runs, read_note, write_note
from made_runs import make_run


def test_runs_are_listed_newest_first_with_what_came_of_them(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        make_run(tmp_path, f"run-{number}")
    rows = list_runs(tmp_path)
    assert [row.name for row in rows] == ["run-10", "run-2", "run-1"]
    first = rows[0]
    assert (first.validation_accuracy, first.seconds, first.notes, first.problem) == (0.925, 9.0, ("One.",), "")
    assert first.plan == Plan("photos")
    assert first.when is not None


def test_no_folder_is_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "run-001.unfinished").mkdir()
    (tmp_path / "run-001.unfinished" / "plan.toml").write_text("")
    (tmp_path / "holiday").mkdir()
    (tmp_path / "file.txt").write_text("")
    make_run(tmp_path / DELETED, "run-002")
    assert list_runs(tmp_path) == []


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"seconds": 3, "notes": 4}', "\0", "12"])
def test_a_run_with_nonsense_in_its_metrics_is_listed(tmp_path: Path, text: str) -> None:
    (make_run(tmp_path, "run-001") / "metrics.json").write_text(text)
    (row,) = list_runs(tmp_path)
    assert row.validation_accuracy is None


@pytest.mark.parametrize("name", ["plan.toml", "model.keras", "metrics.json", "classes.txt"])
def test_a_run_that_lacks_a_file_is_listed_as_damaged(tmp_path: Path, name: str) -> None:
    (make_run(tmp_path, "run-001") / name).unlink()
    (row,) = list_runs(tmp_path)
    assert name in row.problem


def test_a_damaged_plan_is_told(tmp_path: Path) -> None:
    (make_run(tmp_path, "run-001") / "plan.toml").write_text("epochs = [")
    (row,) = list_runs(tmp_path)
    assert "not readable as a plan" in row.problem


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "run-001")
    before = list_runs(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(core_runs, "_read", None)
        assert list_runs(tmp_path) == before
    (run / "metrics.json").write_text(json.dumps({"validation_accuracy": 0.5}))
    assert list_runs(tmp_path)[0].validation_accuracy == 0.5


def test_a_note_is_kept_and_removed(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run-001")
    write_note(run, "  the good one\nwith ä  ")
    assert read_note(run) == "the good one\nwith ä"
    assert list_runs(tmp_path)[0].note == "the good one\nwith ä"
    write_note(run, " ")
    assert read_note(run) == ""
    assert not (run / "note.txt").exists()


def test_a_note_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run-001")
    (run / "note.txt").mkdir()
    assert read_note(run) == ""
    assert list_runs(tmp_path)[0].problem == ""
    with pytest.raises(RunError, match="could not be saved"):
        write_note(run, "text")
