from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from fake_engine import FakeEngine, put_into_cache
from filelock import FileLock
from pytestqt.qtbot import QtBot
from test_backbone_shelf import HANDLE
from test_shelf_jobs import TWO_ADDRESSES

from hubstudio.core import module_cache, module_places
from hubstudio.core.backbones import BackboneInfo, Endpoint
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import Report
from hubstudio.gui import shelf_jobs
from hubstudio.gui.session import Session
from hubstudio.gui.shelf import ShelfRow


def is_usable(session: Session, handle: str) -> bool:
    row = session.backbones.shelf.find(handle)
    return row is not None and row.presence.is_usable


def used(session: Session) -> str:
    return session.backbone.handle if session.backbone else ""


@pytest.fixture
def my_net(tmp_path: Path) -> str:
    folder = tmp_path / "my_net"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def with_module(session_with_photos: Session, qtbot: QtBot) -> Session:
    """A session that has a module of the catalogue here beside the bundled one."""
    put_into_cache(HANDLE)
    session_with_photos.backbones.read_shelf()
    qtbot.waitUntil(lambda: is_usable(session_with_photos, HANDLE))
    return session_with_photos


@pytest.mark.parametrize("later", ["row", "download", "trust", "endpoint", "the one in use"])
def test_the_later_choice_counts_though_the_earlier_is_understood_after_it(
    with_module: Session, my_net: str, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, later: str
) -> None:
    session = with_module
    desk, understand, may_go_on = session.backbones, shelf_jobs.understand, threading.Event()

    def slow(text: str) -> ShelfRow:
        may_go_on.wait(10)
        return understand(text)

    monkeypatch.setattr(shelf_jobs, "understand", slow)
    desk.use(my_net)
    choices = {
        "row": lambda: desk.use_row(HANDLE),
        "download": lambda: desk.fetch(HANDLE, to_use=True),
        "trust": lambda: desk.trust_and_use(HANDLE),
        "endpoint": lambda: desk.use_features("block_3"),
        "the one in use": lambda: desk.use_row("studio-mini"),
    }
    choices[later]()
    chosen = "studio-mini" if later in ("endpoint", "the one in use") else HANDLE
    qtbot.waitUntil(lambda: used(session) == chosen and not session.is_busy("probe"))
    with qtbot.waitSignal(desk.shelf_changed):  # behind the earlier choice, in the same lane
        desk.read_shelf()
        may_go_on.set()
    qtbot.waitUntil(lambda: not session.is_busy("probe"))
    assert used(session) == chosen


@pytest.mark.parametrize("way", ["download", "trust", "row"])
def test_the_endpoint_of_the_plan_outlasts_that_its_backbone_was_not_here(
    with_module: Session, engine: FakeEngine, qtbot: QtBot, way: str
) -> None:
    session = with_module
    assert session.plan
    engine.endpoints = (Endpoint("block_3", (7, 7, 64)),)
    session.change_plan(replace(session.plan, backbone=HANDLE, features="block_3"))
    ways = {
        "download": lambda: session.backbones.fetch(HANDLE, to_use=True),
        "trust": lambda: session.backbones.trust_and_use(HANDLE),
        "row": lambda: session.backbones.use_row(HANDLE),
    }
    ways[way]()
    qtbot.waitUntil(lambda: used(session) == HANDLE)
    assert session.plan.features == "block_3"
    assert session.backbone
    assert session.backbone.features_name == "block_3"


def test_removing_a_module_while_it_is_downloaded_stops_the_download_and_removes_what_had_come(
    session_with_photos: Session, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, entry, has_begun = session_with_photos.backbones, module_places.own_entry(HANDLE), threading.Event()
    told: list[object] = []

    def slow(backbone: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        entry.folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(entry.lock):
            entry.archive.write_bytes(b"x" * 1000)
            has_begun.set()
            while not threading.Event().wait(0.1):  # between two looks, as at a slow server
                cancel.check()
        raise AssertionError

    monkeypatch.setattr(engine, "fetch", slow)
    session_with_photos.failed.connect(lambda kind, error: told.append(error))
    desk.noticed.connect(told.append)
    desk.fetch(HANDLE, to_use=True)
    qtbot.waitUntil(has_begun.is_set)
    desk.remove(HANDLE)
    qtbot.waitUntil(lambda: bool(told))
    assert str(told[0]).startswith("MobileNetV2 1.0 was removed.")
    assert not entry.archive.exists()


def test_a_project_whose_backbone_is_here_as_its_kaggle_copy_works_with_that(
    session_with_photos: Session, qtbot: QtBot
) -> None:
    session = session_with_photos
    assert session.plan
    put_into_cache(TWO_ADDRESSES.kaggle_address)
    session.backbones.look_into(TWO_ADDRESSES.handle)
    qtbot.waitUntil(lambda: used(session) == TWO_ADDRESSES.kaggle_address)
    assert module_cache.look_up(session.plan.backbone).is_ready
    with qtbot.waitSignal(session.backbones.shelf_changed):
        session.backbones.read_shelf()
    row = session.backbones.shelf.find(session.plan.backbone)
    assert row
    assert (row.name, row.handle) == (TWO_ADDRESSES.name, used(session))


def test_what_was_refused_is_told_by_its_name_though_a_download_failed_meanwhile(
    session_with_photos: Session, engine: FakeEngine, my_net: str, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, probe, may_go_on = session_with_photos.backbones, engine.probe, threading.Event()

    def slow(backbone: str, features: str = "") -> BackboneInfo:
        may_go_on.wait(10)
        return probe(backbone, features)

    monkeypatch.setattr(engine, "probe", slow)
    engine.unsafe.add(my_net)
    desk.look_into(my_net)
    engine.problem = BackboneError("The server does not answer.")
    with qtbot.waitSignal(desk.failed):
        desk.fetch(my_net, to_use=False)
    with qtbot.waitSignal(desk.failed):
        may_go_on.set()
    assert desk.refused == my_net
