"""A run from plan to folder: complete, repeatable, never worse than the head alone, and nothing left when stopped."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled, PhotosError, RunError, StudioError
from hubstudio.core.events import (
    BatchDone,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseEnd,
    PhaseStarted,
    PhotosRead,
    RunFinished,
    RunStarted,
    ignore,
)
from hubstudio.core.intake import read_photos
from hubstudio.core.parts import Part
from hubstudio.core.plan import ClassWeights, Mode, Plan
from hubstudio.core.run_folder import RunFolder, RunSummary
from hubstudio.core.run_state import RunState, advance
from hubstudio.ml import model_factory, training_loop
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.training_data import balancing_weights
from hubstudio.ml.training_steps import Stepped, TrainingSteps


def train(
    plan: Plan, out: Path, cancel: CancelToken | None = None, report: Callable[[Event], None] = ignore
) -> RunSummary:
    return LocalEngine().train(plan, out, report, cancel or CancelToken())


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(str(three_classes), backbone=str(small_module), epochs=4, head_epochs=4)


@pytest.fixture
def fine_tune(plan: Plan) -> Plan:
    return replace(plan, mode=Mode.FINE_TUNE, unfreeze=2, epochs=3)


def test_a_run_folder_is_complete_and_readable(plan: Plan, tmp_path: Path) -> None:
    summary = train(plan, tmp_path / "run")
    run = RunFolder.open(tmp_path / "run")
    assert sorted(path.name for path in run.path.iterdir()) == [
        "classes.txt", "history.csv", "metrics.json", "model.keras", "plan.toml", "split.csv", "training.npz",
    ]  # fmt: skip
    assert run.classes() == ("a", "b", "c")
    assert run.plan() == plan
    counts = {part.value: len(run.photos_of(part)) for part in Part}
    assert counts == {**summary.counts, "left-out": 0}
    assert sum(summary.counts.values()) == 60
    assert len(run.history()) == 4
    assert run.metrics()["validation_accuracy"] == summary.validation_accuracy
    assert run.metrics()["versions"]["tensorflow"]


def test_events_come_in_order_and_draw_the_whole_run(fine_tune: Plan, tmp_path: Path) -> None:
    events: list[Event] = []
    summary = train(fine_tune, tmp_path / "run", report=events.append)
    run = [event for event in events if not isinstance(event, PhotosRead)]
    assert isinstance(events[0], PhotosRead)
    assert isinstance(run[0], RunStarted)
    assert isinstance(run[-1], RunFinished)
    assert [event.phase for event in events if isinstance(event, PhaseStarted)] == list(Phase)
    assert [event.done for event in events if isinstance(event, FeaturesDone)][-1] == 60 - summary.counts["test"]
    assert sum(isinstance(event, EpochDone) for event in events) == 4 + 3
    state = RunState()
    for event in events:
        state = advance(state, event)
    assert str(state).startswith("Training finished")


@pytest.mark.parametrize("mode", ["plan", "fine_tune"])
def test_the_same_plan_gives_the_same_history_to_the_last_digit(
    mode: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    chosen: Plan = request.getfixturevalue(mode)
    chosen = replace(chosen, hidden_units=8, dropout=0.3)
    texts = []
    for name in ("first", "second"):
        train(chosen, tmp_path / name)
        texts.append((tmp_path / name / "history.csv").read_text())
    assert texts[0] == texts[1]
    train(replace(chosen, seed=2), tmp_path / "other")
    assert (tmp_path / "other" / "history.csv").read_text() != texts[0]


def test_the_trained_model_loads_with_keras_alone(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path / "run")
    model = keras.models.load_model(tmp_path / "run" / "model.keras")
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers[-1].layers)


def test_validation_accuracy_is_that_of_the_saved_model(fine_tune: Plan, tmp_path: Path) -> None:
    summary = train(fine_tune, tmp_path / "run")
    engine, run = LocalEngine(), RunFolder.open(tmp_path / "run")
    photos = run.photos_of(Part.VALIDATION)
    answers = engine.predict(run.path, [photo.path for photo in photos], ignore, CancelToken())
    right = sum(answer.label == photo.class_name for answer, photo in zip(answers, photos, strict=True))
    assert right / len(photos) == pytest.approx(summary.validation_accuracy)


def test_fine_tuning_that_never_beats_the_head_keeps_the_head_and_says_so(fine_tune: Plan, tmp_path: Path) -> None:
    ruinous = replace(fine_tune, fine_tune_learning_rate=1.0, unfreeze="all", head_epochs=30)
    events: list[Event] = []
    summary = train(ruinous, tmp_path / "run", report=events.append)
    assert (summary.best_phase, summary.best_epoch) == ("head", 0)
    assert any("weights from before it are kept" in event.text for event in events if isinstance(event, Note))
    best_head = max(
        float(row["validation_accuracy"]) for row in RunFolder(tmp_path / "run").history() if row["phase"] == "head"
    )
    assert summary.validation_accuracy == pytest.approx(best_head)


def test_cancelling_stops_within_one_batch_and_leaves_nothing(plan: Plan, tmp_path: Path) -> None:
    cancel, after = CancelToken(), 0

    def report(event: Event) -> None:
        nonlocal after
        if isinstance(event, BatchDone | FeaturesDone):
            after += cancel.is_cancelled
            if isinstance(event, BatchDone) and event.epoch == 2:
                cancel.cancel()

    with pytest.raises(Cancelled):
        train(replace(plan, batch_size=4), tmp_path / "run", cancel, report)
    assert after == 0
    assert list(tmp_path.iterdir()) == []


def test_cancelling_is_polled_in_validation_too(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel, validated = CancelToken(), 0
    original = keras.Model.test_on_batch

    def counting(self: keras.Model, *args: object, **kwargs: object) -> object:
        nonlocal validated
        validated += 1
        cancel.cancel()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "test_on_batch", counting)
    monkeypatch.setattr(training_loop, "VALIDATION_BATCH", 2)
    with pytest.raises(Cancelled):
        train(plan, tmp_path / "run", cancel)
    assert validated == 1


def test_validation_that_does_not_fit_into_memory_takes_fewer_photos_at_once(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(plan, tmp_path / "whole")
    original, taken = keras.Model.test_on_batch, list[int]()

    def small_memory(self: keras.Model, inputs: np.ndarray, *args: object, **kwargs: object) -> object:
        taken.append(len(inputs))
        if len(inputs) > 2:
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return original(self, inputs, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "test_on_batch", small_memory)
    summary = train(plan, tmp_path / "run")
    assert max(taken) > 2
    assert taken.count(max(taken)) == 1  # it is not tried again and again
    assert any("validation photos at once did not fit into memory" in note for note in summary.notes)
    assert summary.validation_accuracy == whole.validation_accuracy
    assert summary.validation_loss == pytest.approx(whole.validation_loss, rel=1e-5)


def test_validation_for_which_no_memory_is_left_ends_the_phase_and_keeps_the_best(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, events = keras.Model.test_on_batch, list[Event]()

    def no_memory_later(self: keras.Model, *args: object, **kwargs: object) -> object:
        if any(isinstance(event, EpochDone) for event in events):
            raise MemoryError
        return original(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "test_on_batch", no_memory_later)
    summary = LocalEngine().train(plan, tmp_path / "run", events.append, CancelToken())
    assert summary.best_epoch == 1
    assert set(summary.ended.values()) == {PhaseEnd.BROKEN_OFF}
    assert any("single photo" in note for note in summary.notes)


def test_cancelling_during_features_leaves_nothing(plan: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()

    def report(event: Event) -> None:
        if isinstance(event, FeaturesDone):
            cancel.cancel()

    with pytest.raises(Cancelled):
        train(plan, tmp_path / "run", cancel, report)
    assert list(tmp_path.iterdir()) == []


def test_stopping_keeps_the_best_epoch_so_far(plan: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()

    def report(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 2:
            cancel.stop()

    summary = train(replace(plan, epochs=50), tmp_path / "run", cancel, report)
    assert summary.stopped_early
    assert (summary.epochs, len(RunFolder.open(tmp_path / "run").history())) == (2, 2)
    assert summary.best_epoch in (1, 2)


def test_stopping_before_the_first_epoch_keeps_nothing(plan: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.stop()
    with pytest.raises(Cancelled):
        train(plan, tmp_path / "run", cancel)
    assert list(tmp_path.iterdir()) == []


def test_stopping_while_photos_go_through_the_backbone_ends_at_once(plan: Plan, tmp_path: Path) -> None:
    cancel, seen = CancelToken(), 0

    def report(event: Event) -> None:
        nonlocal seen
        if isinstance(event, FeaturesDone):
            seen += 1
            cancel.stop()

    with pytest.raises(Cancelled):
        train(plan, tmp_path / "run", cancel, report)
    assert seen == 1
    assert list(tmp_path.iterdir()) == []


def test_stopping_before_the_first_fine_tuned_epoch_keeps_the_head_and_says_so(fine_tune: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()

    def report(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.FINE_TUNE:
            cancel.stop()

    summary = train(fine_tune, tmp_path / "run", cancel, report)
    assert (summary.best_phase, summary.epochs) == ("head", 0)
    assert summary.notes == (
        "Stopped before an epoch of fine-tuning was done; the head on the frozen backbone is kept.",
    )


def test_a_model_that_cannot_be_rewritten_for_any_reason_is_saved_with_its_module(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise TypeError("a graph that nobody foresaw")

    monkeypatch.setattr(model_factory, "rewrite", broken)
    summary = train(plan, tmp_path / "run")
    assert "only where Hub Studio is installed" in summary.notes[0]
    LocalEngine().evaluate(tmp_path / "run", None, ignore, CancelToken())


def test_a_full_disk_is_said_and_leaves_little(
    fine_tune: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(RunError, match="No space left"):
        train(fine_tune, tmp_path / "run")
    (left,) = tmp_path.iterdir()
    assert left.name == "run.unfinished"
    assert sum(path.stat().st_size for path in left.iterdir()) < 20_000


def test_a_name_that_is_taken_meanwhile_is_said_and_the_run_goes_on_once_it_is_free(plan: Plan, tmp_path: Path) -> None:
    def take_the_name(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 1:
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / "mine.txt").write_text("mine")

    with pytest.raises(RunError, match="Move that away, and go on"):
        train(plan, tmp_path / "run", report=take_the_name)
    (tmp_path / "run").rename(tmp_path / "mine")
    events: list[Event] = []
    LocalEngine().resume(tmp_path / "run", events.append, CancelToken())
    assert not any(isinstance(event, BatchDone) for event in events)
    assert RunFolder.open(tmp_path / "run").metrics()["epochs"] == plan.epochs


def test_a_photo_that_cannot_be_read_is_left_out_with_a_note(plan: Plan, three_classes: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    before = train(replace(plan, photos=str(photos)), tmp_path / "before")
    victim = RunFolder.open(tmp_path / "before").photos_of(Part.TRAINING)[5].path
    victim.write_bytes(victim.read_bytes()[:100])
    summary = train(replace(plan, photos=str(photos)), tmp_path / "run")
    assert victim.name in summary.notes[0]
    run = RunFolder.open(tmp_path / "run")
    assert [photo.path for photo in run.photos_of(Part.LEFT_OUT)] == [victim]
    assert summary.counts == {**before.counts, "train": before.counts["train"] - 1}


def test_a_class_without_any_readable_photo_stops_the_run(plan: Plan, three_classes: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    for path in (photos / "b").iterdir():
        path.write_bytes(b"no photo")
    with pytest.raises(PhotosError, match="'b' has no readable photo"):
        train(replace(plan, photos=str(photos)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_photo_that_vanishes_after_the_check_is_left_out_with_a_note(
    plan: Plan, three_classes: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    gone: list[Path] = []

    def pull_the_stick(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.FEATURES:
            gone.append(trained_photo(photos, "a"))
            gone[0].unlink()

    summary = train(replace(plan, photos=str(photos)), tmp_path / "run", report=pull_the_stick)
    assert "no longer there" in summary.notes[0]
    assert [photo.path for photo in RunFolder.open(tmp_path / "run").photos_of(Part.LEFT_OUT)] == gone


def test_a_class_that_vanishes_after_the_check_stops_the_run_and_is_named(
    plan: Plan, three_classes: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))

    def pull_the_stick(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.FEATURES:
            shutil.rmtree(photos / "b")

    with pytest.raises(PhotosError, match="'b' has no readable photo left to train on"):
        train(replace(plan, photos=str(photos)), tmp_path / "run", report=pull_the_stick)
    assert not (tmp_path / "run").exists()


def trained_photo(photos: Path, name: str) -> Path:
    """Return a photo of a class that trains by the usual split."""
    _, split = read_photos(Plan(photos=str(photos)), lambda *_: None, CancelToken())
    return next(photo.path for photo in split.part(Part.TRAINING) if photo.class_name == name)


def test_balancing_weights_let_every_class_count_alike() -> None:
    labels = np.array([0] * 90 + [1] * 10, np.int32)
    weights = balancing_weights(labels, 2)
    assert weights[labels].mean() == pytest.approx(1)
    assert weights[0] * 90 == pytest.approx(weights[1] * 10)


def test_class_weights_change_what_is_learned_from_lopsided_classes(
    plan: Plan, three_classes: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    for path in sorted((photos / "b").iterdir())[8:]:
        path.unlink()
    plan = replace(plan, photos=str(photos))
    for weighted in (ClassWeights.OFF, ClassWeights.ON):
        train(replace(plan, class_weights=weighted), tmp_path / str(weighted))
    histories = [RunFolder.open(tmp_path / str(weighted)).history() for weighted in ("off", "on")]
    assert histories[0] != histories[1]


def test_a_loss_that_is_no_number_ends_the_run_with_advice(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingSteps, "train", lambda *_: Stepped([float("nan")], [0.0]))
    with pytest.raises(StudioError, match="lower learning rate"):
        train(plan, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_run_is_never_overwritten(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("precious")
    with pytest.raises(RunError, match="exists already"):
        train(plan, tmp_path / "run")
    assert (tmp_path / "run" / "mine.txt").read_text() == "precious"


def test_the_photos_are_never_changed(fine_tune: Plan, three_classes: Path, tmp_path: Path) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in three_classes.rglob("*") if path.is_file()}

    before = content()
    train(fine_tune, tmp_path / "run")
    assert content() == before
