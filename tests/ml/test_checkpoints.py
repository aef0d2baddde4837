"""Checkpoints are whole or absent; the last two are kept; a damaged one gives way to the one before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hubstudio.core import whole_files
from hubstudio.ml import checkpoints
from hubstudio.ml.checkpoints import Checkpoint, Checkpoints, read_checkpoint, write_checkpoint


def made(number: int) -> Checkpoint:
    return Checkpoint({"number": number}, {"weight.0": np.full((3, 2), number, np.float32)})


def number_of(checkpoint: Checkpoint | None) -> int | None:
    return checkpoint and checkpoint.state["number"]


def test_the_newest_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    folder = Checkpoints(tmp_path)
    for number in range(1, 13):
        folder.write(made(number))
    assert len(list(tmp_path.iterdir())) == 2
    newest = Checkpoints(tmp_path).newest()
    assert newest is not None
    assert number_of(newest) == 12
    assert np.array_equal(newest.arrays["weight.0"], made(12).arrays["weight.0"])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    folder = Checkpoints(tmp_path)
    folder.write(made(1))
    folder.write(made(2))
    file = max(tmp_path.iterdir())
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    damaged = {"cut": content[: len(content) // 2], "flipped": content, "empty": b"", "text": b"no checkpoint"}
    file.write_bytes(bytes(damaged[damage]))
    assert number_of(folder.newest()) == 1


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).newest() is None
    assert read_checkpoint(tmp_path / "missing.npz") is None


def test_one_of_another_version_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_VERSION", 99)
    write_checkpoint(tmp_path / "one.npz", made(1))
    assert number_of(read_checkpoint(tmp_path / "one.npz")) == 1
    monkeypatch.undo()
    assert read_checkpoint(tmp_path / "one.npz") is None


def test_a_disk_that_refuses_leaves_those_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Checkpoints(tmp_path)
    folder.write(made(1))
    folder.write(made(2))

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(whole_files, "write_bytes", full)
        folder.write(made(3))
    assert number_of(folder.newest()) == 2


def test_writing_takes_a_small_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    folder = Checkpoints(tmp_path)
    assert not folder.is_due
    now[0] = 10.0
    assert folder.is_due

    def slow(path: Path, content: bytes) -> None:
        now[0] += 4.0

    monkeypatch.setattr(whole_files, "write_bytes", slow)
    folder.write(made(1))
    now[0] += 79.0
    assert not folder.is_due  # 4 seconds are 5 % of 80
    now[0] += 1.0
    assert folder.is_due
