"""Learning curves as TensorBoard reads them: training and validation as two runs, over all epochs of all phases."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import tensorflow as tf

from hubstudio.core import path_kinds
from hubstudio.core.errors import RunError
from hubstudio.core.events import EpochDone, Event, Phase, Report
from hubstudio.core.run_folder import RunFolder


@contextmanager
def tensorboard_log(folder: Path) -> Generator[Report]:
    """Give a taker of events that writes them into ``folder``. Both raise ``RunError`` if it cannot be written to."""
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        writers = {part: tf.summary.create_file_writer(str(folder / part)) for part in ("training", "validation")}
    step = 0

    def take(event: Event) -> None:
        nonlocal step
        if isinstance(event, EpochDone):
            step += 1
            with _explained(folder):
                _write(writers["training"], step, _training_scalars(event))
                _write(writers["validation"], step, _validation_scalars(event))

    try:
        yield take
    finally:
        for writer in writers.values():
            with suppress(OSError, tf.errors.OpError):  # said when it was written
                writer.close()


@contextmanager
def _explained(folder: Path) -> Generator[None]:
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = path_kinds.reason(error) if isinstance(error, OSError) else str(error.message).splitlines()[0]
        raise RunError(
            f"TensorBoard logs cannot be written to '{folder}'.",
            found=f"{reason.rstrip('.')}.",
            next_step="Free some space, or give another folder.",
        ) from error


def write_history(run: RunFolder, folder: Path) -> None:
    """Write what a finished run's history holds, for TensorBoard. Raises ``RunError``."""
    with tensorboard_log(folder) as take:
        for row in run.history():
            take(_epoch_of(row))


def _training_scalars(event: EpochDone) -> dict[str, float]:
    return {"loss": event.loss, "accuracy": event.accuracy, "learning rate": event.learning_rate}


def _validation_scalars(event: EpochDone) -> dict[str, float]:
    return {"loss": event.validation_loss, "accuracy": event.validation_accuracy}


def _write(writer: tf.summary.SummaryWriter, step: int, scalars: dict[str, float]) -> None:
    # ``tf.summary.scalar`` needs TensorBoard installed to write what it reads; this is what that writes.
    about = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
    with writer.as_default():
        for name, value in scalars.items():
            tf.summary.write(name, tf.constant(value, tf.float32), step, about)
    writer.flush()


def _epoch_of(row: dict[str, str]) -> EpochDone:
    numbers = ("loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")
    loss, accuracy, validation_loss, validation_accuracy, rate = (float(row[name]) for name in numbers)
    phase, epoch = Phase(row["phase"]), int(row["epoch"])
    return EpochDone(
        phase, epoch, epoch, loss, accuracy, validation_loss, validation_accuracy, rate, row["is_best"] == "1", 0.0
    )
