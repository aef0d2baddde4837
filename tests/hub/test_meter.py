"""What is told of a download is true, and told neither too often nor too seldom."""

from __future__ import annotations

import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.core.events import BytesFetched, Event, Progress
from hubstudio.hub.meter import Meter, UnpackingMeter


class Clock:
    """Time that passes when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def told(pieces: list[tuple[float, int]], total: int | None, begun: int = 0) -> list[BytesFetched]:
    """Return what is told when pieces come, each so many seconds after the one before."""
    events: list[Event] = []
    clock = Clock()
    meter = Meter("m", events.append, clock)
    meter.begin(begun, total)
    for seconds, count in pieces:
        clock.now += seconds
        meter.advance(count)
    return [event for event in events if isinstance(event, BytesFetched)]


def test_a_steady_download_has_its_speed_and_the_time_that_is_left() -> None:
    last = told([(0.5, 1_000)] * 8, 10_000)[-1]
    assert (last.done, last.bytes_per_second, last.seconds_left) == (8_000, pytest.approx(2_000), pytest.approx(1))


def test_what_was_here_before_does_not_count_as_speed() -> None:
    last = told([(1, 1_000)], 11_000, begun=9_000)[-1]
    assert (last.done, last.bytes_per_second, last.seconds_left) == (10_000, pytest.approx(1_000), pytest.approx(1))


def test_it_is_told_ten_times_a_second_at_most() -> None:
    assert len(told([(0.001, 10)] * 1_000, 10_000)) <= 11


def test_a_speed_that_changed_shows_within_some_seconds() -> None:
    events = told([(0.5, 10_000)] * 20 + [(0.5, 100)] * 14, None)
    assert events[-1].bytes_per_second == pytest.approx(200)
    assert 200 < events[22].bytes_per_second < 20_000
    assert events[-1].seconds_left is None


def test_unpacking_is_told_at_once_then_now_and_then_and_can_be_cancelled() -> None:
    events: list[Event] = []
    clock, cancel = Clock(), CancelToken()
    meter = UnpackingMeter(events.append, cancel, clock)
    for done in range(0, 10_000, 100):
        clock.now += 0.01
        meter(done, 10_000)
    assert events[0] == Progress(0, 10, "kB unpacked")
    assert 5 <= len(events) <= 11
    cancel.cancel()
    with pytest.raises(Cancelled):
        meter(10_000, 10_000)
