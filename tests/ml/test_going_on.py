"""Where a training goes on, and what makes that impossible: another plan, another backbone, checkpoints that are lost.

None of it is passed over: a run is the one it began as, or it says why it cannot be.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from interrupted_runs import broken_off, interrupted, same_result
from made_modules import save_reusable, small_network

from hubstudio.core import feature_store
from hubstudio.core.augmentation import Augmentation
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError, RunError, TrainingError
from hubstudio.core.events import (
    BatchDone,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseEnd,
    PhaseStarted,
    Report,
    ignore,
)
from hubstudio.core.parts import Part
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import PLAN, RunFolder
from hubstudio.core.unfinished_runs import UnfinishedRun
from hubstudio.ml import fine_tuning_ways
from hubstudio.ml.checkpoints import Checkpoints
from hubstudio.ml.engine import LocalEngine

VARIED = Augmentation(flip_horizontal=True, brightness=0.2, views=3)


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(
        str(three_classes), backbone=str(small_module), mode=Mode.FINE_TUNE, unfreeze=1, epochs=3, head_epochs=3,
        batch_size=4, dropout=0.3,
    )  # fmt: skip


@pytest.fixture
def head_plan(plan: Plan) -> Plan:
    return replace(plan, mode=Mode.EXTRACT)


@pytest.fixture
def own_module(small_module: Path, tmp_path: Path) -> Path:
    """A module that a test may change."""
    return Path(shutil.copytree(small_module, tmp_path / "module"))


def in_epoch(epoch: int, phase: Phase = Phase.HEAD) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, BatchDone) and (event.phase, event.epoch) == (phase, epoch)


def train(plan: Plan, run: Path) -> RunFolder:
    LocalEngine().train(plan, run, ignore, CancelToken())
    return RunFolder.open(run)


def resume(run: Path, report: Callable[[Event], None] = ignore) -> RunFolder:
    LocalEngine().resume(run, report, CancelToken())
    return RunFolder.open(run)


def go_on(run: Path, epochs: int, out: Path) -> RunFolder:
    LocalEngine().continue_run(run, epochs, out, ignore, CancelToken())
    return RunFolder.open(out)


def edit(plan_file: Path, **changes: object) -> None:
    replace(Plan.load(plan_file), **changes).save(plan_file)  # pyright: ignore[reportArgumentType]


def damage_checkpoints(folder: Path) -> None:
    files = list(folder.glob("checkpoint-*"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("mode", list(Mode))
def test_photos_that_vary_vary_alike_after_an_interruption(plan: Plan, tmp_path: Path, mode: Mode) -> None:
    plan = replace(plan, mode=mode, augmentation=VARIED)
    train(plan, tmp_path / "whole")
    interrupted(plan, tmp_path / "run", in_epoch(2, Phase.HEAD if mode is Mode.EXTRACT else Phase.FINE_TUNE))
    resume(tmp_path / "run")
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("change", [{"hidden_units": 8}, {"seed": 7}, {"epochs": 9}, {"augmentation": VARIED}])
def test_another_plan_is_refused_until_it_is_put_back(
    head_plan: Plan, tmp_path: Path, change: dict[str, object]
) -> None:
    train(head_plan, tmp_path / "whole")
    interrupted(head_plan, tmp_path / "run", in_epoch(3))
    file = tmp_path / "run.unfinished" / PLAN
    before = file.read_text()
    edit(file, **change)
    with pytest.raises(RunError, match="its plan is not the one that it learned by") as caught:
        resume(tmp_path / "run")
    assert next(iter(change)) in caught.value.found
    assert str(file) in caught.value.next_step
    file.write_text(before)
    resume(tmp_path / "run")
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.usefixtures("often")
def test_a_resumed_run_that_is_stopped_before_it_learns_again_is_not_lost(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path / "whole")
    interrupted(plan, tmp_path / "run", in_epoch(2, Phase.FINE_TUNE))
    broken_off(
        lambda report, cancel: LocalEngine().resume(tmp_path / "run", report, cancel),
        lambda event: isinstance(event, PhaseStarted),
        CancelToken.stop,
    )
    resume(tmp_path / "run")
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.usefixtures("often")
def test_stopping_before_what_the_frozen_part_made_is_there_again_loses_nothing(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tuning_ways, "FRONT_PASSES", 0)
    monkeypatch.setattr(fine_tuning_ways, "worth_cutting", lambda *_: True)
    train(plan, tmp_path / "whole")
    more = go_on(tmp_path / "whole", 2, tmp_path / "more")
    interrupted(plan, tmp_path / "run", in_epoch(2, Phase.FINE_TUNE))
    ways: list[Callable[[Report, CancelToken], object]] = [
        lambda report, cancel: LocalEngine().resume(tmp_path / "run", report, cancel),
        lambda report, cancel: LocalEngine().continue_run(tmp_path / "whole", 2, tmp_path / "again", report, cancel),
    ]
    for way in ways:
        seen: list[Phase] = []

        def in_border(event: Event, seen: list[Phase] = seen) -> bool:
            if isinstance(event, PhaseStarted):
                seen.append(event.phase)
            return seen == [Phase.FEATURES] * 2

        broken_off(way, in_border, CancelToken.stop)
        assert seen == [Phase.FEATURES] * 2
    assert not list(tmp_path.glob("again*"))
    assert same_result(tmp_path / "whole", resume(tmp_path / "run").path)
    assert same_result(more.path, go_on(tmp_path / "whole", 2, tmp_path / "again").path)


@pytest.mark.parametrize("is_known", [False, True])
def test_a_backbone_that_is_gone_while_a_head_learns_is_not_missed(
    head_plan: Plan, own_module: Path, tmp_path: Path, *, is_known: bool
) -> None:
    head_plan = replace(head_plan, backbone=str(own_module))
    whole = train(head_plan, tmp_path / "whole")
    if not is_known:
        feature_store.empty()

    def remove(event: Event) -> None:
        if isinstance(event, BatchDone) and own_module.is_dir():
            shutil.rmtree(own_module)

    LocalEngine().train(head_plan, tmp_path / "run", remove, CancelToken())
    assert same_result(whole.path, tmp_path / "run")
    assert whole.metrics()["decided"] == RunFolder.open(tmp_path / "run").metrics()["decided"]


@pytest.mark.usefixtures("often")
def test_a_backbone_that_is_gone_while_photos_go_through_it_is_known_again_when_it_is_back(
    plan: Plan, own_module: Path, tmp_path: Path
) -> None:
    plan = replace(plan, backbone=str(own_module))
    whole = train(plan, tmp_path / "whole")
    feature_store.empty()
    away = tmp_path / "away"

    def when(event: Event) -> bool:
        if isinstance(event, FeaturesDone) and own_module.is_dir():
            own_module.rename(away)
        return in_epoch(2, Phase.FINE_TUNE)(event)

    interrupted(plan, tmp_path / "run", when)
    with pytest.raises(BackboneError):
        resume(tmp_path / "run")
    away.rename(own_module)
    assert same_result(whole.path, resume(tmp_path / "run").path)


@pytest.mark.usefixtures("often")
def test_a_backbone_that_is_needed_and_gone_costs_nothing_that_was_learned(
    head_plan: Plan, own_module: Path, tmp_path: Path
) -> None:
    head_plan = replace(head_plan, backbone=str(own_module))
    whole = train(head_plan, tmp_path / "whole")
    away = tmp_path / "away"
    for network in feature_store.features_folder().glob("*/backbone-*.keras"):
        network.unlink()  # so that the module is loaded for saving

    def remove(event: Event) -> None:
        if isinstance(event, BatchDone) and own_module.is_dir():
            own_module.rename(away)

    with pytest.raises(BackboneError):
        LocalEngine().train(head_plan, tmp_path / "run", remove, CancelToken())
    away.rename(own_module)
    assert same_result(whole.path, resume(tmp_path / "run").path)


@pytest.mark.usefixtures("often")
def test_another_backbone_in_its_place_is_refused_until_the_former_is_back(
    head_plan: Plan, own_module: Path, small_module: Path, tmp_path: Path
) -> None:
    head_plan = replace(head_plan, backbone=str(own_module))
    train(head_plan, tmp_path / "whole")
    interrupted(head_plan, tmp_path / "run", in_epoch(3))
    shutil.rmtree(own_module)
    save_reusable(small_network(), own_module, 32, scale=2.0)  # the same shapes, another network
    with pytest.raises(RunError, match="its backbone is not the one that it learned with") as caught:
        resume(tmp_path / "run")
    assert str(own_module) in caught.value.found
    shutil.rmtree(own_module)
    shutil.copytree(small_module, own_module)
    resume(tmp_path / "run")
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.usefixtures("often")
def test_a_backbone_that_was_moved_may_be_named_anew(head_plan: Plan, own_module: Path, tmp_path: Path) -> None:
    interrupted(replace(head_plan, backbone=str(own_module)), tmp_path / "run", in_epoch(3))
    moved = own_module.rename(tmp_path / "moved")
    edit(tmp_path / "run.unfinished" / PLAN, backbone=str(moved))
    assert resume(tmp_path / "run").metrics()["epochs"] == 3


@pytest.mark.usefixtures("often")
def test_where_every_checkpoint_is_damaged_it_begins_anew_and_says_so(head_plan: Plan, tmp_path: Path) -> None:
    train(head_plan, tmp_path / "whole")
    interrupted(head_plan, tmp_path / "run", in_epoch(3))
    damage_checkpoints(tmp_path / "run.unfinished")
    notes: list[str] = []
    run = resume(tmp_path / "run", lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    assert any("begins anew" in note for note in notes)
    assert any("begins anew" in note for note in run.metrics()["notes"])
    assert same_result(tmp_path / "whole", tmp_path / "run")


def test_a_training_that_had_no_checkpoint_yet_begins_without_a_word(head_plan: Plan, tmp_path: Path) -> None:
    interrupted(head_plan, tmp_path / "run", lambda event: isinstance(event, FeaturesDone))
    assert resume(tmp_path / "run").metrics()["notes"] == []


@pytest.mark.usefixtures("often")
def test_it_never_says_that_it_would_go_on_from_an_earlier_place(plan: Plan, tmp_path: Path) -> None:
    interrupted(plan, tmp_path / "run", in_epoch(2, Phase.FINE_TUNE))
    unfinished = UnfinishedRun.open(tmp_path / "run")
    before = unfinished.progress
    assert (before.phase, before.epoch) == ("fine-tune", 1)
    places: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, PhaseStarted | FeaturesDone | EpochDone):
            places.append(str(unfinished.progress))

    broken_off(lambda report, cancel: LocalEngine().resume(
        tmp_path / "run", lambda event: (look(event), report(event))[0], cancel), in_epoch(2, Phase.FINE_TUNE),
    )  # fmt: skip
    assert set(places) == {str(before)}
    assert unfinished.progress.seconds >= before.seconds


@pytest.mark.usefixtures("often")
def test_the_figures_of_a_resumed_run_are_those_of_all_of_it(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSTUDIO_HOME", str(tmp_path / "home"))  # where no features are known yet
    interrupted(plan, tmp_path / "run", in_epoch(2, Phase.FINE_TUNE))
    spent = UnfinishedRun.open(tmp_path / "run").progress.seconds
    checkpoint = Checkpoints(tmp_path / "run.unfinished").newest()
    assert checkpoint
    metrics = resume(tmp_path / "run").metrics()
    counts, seconds, actual = metrics["counts"], metrics["seconds"], metrics["cost"]["actual"]
    assert metrics["computed_photos"] == counts["train"] + counts["validation"]
    assert seconds["features"] == pytest.approx(checkpoint.state["features_seconds"], abs=0.001)
    assert 0 < seconds["features"] < spent < seconds["total"]
    assert seconds["features"] + seconds["training"] < seconds["total"]
    assert set(actual["stretches"]) >= {"features", "head", "fine-tune", "saving"}
    assert actual["seconds"] == pytest.approx(seconds["total"], abs=1.0)


@pytest.mark.parametrize("mode", list(Mode))
def test_more_epochs_that_are_interrupted_at_once_still_begin_with_the_former_ones(
    plan: Plan, tmp_path: Path, mode: Mode
) -> None:
    first = train(replace(plan, mode=mode), tmp_path / "first")
    go_on(first.path, 2, tmp_path / "whole")
    broken_off(
        lambda report, cancel: LocalEngine().continue_run(first.path, 2, tmp_path / "run", report, cancel),
        lambda event: isinstance(event, PhaseStarted),
    )
    run = resume(tmp_path / "run")
    assert same_result(tmp_path / "whole", tmp_path / "run")
    assert run.history()[: len(first.history())] == first.history()


def test_a_run_says_which_one_it_goes_on_from(head_plan: Plan, tmp_path: Path) -> None:
    first = train(head_plan, tmp_path / "first")
    second = go_on(first.path, 2, tmp_path / "second")
    third = go_on(second.path, 1, tmp_path / "third")
    assert first.metrics()["continued_from"] is None
    assert second.metrics()["continued_from"] == {"run": str(first.path), "epochs": 3}
    assert third.metrics()["continued_from"] == {"run": str(second.path), "epochs": 5}
    assert third.plan().epochs == third.metrics()["epochs"] == 6
    assert not (third.path / "continued.json").exists()


def test_where_what_the_former_run_left_is_lost_more_epochs_cannot_be_resumed(head_plan: Plan, tmp_path: Path) -> None:
    train(head_plan, tmp_path / "first")
    broken_off(
        lambda report, cancel: LocalEngine().continue_run(tmp_path / "first", 2, tmp_path / "run", report, cancel),
        lambda event: isinstance(event, PhaseStarted),
    )
    damage_checkpoints(tmp_path / "run.unfinished")
    with pytest.raises(RunError, match="cannot go on") as caught:
        resume(tmp_path / "run")
    again = f"hubstudio train --continue '{tmp_path / 'first'}' --epochs 2 --out '{tmp_path / 'run'}'"
    assert again in caught.value.next_step


def test_a_fine_tuning_that_was_stopped_in_its_head_goes_on_with_its_blocks(plan: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()
    LocalEngine().train(
        plan, tmp_path / "first", lambda event: cancel.stop() if isinstance(event, EpochDone) else None, cancel
    )
    first = RunFolder.open(tmp_path / "first")
    assert first.metrics()["ended"] == {"head": "stopped"}
    assert any("the head on the frozen backbone is kept" in note for note in first.metrics()["notes"])
    second = go_on(first.path, 2, tmp_path / "second")
    metrics = second.metrics()
    assert [row["phase"] for row in second.history()] == ["head", "fine-tune", "fine-tune"]
    assert metrics["continued_from"] == {"run": str(first.path), "epochs": 0}
    assert metrics["ended"] == {"head": "stopped", "fine-tune": PhaseEnd.ALL_EPOCHS.value}
    assert not metrics["stopped_early"]
    assert not any("Stopped before an epoch" in note for note in metrics["notes"])
    broken_off(
        lambda report, cancel: LocalEngine().continue_run(first.path, 2, tmp_path / "third", report, cancel),
        in_epoch(1, Phase.FINE_TUNE),
    )
    resume(tmp_path / "third")
    assert same_result(second.path, tmp_path / "third")


@pytest.mark.parametrize("what", ["plan", "backbone"])
def test_more_epochs_by_another_plan_or_backbone_are_refused(
    head_plan: Plan, own_module: Path, tmp_path: Path, what: str
) -> None:
    first = train(replace(head_plan, backbone=str(own_module)), tmp_path / "first")
    if what == "plan":
        edit(first.path / PLAN, dropout=0.1)
    else:
        shutil.rmtree(own_module)
        save_reusable(small_network(), own_module, 32, scale=2.0)
    with pytest.raises(RunError, match=f"its {what} is not the one that it learned"):
        go_on(first.path, 2, tmp_path / "second")
    assert not list(tmp_path.glob("second*"))


def test_more_epochs_on_photos_that_moved_are_trained(head_plan: Plan, three_classes: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    first = train(replace(head_plan, photos=str(photos)), tmp_path / "first")
    go_on(first.path, 2, tmp_path / "whole")
    photos.rename(tmp_path / "moved")
    edit(first.path / PLAN, photos=str(tmp_path / "moved"))
    go_on(first.path, 2, tmp_path / "second")
    assert same_result(tmp_path / "whole", tmp_path / "second")


def test_more_epochs_without_a_photo_that_was_learned_from_are_refused_and_leave_nothing(
    head_plan: Plan, three_classes: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    first = train(replace(head_plan, photos=str(photos)), tmp_path / "first")
    first.photos_of(Part.TRAINING)[0].path.unlink()
    with pytest.raises((RunError, TrainingError), match="photo"):
        go_on(first.path, 2, tmp_path / "second")
    assert not list(tmp_path.glob("second*"))
