"""Edits of the photos that come while others are being checked or divided: each of them counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from photo_folders import make_photos
from pytestqt.qtbot import QtBot

from hubstudio.core import photo_check
from hubstudio.core.cancel import CancelToken
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.gui import photo_jobs
from hubstudio.gui.session import Session


class CheckOfEdits:
    """Checks at once at first; from ``hold`` on, works until it may end or is cancelled."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def hold(self) -> None:
        """Let the next checks take their time."""
        self.begun.clear()
        self.may_end.clear()

    def __call__(self, photo_set: PhotoSet, progress: photo_check.Progress, cancel: CancelToken) -> PhotoSet:
        self.begun.set()
        while not self.may_end.wait(0.01):
            cancel.check()
        return photo_check.check_photos(photo_set, progress, cancel)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Iterator[CheckOfEdits]:
    check = CheckOfEdits()
    monkeypatch.setattr(photo_jobs, "check_photos", check)
    yield check
    check.may_end.set()


def all_read(session: Session, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not any(session.is_busy(kind) for kind in ("scan", "check", "split")))


def leave_out_eight(session: Session, photos: Path) -> None:
    session.leave_out([photos / "red" / f"red {number}.jpg" for number in range(1, 9)])


def assert_22_photos_are_divided(session: Session) -> None:
    assert session.photo_set is not None
    assert len(session.photo_set.photos) == 22
    counts = session.part_counts
    assert sum(counts[part] for part in ("train", "validation", "test")) == 22
    assert session.photos_are_checked
    assert session.split_is_current


@pytest.mark.parametrize("folder", ["nowhere", "shapes/red"])
def test_a_folder_that_adds_nothing_while_an_edit_is_checked_leaves_that_check_to_its_end(
    session_with_photos: Session, photos: Path, qtbot: QtBot, check: CheckOfEdits, folder: str
) -> None:
    session = session_with_photos
    check.hold()
    leave_out_eight(session, photos)
    qtbot.waitUntil(check.begun.is_set)
    with qtbot.waitSignal(session.failed):
        session.add_photos(photos.parent / folder)
    check.may_end.set()
    all_read(session, qtbot)
    assert_22_photos_are_divided(session)


@pytest.mark.parametrize("folder", ["nowhere", "shapes/red"])
def test_a_folder_that_adds_nothing_while_an_edit_is_listed_leaves_the_edit(
    session_with_photos: Session, photos: Path, qtbot: QtBot, folder: str
) -> None:
    session = session_with_photos
    leave_out_eight(session, photos)
    with qtbot.waitSignal(session.failed):
        session.add_photos(photos.parent / folder)
    all_read(session, qtbot)
    assert_22_photos_are_divided(session)


def exported(session: Session, file: Path, qtbot: QtBot) -> Path:
    with qtbot.waitSignal(session.split_exported):
        session.export_split(file)
    return file


def test_a_split_is_used_while_an_edit_is_checked_also_if_the_check_stands_still(
    session_with_photos: Session, photos: Path, tmp_path: Path, qtbot: QtBot, check: CheckOfEdits
) -> None:
    session = session_with_photos
    file = exported(session, tmp_path / "split.csv", qtbot)
    check.hold()
    leave_out_eight(session, photos)
    qtbot.waitUntil(check.begun.is_set)
    session.pause_check()
    with qtbot.waitSignal(session.split_changed):
        session.use_split(file)
    assert session.photo_set is not None
    assert len(session.photo_set.photos) == 22
    assert session.plan is not None
    assert session.plan.split_file == str(file)
    with qtbot.waitSignal(session.failed) as failed:
        session.export_split(tmp_path / "of_former_photos.csv")
    assert failed.args is not None
    assert failed.args[0] == "export split"
    session.resume_check()
    check.may_end.set()
    all_read(session, qtbot)
    assert_22_photos_are_divided(session)


def hold_dividing(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let no dividing come to its end before the event that is returned."""
    may_end, divide_again = threading.Event(), photo_jobs.divide_again

    def slow(base: PhotoSet, plan: Plan, cancel: CancelToken) -> photo_jobs.Division:
        assert may_end.wait(20)
        return divide_again(base, plan, cancel)

    monkeypatch.setattr(photo_jobs, "divide_again", slow)
    return may_end


def test_a_split_that_is_looked_into_while_a_check_ends_is_used(
    session_with_photos: Session, photos: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_with_photos
    file = exported(session, tmp_path / "split.csv", qtbot)
    may_end = hold_dividing(monkeypatch)
    session.use_split(file)
    with qtbot.waitSignal(session.photos_checked, timeout=10_000):
        leave_out_eight(session, photos)
    may_end.set()
    all_read(session, qtbot)
    assert session.plan is not None
    assert session.plan.split_file == str(file)
    assert_22_photos_are_divided(session)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_after_a_crash_or_cancel_of_the_dividing_it_goes_on(
    session_with_photos: Session, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, is_cancelled: bool
) -> None:
    session = session_with_photos
    file = exported(session, tmp_path / "split.csv", qtbot)
    begun = threading.Event()

    def fail(base: PhotoSet, plan: Plan, cancel: CancelToken) -> photo_jobs.Division:
        begun.set()
        while is_cancelled:
            cancel.check()
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(photo_jobs, "divide_again", fail)
        session.use_split(file)
        qtbot.waitUntil(begun.is_set)
        session.cancel("split")
        qtbot.waitUntil(lambda: not session.is_busy("split"))
    assert session.plan is not None
    before = session.split
    with qtbot.waitSignal(session.split_changed):
        session.change_plan(replace(session.plan, seed=99))
    assert session.split != before


def test_a_split_for_photos_that_are_no_longer_those_says_so(
    session_with_photos: Session, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, check: CheckOfEdits
) -> None:
    session = session_with_photos
    file = exported(session, tmp_path / "split.csv", qtbot)
    may_end = hold_dividing(monkeypatch)
    check.hold()
    session.use_split(file)
    with qtbot.waitSignal(session.photos_changed):
        session.choose_photos(make_photos(tmp_path / "other", {"up": 4, "down": 4}))
    with qtbot.waitSignal(session.failed) as failed:
        may_end.set()
    assert failed.args is not None
    assert failed.args[0] == "split"
    check.may_end.set()
    all_read(session, qtbot)
    assert session.plan is not None
    assert session.plan.split_file == ""
