from __future__ import annotations

from dataclasses import replace

import pytest
from activation import activate
from drawn_curves import EXTRACT, FINE_TUNE, history, run
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from hubstudio.core.events import Phase
from hubstudio.gui.chart_contents import ACCURACY, LOSS, ChartContents, Measure, Series
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.learning_curves import Curve, curves_of
from hubstudio.gui.theme import DARK, LIGHT, Colours, palette_of
from hubstudio.gui.widgets.line_chart import LineChart
from hubstudio.gui.widgets.run_lines import thinned
from hubstudio.gui.widgets.run_looks import line_styles

Button, Modifier = Qt.MouseButton, Qt.KeyboardModifier


@pytest.fixture
def chart(qtbot: QtBot) -> LineChart:
    chart = LineChart(LOSS)
    qtbot.addWidget(chart)
    return chart


def shown_points(chart: LineChart) -> list[tuple[list[float], list[float]]]:
    return [
        tuple([float(value) for value in values] for values in line.getData()) for line in chart.plot.runs[0].measured
    ]  # type: ignore[misc]


def test_both_lines_hold_every_epoch(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(3), EXTRACT).loss)
    assert shown_points(chart) == [
        ([1, 2, 3], [1, 1 / 2, 1 / 3]),
        ([1, 2, 3], [1.5, 1.5 / 2, 1.5 / 3]),
    ]


def test_the_width_is_that_of_the_planned_epochs_from_the_first_one_on(chart: LineChart) -> None:
    for epochs in (1, 2, 14):
        chart.show_curve(curves_of(history(epochs), EXTRACT).loss)
        low, high = chart.plot.view.viewRange()[0]
        assert (low, high) == (0.5, 30.5)


def test_fine_tuning_goes_on_where_the_head_ended_with_a_line_between(chart: LineChart) -> None:
    curve = curves_of(history(4, 2), FINE_TUNE).loss
    chart.show_curve(curve)
    assert (curve.planned, curve.boundary) == (14, 4)
    assert chart.plot.boundary.isVisible()
    assert chart.plot.boundary.value() == 4.5


def test_a_head_that_ended_early_moves_the_line() -> None:
    curve = curves_of(history(2, 1), FINE_TUNE).loss
    assert (curve.planned, curve.boundary) == (12, 2)


def test_extraction_has_no_line_between(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(4), EXTRACT).loss)
    assert not chart.plot.boundary.isVisible()


def test_the_chart_says_where_its_lines_stand(chart: LineChart) -> None:
    assert chart.accessibleDescription() == "Loss: nothing measured yet"
    chart.show_curve(curves_of(history(2), EXTRACT).loss)
    assert chart.accessibleDescription() == "Loss: training 0.500, validation 0.750 at epoch 2"


def test_the_chart_says_which_phase_its_lines_are_in(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(4, 1), FINE_TUNE).loss)
    assert chart.accessibleDescription().endswith("at epoch 1 of the fine-tuning")


@pytest.mark.parametrize("values", [(float("nan"), float("inf")), (0.0, 0.0), (1e-9, 1e9), ()])
def test_odd_numbers_do_not_break_the_chart(chart: LineChart, values: tuple[float, ...]) -> None:
    phases, epochs = (Phase.HEAD,) * len(values), tuple(range(1, len(values) + 1))
    chart.show_curve(Curve(phases, epochs, values, values, 5))
    chart.resize(300, 200)
    assert not chart.grab().isNull()


def test_the_uppermost_line_has_its_number(qtbot: QtBot) -> None:
    chart = LineChart(ACCURACY)
    qtbot.addWidget(chart)
    chart.resize(400, 260)
    chart.show()
    chart.show_curve(curves_of([replace(row, accuracy=1.0) for row in history(20)], EXTRACT).accuracy)

    def numbers() -> list[str]:
        image = chart.grab().toImage()
        painter = QPainter(image)
        texts = chart.plot.view.getAxis("left").generateDrawSpecs(painter)[2]  # without those that would be cut
        painter.end()
        return [text for _, _, text in texts]

    qtbot.waitUntil(lambda: "40 %" in numbers())
    assert "100 %" in numbers()


