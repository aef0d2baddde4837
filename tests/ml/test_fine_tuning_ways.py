"""Fine-tuning through the whole backbone, and from what its frozen part made of the photos once: one result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubstudio.core.augmentation import PRESETS
from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BatchDone, Event, FeaturesDone, ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml import fine_tuning_ways
from hubstudio.ml.engine import LocalEngine


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(
        str(three_classes), backbone=str(small_module), mode=Mode.FINE_TUNE, unfreeze=1, epochs=3, head_epochs=3
    )


def losses(run: Path) -> np.ndarray:
    return np.array([float(row["validation_loss"]) for row in RunFolder.open(run).history()])


def trained(plan: Plan, out: Path) -> dict[str, Any]:
    LocalEngine().train(plan, out, ignore, CancelToken())
    return RunFolder.open(out).metrics()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often which way was gone."""
    ways = {"behind": 0, "whole": 0}
    for way in ways:
        original = getattr(fine_tuning_ways.Classifier, f"compile_{way}")

        def counting(self: object, *args: object, way: str = way, original: Any = original) -> object:
            ways[way] += 1
            return original(self, *args)

        monkeypatch.setattr(fine_tuning_ways.Classifier, f"compile_{way}", counting)
    return ways


def test_from_the_border_it_learns_what_it_learns_through_the_whole_backbone(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: dict[str, int]
) -> None:
    monkeypatch.setattr(fine_tuning_ways, "worth_cutting", lambda *_: True)
    monkeypatch.setattr(fine_tuning_ways, "FRONT_PASSES", 0)
    assert trained(plan, tmp_path / "border")["decided"]["frozen_part_once"]
    monkeypatch.setattr(fine_tuning_ways, "worth_cutting", lambda *_: False)
    assert not trained(plan, tmp_path / "whole")["decided"]["frozen_part_once"]
    assert counted == {"behind": 1, "whole": 1}
    assert losses(tmp_path / "border") == pytest.approx(losses(tmp_path / "whole"), rel=1e-3)
    assert len(set(losses(tmp_path / "border")[-3:])) == 3  # it did learn
    assert not list((tmp_path / "border").glob("*.npy"))


@pytest.mark.parametrize("change", [{"train_batch_norm": True}, {"augmentation": PRESETS["photos"]}])
def test_photos_or_statistics_that_change_go_through_the_whole_backbone(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: dict[str, int], change: dict[str, Any]
) -> None:
    monkeypatch.setattr(fine_tuning_ways, "worth_cutting", lambda *_: True)
    monkeypatch.setattr(fine_tuning_ways, "FRONT_PASSES", 0)
    trained(replace(plan, **change), tmp_path / "run")
    assert counted == {"behind": 0, "whole": 1}


def test_augmented_photos_are_others_in_every_epoch_and_the_same_again_next_time(plan: Plan, tmp_path: Path) -> None:
    augmented = replace(plan, augmentation=PRESETS["photos"])
    for name, chosen in (("first", augmented), ("again", augmented), ("plain", plan)):
        trained(chosen, tmp_path / name)
    assert list(losses(tmp_path / "first")) == list(losses(tmp_path / "again"))
    assert list(losses(tmp_path / "first")[-3:]) != list(losses(tmp_path / "plain")[-3:])
    assert list(losses(tmp_path / "first")[:3]) == list(losses(tmp_path / "plain")[:3])  # the head's own phase


def test_augmentation_of_a_frozen_backbone_goes_through_it_once_a_view(plan: Plan, tmp_path: Path) -> None:
    extract = replace(plan, mode=Mode.EXTRACT, augmentation=replace(PRESETS["photos"], views=2))
    events: list[Event] = []
    summary = LocalEngine().train(extract, tmp_path / "run", events.append, CancelToken())
    totals = {event.total for event in events if isinstance(event, FeaturesDone)}
    assert totals == {summary.counts["train"] + summary.counts["validation"], 2 * summary.counts["train"]}
    trained(replace(extract, augmentation=plan.augmentation), tmp_path / "plain")
    assert list(losses(tmp_path / "run")) != list(losses(tmp_path / "plain"))
    again = LocalEngine().train(extract, tmp_path / "again", ignore, CancelToken())
    assert list(losses(tmp_path / "run")) == list(losses(tmp_path / "again"))
    assert again.computed_photos == 0


def test_stopping_while_the_frozen_part_is_computed_keeps_the_head(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tuning_ways, "worth_cutting", lambda *_: True)
    monkeypatch.setattr(fine_tuning_ways, "FRONT_PASSES", 0)
    cancel, learned = CancelToken(), False

    def report(event: Event) -> None:
        nonlocal learned
        learned = learned or isinstance(event, BatchDone)
        if learned and isinstance(event, FeaturesDone):
            cancel.stop()

    summary = LocalEngine().train(plan, tmp_path / "run", report, cancel)
    assert (summary.best_phase, summary.stopped_early) == ("head", True)
    assert any("before an epoch of fine-tuning" in note for note in summary.notes)
