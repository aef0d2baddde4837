"""Which runtime a frozen backbone goes through: the fastest that gives the same features, and TensorFlow otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.ml import feature_runtimes
from hubstudio.ml.feature_runtimes import (
    FEATURE_BATCH,
    OPENVINO,
    TENSORFLOW,
    TENSORFLOW_SINGLY,
    Runtime,
    choose_runtime,
)
from hubstudio.ml.hub_module import HubModule, load_module

Maker = Callable[[HubModule, int], Runtime]
MAKERS: list[Maker] = [feature_runtimes.tensorflow_runtime, feature_runtimes.openvino_runtime]


def noise(count: int, size: int = 32) -> NDArray[np.float32]:
    return np.random.default_rng(5).uniform(0, 255, (count, size, size, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def module(small_module: Path) -> HubModule:
    return load_module(str(small_module))


@pytest.mark.parametrize("make", MAKERS)
def test_a_runtime_gives_the_modules_own_features(module: HubModule, make: Maker) -> None:
    photos = noise(FEATURE_BATCH)
    wanted = module.forward(photos / 255, False).numpy()
    np.testing.assert_allclose(make(module, 32)(photos), wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("count", [0, 1, 3, FEATURE_BATCH])
def test_a_photos_features_do_not_depend_on_the_others_by_a_bit(module: HubModule, make: Maker, count: int) -> None:
    runtime, photos = make(module, 32), noise(FEATURE_BATCH)
    np.testing.assert_array_equal(runtime(photos[:count]), runtime(photos)[:count])


@pytest.mark.parametrize("make", MAKERS)
def test_later_batches_leave_former_answers_as_they_are(module: HubModule, make: Maker) -> None:
    runtime, photos = make(module, 32), noise(2)
    former = runtime(photos)
    kept = former.copy()
    runtime(photos[::-1])
    np.testing.assert_array_equal(former, kept)


def test_a_runtime_in_which_a_photos_place_counts_is_found_out(module: HubModule) -> None:
    runtime = feature_runtimes.openvino_runtime(module, 32)
    nudge = np.arange(FEATURE_BATCH, dtype=np.float32)[:, None] * 1e-6
    nudged = Runtime(OPENVINO, lambda photos: runtime.run(photos) * (1 + nudge))
    for count in (1, 3, FEATURE_BATCH):
        assert feature_runtimes.is_steady(runtime, noise(count))
        assert not feature_runtimes.is_steady(nudged, noise(count))


@pytest.mark.parametrize("count", [2, FEATURE_BATCH])
def test_whatever_is_chosen_a_photos_place_does_not_count_by_a_bit(module: HubModule, count: int) -> None:
    chosen = choose_runtime(module, 32, noise(count), CancelToken())
    photos = noise(FEATURE_BATCH)
    for by in range(1, FEATURE_BATCH):
        np.testing.assert_array_equal(chosen(photos[by:]), chosen(photos)[by:])


def test_tensorflow_takes_photos_one_by_one_where_their_place_counts(
    module: HubModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_runtimes, "_openvino_or_none", lambda *_: None)
    monkeypatch.setattr(feature_runtimes, "is_steady", lambda *_: False)
    assert choose_runtime(module, 32, noise(2), CancelToken()).name == TENSORFLOW_SINGLY
    again = feature_runtimes.runtime_named(TENSORFLOW_SINGLY, module, 32)
    assert again is not None
    photos = noise(FEATURE_BATCH)
    np.testing.assert_array_equal(again(photos)[3:], again(photos[3:]))


def test_a_batch_that_does_not_fit_into_memory_rules_only_the_batch_out(
    module: HubModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = feature_runtimes.tensorflow_runtime

    def small_memory(_: NDArray[np.float32]) -> NDArray[np.float32]:
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")

    def runtime(module: HubModule, size: int, batch: int = FEATURE_BATCH) -> Runtime:
        return real(module, size, 1) if batch == 1 else Runtime(TENSORFLOW, small_memory)

    monkeypatch.setattr(feature_runtimes, "tensorflow_runtime", runtime)
    assert choose_runtime(module, 32, noise(FEATURE_BATCH), CancelToken()).name in (OPENVINO, TENSORFLOW_SINGLY)
    monkeypatch.setattr(feature_runtimes, "_openvino_or_none", lambda *_: None)
    assert choose_runtime(module, 32, noise(FEATURE_BATCH), CancelToken()).name == TENSORFLOW_SINGLY


@pytest.mark.parametrize("fails_at", [0, 3])
def test_no_photo_is_read_any_more_once_openvino_has_failed(
    module: HubModule, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    begun, ended = list[int](), list[int]()

    class Request:
        def __init__(self, number: int) -> None:
            self.number = number

        def start_async(self, *_: object, **__: object) -> None:
            if self.number == fails_at:
                raise RuntimeError("no more")
            begun.append(self.number)

        def wait(self) -> None:
            ended.append(self.number)

    openvino = feature_runtimes._openvino()
    numbers = iter(range(FEATURE_BATCH))
    monkeypatch.setattr(openvino.CompiledModel, "create_infer_request", lambda _: Request(next(numbers)))
    runtime = feature_runtimes.openvino_runtime(module, 32)
    with pytest.raises(RuntimeError, match="no more"):
        runtime(noise(FEATURE_BATCH))
    assert begun == list(range(fails_at))
    assert sorted(ended) == begun


class Clock:
    """A clock that only the runtimes of a test move."""

    now = 0.0
    worked = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.worked


@pytest.fixture
def choice(monkeypatch: pytest.MonkeyPatch, module: HubModule) -> Callable[..., str]:
    """Return which runtime is chosen, when a batch takes TensorFlow 0.1 s and OpenVINO ``seconds``."""
    clock = Clock()
    right = feature_runtimes.tensorflow_runtime(module, 32, 1)

    def taking(name: str, seconds: float, change: Callable[[Any], Any]) -> Maker:
        def run(photos: NDArray[np.float32]) -> NDArray[np.float32]:
            clock.now += seconds
            clock.worked += 0.2 - seconds  # the other way round
            return change(right(photos))

        return lambda *_: Runtime(name, run)

    def choose(seconds: float, change: Callable[[Any], Any] = lambda features: features, load: float = 0.5) -> str:
        monkeypatch.setattr(feature_runtimes, "time", clock)
        monkeypatch.setattr(feature_runtimes.os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
        monkeypatch.setattr(feature_runtimes, "tensorflow_runtime", taking(TENSORFLOW, 0.1, lambda features: features))
        monkeypatch.setattr(feature_runtimes, "openvino_runtime", taking(OPENVINO, seconds, change))
        return choose_runtime(module, 32, noise(4), CancelToken()).name

    return choose


def test_the_faster_of_equals_is_chosen(choice: Callable[..., str]) -> None:
    assert choice(0.05) == OPENVINO
    assert choice(0.2) == TENSORFLOW


def test_on_a_busy_computer_the_one_that_works_less_is_chosen(choice: Callable[..., str]) -> None:
    assert choice(0.15, load=1e4) == OPENVINO
    assert choice(0.05, load=1e4) == TENSORFLOW


@pytest.mark.parametrize(
    ("change", "chosen"),
    [
        (lambda features: features * np.float32(1.0002), OPENVINO),
        (lambda features: features * np.float32(1.01), TENSORFLOW),
        (lambda features: features[:, ::-1], TENSORFLOW),
        (lambda features: features[:, :-1], TENSORFLOW),
        (lambda features: np.full_like(features, np.nan), TENSORFLOW),
    ],
)
def test_a_faster_runtime_that_gives_other_features_is_not_taken(
    choice: Callable[..., str], change: Callable[[Any], Any], chosen: str
) -> None:
    assert choice(0.001, change) == chosen


def test_where_openvino_is_not_installed_tensorflow_does_it(
    monkeypatch: pytest.MonkeyPatch, choice: Callable[..., str]
) -> None:
    monkeypatch.setattr(feature_runtimes.importlib.util, "find_spec", lambda name: None)
    assert choice(0.001) == TENSORFLOW


def test_a_runtime_that_falls_over_is_not_taken(choice: Callable[..., str]) -> None:
    def fall_over(features: NDArray[np.float32]) -> NDArray[np.float32]:
        raise RuntimeError("unsupported operation")

    assert choice(0.001, fall_over) == TENSORFLOW


def test_choosing_ends_when_cancelled(module: HubModule) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        choose_runtime(module, 32, noise(2), cancel)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mobilenet_v2_100_224", "mobilenet_v1_025_224", "mobilenet_v1_025_224_tf1format"])
def test_real_backbones_give_the_same_features_through_openvino(shared: Path, name: str) -> None:
    module = load_module(str(shared / "backbones" / name))
    size = module.size()
    photos = noise(2, size)
    wanted = feature_runtimes.tensorflow_runtime(module, size)(photos)
    found = feature_runtimes.openvino_runtime(module, size)(photos)
    assert np.abs(found - wanted).max() <= feature_runtimes.LARGEST_DIFFERENCE * np.abs(wanted).max()
