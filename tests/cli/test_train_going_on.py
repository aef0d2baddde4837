"""Trainings that go on after an interruption or for more epochs, and their logs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core.errors import RunError
from hubstudio.core.events import EpochDone, Event

Hubstudio = Callable[..., Ended]


def test_an_interrupted_training_says_how_it_goes_on_and_does(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.suspends = True
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--epochs", 7)
    assert ended.code == 130
    assert f"hubstudio train --resume '{tmp_path / 'run'}'" in ended.err
    resumed = hubstudio("train", "--resume", tmp_path / "run", "--json")
    assert resumed.code == 0
    assert resumed.document["run"] == str(tmp_path / "run")
    assert engine.asked[-1] == ("resume", tmp_path / "run.unfinished")
    assert engine.plans[-1].epochs == 7


def test_a_resumed_or_continued_fine_tuning_is_measured_first_if_that_was_never_done(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    hubstudio("train", photos, "--out", tmp_path / "run", "--mode", "fine-tune")
    engine.suspends = True
    hubstudio("train", photos, "--out", tmp_path / "laid", "--mode", "fine-tune")
    for way in (
        ("--resume", tmp_path / "laid"),
        ("--continue", tmp_path / "run", "--epochs", 2, "--out", tmp_path / "more"),
    ):
        engine.asked.clear()
        assert hubstudio("train", *way).code == 0
        assert engine.asked[1] == ("measure", "studio-mini")


def test_another_training_does_not_take_the_place_of_an_interrupted_one(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.suspends = True
    hubstudio("train", photos, "--out", tmp_path / "run")
    ended = hubstudio("train", photos, "--out", tmp_path / "run")
    assert ended.code == 1
    assert "An interrupted run waits" in ended.err
    assert "--resume" in ended.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resume", "run", "--out", "other"), "goes on by the plan it began with: leave out --out."),
        (("--resume", "run", "photos", "--epochs", 3), "leave out photos, --epochs."),
        (("--resume", "run", "--no-flip-horizontal"), "leave out --flip-horizontal."),
        (("--continue", "run", "--epochs", 3, "--out", "other", "--seed", 2), "plan of that run: leave out --seed."),
        (("--continue", "run", "--out", "other"), "how many more"),
        (("--continue", "run", "--epochs", 0, "--out", "other"), "1 or more"),
        (("--continue", "run", "--epochs", 3), "give --out"),
        (("--continue", "run", "--resume", "run"), "not allowed with"),
        (("photos",), "give --out"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(hubstudio: Hubstudio, options: tuple[Any, ...], message: str) -> None:
    ended = hubstudio("train", *options)
    assert ended.code == 2
    assert message in ended.err.casefold()


def test_there_is_nothing_to_resume_where_no_training_was_interrupted(
    hubstudio: Hubstudio, trained: Path, tmp_path: Path
) -> None:
    for run, found in ((trained, "finished"), (tmp_path / "nothing", "no unfinished run")):
        ended = hubstudio("train", "--resume", run)
        assert ended.code == 1
        assert found in ended.err


def test_what_is_no_part_of_the_plan_may_be_given_to_a_training_that_goes_on(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.suspends = True
    hubstudio("train", photos, "--out", tmp_path / "run")
    options = ("--tensorboard", tmp_path / "logs", "--despite-memory", "--json")
    assert hubstudio("train", "--resume", tmp_path / "run", *options).code == 0


def test_an_interrupted_run_is_resumed_before_it_is_continued(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.suspends = True
    hubstudio("train", photos, "--out", tmp_path / "run")
    ended = hubstudio("train", "--continue", tmp_path / "run", "--epochs", 3, "--out", tmp_path / "more")
    assert ended.code == 1
    assert f"Go on with it: hubstudio train --resume '{tmp_path / 'run'}'" in ended.err


def test_a_finished_run_goes_on_for_more_epochs(
    hubstudio: Hubstudio, engine: FakeEngine, trained: Path, tmp_path: Path
) -> None:
    assert hubstudio("train", "--continue", trained, "--epochs", 5, "--out", tmp_path / "more").code == 0
    assert engine.asked[-1] == ("continue", trained, 5)


def test_tensorboard_logs_hold_the_epochs(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    hubstudio("train", photos, "--out", tmp_path / "run", "--tensorboard", tmp_path / "logs")
    folder, logged = engine.asked[-1]
    assert folder == tmp_path / "logs"
    assert [event.epoch for event in logged if isinstance(event, EpochDone)] == [1]


def test_logs_that_cannot_be_written_do_not_end_the_training(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Event] = []

    def full(event: Event) -> None:
        taken.append(event)
        raise RunError("TensorBoard logs cannot be written.", next_step="Free some space.")

    monkeypatch.setattr(engine, "tensorboard_log", lambda folder: nullcontext(full))
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--tensorboard", tmp_path / "logs")
    assert ended.code == 0
    assert ended.err.count("TensorBoard logs cannot be written. Free some space. The training goes on without") == 1
    assert len(taken) == 1
