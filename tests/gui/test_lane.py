from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import StudioError
from hubstudio.core.events import BytesFetched, Event, Progress, Report
from hubstudio.gui.lane import Job, Lane


@pytest.fixture
def lane(qtbot: QtBot) -> Iterator[Lane]:
    del qtbot
    lane = Lane("test lane")
    yield lane
    assert lane.close(10)


def wait_for_cancel(report: Report, cancel: CancelToken) -> None:
    while True:
        cancel.check()


def fail(report: Report, cancel: CancelToken) -> None:
    raise StudioError("It cannot be.")


def crash(report: Report, cancel: CancelToken) -> None:
    raise ZeroDivisionError


def test_a_job_runs_in_another_thread_and_its_result_arrives_in_this_one(lane: Lane, qtbot: QtBot) -> None:
    with qtbot.waitSignal(lane.job_finished, timeout=5000) as told:
        job = lane.submit(Job("sum", lambda report, cancel: threading.get_ident()))
    assert told.args is not None
    assert told.args[0] is job
    assert told.args[1] != threading.get_ident()


def test_jobs_are_done_in_the_order_they_were_given(lane: Lane, qtbot: QtBot) -> None:
    done: list[str] = []
    lane.job_finished.connect(lambda job, result: done.append(job.kind))
    for kind in "abc":
        lane.submit(Job(kind, lambda report, cancel: None))
    qtbot.waitUntil(lambda: done == ["a", "b", "c"])


def test_a_problem_for_the_person_is_told_as_failed(lane: Lane, qtbot: QtBot) -> None:
    with qtbot.waitSignal(lane.job_failed, timeout=5000) as told:
        lane.submit(Job("fail", fail))
    assert told.args is not None
    assert str(told.args[1]) == "It cannot be."


def test_an_error_nobody_foresaw_is_told_with_its_traceback_and_the_lane_goes_on(lane: Lane, qtbot: QtBot) -> None:
    with qtbot.waitSignal(lane.job_crashed, timeout=5000) as told:
        lane.submit(Job("crash", crash))
    assert told.args is not None
    assert "ZeroDivisionError" in told.args[1]
    with qtbot.waitSignal(lane.job_finished, timeout=5000):
        lane.submit(Job("next", lambda report, cancel: None))


def test_a_cancelled_job_is_neither_finished_nor_failed(lane: Lane, qtbot: QtBot) -> None:
    others: list[str] = []
    lane.job_finished.connect(lambda *_: others.append("finished"))
    lane.job_failed.connect(lambda *_: others.append("failed"))
    job = lane.submit(Job("wait", wait_for_cancel))
    with qtbot.waitSignal(lane.job_cancelled, timeout=5000):
        job.cancel.cancel()
    assert others == []


def test_closing_cancels_what_runs_and_what_waits_and_ends_the_thread(lane: Lane, qtbot: QtBot) -> None:
    cancelled: list[str] = []
    lane.job_cancelled.connect(lambda job: cancelled.append(job.kind))
    for kind in ("runs", "waits"):
        lane.submit(Job(kind, wait_for_cancel))
    assert lane.close(10)
    assert not lane.isRunning()
    qtbot.waitUntil(lambda: cancelled == ["runs", "waits"])


def test_closing_does_not_wait_for_ever_for_a_job_that_cannot_be_cancelled(lane: Lane) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def hang(report: Report, cancel: CancelToken) -> None:
        begun.set()
        let_go.wait()

    lane.submit(Job("hang", hang))
    assert begun.wait(5)
    assert not lane.close(0.05)
    let_go.set()
    assert lane.close(10)


def test_a_flood_of_progress_is_thinned_but_the_last_of_it_arrives(lane: Lane, qtbot: QtBot) -> None:
    def flood(report: Report, cancel: CancelToken) -> None:
        for done in range(1, 5001):
            report(Progress(done, 5000))

    seen: list[Progress] = []
    lane.event_reported.connect(lambda job, event: seen.append(event))
    with qtbot.waitSignal(lane.job_finished, timeout=20_000):
        lane.submit(Job("flood", flood))
    assert seen[-1] == Progress(5000, 5000)
    assert len(seen) < 500


def test_the_beginning_of_another_stage_is_told_however_soon_it_comes(lane: Lane, qtbot: QtBot) -> None:
    stages = [BytesFetched("module", 1, 9, 1.0, None), Progress(0, 9, "checks")]

    def both(report: Report, cancel: CancelToken) -> None:
        for stage in stages:
            report(stage)

    seen: list[Event] = []
    lane.event_reported.connect(lambda job, event: seen.append(event))
    with qtbot.waitSignal(lane.job_finished):
        lane.submit(Job("both", both))
    assert seen == stages
