from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import MEASURED, FakeEngine
from pytestqt.qtbot import QtBot
from test_backbone_shelf import HANDLE

from hubstudio.core import speeds
from hubstudio.core.backbones import BackboneInfo, bundled_folder
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import Speed
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import Progress, Report
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.seen_backbones import SeenBackbones
from hubstudio.gui.session import Session
from hubstudio.gui.shelf_jobs import read_shelf


def set_plan(session: Session, **changes: object) -> None:
    assert session.plan
    session.change_plan(replace(session.plan, **changes))  # type: ignore[arg-type]


def test_nothing_is_measured_before_the_photos_are_checked(
    session: Session, engine: FakeEngine, photos: Path, qtbot: QtBot
) -> None:
    assert session.speeds.cost() is None
    session.choose_photos(photos)
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)
    assert [plan.backbone for plan in engine.measured] == ["studio-mini"]


def test_what_was_measured_before_is_not_measured_again(
    session: Session, engine: FakeEngine, photos: Path, qtbot: QtBot
) -> None:
    folder = bundled_folder("studio-mini")
    assert folder
    speeds.keep(folder, "", MEASURED)
    session.choose_photos(photos)
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)
    assert engine.measured == []


def test_a_measurement_gives_way_to_a_training_and_is_made_afterwards(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, begun, may_end = session_with_photos, threading.Event(), threading.Event()
    measure = engine.measure

    def slow(plan: Plan, cancel: CancelToken) -> Speed:
        begun.set()
        while not may_end.wait(0.01):
            cancel.check()
        return measure(plan, cancel)

    monkeypatch.setattr(engine, "measure", slow)
    qtbot.waitUntil(begun.is_set)
    session.start_training()
    qtbot.waitUntil(lambda: bool(session.project.run))
    assert engine.measured == []
    may_end.set()
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)


