"""Training steps that are computed partly in float16: only where it pays, and the weights go the same way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from emulated_float16 import emulate
from interrupted_runs import interrupted, same_result

from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BatchDone, EpochDone, Event, Phase, PhaseStarted, ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import TRAINING_STATE, RunFolder
from hubstudio.ml import fine_tuning_ways, mixed_precision, training_loop
from hubstudio.ml.checkpoints import read_checkpoint
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.training_steps import Batch, Stepped, TrainingSteps

Train = Callable[[TrainingSteps, Batch, Sequence[float], int], Stepped]


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(
        str(three_classes), backbone=str(small_module), mode=Mode.FINE_TUNE, unfreeze=2, epochs=3, head_epochs=3,
        batch_size=4, dropout=0.3, patience=0,
    )  # fmt: skip


@pytest.fixture
def float16(monkeypatch: pytest.MonkeyPatch) -> None:
    emulate(monkeypatch)


@pytest.fixture
def pays(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Say how much faster a trial shall find mixed steps: the emulation is slower than float32."""

    def say(times: float) -> None:
        def tried(*functions: Any) -> float:
            return times if mixed_precision.gain(*functions) else 0.0

        monkeypatch.setattr(training_loop, "gain", tried)

    return say


def trained(plan: Plan, out: Path) -> dict[str, Any]:
    LocalEngine().train(plan, out, ignore, CancelToken())
    return RunFolder.open(out).metrics()


def is_mixed(metrics: dict[str, Any]) -> bool:
    return metrics["decided"]["mixed_precision"]


def instead(patches: pytest.MonkeyPatch, take: Callable[[Train, TrainingSteps], Stepped | None]) -> list[bool]:
    """Let ``take`` have a look at every step of fine-tuning, and return another result; return which were mixed."""
    own, taken = TrainingSteps.train, []

    def train(self: TrainingSteps, batch: Batch, rates: Sequence[float], rows: int) -> Stepped:
        if not self.scaling_variables:
            return own(self, batch, rates, rows)
        taken.append(self.mixed)
        return take(own, self) or own(self, batch, rates, rows)

    patches.setattr(TrainingSteps, "train", train)
    return taken


# --- whether it pays --------------------------------------------------------------------------------------------------