def test_a_line_is_not_covered_by_that_of_a_round_number(qtbot: QtBot) -> None:
    chart = LineChart(ACCURACY)
    qtbot.addWidget(chart)
    chart.resize(400, 260)
    chart.show()
    rows = [replace(row, accuracy=1.0, validation_accuracy=0.1) for row in history(20)]
    chart.show_curve(curves_of(rows, EXTRACT).accuracy)
    image, place = chart.grab().toImage(), chart.plot.pixel_of(10, 1.0).toPoint()
    column = [image.pixelColor(place.x(), place.y() + step).name() for step in range(-3, 4)]
    assert line_styles(LIGHT)[0].colour in column


def test_ten_thousand_epochs_are_drawn(chart: LineChart) -> None:
    chart.show_curve(curves_of(history(10_000), replace(EXTRACT, epochs=10_000)).loss)
    assert not chart.grab().isNull()


def test_the_chart_follows_the_theme(chart: LineChart, qapp: QApplication) -> None:
    chart.setPalette(palette_of(DARK))
    assert chart.plot.runs[0].measured[0].opts["pen"].color() == QColor(DARK.training)


def test_the_lines_differ_in_more_than_colour(chart: LineChart) -> None:
    training, validation = (line.opts["pen"] for line in chart.plot.runs[0].measured)
    assert training.style() != validation.style()


def test_the_chart_is_drawn_in_a_theme_it_has_from_the_start(chart: LineChart) -> None:
    assert chart.plot.view.backgroundBrush().color() == QColor(LIGHT.surface)


@pytest.mark.parametrize("count", [801, 5000])
def test_thinned_lines_keep_every_peak_that_can_be_seen(count: int) -> None:
    values = [0.5 + 0.001 * (place % 7) for place in range(count)]
    values[count // 2], values[count // 3] = 1.0, 0.0
    places, kept = thinned(list(range(1, count + 1)), values)
    assert len(kept) <= 802
    assert (max(kept), min(kept)) == (1.0, 0.0)
    assert places == sorted(set(places))
    assert all(values[place - 1] == value for place, value in zip(places, kept, strict=True))


def test_smoothing_draws_the_average_over_what_was_measured_which_turns_pale(chart: LineChart) -> None:
    curve = curves_of(history(3), EXTRACT).loss
    chart.show_contents(ChartContents(curve, smoothing=0.5))
    lines = chart.plot.runs[0]
    assert list(lines.measured[0].getData()[1]) == list(curve.training)
    assert list(lines.averaged[0].getData()[1]) == pytest.approx([1.0, 2 / 3, (1 / 3 + 0.25 + 0.25) / 1.75])
    assert lines.averaged[0].opts["pen"].color() == QColor(LIGHT.training)
    assert lines.measured[0].opts["pen"].color().lightness() > QColor(LIGHT.training).lightness()
    chart.show_contents(ChartContents(curve))
    assert lines.averaged[0].getData()[0] is None
    assert lines.measured[0].opts["pen"].color() == QColor(LIGHT.training)


def overlay(*runs: str) -> ChartContents:
    others = [Series(name, run(name, 2, 20).curves.loss, look) for look, name in enumerate(runs, 1)]
    return ChartContents(curves_of(history(12), EXTRACT).loss, tuple(others), is_overlay=True)


def test_runs_laid_over_each_other_have_lines_and_markers_and_go_again(chart: LineChart) -> None:
    chart.show_contents(overlay("a", "b"))
    drawn = [lines for lines in chart.plot.runs if lines.measured[0].getData()[0] is not None]
    assert len(drawn) == 3
    assert all(len(lines.markers.data) > 1 for lines in drawn)
    chart.show_contents(replace(overlay("a"), is_overlay=False, others=()))
    assert [lines.measured[0].getData()[0] is None for lines in chart.plot.runs] == [False, True, True]
    assert not len(chart.plot.runs[0].markers.data)


def open_chart(qtbot: QtBot, measure: Measure = LOSS, size: tuple[int, int] = (430, 280)) -> LineChart:
    chart = LineChart(measure)
    qtbot.addWidget(chart)
    chart.resize(*size)
    chart.show()
    chart.show_curve(curves_of(history(20), EXTRACT).loss)
    chart.grab()  # the axes take their widths while they are painted
    return chart


@pytest.fixture
def open_(qtbot: QtBot) -> LineChart:
    return open_chart(qtbot)


def point_of(chart: LineChart, epoch: float) -> QPointF:
    return QPointF(chart.plot.pixel_of(epoch, 0).x(), chart.plot.area.center().y())


def send(chart: LineChart, kind: QEvent.Type, epoch: float, button: Button = Button.NoButton) -> None:
    held = Button.NoButton if kind is QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, point_of(chart, epoch), point_of(chart, epoch), button, held, Modifier.NoModifier)
    QApplication.sendEvent(chart, event)


