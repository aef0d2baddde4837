from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from photo_folders import make_photos
from pytestqt.qtbot import QtBot

from hubstudio.core import photo_check
from hubstudio.core import project as core_project
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Prediction
from hubstudio.core.events import Report
from hubstudio.core.photos import PhotoSet
from hubstudio.core.project import PROJECT_FILE, open_project
from hubstudio.core.run_state import Status
from hubstudio.gui import photo_jobs
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

    def check(photo_set: PhotoSet, progress: photo_check.Progress, cancel: CancelToken) -> PhotoSet:
        checks.append(photo_set.root)
        while len(checks) == 1:  # the first one works until it is cancelled
            begun.set()
            cancel.check()
        return photo_check.check_photos(photo_set, progress, cancel)

    monkeypatch.setattr(photo_jobs, "check_photos", check)
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

    def hang(backbone: str, features: str = "") -> object:
        begun.set()
        let_go.wait()
        return probe(backbone)

    monkeypatch.setattr(engine, "probe", hang)
    session.patience = 0.05
    session.backbones.look_into("modules/on_a_dead_network")
    assert begun.wait(5)
    assert not session.close()
    let_go.set()
    session.patience = 10
    assert session.close()


def read_again(session: Session, qtbot: QtBot, change: Callable[[], None]) -> None:
    with qtbot.waitSignal(session.photos_checked, timeout=10_000):
        change()


