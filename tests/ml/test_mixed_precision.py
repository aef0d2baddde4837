"""Steps and features that are computed partly in float16: only where it pays, and learns as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from emulated_float16 import emulate
from interrupted_runs import interrupted, same_result

from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BatchDone, EpochDone, Event, Note, Phase, PhaseStarted, ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml import feature_runtimes, mixed_precision, model_factory, training_loop
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.training_steps import Batch, Stepped, TrainingSteps


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(
        str(three_classes), backbone=str(small_module), mode=Mode.FINE_TUNE, unfreeze=2, epochs=3, head_epochs=3,
        batch_size=4, dropout=0.3, patience=0,
    )  # fmt: skip


@pytest.fixture
def float16(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    emulate(monkeypatch)
    yield


@pytest.fixture
def pays(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Say what a trial shall find: the emulation is slower than float32, and its Adam rougher than a GPU's."""

    def say(times: float) -> None:
        def tried(step: Callable[[bool], float], put_back: Callable[[], None]) -> float:
            mixed_precision.gain(step, put_back)
            return times

        monkeypatch.setattr(training_loop, "gain", tried)

    return say


def trained(plan: Plan, out: Path) -> dict[str, Any]:
    LocalEngine().train(plan, out, ignore, CancelToken())
    return RunFolder.open(out).metrics()


# --- whether it pays --------------------------------------------------------------------------------------------------


