"""A shoot-out: each backbone's head on the same photos, the best first, and nothing left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_modules import save_reusable, small_network

from hubstudio.core import speeds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender, best_first
from hubstudio.core.errors import BackboneError, Cancelled, PhotosError
from hubstudio.core.events import Event, Progress, ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.ml import comparing, speed_measuring
from hubstudio.ml.engine import LocalEngine
from made_speeds import SPEED


@pytest.fixture
def plan(three_classes: Path) -> Plan:
    return Plan(str(three_classes), epochs=4)


@pytest.fixture
def larger_module(tmp_path: Path) -> Path:
    """A module for photos of another size with another number of features."""
    return save_reusable(small_network(20), tmp_path / "larger", 48)


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked to be measured; measuring takes seconds and has tests of its own."""
    asked: list[str] = []

    def measure(plan: Plan, cancel: CancelToken) -> object:
        asked.append(plan.backbone)
        return SPEED

    monkeypatch.setattr(speed_measuring, "measure", measure)
    return asked


def compare(
    plan: Plan, *modules: object, report: object = ignore, cancel: CancelToken | None = None
) -> list[Contender]:
    names = [str(module) for module in modules]
    return LocalEngine().compare(plan, names, report, cancel or CancelToken())  # type: ignore[arg-type]


def test_each_backbone_gets_a_row_measured_on_the_same_photos(
    plan: Plan, small_module: Path, larger_module: Path
) -> None:
    found = {row.name: row for row in compare(replace(plan, epochs=100), small_module, larger_module)}
    small, larger = found[small_module.name], found["larger"]
    assert (small.features, small.input_size, larger.features, larger.input_size) == (12, 32, 20, 48)
    assert small.validation_photos == larger.validation_photos > 0
    for row in (small, larger):
        assert row.error == ""
        assert row.accuracy > 1 / 3  # colour and stripes tell the made classes apart
        assert row.interval[0] < row.accuracy <= row.interval[1]
        assert row.photos_per_second > 0
        assert 0 < row.seconds < 120
        assert row.bytes > 1000


def test_it_finds_what_a_training_by_the_same_plan_finds(plan: Plan, small_module: Path, tmp_path: Path) -> None:
    (row,) = compare(plan, small_module)
    summary = LocalEngine().train(replace(plan, backbone=str(small_module)), tmp_path / "run", ignore, CancelToken())
    assert row.accuracy == pytest.approx(summary.validation_accuracy)
    assert row.validation_photos == summary.counts["validation"]


def test_the_best_comes_first_the_faster_among_equals_and_failures_last() -> None:
    rows = [
        Contender("failed", "failed", error="It is damaged."),
        Contender("slow", "slow", 8, 10, 10.0),
        Contender("worse", "worse", 7, 10, 99.0),
        Contender("fast", "fast", 8, 10, 20.0),
    ]
    assert [row.backbone for row in best_first(rows)] == ["fast", "slow", "worse", "failed"]


def test_one_that_fails_gives_a_row_with_the_reason_and_the_others_go_on(
    plan: Plan, small_module: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    first, second = compare(plan, tmp_path / "empty", small_module)
    assert (first.backbone, first.error) == (str(small_module), "")
    assert "saved_model.pb" in second.error
    assert second.accuracy == 0


def test_a_plan_for_fine_tuning_at_another_size_is_compared_on_heads_at_own_sizes(
    plan: Plan, small_module: Path
) -> None:
    (row,) = compare(replace(plan, mode=Mode.FINE_TUNE, image_size=64), small_module)
    assert (row.error, row.input_size) == ("", 32)


def test_a_backbone_named_twice_is_compared_once(plan: Plan, small_module: Path) -> None:
    assert len(compare(plan, small_module, small_module)) == 1


def test_progress_goes_over_all_backbones_and_names_each(plan: Plan, small_module: Path, larger_module: Path) -> None:
    events: list[Event] = []
    compare(plan, small_module, larger_module, report=events.append)
    steps = [event for event in events if isinstance(event, Progress) and "through" in event.what]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total
    assert [name in steps[place].what for place, name in ((0, small_module.name), (-1, "larger"))] == [True, True]


@pytest.mark.parametrize("how", ["cancel", "stop"])
def test_cancel_and_stop_answer_within_a_batch(plan: Plan, small_module: Path, larger_module: Path, how: str) -> None:
    cancel = CancelToken()
    steps: list[Progress] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Progress) and "through" in event.what:
            steps.append(event)
            getattr(cancel, how)()

    with pytest.raises(Cancelled):
        compare(plan, small_module, larger_module, report=on_event, cancel=cancel)
    assert len(steps) == 1


def test_nothing_is_written_but_caches(
    plan: Plan, small_module: Path, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    compare(plan, small_module)
    assert list((tmp_path / "here").iterdir()) == []
    assert {path.name for path in own_home.iterdir()} <= {"cache"}


def test_photos_that_cannot_be_trained_on_are_refused(small_module: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotosError):
        compare(Plan(str(tmp_path / "empty")), small_module)


def test_the_speed_on_real_photos_is_kept_in_place_of_the_measured_one(
    plan: Plan, small_module: Path, measured: list[str]
) -> None:
    (row,) = compare(plan, small_module)
    assert measured == [str(small_module)]
    kept = speeds.kept(small_module, "", SPEED.image_size)
    assert kept is not None
    assert kept.steps == SPEED.steps
    assert kept.features_per_second >= row.photos_per_second  # without the decoder's share
    assert kept.features_per_second != SPEED.features_per_second
    assert kept.photos_per_second == SPEED.photos_per_second  # TensorFlow's, which only a measurement tells


def test_a_backbone_whose_features_are_known_is_as_fast_as_it_was_measured(plan: Plan, small_module: Path) -> None:
    compare(plan, small_module)
    speeds.keep(small_module, "", replace(SPEED, image_size=32))
    (row,) = compare(plan, small_module)
    assert row.photos_per_second == pytest.approx(1 / SPEED.extract_seconds(32 * 32 / 1e6), rel=0.2)
    assert speeds.kept(small_module, "", 32) == replace(SPEED, image_size=32)


def test_the_time_of_a_contender_is_without_its_measurement(
    plan: Plan, small_module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def measure(plan: Plan, cancel: CancelToken) -> object:
        now[0] += 1000
        return SPEED

    monkeypatch.setattr(comparing, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(speed_measuring, "measure", measure)
    (row,) = compare(plan, small_module)
    assert (now[0], row.seconds) == (1000, 0)


def test_a_backbone_that_was_measured_before_is_not_measured_again(
    plan: Plan, small_module: Path, measured: list[str]
) -> None:
    speeds.keep(small_module, "", replace(SPEED, image_size=32))
    compare(plan, small_module)
    assert measured == []


def test_a_speed_that_cannot_be_measured_costs_no_row(
    plan: Plan, small_module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(plan: Plan, cancel: CancelToken) -> object:
        raise BackboneError("The backbone's speed could not be measured.")

    monkeypatch.setattr(comparing.speed_measuring, "measure", measure)
    (row,) = compare(plan, small_module)
    assert row.error == ""
