from collections.abc import Callable
from threading import Event, Thread

import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled, Suspended


def test_a_fresh_token_asks_for_nothing() -> None:
    token = CancelToken()
    token.check()
    assert not token.is_cancelled
    assert not token.is_stopping


def test_a_cancelled_token_raises() -> None:
    token = CancelToken()
    token.cancel()
    assert token.is_cancelled
    with pytest.raises(Cancelled):
        token.check()


def test_to_stop_is_not_to_cancel() -> None:
    token = CancelToken()
    token.stop()
    token.check()
    assert token.is_stopping
    assert not token.is_cancelled


class Worker(Thread):
    """Looks at the token once, in a thread of its own."""

    def __init__(self, token: CancelToken) -> None:
        super().__init__()
        self.has_begun, self.was_cancelled = Event(), False
        self._token = token

    def run(self) -> None:
        self.has_begun.set()
        try:
            self._token.check()
        except Cancelled:
            self.was_cancelled = True

    def waits(self) -> bool:
        self.has_begun.wait(5)
        self.join(0.05)
        return self.is_alive()


def test_a_paused_job_stands_still_until_it_may_go_on() -> None:
    token = CancelToken()
    token.pause()
    worker = Worker(token)
    worker.start()
    stood_still = worker.waits()
    token.resume()
    worker.join(5)
    assert stood_still
    assert not worker.is_alive()
    assert not token.is_paused


@pytest.mark.parametrize(("end", "raises"), [(CancelToken.cancel, True), (CancelToken.stop, False)])
def test_a_paused_job_can_be_ended(end: Callable[[CancelToken], None], raises: bool) -> None:
    token = CancelToken()
    token.pause()
    worker = Worker(token)
    worker.start()
    assert worker.waits()
    end(token)
    worker.join(5)
    assert not worker.is_alive()
    assert worker.was_cancelled is raises


@pytest.mark.parametrize("end", [CancelToken.cancel, CancelToken.stop])
def test_a_job_that_was_asked_to_end_cannot_be_paused(end: Callable[[CancelToken], None]) -> None:
    token = CancelToken()
    end(token)
    token.pause()
    assert not token.is_paused


def test_to_stop_before_there_are_results_is_to_cancel() -> None:
    token = CancelToken()
    token.check_before_results()
    token.stop()
    with pytest.raises(Cancelled):
        token.check_before_results()


def test_laying_aside_is_cancelling_that_can_be_told_apart() -> None:
    token = CancelToken()
    token.suspend()
    assert token.is_cancelled
    with pytest.raises(Suspended):
        token.check()


def test_the_time_that_a_job_stood_still_is_counted() -> None:
    token = CancelToken()
    token.pause()
    worker = Worker(token)
    worker.start()
    worker.has_begun.wait(5)
    token.resume()
    worker.join(5)
    token.check()
    assert 0 < token.paused_seconds < 5