class Steps:
    """Training steps of two weights, whose ways and seconds a test chooses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: dict[bool, float], ways: dict[bool, Any]) -> None:
        self.now, self.first, self.seconds, self.ways = 0.0, True, seconds, ways
        self.at = self.start = np.array([3.0, 4.0], np.float32)
        monkeypatch.setattr(mixed_precision.time, "perf_counter", lambda: self.now)

    def take(self, mixed: bool) -> None:
        """Take a step; the first one takes long, since it is prepared."""
        self.now += self.seconds[mixed] + 100.0 * self.first
        self.first = False
        self.at = self.at + np.array(self.ways[mixed], np.float32)

    def weights(self) -> list[np.ndarray]:
        """Return where they are."""
        return [self.at[:1], self.at[1:]]

    def put_back(self) -> None:
        """Begin anew."""
        self.at = self.start

    def gain(self) -> float:
        """Return what mixed steps gain, with everything put back."""
        found = mixed_precision.gain(self.take, self.weights, self.put_back)
        assert self.at is self.start
        return found


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ((1.0, 1.0), 2.0),
        ((0.9, 1.1), 2.0),
        ((0.5, 0.5), 2.0),  # half of the steps were skipped while the loss was scaled by too much
        ((1.0, 0.0), 0.0),
        ((0.0, 0.0), 0.0),
        ((-1.0, -1.0), 0.0),
        ((math.nan, 1.0), 0.0),
        ((math.inf, 1.0), 0.0),
    ],
)
def test_mixed_steps_pay_if_they_are_faster_and_go_the_same_way(
    monkeypatch: pytest.MonkeyPatch, way: tuple[float, float], wanted: float
) -> None:
    steps = Steps(monkeypatch, {False: 0.2, True: 0.1}, {False: (1.0, 1.0), True: way})
    assert steps.gain() == pytest.approx(wanted)


def test_steps_that_are_slower_are_found_so(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(monkeypatch, {False: 0.1, True: 0.2}, {False: (1.0, 1.0), True: (1.0, 1.0)})
    assert steps.gain() == pytest.approx(0.5)


def test_a_step_that_fails_leaves_everything_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(monkeypatch, {False: 0.1}, {False: (1.0, 1.0)})
    with pytest.raises(KeyError):
        steps.gain()
    assert steps.at is steps.start


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [([], False), ([None], False), ([(6, 1)], False), ([(7, 0)], True), ([(6, 1), (8, 9)], True), ([(10, 0)], True)],
)
def test_only_gpus_that_are_faster_in_float16_are_tried(
    monkeypatch: pytest.MonkeyPatch, capabilities: list[tuple[int, int] | None], *, wanted: bool
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: range(len(capabilities)))
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details",
        lambda gpu: {"compute_capability": capabilities[gpu]} if capabilities[gpu] else {},
    )  # fmt: skip
    assert mixed_precision.can_mix() is wanted


def test_what_tensorflow_was_told_is_as_it_was_before() -> None:
    before = tf.config.optimizer.get_experimental_options()
    with mixed_precision.mixed_precision():
        assert tf.config.optimizer.get_experimental_options()["auto_mixed_precision"] is True
    assert tf.config.optimizer.get_experimental_options() == before
    with pytest.raises(KeyError), mixed_precision.mixed_precision():
        raise KeyError
    assert tf.config.optimizer.get_experimental_options() == before
    with mixed_precision.mixed_precision(wanted=False):
        assert tf.config.optimizer.get_experimental_options() == before


# --- trainings --------------------------------------------------------------------------------------------------------


def test_where_mixing_does_not_pay_a_training_is_to_the_last_bit_what_it_is_without(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: Callable[[float], None]
) -> None:
    assert not is_mixed(trained(plan, tmp_path / "plain"))
    emulate(monkeypatch)
    pays(1.05)
    with pytest.MonkeyPatch.context() as patches:
        taken = instead(patches, lambda *_: None)
        assert not is_mixed(trained(plan, tmp_path / "tried"))
    assert sum(taken) == mixed_precision.TRIAL_STEPS // 2
    assert same_result(tmp_path / "plain", tmp_path / "tried")


@pytest.mark.usefixtures("float16", "often")
@pytest.mark.parametrize("from_border", [False, True])
def test_a_mixed_training_says_so_and_goes_on_as_it_was(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: Callable[[float], None], *, from_border: bool
) -> None:
    monkeypatch.setattr(fine_tuning_ways, "worth_cutting", lambda *_: from_border)
    monkeypatch.setattr(fine_tuning_ways, "FRONT_PASSES", 0)
    pays(1.62)
    metrics = trained(plan, tmp_path / "mixed")
    assert is_mixed(metrics)
    assert metrics["decided"]["frozen_part_once"] is from_border
    assert [note for note in metrics["notes"] if "partly in float16" in note and "1.6 times as fast" in note]
    interrupted(
        plan, tmp_path / "again",
        lambda event: isinstance(event, BatchDone) and (event.phase, event.epoch) == (Phase.FINE_TUNE, 2),
    )  # fmt: skip

    def not_tried_again(*_: object) -> float:
        raise AssertionError

    monkeypatch.setattr(training_loop, "gain", not_tried_again)
    LocalEngine().resume(tmp_path / "again", ignore, CancelToken())
    assert same_result(tmp_path / "mixed", tmp_path / "again")
    assert is_mixed(RunFolder.open(tmp_path / "again").metrics())
    monkeypatch.setattr(training_loop, "can_mix", lambda: False)
    trained(plan, tmp_path / "exact")
    assert not same_result(tmp_path / "exact", tmp_path / "mixed")


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("mixes_later", [False, True])
def test_a_run_goes_on_where_the_gpu_has_gone_or_come(
    plan: Plan, tmp_path: Path, pays: Callable[[float], None], *, mixes_later: bool
) -> None:
    pays(2.0)
    for mixes in (not mixes_later, mixes_later):
        with pytest.MonkeyPatch.context() as patches:
            if mixes:
                emulate(patches)
            if mixes is not mixes_later:
                interrupted(
                    plan, tmp_path / "run",
                    lambda event: isinstance(event, EpochDone) and (event.phase, event.epoch) == (Phase.FINE_TUNE, 2),
                )  # fmt: skip
            else:
                LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    metrics = RunFolder.open(tmp_path / "run").metrics()
    assert metrics["epochs"] == 3
    assert not is_mixed(metrics)


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize("error", [tf.errors.ResourceExhaustedError, tf.errors.InternalError, tf.errors.NotFoundError])
def test_what_float16_cannot_do_is_done_in_float32(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[tf.errors.OpError]
) -> None:
    def fail(_: Train, steps: TrainingSteps) -> None:
        if steps.mixed:
            raise error(None, None, "no kernel for it")

    taken = instead(monkeypatch, fail)
    metrics = trained(plan, tmp_path / "run")
    assert sum(taken) == 1
    assert not is_mixed(metrics)
    assert metrics["ended"]["fine-tune"] == "all_epochs"


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize("how", ["loss", "scale"])
def test_numbers_beyond_the_range_of_float16_lead_back_to_float32(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: Callable[[float], None], how: str
) -> None:
    pays(2.0)

    def overflow(_: Train, steps: TrainingSteps) -> Stepped | None:
        if len(taken) != mixed_precision.TRIAL_STEPS + 3:
            return None
        if how == "loss":
            return Stepped([math.nan], [0.0])
        steps.scaling_variables[1].assign(0.5)
        return None

    taken = instead(monkeypatch, overflow)
    metrics = trained(plan, tmp_path / "run")
    after = taken[mixed_precision.TRIAL_STEPS :]
    assert after[:3] == [True] * 3
    assert not any(after[3:])
    steps = 3 * math.ceil(metrics["counts"]["train"] / plan.batch_size)
    assert len(after) == steps + (how == "loss")  # what moved nothing is done again
    assert not is_mixed(metrics)
    assert [note for note in metrics["notes"] if "range of float16 in epoch 1" in note]


@pytest.mark.usefixtures("float16")
def test_a_trial_that_takes_the_whole_program_with_it_does_not_come_again(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crashed(BaseException):
        pass

    def crash(_: Train, steps: TrainingSteps) -> None:
        if steps.mixed:
            raise Crashed

    taken = instead(monkeypatch, crash)
    with pytest.raises(Crashed):
        trained(plan, tmp_path / "run")
    LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    assert sum(taken) == 1
    assert not is_mixed(RunFolder.open(tmp_path / "run").metrics())


@pytest.mark.usefixtures("float16", "often")
def test_the_answer_of_a_trial_is_kept_at_once(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: Callable[[float], None]
) -> None:
    pays(2.0)
    trained(plan, tmp_path / "whole")
    cancel = CancelToken()

    def end(_: Train, steps: TrainingSteps) -> None:
        if len(taken) > mixed_precision.TRIAL_STEPS:
            raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        taken = instead(patches, end)
        with pytest.raises(KeyboardInterrupt):
            LocalEngine().train(plan, tmp_path / "run", ignore, cancel)
    pays(1.0)
    LocalEngine().resume(tmp_path / "run", ignore, CancelToken())
    assert same_result(tmp_path / "whole", tmp_path / "run")


@pytest.mark.usefixtures("float16")
def test_stopping_ends_a_trial_and_leaves_its_question_open(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = CancelToken()

    def stop(*_: object) -> None:
        if len(taken) == 2:
            cancel.stop()

    taken = instead(monkeypatch, stop)
    LocalEngine().train(plan, tmp_path / "run", ignore, cancel)
    assert len(taken) == 2
    assert RunFolder.open(tmp_path / "run").metrics()["best_phase"] == "head"
    checkpoint = read_checkpoint(tmp_path / "run" / TRAINING_STATE)
    assert checkpoint is not None
    assert checkpoint.state["place"]["mixed"] is None


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize(
    "change", [{"train_batch_norm": True}, {"mode": Mode.EXTRACT}, {"epochs": 1}], ids=["statistics", "head", "short"]
)
def test_where_mixing_would_do_harm_or_not_be_worth_it_it_is_not_tried(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    if "epochs" in change:
        monkeypatch.setattr(training_loop, "_TRIALS_WORTH", 10)
    asked: list[Event] = []

    def not_tried(*_: object) -> float:
        raise AssertionError

    monkeypatch.setattr(training_loop, "gain", not_tried)
    LocalEngine().train(replace(plan, **change), tmp_path / "run", asked.append, CancelToken())
    assert [event for event in asked if isinstance(event, PhaseStarted)]
    assert not RunFolder.open(tmp_path / "run").metrics()["decided"].get("mixed_precision")
