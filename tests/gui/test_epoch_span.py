from __future__ import annotations

import pytest

from hubstudio.gui.epoch_span import EpochSpan

WHOLE = EpochSpan.whole(30)


def test_the_whole_span_has_room_beside_the_first_and_the_last_epoch() -> None:
    assert (WHOLE.low, WHOLE.high) == (0.5, 30.5)
    assert (WHOLE.first, WHOLE.last) == (1, 30)
    assert EpochSpan.whole(0) == EpochSpan.whole(1)


@pytest.mark.parametrize("centre", [0.5, 10.0, 30.5])
def test_zooming_leaves_its_centre_where_it_is(centre: float) -> None:
    zoomed = WHOLE.zoomed(0.5, centre)
    assert zoomed.width == pytest.approx(15)
    assert (centre - zoomed.low) / zoomed.width == pytest.approx((centre - WHOLE.low) / WHOLE.width)


def test_a_span_never_leaves_the_whole() -> None:
    assert EpochSpan(-5, 5).within(WHOLE) == EpochSpan(0.5, 10.5)
    assert EpochSpan(26, 36).within(WHOLE) == EpochSpan(20.5, 30.5)
    assert EpochSpan(-50, 80).within(WHOLE) == WHOLE


def test_a_span_holds_a_few_epochs_at_least() -> None:
    assert EpochSpan(10, 10.2).within(WHOLE).width == pytest.approx(3)
    assert EpochSpan(1, 1.2).within(EpochSpan.whole(2)) == EpochSpan.whole(2)


@pytest.mark.parametrize(("epoch", "expected"), [(15, (9.5, 19.5)), (25, (15.5, 25.5)), (4, (3.5, 13.5))])
def test_a_span_moves_no_farther_than_an_epoch_asks_for(epoch: int, expected: tuple[float, float]) -> None:
    moved = EpochSpan(9.5, 19.5).around(epoch)
    assert (moved.low, moved.high) == expected
