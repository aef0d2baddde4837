from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from pytestqt.qtbot import QtBot

from hubstudio.core import photo_check
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Prediction
from hubstudio.core.events import Report
from hubstudio.core.photos import PhotoSet
from hubstudio.core.project import PROJECT_FILE
from hubstudio.gui import session as session_module
from hubstudio.gui.lane import Job, Lane
from hubstudio.gui.session import Session


@pytest.fixture
def answers(trained_session: Session, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose answers arrive, once for every photo."""

    def predict(run: Path, files: Sequence[Path], report: Report, cancel: CancelToken) -> list[Prediction]:
        return [Prediction(file, {run.name: 1.0}) for file in files]

    arrived: list[str] = []
    monkeypatch.setattr(engine, "predict", predict)
    trained_session.predictions_ready.connect(lambda found: arrived.extend(next(iter(one.scores)) for one in found))
    return arrived


def all_done(lane: Lane) -> None:
    """Wait until the lane has done what it was given, while its answers wait for the window's loop."""
    done = threading.Event()
    lane.submit(Job("mark", lambda report, cancel: done.set()))
    assert done.wait(10)


def train_again(session: Session, qtbot: QtBot) -> None:
    session.start_training()
    qtbot.waitUntil(lambda: session.project.run == "run-002", timeout=10_000)


def test_photos_that_wait_for_a_training_are_classified_with_its_run(
    trained_session: Session, answers: list[str], photos: Path, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.hold.clear()
    trained_session.start_training()
    trained_session.classify([photos / "red"])
    engine.hold.set()
    qtbot.waitUntil(lambda: answers == ["run-002"] * 10, timeout=10_000)
    assert not trained_session.is_busy("classify")


def test_photos_whose_classifying_was_cancelled_while_they_waited_are_not_taken_up_again(
    trained_session: Session, answers: list[str], photos: Path, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.hold.clear()
    trained_session.start_training()
    trained_session.classify([photos])
    trained_session.cancel("classify")
    engine.hold.set()
    qtbot.waitUntil(lambda: trained_session.project.run == "run-002", timeout=10_000)
    assert not trained_session.is_busy("classify")
    assert answers == []


def test_answers_of_the_former_run_that_are_under_way_do_not_arrive(
    trained_session: Session, answers: list[str], photos: Path, qtbot: QtBot
) -> None:
    train_again(trained_session, qtbot)
    trained_session.classify([photos / "red"])
    all_done(trained_session._engine_lane)
    trained_session.use_run("run-001")
    qtbot.waitUntil(lambda: not trained_session.is_busy("classify"), timeout=10_000)
    assert answers == ["run-001"] * 10


def test_measures_of_the_former_run_that_are_under_way_do_not_arrive(trained_session: Session, qtbot: QtBot) -> None:
    train_again(trained_session, qtbot)
    trained_session.evaluate()
    all_done(trained_session._engine_lane)
    with qtbot.waitSignal(trained_session.busy_changed):
        trained_session.use_run("run-001")
    all_done(trained_session._engine_lane)
    qtbot.waitUntil(lambda: not trained_session._engine_lane._waiting)
    assert trained_session.evaluation is None


def test_an_export_that_waits_for_a_training_is_still_made_of_its_own_run(
    trained_session: Session, tmp_path: Path, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.hold.clear()
    trained_session.start_training()
    trained_session.export(["keras"], tmp_path / "out")
    with qtbot.waitSignal(trained_session.exports_ready, timeout=10_000):
        engine.hold.set()
    assert trained_session.project.run == "run-002"


def test_nothing_of_the_former_project_arrives_in_another(
    trained_session: Session, answers: list[str], photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    session = trained_session
    exports: list[object] = []
    session.exports_ready.connect(exports.append)
    session.classify([photos])
    session.export(["keras"], tmp_path / "out")
    all_done(session._engine_lane)
    with qtbot.waitSignals([session.photos_checked, session.backbone_changed], timeout=10_000):
        session.open(replace(session.project, folder=tmp_path / "other", run=""))
    assert (answers, exports) == ([], [])


def test_opening_a_project_writes_nothing(trained_session: Session, tmp_path: Path) -> None:
    trained_session.open(replace(trained_session.project, folder=tmp_path / "other", run=""))
    assert not (tmp_path / "other" / PROJECT_FILE).exists()


def test_a_folder_that_cannot_be_read_leaves_the_check_of_the_former_to_come_to_its_end(
    session: Session, photos: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, checks = threading.Event(), list[Path]()

    def check(photo_set: PhotoSet, progress: Callable[[int, int], None], cancel: CancelToken) -> PhotoSet:
        checks.append(photo_set.root)
        while len(checks) == 1:  # the first one works until it is cancelled
            begun.set()
            cancel.check()
        return photo_check.check_photos(photo_set, progress, cancel)

    monkeypatch.setattr(session_module, "check_photos", check)
    session.choose_photos(photos)
    qtbot.waitUntil(begun.is_set, timeout=10_000)
    with qtbot.waitSignals([session.failed, session.photos_checked], timeout=10_000):
        session.choose_photos(tmp_path / "nowhere")
    assert checks == [photos, photos]
    assert session.photos_are_checked


def test_closing_gives_up_on_work_that_cannot_be_cancelled(
    session: Session, engine: FakeEngine, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let_go, probe = threading.Event(), threading.Event(), engine.probe

    def hang(backbone: str) -> object:
        begun.set()
        let_go.wait()
        return probe(backbone)

    monkeypatch.setattr(engine, "probe", hang)
    session.patience = 0.05
    session.use_backbone("modules/on_a_dead_network")
    assert begun.wait(5)
    assert not session.close()
    let_go.set()
    session.patience = 10
    assert session.close()
