from __future__ import annotations

import math

import pytest
from drawn_curves import EXTRACT, FINE_TUNE, history, run

from hubstudio.core.events import Phase
from hubstudio.gui.learning_curves import curves_of, curves_of_history, smoothed

ROW = {
    "phase": "head",
    "epoch": "2",
    "loss": "0.5",
    "accuracy": "0.75",
    "validation_loss": "0.625",
    "validation_accuracy": "0.5",
    "learning_rate": "0.001",
}


def test_without_weight_nothing_is_smoothed() -> None:
    assert smoothed([3.0, -1.0, 0.5], 0) == [3.0, -1.0, 0.5]


def test_the_first_smoothed_value_is_the_first_measured_one() -> None:
    assert smoothed([4.0, 4.0], 0.9) == pytest.approx([4.0, 4.0])


def test_smoothed_values_are_means_weighted_by_their_age() -> None:
    values, weight = [5.0, 1.0, 4.0, 2.0], 0.6
    shares = [weight**age for age in range(len(values))]
    expected = sum(share * value for share, value in zip(shares, reversed(values), strict=True)) / sum(shares)
    assert smoothed(values, weight)[-1] == pytest.approx(expected)


def test_smoothed_values_stay_within_the_measured_ones() -> None:
    values = [1.0, 9.0, 2.0, 8.0, 3.0]
    assert all(1.0 <= value <= 9.0 for value in smoothed(values, 0.99))


def test_what_is_no_number_stays_and_does_not_count() -> None:
    with_hole = smoothed([1.0, math.nan, math.inf, 3.0], 0.5)
    assert math.isnan(with_hole[1])
    assert with_hole[2] == math.inf
    assert [with_hole[0], with_hole[3]] == pytest.approx(smoothed([1.0, 3.0], 0.5))


def test_a_run_is_read_from_the_rows_of_its_history() -> None:
    read = curves_of_history("first", [ROW], highlighted=True)
    assert (read.name, read.highlighted) == ("first", True)
    assert read.history[0].phase is Phase.HEAD
    assert (read.history[0].epoch, read.history[0].learning_rate) == (2, 0.001)
    assert read.curves.loss.training == (0.5,)
    assert read.curves.accuracy.validation == (0.5,)


def test_a_history_without_learning_rates_is_read_all_the_same() -> None:
    rows = [{name: text for name, text in ROW.items() if name != "learning_rate"}]
    assert curves_of_history("old", rows).history[0].learning_rate is None


@pytest.mark.parametrize("damage", [{"loss": "much"}, {"phase": "lunch"}, {"epoch": ""}, {"learning_rate": "x"}])
def test_rows_that_make_no_sense_are_left_out(damage: dict[str, str]) -> None:
    assert len(curves_of_history("damaged", [ROW, {**ROW, **damage}]).history) == 1


def test_a_finished_run_is_as_wide_as_its_epochs_and_knows_where_the_head_ended() -> None:
    curve = run("fine", 4, 6).curves.loss
    assert (curve.planned, curve.boundary) == (10, 4)
    assert run("head only", 4).curves.loss.boundary == 0


def test_curves_of_a_training_keep_its_history() -> None:
    rows = history(4, 2)
    assert curves_of(rows, FINE_TUNE).history == tuple(rows)
    assert curves_of([], EXTRACT).loss.planned == 30
