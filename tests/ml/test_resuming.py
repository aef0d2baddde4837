"""A training that was interrupted goes on to the same history and the same weights as if nothing had happened."""

from __future__ import annotations

import errno
import random
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from filelock import FileLock
from interrupted_runs import interrupted, same_result

from hubstudio.core import feature_store, whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import RunError, Suspended
from hubstudio.core.events import (
    BatchDone,
    CheckpointKept,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseEnd,
    PhaseEnded,
    PhaseStarted,
    RunStarted,
    ignore,
)
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import TRAINING_STATE, RunFolder
from hubstudio.core.unfinished_runs import UnfinishedRun, find_unfinished
from hubstudio.ml import fine_tuning_ways, saved_models, training_loop
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.run_log import Clock
from hubstudio.ml.training_steps import Batch, Stepped, TrainingSteps

PROGRAM = Path(__file__).with_name("killed_training.py")


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(
        str(three_classes), backbone=str(small_module), mode=Mode.FINE_TUNE, unfreeze=2, epochs=3, head_epochs=3,
        batch_size=4, hidden_units=8, dropout=0.3,
    )  # fmt: skip


def test_a_training_killed_at_a_dozen_moments_ends_as_if_it_never_was(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tuning_ways, "FRONT_PASSES", 0)
    LocalEngine().train(plan, tmp_path / "whole", ignore, CancelToken())
    draw = random.Random(6)
    moments = [
        ("features", draw.randint(2, 3)), ("features", draw.randint(4, 6)), ("head", draw.randint(2, 8)),
        ("before a file is in place", draw.randint(4, 8)), ("validation", 1), ("head", draw.randint(9, 12)),
        ("fine-tune", 1), ("before a file is in place", draw.randint(4, 8)), ("fine-tune", draw.randint(3, 9)),
        ("validation", draw.randint(2, 3)), ("saving", 1), ("model written", 1), ("never", 1),
    ]  # fmt: skip
    plan.save(tmp_path / "plan.toml")
    out = str(tmp_path / "run")
    for number, (moment, count) in enumerate(moments):
        how = ["resume", out] if number else ["begin", str(tmp_path / "plan.toml"), out]
        command = [sys.executable, str(PROGRAM), *how, moment, str(count)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        wanted = 0 if moment == "never" else -signal.SIGKILL
        assert ended.returncode == wanted, (moment, count, ended.stderr[-3000:])
    assert same_result(tmp_path / "whole", tmp_path / "run")
    assert RunFolder.open(tmp_path / "run").metrics()["decided"]["frozen_part_once"]
    assert [path.name for path in tmp_path.glob("run*")] == ["run"]


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("phase", [Phase.HEAD, Phase.FINE_TUNE])
def test_a_training_that_was_laid_aside_goes_on_and_tells_its_epochs_again(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: Phase
) -> None:
    LocalEngine().train(plan, tmp_path / "whole", ignore, CancelToken())
    monkeypatch.setattr(training_loop, "_SECONDS_TOGETHER", 100.0)
    monkeypatch.setattr(training_loop, "MOST_TOGETHER", 3)  # so that it is within an epoch
    interrupted(
        plan, tmp_path / "run",
        lambda event: isinstance(event, BatchDone) and (event.phase, event.epoch) == (phase, 2) and event.batch >= 3,
    )  # fmt: skip
    (unfinished,) = find_unfinished(tmp_path)
    assert str(unfinished.progress) == f"{'the head learning' if phase is Phase.HEAD else 'fine-tuning'}, epoch 1 of 3"
    events: list[Event] = []
    LocalEngine().resume(tmp_path / "run", events.append, CancelToken())
    assert same_result(tmp_path / "whole", tmp_path / "run")
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.resumed
    epochs = [(event.phase, event.epoch) for event in events if isinstance(event, EpochDone)]
    assert epochs == [(phase, epoch) for phase in (Phase.HEAD, Phase.FINE_TUNE) for epoch in (1, 2, 3)]
    assert find_unfinished(tmp_path) == []


def test_features_that_were_computed_are_not_computed_again(plan: Plan, tmp_path: Path) -> None:
    interrupted(plan, tmp_path / "run", lambda event: isinstance(event, FeaturesDone) and event.done >= 30)
    done: list[int] = []
    LocalEngine().resume(
        tmp_path / "run", lambda event: done.append(event.done) if isinstance(event, FeaturesDone) else None,
        CancelToken(),
    )  # fmt: skip
    metrics = RunFolder.open(tmp_path / "run").metrics()
    assert metrics["computed_photos"] < metrics["counts"]["train"] + metrics["counts"]["validation"] - 20


@pytest.mark.usefixtures("often")
def test_a_damaged_checkpoint_costs_only_the_stretch_since_the_one_before(plan: Plan, tmp_path: Path) -> None:
    LocalEngine().train(plan, tmp_path / "whole", ignore, CancelToken())
    interrupted(plan, tmp_path / "run", lambda event: isinstance(event, EpochDone) and event.epoch == 2)
    files = sorted((tmp_path / "run.unfinished").glob("checkpoint-*.npz"))
    assert len(files) == 2
    content = bytearray(files[-1].read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 300):  # more than what no checksum covers
        content[place] ^= 0xFF
    files[-1].write_bytes(content)
    with pytest.raises((zipfile.BadZipFile, ValueError)), np.load(files[-1]) as damaged:
        [damaged[name] for name in damaged.files]
    LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.usefixtures("often")
def test_a_full_disk_costs_the_checkpoints_and_not_the_training(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = whole_files.write_bytes

    def full(path: Path, content: bytes) -> None:
        if path.name.startswith("checkpoint"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(whole_files, "write_bytes", full)
    summary = LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    assert summary.notes == ("No checkpoint could be written (No space left on device); the training goes on without.",)


def test_a_disk_that_is_full_at_the_end_leaves_a_run_that_can_go_on(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalEngine().train(plan, tmp_path / "whole", ignore, CancelToken())

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keras.Model, "save", full)
        with pytest.raises(RunError, match="could not be written") as caught:
            LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    assert f"hubstudio train --resume '{tmp_path / 'run'}'" in caught.value.next_step
    events: list[Event] = []
    LocalEngine().resume(tmp_path / "run", events.append, CancelToken())
    assert not any(isinstance(event, BatchDone) for event in events)  # all that was learned was there
    assert same_result(tmp_path / "whole", tmp_path / "run")


def test_a_batch_that_does_not_fit_into_memory_is_halved_with_a_note(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = keras.Model.train_on_batch

    def narrow(self: keras.Model, x: Any, *args: object, **options: object) -> object:
        first = x[0] if isinstance(x, list) else x
        if first.ndim == 4 and len(first) > 2:  # photos, or what the frozen part made of them
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        return original(self, x, *args, **options)

    monkeypatch.setattr(keras.Model, "train_on_batch", narrow)
    summary = LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    assert summary.notes == ("4 photos in a batch did not fit into memory; it goes on with 2.",)
    assert len([row for row in RunFolder(tmp_path / "run").history() if row["phase"] == "fine-tune"]) == 3


@pytest.mark.parametrize("seconds", [0.0, 100.0])
def test_how_many_steps_go_in_one_call_changes_nothing(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    LocalEngine().train(plan, tmp_path / "usual", ignore, CancelToken())
    monkeypatch.setattr(training_loop, "_SECONDS_TOGETHER", seconds)
    events: list[Event] = []
    LocalEngine().train(plan, tmp_path / "other", events.append, CancelToken())
    calls = sum(isinstance(event, BatchDone) and event.phase is Phase.HEAD and event.epoch == 2 for event in events)
    assert (calls == 1) == bool(seconds)
    assert same_result(tmp_path / "usual", tmp_path / "other")


def test_a_head_whose_steps_do_not_fit_together_takes_them_singly(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalEngine().train(plan, tmp_path / "usual", ignore, CancelToken())
    original = TrainingSteps.train

    def narrow(self: TrainingSteps, batch: Batch, rates: Sequence[float], rows: int) -> Stepped:
        if len(rates) > 3:
            raise MemoryError
        if len(rates) > 1:  # the first one fits, the next one does not
            some, labels, weights = batch
            return original(self, (some[:rows], labels[:rows], weights), rates[:1], rows)
        return original(self, batch, rates, rows)

    monkeypatch.setattr(TrainingSteps, "train", narrow)
    for most in (3, 64):
        monkeypatch.setattr(training_loop, "MOST_TOGETHER", most)
        summary = LocalEngine().train(plan, tmp_path / str(most), ignore, CancelToken())
        assert summary.notes == ()
        assert same_result(tmp_path / "usual", tmp_path / str(most))


def test_not_even_one_photo_in_memory_ends_with_advice_and_can_go_on(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **options: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(RunError, match="more memory than there is"):
        patch.setattr(keras.Model, "train_on_batch", never)
        LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    LocalEngine().resume(tmp_path / "run", ignore, CancelToken())


@pytest.mark.parametrize("fault", ["memory", "no number"])
def test_a_fault_after_the_first_epoch_keeps_the_best_with_a_note(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    original = TrainingSteps.train
    steps = 0

    def failing(self: TrainingSteps, batch: Batch, *args: Any) -> Stepped:
        nonlocal steps
        first = batch[0][0] if isinstance(batch[0], list) else batch[0]
        steps += first.ndim == 4  # photos, or what the frozen part made of them
        if steps > 15:  # in the second epoch of fine-tuning
            if fault == "memory":
                raise MemoryError
            return Stepped([float("nan")], [0.0])
        return original(self, batch, *args)

    monkeypatch.setattr(TrainingSteps, "train", failing)
    summary = LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    expected = {"memory": "Memory ran out with a single photo", "no number": "The loss was no number any more in"}
    assert any(note.startswith(expected[fault]) for note in summary.notes)
    assert summary.best_epoch <= 1
    assert LocalEngine().evaluate(tmp_path / "run", None, ignore, CancelToken()).photos == summary.counts["test"]


def test_cancelling_leaves_nothing_and_laying_aside_leaves_what_is_needed(plan: Plan, tmp_path: Path) -> None:
    def in_the_head(event: Event) -> bool:
        return isinstance(event, BatchDone)

    interrupted(plan, tmp_path / "run", in_the_head, CancelToken.cancel)
    assert list(tmp_path.iterdir()) == []
    interrupted(plan, tmp_path / "run", in_the_head)
    assert [path.name for path in tmp_path.iterdir()] == ["run.unfinished"]
    assert UnfinishedRun.open(tmp_path / "run").plan() == plan
    with pytest.raises(RunError, match="An interrupted run waits"):
        LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())


def test_laying_aside_is_told_apart_from_cancelling(plan: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(Suspended):
        LocalEngine().train(
            plan, tmp_path / "run", lambda event: cancel.suspend() if isinstance(event, BatchDone) else None, cancel
        )


def test_a_run_that_another_program_trains_is_left_alone(plan: Plan, tmp_path: Path) -> None:
    interrupted(plan, tmp_path / "run", lambda event: isinstance(event, BatchDone))
    with FileLock(tmp_path / "run.unfinished" / ".lock"):
        assert find_unfinished(tmp_path) == []
        with pytest.raises(RunError, match="trained by another program"):
            LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    assert len(find_unfinished(tmp_path)) == 1


def test_there_is_nothing_to_resume_in_a_finished_run(plan: Plan, tmp_path: Path) -> None:
    LocalEngine().train(replace(plan, mode=Mode.EXTRACT), tmp_path / "run", ignore, CancelToken())
    with pytest.raises(RunError, match="no unfinished run") as caught:
        LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    assert "finished" in caught.value.found


@pytest.mark.parametrize("mode", list(Mode))
def test_a_finished_run_goes_on_for_more_epochs(plan: Plan, tmp_path: Path, mode: Mode) -> None:
    engine = LocalEngine()
    engine.train(replace(plan, mode=mode), tmp_path / "first", ignore, CancelToken())
    engine.continue_run(tmp_path / "first", 2, tmp_path / "second", ignore, CancelToken())
    first, second = (RunFolder.open(tmp_path / name) for name in ("first", "second"))
    assert second.history()[: len(first.history())] == first.history()
    assert [row["epoch"] for row in second.history()][-2:] == ["4", "5"]
    assert second.plan().epochs == 5
    assert second.metrics()["validation_accuracy"] >= first.metrics()["validation_accuracy"]
    assert first.split() == second.split()


def test_without_what_training_needs_there_are_no_more_epochs(plan: Plan, tmp_path: Path) -> None:
    engine = LocalEngine()
    engine.train(replace(plan, mode=Mode.EXTRACT), tmp_path / "first", ignore, CancelToken())
    (tmp_path / "first" / TRAINING_STATE).write_bytes(b"damaged")
    with pytest.raises(RunError, match="cannot be trained for more epochs"):
        engine.continue_run(tmp_path / "first", 2, tmp_path / "second", ignore, CancelToken())
    assert not (tmp_path / "second.unfinished").exists()


def test_a_phase_that_no_longer_improves_ends_and_says_so(plan: Plan, tmp_path: Path) -> None:
    events: list[Event] = []
    patient = replace(plan, mode=Mode.EXTRACT, epochs=60, patience=3, learning_rate=3.0)
    summary = LocalEngine().train(patient, tmp_path / "run", events.append, CancelToken())
    (end,) = [event for event in events if isinstance(event, PhaseEnded)]
    assert end.why is PhaseEnd.NO_BETTER
    assert summary.epochs == summary.best_epoch + 3 < 60
    assert not summary.stopped_early


def test_pausing_holds_the_training_and_writes_what_there_is(plan: Plan, tmp_path: Path) -> None:
    cancel, kept = CancelToken(), []

    def report(event: Event) -> None:
        if isinstance(event, BatchDone) and event.batch == 2 and not kept:
            cancel.pause()
        elif isinstance(event, CheckpointKept) and cancel.is_paused:
            kept.append(event)
            cancel.resume()

    LocalEngine().train(plan, tmp_path / "run", report, cancel)
    assert [(event.phase, event.epoch) for event in kept] == [(Phase.HEAD, 0)]


@pytest.mark.parametrize("moment", ["save", "load_keras_file"])
@pytest.mark.parametrize("mode", list(Mode))
def test_saving_answers_too_and_what_is_laid_aside_then_goes_on(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode, moment: str
) -> None:
    plan = replace(plan, mode=mode)
    LocalEngine().train(plan, tmp_path / "whole", ignore, CancelToken())
    feature_store.empty()  # else the backbone is known, and there is nothing to compare
    cancel = CancelToken()
    owner = keras.Model if moment == "save" else saved_models
    real = getattr(owner, moment)

    def asked_meanwhile(*args: object, **kwargs: object) -> object:
        cancel.suspend()
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, moment, asked_meanwhile)
        with pytest.raises(Suspended):
            LocalEngine().train(plan, tmp_path / "run", ignore, cancel)
    (unfinished,) = find_unfinished(tmp_path)
    events: list[Event] = []
    LocalEngine().resume(unfinished.folder, events.append, CancelToken())
    assert not [event for event in events if isinstance(event, BatchDone)]  # nothing is learned twice
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.parametrize("phase", [Phase.HEAD, Phase.FINE_TUNE])
def test_a_training_that_was_stopped_and_laid_aside_while_saving_stays_stopped(
    plan: Plan, tmp_path: Path, phase: Phase
) -> None:
    if phase is Phase.HEAD:
        plan = replace(plan, mode=Mode.EXTRACT)
    cancel = CancelToken()

    def report(event: Event) -> None:
        if isinstance(event, EpochDone) and (event.phase, event.epoch) == (phase, 1):
            cancel.stop()
        elif isinstance(event, PhaseStarted) and event.phase is Phase.SAVING:
            cancel.suspend()

    with pytest.raises(Suspended):
        LocalEngine().train(plan, tmp_path / "run", report, cancel)
    summary = LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    assert summary.ended[phase.value] == PhaseEnd.STOPPED
    assert [row["epoch"] for row in RunFolder.open(tmp_path / "run").history() if row["phase"] == phase] == ["1"]
    assert summary.stopped_early


def test_the_clock_counts_neither_pauses_nor_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    now, cancel = [100.0], CancelToken()
    monkeypatch.setattr("hubstudio.ml.run_log.time.monotonic", lambda: now[0])
    clock = Clock(cancel, 7.0)
    now[0] += 5
    assert clock() == 12
    now[0] += 3600  # the computer slept
    assert clock() == 12
    now[0] += 20
    cancel.paused_seconds += 15
    assert clock() == 17


def test_a_note_is_told_and_kept_once(plan: Plan, three_classes: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    next((photos / "a").iterdir()).write_bytes(b"no photo")
    plan, told = replace(plan, photos=str(photos)), []
    interrupted(plan, tmp_path / "run", lambda event: isinstance(event, BatchDone) and event.phase is Phase.FINE_TUNE)
    summary = LocalEngine().resume(
        tmp_path / "run", lambda event: told.append(event.text) if isinstance(event, Note) else None, CancelToken()
    )
    about_it = [note for note in summary.notes if "could not be read" in note]
    assert len(about_it) == told.count(about_it[0]) == 1
