from __future__ import annotations

import math
from dataclasses import replace

import pytest
from drawn_curves import EXTRACT, FINE_TUNE, history, run

from hubstudio.gui.chart_contents import (
    ACCURACY,
    LOSS,
    ChartContents,
    Series,
    description,
    smoothed_curve,
    table_of,
    value_range,
)
from hubstudio.gui.chart_reading import Reading, reading_at
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.learning_curves import curves_of


def overlay(smoothing: float = 0.0) -> ChartContents:
    own = curves_of(history(3), EXTRACT).loss
    fine, short = run("fine", 2, 4, scale=2).curves.loss, run("short", 1, scale=3).curves.loss
    return ChartContents(own, (Series("fine", fine, 1), Series("short", short, 2)), smoothing, is_overlay=True)


def read(contents: ChartContents, place: int) -> Reading:
    lines = tuple(smoothed_curve(series.curve, contents.smoothing) for series in contents.series)
    return reading_at(LOSS, contents, lines, place)


def test_one_run_is_read_as_training_and_validation() -> None:
    reading = read(ChartContents(curves_of(history(3), EXTRACT).loss), 2)
    assert [(row.name, row.cells) for row in reading.rows] == [("training", ("0.500",)), ("validation", ("0.750",))]
    assert reading.sentence == "Loss, epoch 2: training 0.500, validation 0.750"


@pytest.mark.parametrize(("place", "title"), [(4, "head, epoch 4"), (5, "fine-tuning, epoch 1")])
def test_a_fine_tuning_says_which_phase_is_read(place: int, title: str) -> None:
    assert read(ChartContents(curves_of(history(4, 2), FINE_TUNE).loss), place).title == title


def test_a_smoothed_line_is_read_with_what_was_measured() -> None:
    reading = read(ChartContents(curves_of(history(2), EXTRACT).loss, smoothing=0.5), 2)
    assert reading.columns == ("measured", "smoothed")
    assert reading.rows[0].cells == ("0.500", "0.667")
    assert reading.sentence.endswith("training 0.500, validation 0.750; smoothed 0.667 and 1.000")
    assert [dot.value for dot in reading.dots] == pytest.approx([2 / 3, 1.0])


def test_several_runs_are_read_side_by_side_with_the_phase_each_is_in() -> None:
    reading = read(overlay(), 3)
    assert reading.columns == ("phase", "training", "validation")
    assert [(row.name, row.look, row.cells) for row in reading.rows] == [
        ("This run", 0, ("–", "0.333", "0.500")),
        ("fine", 1, ("fine-tune 1", "0.667", "1.000")),
        ("short", 2, ("–", "–", "–")),
    ]
    assert reading.sentence == (
        "Loss, epoch 3: This run, training 0.333, validation 0.500; "
        "fine (fine-tune 1), training 0.667, validation 1.000"
    )


def test_several_smoothed_runs_have_the_smoothed_value_in_brackets() -> None:
    reading = read(overlay(0.5), 2)
    assert reading.rows[0].cells[1:] == ("0.500 (0.667)", "0.750 (1.000)")
    assert reading.note == "in brackets: smoothed"


def test_what_is_no_number_is_read_as_a_dash_and_has_no_dot() -> None:
    curve = curves_of([replace(row, loss=math.nan) for row in history(2)], EXTRACT).loss
    reading = read(ChartContents(curve), 2)
    assert reading.rows[0].cells == ("–",)
    assert [dot.is_validation for dot in reading.dots] == [True]


def test_accuracy_is_told_in_percent() -> None:
    header, rows = table_of(ACCURACY, ChartContents(curves_of(history(1), EXTRACT).accuracy))
    assert header == ("Epoch", "Training", "Validation")
    assert rows == [("1", "50.0 %", "40.0 %")]


def test_the_table_names_the_epochs_of_the_head() -> None:
    _, rows = table_of(LOSS, ChartContents(curves_of(history(2, 1), FINE_TUNE).loss))
    assert [row[0] for row in rows] == ["Head 1", "Head 2", "1"]


def test_the_table_of_several_runs_ends_with_the_one_that_grows_and_holds_what_was_measured() -> None:
    header, rows = table_of(LOSS, overlay(0.9))
    assert header == ("Run", "Epoch", "Training", "Validation")
    assert [row[0] for row in rows] == ["fine"] * 6 + ["short"] + ["This run"] * 3
    assert rows[-1] == ("This run", "3", "0.333", "0.500")


def test_several_runs_are_described_by_their_last_epochs() -> None:
    assert description(LOSS, overlay()) == (
        "Loss of 3 runs: This run, training 0.333, validation 0.500 at epoch 3; "
        "fine, training 0.333, validation 0.500 at epoch 4 of the fine-tuning; "
        "short, training 3.000, validation 4.500 at epoch 1"
    )


def test_a_hidden_own_run_is_not_drawn_unless_it_is_alone() -> None:
    hidden = replace(overlay(), own_is_hidden=True)
    assert [series.name for series in hidden.series] == ["fine", "short"]
    assert [series.name for series in ChartContents(hidden.own, own_is_hidden=True).series] == ["This run"]


def test_the_chart_is_as_wide_as_the_longest_run() -> None:
    long = Series("long", run("long", 50).curves.loss, 1)
    assert replace(overlay(), others=(long,)).epochs == 50
    assert overlay().epochs == 30


def test_the_values_of_a_part_leave_out_those_of_other_epochs() -> None:
    contents = ChartContents(curves_of(history(10), EXTRACT).loss)
    lines = (smoothed_curve(contents.own, 0),)
    low, high = value_range(LOSS, contents, lines, EpochSpan(4.5, 10.5))
    assert low < 0.1
    assert 0.3 < high < 0.35


def test_the_values_of_a_part_hold_smoothed_lines_that_lag_behind() -> None:
    contents = ChartContents(curves_of(history(10), EXTRACT).loss, smoothing=0.9)
    lines = (smoothed_curve(contents.own, 0.9),)
    _, high = value_range(LOSS, contents, lines, EpochSpan(4.5, 10.5))
    assert high > lines[0].validation[4] > 0.35
