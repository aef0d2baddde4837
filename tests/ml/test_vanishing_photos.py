"""Photos that go away or change while a run is made or interrupted: survived or waited for; no epoch is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from hubstudio.core import feature_store
from hubstudio.core.augmentation import Augmentation
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled, PhotosError, RunError
from hubstudio.core.events import BatchDone, EpochDone, Event, FeaturesDone, Phase, PhaseStarted, ignore
from hubstudio.core.intake import read_photos
from hubstudio.core.parts import Part
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder, RunSummary
from hubstudio.ml import checkpoints, training_loop
from hubstudio.ml.engine import LocalEngine
from pictures import save_picture

EXTRACT = "extract"
VARIED = "varied views"
FINE_TUNE = "fine-tune"
When = Callable[[Event], bool]


@dataclass(frozen=True)
class Bench:
    """Photos of its own, and runs on them."""

    photos: Path
    runs: Path
    plan: Plan

    def train(self, name: str, report: Callable[[Event], None] = ignore) -> RunSummary:
        """Train without an interruption."""
        return LocalEngine().train(self.plan, self.runs / name, report, CancelToken())

    def interrupt(self, name: str, when: When, before: Callable[[Event], None] = ignore) -> None:
        """Train until ``when`` says that it is time."""
        cancel = CancelToken()

        def report(event: Event) -> None:
            before(event)
            if when(event):
                cancel.suspend()

        with pytest.raises(Cancelled):
            LocalEngine().train(self.plan, self.runs / name, report, cancel)

    def resume(self, name: str, report: Callable[[Event], None] = ignore) -> RunSummary:
        """Go on with a run."""
        return LocalEngine().resume(self.runs / name, report, CancelToken())

    def trained(self) -> list[Path]:
        """Return the photos that train, in order."""
        _, split = read_photos(self.plan, lambda *_: None, CancelToken())
        return [photo.path for photo in split.part(Part.TRAINING)]

    def assert_same(self, one: str, other: str) -> None:
        """Compare two runs to the last bit."""
        histories = [(self.runs / name / "history.csv").read_text() for name in (one, other)]
        assert histories[0] == histories[1]
        models = [keras.models.load_model(self.runs / name / "model.keras").get_weights() for name in (one, other)]
        for first, second in zip(*models, strict=True):
            np.testing.assert_array_equal(first, second)

    def left_out(self, name: str) -> list[Path]:
        """Return what a finished run says that it has left out."""
        return [photo.path for photo in RunFolder.open(self.runs / name).photos_of(Part.LEFT_OUT)]


@pytest.fixture
def make(
    three_classes: Path, small_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Bench]:
    """Give a bench for one kind of training, with checkpoints after every batch."""
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoints, "_SHARE_OF_TIME", float("inf"))
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    (tmp_path / "runs").mkdir()
    plan = Plan(str(photos), backbone=str(small_module), epochs=3, head_epochs=2, batch_size=8)
    kinds = {
        EXTRACT: plan,
        VARIED: replace(plan, augmentation=Augmentation(flip_horizontal=True, rotation=20, views=2)),
        FINE_TUNE: replace(plan, mode=Mode.FINE_TUNE, unfreeze=2),
    }
    return lambda kind: Bench(photos, tmp_path / "runs", kinds[kind])


@pytest.fixture(autouse=True)
def one_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training be interrupted within an epoch: so few photos go through the head in one call otherwise."""
    monkeypatch.setattr(training_loop, "_SECONDS_TOGETHER", 0.0)


def in_the_second_epoch(event: Event) -> bool:
    return isinstance(event, BatchDone) and (event.epoch, event.batch) == (2, 1)


def in_the_blocks(event: Event) -> bool:
    return in_the_second_epoch(event) and isinstance(event, BatchDone) and event.phase is Phase.FINE_TUNE


def before_anything_is_learned(event: Event) -> bool:
    return isinstance(event, PhaseStarted) and event.phase is Phase.HEAD


@pytest.mark.parametrize(
    ("kind", "when", "fate"),
    [
        (EXTRACT, in_the_second_epoch, "changed"),
        (VARIED, in_the_second_epoch, "gone"),
        (FINE_TUNE, in_the_second_epoch, "gone"),
        (FINE_TUNE, in_the_blocks, "changed"),
    ],
)
def test_photos_that_were_seen_before_an_interruption_are_not_missed_after_it(
    make: Callable[[str], Bench], kind: str, when: When, fate: str
) -> None:
    bench = make(kind)
    bench.train("whole")
    bench.interrupt("run", when)
    for photo in bench.trained()[:3]:
        if fate == "gone":
            photo.unlink()
        else:
            save_picture(photo, f"another {photo.name}")
    gone = "3 photos are no longer in place; the run goes on with what it kept."
    assert bench.resume("run").notes == ((gone,) if fate == "gone" else ())
    bench.assert_same("whole", "run")