def test_leaving_out_is_remembered_in_the_project_and_leaves_the_files(
    session_with_photos: Session, photos: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    gone = photos / "red" / "red 1.jpg"
    read_again(session, qtbot, lambda: session.leave_out([gone]))
    assert gone.exists()
    saved = open_project(session.project.folder)
    assert saved.plan is not None
    assert saved.plan.left_out == ("red/red 1.jpg",)
    assert session.photo_set is not None
    assert [photo.path for photo in session.photo_set.left_out] == [gone]
    read_again(session, qtbot, lambda: session.open(saved))
    assert len(session.photo_set.photos) == 29


def test_an_edit_is_shown_at_once_with_what_was_known_before(
    session_with_photos: Session, photos: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    shown: list[PhotoSet] = []
    session.photos_changed.connect(shown.append)
    read_again(session, qtbot, lambda: session.leave_out([photos / "red" / "red 1.jpg"]))
    assert [(len(found.photos), found.is_checked) for found in shown] == [(29, True), (29, True)]


def test_edits_are_undone_and_made_again_with_their_names(
    session_with_photos: Session, photos: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    read_again(session, qtbot, lambda: session.leave_out([photos / "red" / "red 1.jpg"]))
    read_again(session, qtbot, lambda: session.rename_class("red", "scarlet"))
    assert session.edit_to_undo == "Rename 'red' to 'scarlet'"
    read_again(session, qtbot, session.undo)
    assert session.photo_set is not None
    assert session.photo_set.classes == ("blue", "green", "red")
    assert (session.edit_to_undo, session.edit_to_redo) == ("Leave out 'red 1.jpg'", "Rename 'red' to 'scarlet'")
    read_again(session, qtbot, session.redo)
    assert session.photo_set.classes == ("blue", "green", "scarlet")


def test_several_edits_at_once_all_count(session_with_photos: Session, photos: Path, qtbot: QtBot) -> None:
    session = session_with_photos
    for number in range(1, 5):
        session.leave_out([photos / "red" / f"red {number}.jpg"])
    session.rename_class("blue", "green")
    qtbot.waitUntil(lambda: not (session.is_busy("scan") or session.is_busy("check")), timeout=10_000)
    assert session.photo_set is not None
    assert session.photo_set.counts == {"green": 20, "red": 6}


def test_an_edit_while_a_folder_is_added_counts_with_it(
    session_with_photos: Session, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    session.add_photos(make_photos(tmp_path / "other", {"up": 4, "down": 4}))
    session.leave_out([photos / "red" / "red 1.jpg"])
    qtbot.waitUntil(lambda: not (session.is_busy("scan") or session.is_busy("check")), timeout=10_000)
    assert session.photo_set is not None
    assert session.photo_set.counts == {"blue": 10, "down": 4, "green": 10, "red": 9, "up": 4}


def test_choosing_other_photos_can_be_undone(
    session_with_photos: Session, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    other = make_photos(tmp_path / "other", {"up": 4, "down": 4})
    read_again(session, qtbot, lambda: session.choose_photos([other]))
    assert session.edit_to_undo == "Use 'other'"
    read_again(session, qtbot, session.undo)
    assert session.photo_set is not None
    assert session.photo_set.root == photos


def test_the_first_photos_of_a_project_are_nothing_to_undo(session_with_photos: Session) -> None:
    assert session_with_photos.edit_to_undo == ""


def test_a_folder_without_photos_leaves_the_former_ones(
    session_with_photos: Session, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    (tmp_path / "empty").mkdir()
    for choose in (session.choose_photos, session.add_photos):
        with qtbot.waitSignal(session.failed, timeout=10_000):
            choose(tmp_path / "empty")
        assert session.plan is not None
        assert (session.plan.photos, session.plan.more_photos) == (str(photos), ())
        assert session.photos_are_checked


def test_a_damaged_split_file_leaves_the_split_as_it_is(
    session_with_photos: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    before = session.split
    (tmp_path / "split.csv").write_bytes(b"\0\0")
    with qtbot.waitSignal(session.failed, timeout=10_000) as failed:
        session.use_split(tmp_path / "split.csv")
    assert failed.args is not None
    assert failed.args[0] == "split"
    assert session.split is before
    assert session.plan is not None
    assert session.plan.split_file == ""


def test_a_split_file_that_is_gone_is_a_problem_that_can_be_mended(
    session_with_photos: Session, tmp_path: Path, qtbot: QtBot
) -> None:
    session = session_with_photos
    file = tmp_path / "split.csv"
    with qtbot.waitSignal(session.split_exported, timeout=10_000):
        session.export_split(file)
    with qtbot.waitSignal(session.split_changed, timeout=10_000):
        session.use_split(file)
    file.unlink()
    read_again(session, qtbot, session.check_again)
    assert session.photo_set is not None
    assert session.photo_set.problems[0].blocks_training
    assert "split.csv" in session.photo_set.problems[0].message
    with qtbot.waitSignal(session.split_changed, timeout=10_000):
        session.forget_split()
    assert not any(problem.blocks_training for problem in session.photo_set.problems)


def test_a_split_that_cannot_be_written_is_told(session_with_photos: Session, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session_with_photos.failed, timeout=10_000) as failed:
        session_with_photos.export_split(tmp_path / "nowhere" / "\0.csv")
    assert failed.args is not None
    assert failed.args[0] == "export split"


def test_another_seed_divides_the_photos_anew_without_reading_them(
    session_with_photos: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with_photos
    monkeypatch.setattr(photo_jobs, "check_photos", None)
    before = session.split
    assert session.plan is not None
    with qtbot.waitSignal(session.split_changed, timeout=10_000):
        session.change_plan(replace(session.plan, seed=99))
    assert session.split != before
    assert not session.is_busy("split")


def test_a_project_of_an_earlier_version_opens(photos: Path, tmp_path: Path, session: Session, qtbot: QtBot) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / PROJECT_FILE).write_text(
        f'project_version = 1\nstep = "photos"\nrun = ""\n[plan]\nphotos = "{photos}"\nseed = 3\n'
    )
    read_again(session, qtbot, lambda: session.open(open_project(folder)))
    assert session.photo_set is not None
    assert len(session.photo_set.photos) == 30


def test_a_class_renamed_twice_and_back_leaves_no_finding(session_with_photos: Session, qtbot: QtBot) -> None:
    session = session_with_photos
    for old, new in (("red", "scarlet"), ("scarlet", "ruby"), ("ruby", "red")):
        read_again(session, qtbot, lambda old=old, new=new: session.rename_class(old, new))
        assert session.photo_set is not None
        assert [problem for problem in session.photo_set.problems if problem.kind == "unknown_class"] == []
    assert session.plan is not None
    assert session.plan.renamed == ()


def test_a_step_of_a_project_with_very_many_photos_left_out_is_saved_without_reading_it(
    session_with_photos: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with_photos
    monkeypatch.setattr(core_project, "_read", None)
    session.go_to("train")
    monkeypatch.undo()
    assert open_project(session.project.folder).step == "train"


def test_large_listings_are_frozen_once_for_each_job(
    session_with_photos: Session, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, frozen = session_with_photos, list[None]()
    monkeypatch.setattr(photo_jobs, "_MANY", 5)
    monkeypatch.setattr(photo_jobs.gc, "freeze", lambda: frozen.append(None))
    read_again(session, qtbot, lambda: session.leave_out([photos / "red" / "red 1.jpg"]))
    assert len(frozen) == 2  # listed, checked


def test_a_class_whose_folder_went_after_the_check_stops_the_training_and_is_named(
    session: Session, photos: Path, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(session.photos_checked):
        session.choose_photos(photos)
    assert session.photo_set is not None
    gone = session.photo_set.classes[0]
    shutil.rmtree(photos / gone)
    with qtbot.waitSignal(session.failed, check_params_cb=lambda kind, _: kind == "train") as failed:
        session.start_training()
    assert f"'{gone}' has no photo any more" in str(failed.args[1])
    assert session.run_state.status is Status.FAILED
    assert not session.project.runs()