def drag(chart: LineChart, first: float, last: float) -> None:
    send(chart, QEvent.Type.MouseButtonPress, first, Button.LeftButton)
    send(chart, QEvent.Type.MouseMove, last, Button.LeftButton)
    send(chart, QEvent.Type.MouseButtonRelease, last, Button.LeftButton)


def turn_wheel(chart: LineChart, epoch: float, notches: int, modifiers: Modifier = Modifier.NoModifier) -> bool:
    place, turn = point_of(chart, epoch), QPoint(0, 120 * notches)
    event = QWheelEvent(place, place, QPoint(), turn, Button.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(chart, event)
    return event.isAccepted()


def test_the_mouse_reads_the_nearest_epoch(open_: LineChart) -> None:
    send(open_, QEvent.Type.MouseMove, 7.4)
    assert open_.hover.reading
    assert open_.hover.reading.place == 7
    assert open_.accessibleDescription() == "Loss, epoch 7: training 0.143, validation 0.214"


def test_beyond_the_last_epoch_the_last_one_is_read(open_: LineChart) -> None:
    send(open_, QEvent.Type.MouseMove, 28)
    assert open_.hover.reading
    assert open_.hover.reading.place == 20


def test_the_numbers_go_with_the_mouse(open_: LineChart) -> None:
    send(open_, QEvent.Type.MouseMove, 7)
    QApplication.sendEvent(open_, QEvent(QEvent.Type.Leave))
    assert open_.hover.reading is None
    assert open_.accessibleDescription().endswith("at epoch 20")


def test_the_numbers_follow_the_training(open_: LineChart) -> None:
    send(open_, QEvent.Type.MouseMove, 20)
    rows = [replace(row, loss=2.0) for row in history(21)]
    open_.show_curve(curves_of(rows, EXTRACT).loss)
    assert "training 2.000" in open_.accessibleDescription()


def test_arrow_keys_walk_through_the_epochs(open_: LineChart, qtbot: QtBot) -> None:
    read: list[int] = []
    for key in ("Left", "Left", "Home", "Left", "Right", "End", "Right"):
        qtbot.keyClick(open_, getattr(Qt.Key, f"Key_{key}"))
        assert open_.hover.reading
        read.append(open_.hover.reading.place)
    assert read == [20, 19, 1, 1, 2, 20, 20]


def test_numbers_asked_for_by_keys_stay_until_the_focus_goes(open_: LineChart, qtbot: QtBot) -> None:
    activate(open_, qtbot)
    open_.setFocus()
    qtbot.keyClick(open_, Qt.Key.Key_Home)
    QApplication.sendEvent(open_, QEvent(QEvent.Type.Leave))
    assert open_.hover.reading
    open_.clearFocus()
    assert open_.hover.reading is None


def test_there_is_nothing_to_read_before_the_first_epoch(chart: LineChart, qtbot: QtBot) -> None:
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    chart.read_at(3)
    assert chart.hover.reading is None
    assert chart.accessibleDescription() == "Loss: nothing measured yet"


@pytest.mark.parametrize("size", [(260, 200), (430, 280), (900, 400)])
@pytest.mark.parametrize("smoothing", [0.0, 0.6])
@pytest.mark.parametrize("measure", [LOSS, ACCURACY], ids=["loss", "accuracy"])
def test_the_box_is_never_outside_the_chart(
    qtbot: QtBot, size: tuple[int, int], smoothing: float, measure: Measure
) -> None:
    chart = open_chart(qtbot, measure, size)
    names = [f"run {number} with a name that is far too long for any chart to show" for number in range(6)]
    for contents in (replace(overlay(*names), smoothing=smoothing), replace(chart.contents, smoothing=smoothing)):
        chart.show_contents(contents)
        for place in (1, 6, 12, 22):
            chart.read_at(place)
            assert chart.hover.reading
            assert chart.hover.rect().contains(chart.hover.box_of(chart.hover.reading).toAlignedRect())
        assert not chart.grab().isNull()


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_box_is_painted_on_the_card_of_its_theme(open_: LineChart, colours: Colours) -> None:
    open_.setPalette(palette_of(colours))
    open_.read_at(10)
    assert open_.hover.reading
    corner = open_.hover.box_of(open_.hover.reading).bottomRight() - QPointF(4, 4)
    painted = open_.grab().toImage().pixelColor(corner.toPoint())
    assert abs(painted.lightness() - QColor(colours.surface).lightness()) < 12


def test_a_drawn_range_is_zoomed_into(open_: LineChart) -> None:
    drag(open_, 12.2, 4.8)
    assert open_.span == EpochSpan(4.5, 12.5)
    assert open_.whole.isVisible()
    low, high = open_.plot.view.viewRange()[1]
    assert low < 1 / 12 < 1.5 / 5 < high < 0.4


def test_no_box_hides_the_range_that_is_being_drawn(open_: LineChart) -> None:
    send(open_, QEvent.Type.MouseButtonPress, 3, Button.LeftButton)
    send(open_, QEvent.Type.MouseMove, 9, Button.LeftButton)
    assert open_.hover.band
    assert open_.hover.reading is None


def test_a_click_is_no_range(open_: LineChart) -> None:
    drag(open_, 5, 5.1)
    assert not open_.is_zoomed


@pytest.mark.parametrize("way", ["double click", "button", "escape"])
def test_the_whole_training_comes_back(open_: LineChart, qtbot: QtBot, way: str) -> None:
    drag(open_, 5, 12)
    if way == "double click":
        send(open_, QEvent.Type.MouseButtonDblClick, 8, Button.LeftButton)
    elif way == "button":
        open_.whole.click()
    else:
        qtbot.keyClick(open_, Qt.Key.Key_Escape)
    assert open_.span == EpochSpan.whole(30)
    assert not open_.whole.isVisible()


def test_escape_gives_up_a_range_that_is_being_drawn(open_: LineChart, qtbot: QtBot) -> None:
    send(open_, QEvent.Type.MouseButtonPress, 3, Button.LeftButton)
    send(open_, QEvent.Type.MouseMove, 9, Button.LeftButton)
    assert open_.hover.band
    qtbot.keyClick(open_, Qt.Key.Key_Escape)
    send(open_, QEvent.Type.MouseButtonRelease, 9, Button.LeftButton)
    assert not open_.is_zoomed


def test_plus_and_minus_zoom_around_the_epoch_that_is_read(open_: LineChart, qtbot: QtBot) -> None:
    qtbot.keyClick(open_, Qt.Key.Key_End)
    qtbot.keyClick(open_, Qt.Key.Key_Plus)
    qtbot.keyClick(open_, Qt.Key.Key_Plus)
    assert open_.span.width == pytest.approx(30 * 0.49)
    assert open_.span.low < 20 < open_.span.high
    qtbot.keyClick(open_, Qt.Key.Key_Minus)
    qtbot.keyClick(open_, Qt.Key.Key_Minus)
    assert not open_.is_zoomed


def test_walking_takes_the_zoomed_part_along(open_: LineChart, qtbot: QtBot) -> None:
    drag(open_, 5, 12)
    qtbot.keyClick(open_, Qt.Key.Key_End)
    assert open_.span == EpochSpan(12.5, 20.5)


def test_the_wheel_scrolls_the_page_until_the_chart_is_asked_for(open_: LineChart, qtbot: QtBot) -> None:
    open_.clearFocus()
    assert not turn_wheel(open_, 10, 1)
    assert not open_.is_zoomed
    assert turn_wheel(open_, 10, 1, Modifier.ControlModifier)
    assert open_.span.width == pytest.approx(21)
    activate(open_, qtbot)
    open_.setFocus()
    assert turn_wheel(open_, 10, -1)
    assert not open_.is_zoomed


def test_what_is_not_zoomed_follows_the_training_and_what_is_stays(open_: LineChart) -> None:
    longer = replace(EXTRACT, epochs=60)
    open_.show_curve(curves_of(history(21), longer).loss)
    assert open_.span == EpochSpan.whole(60)
    drag(open_, 5, 12)
    open_.show_curve(curves_of(history(22), longer).loss)
    assert open_.span == EpochSpan(4.5, 12.5)


def test_a_new_training_is_shown_whole(open_: LineChart) -> None:
    drag(open_, 5, 12)
    open_.show_curve(curves_of(history(1), EXTRACT).loss)
    assert not open_.is_zoomed
