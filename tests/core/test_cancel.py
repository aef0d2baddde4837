import pytest

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled


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
