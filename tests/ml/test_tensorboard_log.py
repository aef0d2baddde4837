"""Learning curves as TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from hubstudio.core.errors import RunError
from hubstudio.core.events import EpochDone, Event, Phase
from hubstudio.core.run_folder import HISTORY, RunFolder
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.tensorboard_log import write_history


def epoch(phase: Phase, number: int) -> Event:
    return EpochDone(phase, number, 2, number / 2, number / 4, number / 8, number / 16, 1e-3, True, 1.0)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return (step, value) by name, of all logs in a folder."""
    found: dict[str, list[tuple[int, float]]] = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, float(tf.make_ndarray(value.tensor))))
    return found


def test_epochs_of_all_phases_are_one_curve_and_parts_are_two(tmp_path: Path) -> None:
    with LocalEngine().tensorboard_log(tmp_path / "logs") as take:
        for phase in (Phase.HEAD, Phase.FINE_TUNE):
            for number in (1, 2):
                take(epoch(phase, number))
    training, validation = scalars(tmp_path / "logs" / "training"), scalars(tmp_path / "logs" / "validation")
    assert training["loss"] == [(1, 0.5), (2, 1.0), (3, 0.5), (4, 1.0)]
    assert training["accuracy"] == [(1, 0.25), (2, 0.5), (3, 0.25), (4, 0.5)]
    assert validation["loss"] == [(1, 0.125), (2, 0.25), (3, 0.125), (4, 0.25)]
    assert training["learning rate"][0][1] == pytest.approx(1e-3)


def test_a_finished_run_is_written_from_its_history(tmp_path: Path) -> None:
    (tmp_path / HISTORY).write_text(
        "phase,epoch,loss,accuracy,validation_loss,validation_accuracy,learning_rate,is_best\n"
        "head,1,0.5,0.25,0.75,0.125,0.001,1\nhead,2,0.25,0.5,0.5,0.25,0.001,0\n"
    )
    write_history(RunFolder(tmp_path), tmp_path / "logs")
    assert scalars(tmp_path / "logs" / "validation")["loss"] == [(1, 0.75), (2, 0.5)]


def test_a_disk_that_fills_up_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "events.out; No space left on device")  # as it raises it

    monkeypatch.setattr(tf.summary, "write", full)
    with (
        pytest.raises(RunError, match="No space left on device"),
        LocalEngine().tensorboard_log(tmp_path / "logs") as take,
    ):
        take(epoch(Phase.HEAD, 1))


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"), LocalEngine().tensorboard_log(tmp_path / "file" / "logs"):
        pass
