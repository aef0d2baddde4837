"""A training that is refused for its memory has begun nothing; one that was interrupted before stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Suspended
from hubstudio.core.events import EpochDone, Event, RunStarted, ignore
from hubstudio.core.memory import TooLargeError
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml import checkpoints
from hubstudio.ml.engine import LocalEngine


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(str(three_classes), backbone=str(small_module), epochs=3)


def refuse(event: Event) -> None:
    if isinstance(event, RunStarted):
        raise TooLargeError("It does not fit.")


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}


def test_a_refused_resume_leaves_the_unfinished_run_as_it_was(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoints, "_SHARE_OF_TIME", float("inf"))
    out, cancel = tmp_path / "run", CancelToken()

    def suspend_after_an_epoch(event: Event) -> None:
        if isinstance(event, EpochDone):
            cancel.suspend()

    with pytest.raises(Suspended):
        LocalEngine().train(plan, out, suspend_after_an_epoch, cancel)
    before = content(tmp_path / "run.unfinished")
    assert any(name.startswith("checkpoint") for name in before)
    with pytest.raises(TooLargeError):
        LocalEngine().resume(out, refuse, CancelToken())
    assert content(tmp_path / "run.unfinished") == before
    LocalEngine().resume(out, ignore, CancelToken())
    assert len(RunFolder.open(out).history()) == 3


def test_what_is_refused_before_it_begins_leaves_nothing(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        LocalEngine().train(plan, tmp_path / "run", refuse, CancelToken())
    assert list(tmp_path.iterdir()) == []
    LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    before = content(tmp_path / "run")
    with pytest.raises(TooLargeError):
        LocalEngine().continue_run(tmp_path / "run", 2, tmp_path / "more", refuse, CancelToken())
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert content(tmp_path / "run") == before
