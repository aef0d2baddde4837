"""How fast a backbone is on this computer: measured in a process of its own, kept, and stopped when asked."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_modules import save_tf1
from made_photos import make_photos

from hub.misbehaving_server import wait_until
from hubstudio.core import speeds
from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import Speed
from hubstudio.core.errors import BackboneError, Cancelled
from hubstudio.core.events import BytesFetched, Event, Report, RunStarted, ignore
from hubstudio.core.hyper_parameters import PIXEL_BYTES
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml import child_process, obtaining, speed_measuring
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.run_log import Clock


@pytest.fixture(scope="module")
def measured(small_module: Path, tmp_path_factory: pytest.TempPathFactory) -> Speed:
    """The small module's speed, steps of fine-tuning included; kept in a home that no test looks into."""
    plan = Plan("photos", backbone=str(small_module)).with_mode(Mode.FINE_TUNE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBSTUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        return LocalEngine().measure(plan, CancelToken())


def test_everything_that_a_prediction_needs_is_measured(measured: Speed) -> None:
    assert measured.photos_per_second > 10
    assert measured.image_size == 32
    for seconds in (
        measured.load_seconds,
        measured.start_seconds,
        measured.freeze_seconds,
        measured.head.start_seconds,
    ):
        assert 0 < seconds < 60
    assert 0 < measured.head.batch_seconds < measured.head.start_seconds
    assert 0 < measured.decode.seconds(0.1) < measured.decode.seconds(2.0) < 1


def test_memory_is_that_of_a_whole_process_with_tensorflow(measured: Speed) -> None:
    assert 200e6 < measured.memory_bytes < 4e9
    assert 100e6 < measured.loaded_bytes <= measured.memory_bytes


def test_steps_are_measured_with_half_of_the_blocks_and_with_all(measured: Speed) -> None:
    half, whole = measured.steps
    assert (half.blocks, whole.blocks) == (1, 3)
    assert 0 < half.photo_seconds <= whole.photo_seconds
    assert half.photo_bytes <= whole.photo_bytes


def test_what_was_measured_is_kept_for_the_module_and_the_next_program(small_module: Path) -> None:
    plan = Plan("photos", backbone=str(small_module))
    engine = LocalEngine()
    info = engine.probe(plan.backbone)
    assert speeds.kept_for(plan, info) is None
    speed = engine.measure(plan, CancelToken())
    assert speeds.kept_for(plan, info) == speed
    assert speed.steps == ()


def test_a_module_that_cannot_learn_has_no_steps(tmp_path: Path) -> None:
    module = save_tf1(tmp_path / "module")
    plan = Plan("photos", backbone=str(module)).with_mode(Mode.FINE_TUNE)
    speed = LocalEngine().measure(plan, CancelToken())
    assert speed.photos_per_second > 0
    assert speed.steps == ()


def test_a_module_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    (tmp_path / "module").mkdir()
    with pytest.raises(BackboneError, match=r"saved_model\.pb"):
        LocalEngine().measure(Plan("photos", backbone=str(tmp_path / "module")), CancelToken())


def test_cancelling_ends_it_at_once_and_keeps_nothing(small_module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel = CancelToken()
    begun = threading.Event()
    send = child_process.ChildProcess.run

    def run(self: child_process.ChildProcess, *arguments: object, **options: object) -> object:
        begun.set()
        return send(self, *arguments, **options)

    monkeypatch.setattr(child_process.ChildProcess, "run", run)
    canceller = threading.Thread(target=lambda: (begun.wait(60), cancel.cancel()))
    canceller.start()
    with pytest.raises(Cancelled):
        LocalEngine().measure(Plan("photos", backbone=str(small_module)), cancel)
    canceller.join()
    assert speeds.kept(small_module, "", 32) is None


def test_a_measurement_that_is_stopped_leaves_no_photos_behind(
    small_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(speed_measuring, "measured_here", draws_and_stays)
    cancel = CancelToken()

    def cancel_once_drawn() -> None:
        wait_until(lambda: bool(list(tmp_path.rglob("*.jpg"))), 60)
        cancel.cancel()

    canceller = threading.Thread(target=cancel_once_drawn)
    canceller.start()
    with pytest.raises(Cancelled):
        LocalEngine().measure(Plan("photos", backbone=str(small_module)), cancel)
    canceller.join()
    assert list(tmp_path.iterdir()) == []


def draws_and_stays(plan: Plan, photos: Path) -> None:
    """Begin as a measurement does, in its process, and go on until that is ended."""
    (photos / "drawn.jpg").touch()
    threading.Event().wait()


def test_steps_that_run_out_of_memory_leave_what_is_known_of_the_frozen_backbone(
    measured: Speed, small_module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(self: object, function: Callable[..., object], *arguments: object, cancel: CancelToken) -> object:
        if function is speed_measuring.steps_here:
            raise child_process.ChildFailed("the process ended with code -9")
        return small_module, "", replace(measured, steps=())

    monkeypatch.setattr(child_process.ChildProcess, "run", run)
    plan = Plan("photos", backbone=str(small_module)).with_mode(Mode.FINE_TUNE)
    assert LocalEngine().measure(plan, CancelToken()) == replace(measured, steps=())
    assert speeds.kept(small_module, "", 32) == replace(measured, steps=())


def test_a_run_is_predicted_and_keeps_prediction_and_truth(
    measured: Speed, small_module: Path, three_classes: Path, tmp_path: Path
) -> None:
    speeds.keep(small_module, "", measured)
    plan = replace(Plan(str(three_classes), backbone=str(small_module)).with_mode(Mode.FINE_TUNE), epochs=2)
    events: list[Event] = []
    summary = LocalEngine().train(plan, tmp_path / "run", events.append, CancelToken())
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert started.cost is not None
    assert summary.cost is not None
    assert summary.cost.predicted == started.cost
    table = RunFolder.open(tmp_path / "run").metrics()["cost"]
    assert list(table["predicted"]["stretches"]) == list(table["actual"]["stretches"])
    assert table["actual"]["seconds"] == pytest.approx(sum(table["actual"]["stretches"].values()))
    assert table["predicted"]["seconds"] == started.cost.seconds
    assert table["actual"]["memory_bytes"] > 200e6


def test_the_truth_does_not_count_how_the_backbone_came_here(
    small_module: Path, three_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def fetch(text: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        now[0] += 100
        report(BytesFetched(text, 8, 8, 1e6, 0.0))
        now[0] += 1000  # unpacked and checked
        return LocalEngine().probe(str(small_module))

    monkeypatch.setattr(obtaining, "fetch_module", fetch)
    monkeypatch.setattr(Clock, "__call__", lambda _clock: now[0])
    plan = Plan(str(three_classes), backbone="https://host/far/1", epochs=1)
    summary = LocalEngine().train(plan, tmp_path / "run", ignore, CancelToken())
    assert summary.cost is not None
    assert (now[0], summary.cost.actual.seconds) == (1100, 0)


def test_the_truth_counts_the_pixels_that_fine_tuning_keeps_on_disk(
    small_module: Path, three_classes: Path, tmp_path: Path
) -> None:
    plan = replace(Plan(str(three_classes), backbone=str(small_module)), epochs=1, head_epochs=1)
    engine = LocalEngine()
    disks: dict[Mode, int] = {}
    for mode in Mode:
        summary = engine.train(replace(plan, mode=mode), tmp_path / mode, ignore, CancelToken())
        assert summary.cost is not None
        assert summary.cost.predicted is None  # nothing was measured
        disks[mode] = summary.cost.actual.disk_bytes
    photos = summary.counts["train"] + summary.counts["validation"]
    assert disks[Mode.FINE_TUNE] - disks[Mode.EXTRACT] == pytest.approx(photos * 32 * 32 * 3 * PIXEL_BYTES, abs=80_000)


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_backbone_is_predicted_within_a_factor_of_three(shared: Path, tmp_path: Path) -> None:
    """How near predictions are is for benchmarks/cost.py to say, on a computer at rest; here nothing is forgotten."""
    backbone = shared / "backbones" / "mobilenet_v1_025_224"
    photos = make_photos(tmp_path / "photos", {"a": 60, "b": 60}, (320, 240))
    plan = replace(Plan(str(photos), backbone=str(backbone)).with_mode(Mode.FINE_TUNE), unfreeze=3)
    engine = LocalEngine()
    engine.measure(plan, CancelToken())
    summary = engine.train(plan, tmp_path / "run", ignore, CancelToken())
    assert summary.cost is not None
    assert summary.cost.predicted is not None
    assert 1 / 3 < summary.cost.predicted.seconds / summary.cost.actual.seconds < 3
