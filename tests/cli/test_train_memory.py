"""Trainings that are predicted to need more memory than is free: refused unless somebody wants them all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.cli import train
from hubstudio.core.cost import Cost

Hubstudio = Callable[..., Ended]
Words = tuple[object, ...]
HUGE = Cost(60.0, 900_000_000_000, 1_000_000, {"loading": 1.0, "head": 59.0})


@pytest.fixture(params=["begin", "resume", "continue"])
def command(
    request: pytest.FixtureRequest, hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> Words:
    """A command that trains in one of the three ways into the folder ``run``, and that needs far too much."""
    way, out = request.param, tmp_path / "run"
    if way == "resume":
        engine.suspends = True
        hubstudio("train", photos, "--out", out)
    if way == "continue":
        hubstudio("train", photos, "--out", tmp_path / "first")
    engine.predicted = HUGE
    return {
        "begin": ("train", photos, "--out", out),
        "resume": ("train", "--resume", out),
        "continue": ("train", "--continue", tmp_path / "first", "--epochs", 3, "--out", out),
    }[way]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_training_that_does_not_fit_is_refused_and_changes_nothing(
    hubstudio: Hubstudio, command: Words, tmp_path: Path
) -> None:
    before = content(tmp_path)
    ended = hubstudio(*command)
    assert ended.code == 1
    assert "900 GB of memory" in ended.err
    assert ended.err.splitlines()[-1] == "Or give --despite-memory to train all the same."
    assert content(tmp_path) == before


def test_a_refusal_advises_what_can_still_be_done(hubstudio: Hubstudio, command: Words) -> None:
    goes_on = "--resume" in command or "--continue" in command
    advice = "Close other programs, or train anew with" if goes_on else "Close other programs, or choose"
    assert advice in hubstudio(*command, "--json").document["error"]["what"]


def test_an_option_trains_despite_too_little_memory(hubstudio: Hubstudio, command: Words, tmp_path: Path) -> None:
    assert hubstudio(*command, "--despite-memory").code == 0
    assert (tmp_path / "run").is_dir()


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_a_person_at_a_terminal_is_asked(
    hubstudio: Hubstudio, command: Words, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int
) -> None:
    questions: list[str] = []
    monkeypatch.setattr(train.Console, "agrees", lambda self, question: questions.append(question) or answer)
    assert hubstudio(*command).code == code
    assert [question.endswith("Train all the same?") for question in questions] == [True]


def test_a_training_that_fits_is_not_asked_about(
    hubstudio: Hubstudio, engine: FakeEngine, command: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.predicted = Cost(60.0, 1_000_000, 1_000_000)
    monkeypatch.setattr(train.Console, "agrees", lambda self, question: pytest.fail(question))
    assert hubstudio(*command).code == 0