@pytest.mark.parametrize(
    ("kind", "fate", "reason"),
    [
        (EXTRACT, "changed", "changed since it was checked"),
        (VARIED, "gone", "no longer there"),
        (FINE_TUNE, "gone", "no longer there"),
    ],
)
def test_a_run_that_cannot_do_without_a_photo_waits_for_it_and_loses_nothing(
    make: Callable[[str], Bench], kind: str, fate: str, reason: str
) -> None:
    bench = make(kind)
    bench.train("whole")
    bench.interrupt("run", in_the_second_epoch)
    victim = bench.trained()[0]
    content = victim.read_bytes()
    if fate == "gone":
        victim.unlink()
    else:
        save_picture(victim, "another")
    feature_store.empty()
    for _ in range(2):  # and again if it is tried again
        with pytest.raises(RunError, match="kept as it is") as caught:
            bench.resume("run")
        assert str(victim) in caught.value.found
        assert reason in caught.value.found
        assert "--resume" in caught.value.next_step
        assert "delete 'run.unfinished'" in caught.value.next_step
    victim.write_bytes(content)
    epochs: list[int] = []
    bench.resume("run", lambda event: epochs.append(event.epoch) if isinstance(event, BatchDone) else None)
    assert epochs[0] == 2
    bench.assert_same("whole", "run")


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        (VARIED, in_the_second_epoch),
        (FINE_TUNE, before_anything_is_learned),
        (FINE_TUNE, in_the_second_epoch),
    ],
)
def test_a_photo_that_was_left_out_stays_so_although_it_is_back_when_the_run_goes_on(
    make: Callable[[str], Bench], kind: str, when: When
) -> None:
    bench = make(kind)
    victim = bench.trained()[1]
    content = victim.read_bytes()

    def unplug(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.FEATURES:
            victim.unlink(missing_ok=True)

    whole = bench.train("whole", unplug)
    victim.write_bytes(content)
    feature_store.empty()
    bench.interrupt("run", when, unplug)
    victim.write_bytes(content)
    resumed = bench.resume("run")
    assert whole.notes == resumed.notes
    assert victim.name in resumed.notes[0]
    assert bench.left_out("run") == bench.left_out("whole") == [victim]
    assert whole.counts == resumed.counts
    bench.assert_same("whole", "run")


def test_a_photo_that_goes_away_before_its_views_are_made_is_left_out_with_a_note(
    make: Callable[[str], Bench],
) -> None:
    bench = make(VARIED)
    victim, told = bench.trained()[2], list[int]()

    def unplug_after_the_features(event: Event) -> None:
        if isinstance(event, FeaturesDone):
            told.append(event.done)
            if event.done == event.total:
                victim.unlink(missing_ok=True)

    summary = bench.train("run", unplug_after_the_features)
    assert summary.notes == (f"1 file could not be read, left out ('{victim.name}': the file is no longer there).",)
    assert bench.left_out("run") == [victim]
    assert summary.counts["train"] == len(bench.trained())


def test_views_that_were_interrupted_go_on_without_a_photo_that_is_gone(make: Callable[[str], Bench]) -> None:
    bench, passes = make(VARIED), list[int]()

    def in_the_views(event: Event) -> bool:
        if isinstance(event, FeaturesDone):
            passes.append(event.total)
        return isinstance(event, FeaturesDone) and event.total > 60 and event.done >= 16

    bench.interrupt("run", in_the_views)
    victim = bench.trained()[-1]
    victim.unlink()
    summary = bench.resume("run")
    assert victim.name in summary.notes[0]
    assert bench.left_out("run") == [victim]


def test_a_drive_that_goes_away_in_the_first_pass_leaves_a_run_that_goes_on_once_it_is_back(
    make: Callable[[str], Bench],
) -> None:
    bench = make(FINE_TUNE)
    bench.train("whole")
    feature_store.empty()
    away = bench.photos.with_name("away")

    def unplug(event: Event) -> None:
        if isinstance(event, FeaturesDone) and event.done and bench.photos.exists():
            bench.photos.rename(away)

    with pytest.raises(PhotosError, match="cannot be read any more") as caught:
        bench.train("run", unplug)
    assert "--resume" in caught.value.next_step
    assert (bench.runs / "run.unfinished").is_dir()
    away.rename(bench.photos)
    assert bench.resume("run").notes == ()
    bench.assert_same("whole", "run")


def test_a_photo_that_changes_after_its_check_is_neither_learned_nor_remembered(make: Callable[[str], Bench]) -> None:
    bench = make(EXTRACT)
    bench.train("whole")
    feature_store.empty()
    victim = bench.trained()[0]
    content = victim.read_bytes()

    def exchange(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.FEATURES:
            save_picture(victim, "another")

    assert "it has changed since it was checked" in bench.train("run", exchange).notes[0]
    assert bench.left_out("run") == [victim]
    victim.write_bytes(content)
    bench.train("after")
    bench.assert_same("whole", "after")


def test_a_head_learns_from_other_views_in_every_epoch(
    make: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, seen = make(VARIED), list[list[bytes]]()
    original = keras.Model.train_on_batch

    def watched(self: keras.Model, x: np.ndarray, *args: object, **options: object) -> object:
        seen[-1].extend(row.tobytes() for row in x)
        return original(self, x, *args, **options)

    def begin_epoch(event: Event) -> None:
        if isinstance(event, EpochDone) or before_anything_is_learned(event):
            seen.append([])

    monkeypatch.setattr(keras.Model, "train_on_batch", watched)
    summary = bench.train("run", begin_epoch)
    epochs = [set(epoch) for epoch in seen[:3]]
    assert all(len(epoch) == summary.counts["train"] for epoch in epochs)
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert len(epochs[one] - epochs[other]) > summary.counts["train"] / 3