class Steps:
    """Training steps whose losses and seconds a test chooses."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, seconds: dict[bool, float], losses: dict[bool, list[float]]
    ) -> None:
        self.now, self.step_number, self.put_backs, self.seconds, self.losses = 0.0, 0, 0, seconds, losses
        monkeypatch.setattr(mixed_precision.time, "perf_counter", lambda: self.now)

    def __call__(self, mixed: bool) -> float:
        """Take a step."""
        self.now += self.seconds[mixed] + (100.0 if not self.step_number else 0.0)  # the first one prepares the rest
        loss = self.losses[mixed][self.step_number]
        self.step_number += 1
        return loss

    def put_back(self) -> None:
        """Begin anew."""
        self.put_backs += 1
        self.step_number = 0


FALLING = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]


@pytest.mark.parametrize(
    ("losses", "wanted"),
    [
        (FALLING, 2.0),
        ([1.01, *FALLING[1:]], 2.0),
        ([1.0, 1.0, *FALLING[1:5]], 2.0),  # one step was skipped while the loss's factor was too large
        ([1.2, *FALLING[1:]], 0.0),
        ([1.0] * 6, 0.0),
        ([1.0, 0.9, 0.8, math.nan, math.nan, math.nan], 0.0),
        ([math.nan] * 6, 0.0),
        ([1.0, 0.9, math.inf, math.inf, math.inf, math.inf], 0.0),
    ],
)
def test_mixed_steps_pay_if_they_are_faster_and_learn_as_well(
    monkeypatch: pytest.MonkeyPatch, losses: list[float], wanted: float
) -> None:
    steps = Steps(monkeypatch, {False: 0.2, True: 0.1}, {False: FALLING, True: losses})
    assert mixed_precision.gain(steps, steps.put_back) == pytest.approx(wanted)
    assert steps.put_backs >= 4
    assert steps.step_number == 0


def test_a_loss_that_does_not_fall_in_float32_need_not_fall_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(monkeypatch, {False: 0.1, True: 0.2}, {False: FALLING[::-1], True: [0.5] * 6})
    assert mixed_precision.gain(steps, steps.put_back) == pytest.approx(0.5)


def test_a_step_that_fails_leaves_everything_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(monkeypatch, {False: 0.1, True: 0.1}, {False: FALLING, True: FALLING[:3]})
    with pytest.raises(IndexError):
        mixed_precision.gain(steps, steps.put_back)
    assert (steps.put_backs, steps.step_number) == (2, 0)


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
    assert trained(plan, tmp_path / "plain")["decided"]["mixed_precision"] is False
    emulate(monkeypatch)
    pays(1.05)
    assert trained(plan, tmp_path / "tried")["decided"]["mixed_precision"] is False
    assert same_result(tmp_path / "plain", tmp_path / "tried")


@pytest.mark.usefixtures("float16", "often")
def test_a_mixed_training_learns_says_so_and_goes_on_as_it_was(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pays: Callable[[float], None]
) -> None:
    pays(1.62)
    metrics = trained(plan, tmp_path / "mixed")
    assert metrics["decided"]["mixed_precision"] is True
    assert [note for note in metrics["notes"] if "partly in float16" in note and "1.6 times as fast" in note]
    losses = [float(row["loss"]) for row in RunFolder.open(tmp_path / "mixed").history() if row["phase"] == "fine-tune"]
    assert losses[-1] < losses[0]
    interrupted(
        plan, tmp_path / "again",
        lambda event: isinstance(event, BatchDone) and (event.phase, event.epoch) == (Phase.FINE_TUNE, 2),
    )  # fmt: skip

    def not_tried_again(*_: object) -> float:
        raise AssertionError

    monkeypatch.setattr(training_loop, "gain", not_tried_again)
    LocalEngine().resume(tmp_path / "again", ignore, CancelToken())
    assert same_result(tmp_path / "mixed", tmp_path / "again")
    assert RunFolder.open(tmp_path / "again").metrics()["decided"]["mixed_precision"] is True
    with monkeypatch.context() as patches:
        patches.setattr(model_factory, "can_mix", lambda: False)
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
    assert metrics["decided"]["mixed_precision"] is False


@pytest.mark.usefixtures("float16")
def test_memory_that_runs_out_in_the_trial_leaves_float32(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, tried = TrainingSteps.train, []

    def train(self: TrainingSteps, batch: Batch, rates: list[float], rows: int) -> Stepped:
        if self.mixed:
            tried.append(rows)
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
        return steps(self, batch, rates, rows)

    monkeypatch.setattr(TrainingSteps, "train", train)
    metrics = trained(plan, tmp_path / "run")
    assert tried == [4]
    assert metrics["decided"]["mixed_precision"] is False
    assert not [note for note in metrics["notes"] if "memory" in note]


@pytest.mark.usefixtures("float16")
def test_stopping_ends_the_trial(plan: Plan, tmp_path: Path) -> None:
    cancel, taken = CancelToken(), []
    steps = TrainingSteps.train

    def report(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.FINE_TUNE:
            cancel.stop()

    def train(self: TrainingSteps, batch: Batch, rates: list[float], rows: int) -> Stepped:
        taken.append(cancel.is_stopping)
        return steps(self, batch, rates, rows)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(TrainingSteps, "train", train)
        LocalEngine().train(plan, tmp_path / "run", report, cancel)
    assert taken and not any(taken)
    assert RunFolder.open(tmp_path / "run").metrics()["best_phase"] == "head"


@pytest.mark.usefixtures("float16")
def test_the_head_is_never_mixed(plan: Plan, tmp_path: Path, pays: Callable[[float], None]) -> None:
    pays(9.0)
    notes: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    extract = Plan(plan.photos, backbone=plan.backbone, epochs=2)
    LocalEngine().train(extract, tmp_path / "run", report, CancelToken())
    assert not [note for note in notes if "float16" in note]


# --- features ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize(
    ("times", "near", "wanted"),
    [(0.5, 1.0, feature_runtimes.TENSORFLOW_MIXED), (2.0, 1.0, "tensorflow"), (0.5, 1.01, "tensorflow")],
)
def test_features_are_mixed_where_that_is_faster_and_they_are_the_same(
    small_module: Path, monkeypatch: pytest.MonkeyPatch, times: float, near: float, wanted: str
) -> None:
    module, photos = load_module(str(small_module)), np.full((2, 32, 32, 3), 99.0, np.float32)
    usual = feature_runtimes.tensorflow_runtime(module, 32)
    now = 0.0

    def taking(name: str, seconds: float, factor: float) -> Callable[..., feature_runtimes.Runtime]:
        def run(photos: np.ndarray) -> np.ndarray:
            nonlocal now
            now += seconds
            return usual.run(photos) * np.float32(factor)

        return lambda *_: feature_runtimes.Runtime(name, run)

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.setattr(feature_runtimes, "tensorflow_runtime", taking("tensorflow", 1.0, 1.0))
    monkeypatch.setattr(
        feature_runtimes, "tensorflow_mixed_runtime", taking(feature_runtimes.TENSORFLOW_MIXED, times, near)
    )
    monkeypatch.setattr(feature_runtimes.time, "perf_counter", lambda: now)
    assert feature_runtimes.choose_runtime(module, 32, photos, CancelToken()).name == wanted


@pytest.mark.usefixtures("float16")
def test_mixed_features_are_nearly_the_modules_own(small_module: Path) -> None:
    module = load_module(str(small_module))
    photos = np.random.default_rng(5).uniform(0, 255, (3, 32, 32, 3)).astype(np.float32)
    mixed = feature_runtimes.runtime_named(feature_runtimes.TENSORFLOW_MIXED, module, 32)
    assert mixed is not None
    wanted, found = feature_runtimes.tensorflow_runtime(module, 32)(photos), mixed(photos)
    assert found.dtype == np.float32
    assert not np.array_equal(found, wanted)
    np.testing.assert_allclose(found, wanted, atol=0.02 * np.abs(wanted).max())