def test_what_cannot_be_measured_is_tried_once_and_nobody_is_bothered(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, tried = session_with_photos, list[Plan]()

    def failing(plan: Plan, cancel: CancelToken) -> Speed:
        tried.append(plan)
        raise BackboneError("It does not fit into the memory.")

    failures: list[str] = []
    session.failed.connect(lambda kind, error: failures.append(kind))
    monkeypatch.setattr(engine, "measure", failing)
    qtbot.waitUntil(lambda: len(tried) == 1 and not session.is_busy("measure"))
    session.speeds.look_at_plan()
    session.speeds._measure()
    assert not session.is_busy("measure")
    assert len(tried) == 1
    assert failures == []
    assert session.speeds.cost() is None


def test_fine_tuning_is_measured_when_it_is_wanted_and_costs_more(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with_photos
    without_steps = replace(MEASURED, steps=())
    monkeypatch.setattr(engine, "measure", lambda plan, cancel: engine.measured.append(plan) or without_steps)
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)
    frozen = session.speeds.cost()
    monkeypatch.setattr(engine, "measure", lambda plan, cancel: engine.measured.append(plan) or MEASURED)
    set_plan(session, mode=Mode.FINE_TUNE)
    qtbot.waitUntil(lambda: session.speeds.speed == MEASURED)
    moving = session.speeds.cost()
    assert [plan.mode for plan in engine.measured] == [Mode.EXTRACT, Mode.FINE_TUNE]
    assert frozen
    assert moving
    assert moving.seconds > frozen.seconds


def test_a_guess_from_the_other_mode_settles_nothing_and_what_cannot_be_measured_is_settled(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with_photos
    assert session.plan
    extract, fine_tune = session.plan, session.plan.with_mode(Mode.FINE_TUNE)
    monkeypatch.setattr(engine, "measure", lambda *_: replace(MEASURED, steps=()))
    qtbot.waitUntil(lambda: session.speeds.is_settled(extract))
    assert session.speeds.cost(fine_tune)
    assert not session.speeds.is_settled(fine_tune)
    session.change_plan(fine_tune)
    qtbot.waitUntil(lambda: session.speeds.is_settled(fine_tune))


def test_what_another_program_has_measured_meanwhile_is_not_measured_again(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, folder = session_with_photos, bundled_folder("studio-mini")
    monkeypatch.setattr(engine, "measure", lambda *_: replace(MEASURED, steps=()))
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)
    assert folder
    speeds.keep(folder, "", MEASURED)
    set_plan(session, mode=Mode.FINE_TUNE)
    qtbot.waitUntil(lambda: session.speeds.speed == MEASURED)


def test_a_mode_that_is_chosen_while_the_other_is_measured_is_measured_too(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, has_begun, may_end, modes = session_with_photos, threading.Event(), threading.Event(), list[Mode]()

    def slow(plan: Plan, cancel: CancelToken) -> Speed:
        modes.append(plan.mode)
        has_begun.set()
        while not may_end.wait(0.01):
            cancel.check()
        return MEASURED if plan.mode is Mode.FINE_TUNE else replace(MEASURED, steps=())

    monkeypatch.setattr(engine, "measure", slow)
    qtbot.waitUntil(has_begun.is_set)
    set_plan(session, mode=Mode.FINE_TUNE)
    may_end.set()
    qtbot.waitUntil(lambda: session.speeds.speed == MEASURED)
    assert modes == [Mode.EXTRACT, Mode.FINE_TUNE]


def test_a_mode_that_is_chosen_while_measuring_the_other_fails_is_measured_all_the_same(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, has_begun, may_end = session_with_photos, threading.Event(), threading.Event()

    def failing_first(plan: Plan, cancel: CancelToken) -> Speed:
        has_begun.set()
        while not may_end.wait(0.01):
            cancel.check()
        if plan.mode is Mode.EXTRACT:
            raise BackboneError("It does not fit into the memory.")
        return MEASURED

    monkeypatch.setattr(engine, "measure", failing_first)
    qtbot.waitUntil(has_begun.is_set)
    set_plan(session, mode=Mode.FINE_TUNE)
    may_end.set()
    qtbot.waitUntil(lambda: session.speeds.speed == MEASURED)


def test_nothing_is_measured_beside_the_check_of_a_download(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, has_begun, may_end, is_checked = session_with_photos, *(threading.Event() for _ in range(3))
    measure, fetch = engine.measure, engine.fetch

    def slow(plan: Plan, cancel: CancelToken) -> Speed:
        has_begun.set()
        while not may_end.wait(0.01):
            cancel.check()
        return measure(plan, cancel)

    def with_slow_check(backbone: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        report(Progress(0, 1, "checks"))
        while not is_checked.wait(0.01):
            cancel.check()
        return fetch(backbone, report, cancel)

    monkeypatch.setattr(engine, "measure", slow)
    monkeypatch.setattr(engine, "fetch", with_slow_check)
    qtbot.waitUntil(has_begun.is_set)
    session.backbones.fetch(HANDLE, to_use=False)
    qtbot.waitUntil(lambda: session.backbones.downloads.is_checking)
    assert not session.is_busy("measure")
    session.speeds._measure()
    assert not session.is_busy("measure")
    may_end.set()
    is_checked.set()
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)


def test_another_image_size_is_another_speed(session_with_photos: Session, engine: FakeEngine, qtbot: QtBot) -> None:
    session = session_with_photos
    qtbot.waitUntil(lambda: session.speeds.cost() is not None)
    set_plan(session, image_size=320)
    assert session.speeds.cost() is None
    qtbot.waitUntil(lambda: len(engine.measured) == 2)
    assert engine.measured[1].image_size == 320


def test_a_backbone_that_was_seen_before_has_its_speed_at_the_next_start(engine: FakeEngine) -> None:
    info = replace(engine.probe("studio-mini"), features=96)
    SeenBackbones().keep(info)
    speeds.keep(info.folder, "", MEASURED)
    row = read_shelf([]).find("studio-mini")
    assert row
    assert (row.info, row.speed) == (info, MEASURED)


@pytest.mark.parametrize("content", ["", "[]", '{"studio-mini": {"stamp": [], "info": {}}}', '{"studio-mini": 3}'])
def test_a_damaged_note_of_what_was_seen_counts_as_none(home: Path, content: str) -> None:
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "seen_backbones.json").write_text(content)
    assert SeenBackbones().find("studio-mini") is None


def test_a_module_that_was_exchanged_counts_as_never_seen(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"one")
    info = replace(engine.probe(str(tmp_path)), folder=tmp_path)
    SeenBackbones().keep(info)
    assert SeenBackbones().find(info.handle) == info
    (tmp_path / "saved_model.pb").write_bytes(b"another")
    assert SeenBackbones().find(info.handle) is None
