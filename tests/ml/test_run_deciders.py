"""What a run folder says of all that decided the run: versions, processor, class weights, why its phases ended."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import PlanError, Suspended
from hubstudio.core.events import BatchDone, EpochDone, Event, Phase, PhaseEnd, PhaseStarted, ignore
from hubstudio.core.parts import Part
from hubstudio.core.plan import ClassWeights, Mode, Output, Plan
from hubstudio.core.processor import usable_cores
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml import made_with
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.training_steps import Stepped, TrainingSteps


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(str(three_classes), backbone=str(small_module), epochs=3, head_epochs=3)


@pytest.fixture
def restless(plan: Plan) -> Plan:
    """Both phases take steps that are too large to get any better for long."""
    return replace(
        plan, mode=Mode.FINE_TUNE, unfreeze="all", epochs=30, head_epochs=200, patience=1, learning_rate=10.0,
        fine_tune_learning_rate=1.0, warm_up=0.0,
    )  # fmt: skip


def train(plan: Plan, run: Path) -> RunFolder:
    LocalEngine().train(plan, run, ignore, CancelToken())
    return RunFolder.open(run)


def test_phases_that_do_all_their_epochs_say_so(plan: Plan, tmp_path: Path) -> None:
    run = train(replace(plan, mode=Mode.FINE_TUNE, unfreeze=1), tmp_path / "run")
    assert run.metrics()["ended"] == {"head": "all_epochs", "fine-tune": "all_epochs"}


def test_why_each_phase_ended_early_is_kept_also_where_a_run_was_resumed_between_them(
    restless: Plan, tmp_path: Path
) -> None:
    cancel = CancelToken()

    def lay_aside(event: Event) -> None:
        if isinstance(event, BatchDone) and event.phase is Phase.FINE_TUNE:
            cancel.suspend()

    with pytest.raises(Suspended):
        LocalEngine().train(restless, tmp_path / "run", lay_aside, cancel)
    summary = LocalEngine().resume(tmp_path / "run.unfinished", ignore, CancelToken())
    assert summary.ended == {"head": "no_better", "fine-tune": "no_better"}
    assert summary.last_end is PhaseEnd.NO_BETTER
    assert not summary.stopped_early
    assert RunFolder.open(tmp_path / "run").metrics()["ended"] == summary.ended


def test_a_person_who_stops_is_no_lack_of_progress(plan: Plan, tmp_path: Path) -> None:
    cancel = CancelToken()
    summary = LocalEngine().train(
        plan, tmp_path / "run", lambda event: cancel.stop() if isinstance(event, EpochDone) else None, cancel
    )
    assert summary.ended == {"head": "stopped"}


def test_a_phase_that_could_not_go_on_says_so(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_steps = TrainingSteps.train
    epochs: list[int] = []

    def diverging(self: TrainingSteps, *args: Any) -> Stepped:
        stepped = take_steps(self, *args)
        return replace(stepped, cross_entropy=[float("nan")] * len(stepped.accuracy)) if len(epochs) == 2 else stepped

    monkeypatch.setattr(TrainingSteps, "train", diverging)
    summary = LocalEngine().train(
        plan, tmp_path / "run", lambda event: epochs.append(1) if isinstance(event, EpochDone) else None, CancelToken()
    )
    assert summary.ended == {"head": "broken_off"}
    assert summary.epochs == 2
    assert not summary.stopped_early


def test_how_much_each_class_counted_is_kept(plan: Plan, three_classes: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(three_classes, tmp_path / "photos"))
    for path in sorted((photos / "b").iterdir())[8:]:
        path.unlink()
    plan = replace(plan, photos=str(photos))
    run = train(replace(plan, class_weights=ClassWeights.ON), tmp_path / "on")
    counts = Counter(photo.class_name for photo in run.photos_of(Part.TRAINING))
    weights = run.metrics()["decided"]["class_weights"]
    assert list(weights) == ["a", "b", "c"]
    assert weights["b"] > 1 > weights["a"]
    assert {name: weights[name] * count for name, count in counts.items()} == pytest.approx(
        dict.fromkeys(counts, counts.total() / 3)
    )
    even = train(replace(plan, class_weights=ClassWeights.OFF), tmp_path / "off")
    assert even.metrics()["decided"]["class_weights"] == {}


def test_what_reads_varies_and_computes_the_photos_is_kept_with_its_version(plan: Plan, tmp_path: Path) -> None:
    versions = train(plan, tmp_path / "run").metrics()["versions"]
    optional = ["openvino"] if importlib.util.find_spec("openvino") else []
    for name in ("simplejpeg", "opencv-python-headless", "pillow", "tensorflow", *optional):
        assert versions[name] == importlib.metadata.version(name)
    assert versions["processor"]
    assert versions["cores"] == str(usable_cores())
    assert int(versions["threads"]) >= 1


def test_where_openvino_is_not_installed_it_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_openvino(name: str) -> str:
        if name == "openvino":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(made_with, "version", without_openvino)
    assert "openvino" not in made_with.made_with()


@pytest.mark.parametrize(("told", "threads"), [("3", "3"), ("many", str(usable_cores())), ("", str(usable_cores()))])
def test_the_threads_are_those_that_tensorflow_was_told(
    monkeypatch: pytest.MonkeyPatch, told: str, threads: str
) -> None:
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", told)
    assert made_with.made_with()["threads"] == threads


def test_a_sigmoid_for_three_classes_is_refused_before_any_photo_goes_through_the_backbone(
    plan: Plan, tmp_path: Path
) -> None:
    phases: list[Event] = []
    with pytest.raises(PlanError, match="two classes apart"):
        LocalEngine().train(
            replace(plan, output=Output.SIGMOID), tmp_path / "run",
            lambda event: phases.append(event) if isinstance(event, PhaseStarted) else None, CancelToken(),
        )  # fmt: skip
    assert phases == []
    assert list(tmp_path.iterdir()) == []
