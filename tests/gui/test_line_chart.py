from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hubstudio.core.events import EpochDone, Phase
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.learning_curves import Curve, curves_of
from hubstudio.gui.theme import DARK, palette_of
from hubstudio.gui.widgets.line_chart import ACCURACY, LOSS, LineChart, table_of
from hubstudio.gui.widgets.training_charts import TrainingCharts

EXTRACT = Plan("photos", epochs=30)
FINE_TUNE = replace(EXTRACT, mode=Mode.FINE_TUNE, head_epochs=4, epochs=10)


def history(head: int, fine_tune: int = 0) -> list[EpochDone]:
    epochs = [(Phase.HEAD, number) for number in range(1, head + 1)]
    epochs += [(Phase.FINE_TUNE, number) for number in range(1, fine_tune + 1)]
    return [
        EpochDone(phase, number, 30, 1 / (place + 1), 0.5, 1.5 / (place + 1), 0.4, 1e-3, True, float(place))
        for place, (phase, number) in enumerate(epochs)
    ]


@pytest.fixture
def chart(qtbot: QtBot) -> LineChart:
    chart = LineChart(LOSS)
    qtbot.addWidget(chart)
    return chart


def shown_points(chart: LineChart) -> list[tuple[list[float], list[float]]]:
    return [tuple([float(value) for value in values] for values in line.getData()) for line in chart._lines]  # type: ignore[misc]


def test_both_lines_hold_every_epoch(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(3), EXTRACT).loss)
    assert shown_points(chart) == [
        ([1, 2, 3], [1, 1 / 2, 1 / 3]),
        ([1, 2, 3], [1.5, 1.5 / 2, 1.5 / 3]),
    ]


def test_the_width_is_that_of_the_planned_epochs_from_the_first_one_on(chart: LineChart) -> None:
    for epochs in (1, 2, 14):
        chart.show_curve(curves_of(history(epochs), EXTRACT).loss)
        low, high = chart._plot.viewRange()[0]
        assert (low, high) == (0.5, 30.5)


def test_fine_tuning_goes_on_where_the_head_ended_with_a_line_between(chart: LineChart) -> None:
    curve = curves_of(history(4, 2), FINE_TUNE).loss
    chart.show_curve(curve)
    assert (curve.planned, curve.boundary) == (14, 4)
    assert chart._boundary.isVisible()
    assert chart._boundary.value() == 4.5


def test_a_head_that_ended_early_moves_the_line() -> None:
    curve = curves_of(history(2, 1), FINE_TUNE).loss
    assert (curve.planned, curve.boundary) == (12, 2)


def test_extraction_has_no_line_between(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(4), EXTRACT).loss)
    assert not chart._boundary.isVisible()


def test_the_chart_says_where_its_lines_stand(chart: LineChart) -> None:
    assert chart.accessibleDescription() == "Loss: nothing measured yet"
    chart.show_curve(curves_of(history(2), EXTRACT).loss)
    assert chart.accessibleDescription() == "Loss: training 0.500, validation 0.750 at epoch 2"


def test_the_chart_says_which_phase_its_lines_are_in(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(4, 1), FINE_TUNE).loss)
    assert chart.accessibleDescription().endswith("at epoch 1 of the fine-tuning")


def test_accuracy_is_told_in_percent() -> None:
    header, rows = table_of(ACCURACY, curves_of(history(1), EXTRACT).accuracy)
    assert header == ("Epoch", "Training", "Validation")
    assert rows == [("1", "50.0 %", "40.0 %")]


def test_the_table_names_the_epochs_of_the_head() -> None:
    _, rows = table_of(LOSS, curves_of(history(2, 1), FINE_TUNE).loss)
    assert [row[0] for row in rows] == ["Head 1", "Head 2", "1"]


@pytest.mark.parametrize("values", [(float("nan"), float("inf")), (0.0, 0.0), (1e-9, 1e9), ()])
def test_odd_numbers_do_not_break_the_chart(chart: LineChart, values: tuple[float, ...]) -> None:
    phases, epochs = (Phase.HEAD,) * len(values), tuple(range(1, len(values) + 1))
    chart.show_curve(Curve(phases, epochs, values, values, 5))
    chart.resize(300, 200)
    assert not chart.grab().isNull()


def test_ten_thousand_epochs_are_drawn(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(10_000), replace(EXTRACT, epochs=10_000)).loss)
    assert not chart.grab().isNull()


def test_the_chart_follows_the_theme(chart: LineChart, qapp: QApplication) -> None:
    chart.setPalette(palette_of(DARK))
    assert chart._lines[0].opts["pen"].color() == QColor(DARK.training)


def test_the_lines_differ_in_more_than_colour(chart: LineChart) -> None:
    training, validation = (line.opts["pen"] for line in chart._lines)
    assert training.style() != validation.style()


def test_show_as_table_holds_the_numbers_of_the_chart_and_goes_on_with_it(qtbot: QtBot) -> None:
    charts = TrainingCharts()
    qtbot.addWidget(charts)
    charts.show_curves(curves_of(history(2), EXTRACT))
    assert charts.loss.toggle.accessibleName() == "Show as table: Loss"
    charts.loss.toggle.click()
    assert charts.loss.table.texts() == [["1", "1.000", "1.500"], ["2", "0.500", "0.750"]]
    charts.show_curves(curves_of(history(3), EXTRACT))
    assert len(charts.loss.table.texts()) == 3
    charts.loss.toggle.click()
    assert not charts.loss.shows_table


def test_charts_stand_below_each_other_where_it_is_narrow(qtbot: QtBot) -> None:
    charts = TrainingCharts()
    qtbot.addWidget(charts)
    charts.resize(1000, 500)
    charts.show()
    assert charts.loss.geometry().top() == charts.accuracy.geometry().top()
    charts.resize(560, 600)
    qtbot.waitUntil(lambda: charts.loss.geometry().left() == charts.accuracy.geometry().left())
