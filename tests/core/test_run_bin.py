"""Deleting runs and taking them back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hubstudio.core.errors import RunError
from hubstudio.core.run_bin import DELETED, RunBin, empty_deleted
from hubstudio.core.runs import list_runs
from made_runs import make_run


def test_a_deleted_run_is_gone_until_it_is_restored(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run-001")
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    bin_ = RunBin(tmp_path)
    deleted = bin_.delete(run)
    assert list_runs(tmp_path) == []
    assert bin_.restore(deleted) == run
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_runs_of_one_name_are_deleted_one_after_the_other(tmp_path: Path) -> None:
    bin_ = RunBin(tmp_path)
    first = bin_.delete(make_run(tmp_path, "run-001", best_epoch=1))
    second = bin_.delete(make_run(tmp_path, "run-001", best_epoch=2))
    assert bin_.restore(first).name == "run-001"
    assert bin_.restore(second).name == "run-001-2"
    assert {row.name: row.best_epoch for row in list_runs(tmp_path)} == {"run-001": 1, "run-001-2": 2}


def test_a_run_that_was_emptied_cannot_be_restored_and_says_so(tmp_path: Path) -> None:
    bin_ = RunBin(tmp_path)
    deleted = bin_.delete(make_run(tmp_path, "run-001"))
    bin_.give_up()
    empty_deleted(tmp_path)
    assert not (tmp_path / DELETED).exists()
    with pytest.raises(RunError, match="could not be taken back"):
        bin_.restore(deleted)


def test_a_run_that_is_gone_cannot_be_deleted(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="could not be deleted"):
        RunBin(tmp_path).delete(tmp_path / "run-001")


def test_emptying_touches_nothing_else(tmp_path: Path) -> None:
    kept = make_run(tmp_path, "run-001")
    outside = make_run(tmp_path / "elsewhere", "run-009")
    (tmp_path / "run-002").symlink_to(outside)
    bin_ = RunBin(tmp_path)
    bin_.delete(tmp_path / "run-002")
    bin_.delete(make_run(tmp_path, "run-003"))
    bin_.give_up()
    empty_deleted(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "run-001"]
    assert (outside / "model.keras").exists()
    assert (kept / "model.keras").exists()


def test_a_bin_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    outside = make_run(tmp_path / "elsewhere", "run-009")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / DELETED).symlink_to(outside.parent)
    empty_deleted(tmp_path / "runs")
    assert (outside / "model.keras").exists()


def test_what_another_window_may_still_take_back_stays_when_this_one_empties(tmp_path: Path) -> None:
    first, second = RunBin(tmp_path), RunBin(tmp_path)
    deleted = first.delete(make_run(tmp_path, "run-001"))
    second.delete(make_run(tmp_path, "run-002"))
    second.give_up()
    empty_deleted(tmp_path)
    assert len(list((tmp_path / DELETED).iterdir())) == 1
    first.restore(deleted)
    assert [row.name for row in list_runs(tmp_path)] == ["run-001"]


def test_what_a_program_that_died_had_deleted_goes(tmp_path: Path) -> None:
    make_run(tmp_path, "run-001")
    program = (
        "import os, signal, sys; from pathlib import Path; from hubstudio.core.run_bin import RunBin;"
        "folder = Path(sys.argv[1]); RunBin(folder).delete(folder / 'run-001'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert list((tmp_path / DELETED).glob("*/run-001"))
    empty_deleted(tmp_path)
    assert not (tmp_path / DELETED).exists()
