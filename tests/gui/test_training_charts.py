from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from drawn_curves import EXTRACT, history, run
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from hubstudio.core.errors import StudioError
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.learning_curves import LearningCurves, curves_of
from hubstudio.gui.theme import DARK, LIGHT, Colours, palette_of
from hubstudio.gui.widgets.run_looks import run_colour
from hubstudio.gui.widgets.training_charts import TrainingCharts


@pytest.fixture
def charts(qtbot: QtBot) -> TrainingCharts:
    charts = TrainingCharts()
    qtbot.addWidget(charts)
    charts.resize(980, 500)
    charts.show()
    charts.show_curves(curves_of(history(3), EXTRACT))
    return charts


def names_of(charts: TrainingCharts) -> list[str]:
    return [series.name for series in charts.loss.chart.contents.series]


def entry(charts: TrainingCharts, name: str) -> object:
    return next(entry for entry in charts.legend.entries if entry.text() == name)


def csv_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def test_show_as_table_holds_the_numbers_of_the_chart_and_goes_on_with_it(charts: TrainingCharts) -> None:
    charts.show_curves(curves_of(history(2), EXTRACT))
    assert charts.loss.toggle.accessibleName() == "Show as table: Loss"
    charts.loss.toggle.click()
    assert charts.loss.table.texts() == [["1", "1.000", "1.500"], ["2", "0.500", "0.750"]]
    charts.show_curves(curves_of(history(3), EXTRACT))
    assert len(charts.loss.table.texts()) == 3
    charts.loss.toggle.click()
    assert not charts.loss.shows_table


def test_the_table_stays_as_measured_when_lines_are_smoothed(charts: TrainingCharts) -> None:
    charts.loss.toggle.click()
    before = charts.loss.table.texts()
    charts.smoothing.slider.setValue(80)
    assert charts.loss.table.texts() == before


def test_charts_stand_below_each_other_where_it_is_narrow(charts: TrainingCharts, qtbot: QtBot) -> None:
    charts.resize(1000, 500)
    assert charts.loss.geometry().top() == charts.accuracy.geometry().top()
    charts.resize(560, 600)
    qtbot.waitUntil(lambda: charts.loss.geometry().left() == charts.accuracy.geometry().left())


def test_smoothing_goes_for_both_charts_and_says_how_much(charts: TrainingCharts) -> None:
    assert charts.smoothing.slider.accessibleDescription() == "off"
    charts.smoothing.slider.setValue(60)
    assert charts.smoothing.slider.accessibleDescription() == "0.60"
    for card in (charts.loss, charts.accuracy):
        assert card.chart.contents.smoothing == 0.6


def test_both_charts_are_zoomed_together(charts: TrainingCharts) -> None:
    charts.loss.chart.zoom_in()
    assert charts.accuracy.chart.span == charts.loss.chart.span != EpochSpan.whole(30)
    charts.accuracy.chart.show_whole()
    assert not charts.loss.chart.is_zoomed


def readings(charts: TrainingCharts) -> list[int | None]:
    read = [card.chart.hover.reading for card in (charts.loss, charts.accuracy)]
    return [reading.place if reading else None for reading in read]


def test_both_charts_are_read_at_the_same_epoch(charts: TrainingCharts, qtbot: QtBot) -> None:
    qtbot.keyClick(charts.loss.chart, Qt.Key.Key_Home)
    assert readings(charts) == [1, 1]
    assert charts.accuracy.chart.accessibleDescription().startswith("Accuracy, epoch 1: ")
    qtbot.keyClick(charts.loss.chart, Qt.Key.Key_Right)
    assert readings(charts) == [2, 2]
    qtbot.keyClick(charts.loss.chart, Qt.Key.Key_Escape)
    assert readings(charts) == [None, None]


def test_what_keys_read_in_one_chart_stays_while_the_mouse_passes_over_the_other(
    charts: TrainingCharts, qtbot: QtBot
) -> None:
    loss, accuracy = charts.loss.chart, charts.accuracy.chart
    qtbot.keyClick(loss, Qt.Key.Key_Home)
    place = QPoint(round(accuracy.plot.pixel_of(3, 0).x()), round(accuracy.plot.area.center().y()))
    qtbot.mouseMove(accuracy, place)
    assert readings(charts) == [1, 3]
    QApplication.sendEvent(accuracy, QEvent(QEvent.Type.Leave))
    assert readings(charts) == [1, None]


def test_the_legend_takes_no_row_of_its_own(charts: TrainingCharts) -> None:
    charts.show_runs([run("first"), run("second")])
    charts.grab()
    assert charts.legend.geometry().top() == charts.smoothing.geometry().top()
    assert charts.legend.geometry().right() < charts.smoothing.geometry().left()


def test_a_legend_of_several_rows_takes_nothing_from_the_charts(charts: TrainingCharts, qtbot: QtBot) -> None:
    charts.show_runs([run(f"run {number}") for number in range(6)])

    def all_fits() -> bool:
        charts.resize(640, charts.minimumSizeHint().height())
        return charts.loss.height() >= charts.loss.minimumSizeHint().height()

    qtbot.waitUntil(all_fits)
    assert len({entry.y() for entry in charts.legend.entries}) > 1


def test_runs_are_laid_over_the_own_one_and_named_in_the_legend(charts: TrainingCharts) -> None:
    assert not charts.legend.isVisible()
    charts.show_runs([run("first"), run("second", highlighted=True)], "Now")
    assert names_of(charts) == ["Now", "first", "second"]
    assert [entry.text() for entry in charts.legend.entries] == ["Now", "first", "second"]
    assert charts.legend.isVisible()
    charts.show_runs([])
    assert names_of(charts) == ["This run"]
    assert not charts.legend.isVisible()


def test_runs_stay_while_the_training_goes_on(charts: TrainingCharts) -> None:
    charts.show_runs([run(f"run {number}") for number in range(8)])
    charts.show_curves(curves_of(history(5), EXTRACT))
    assert len(names_of(charts)) == 7
    assert len(charts.loss.chart.curve.training) == 5
    assert charts.legend.left_out.said() == "6 runs at most are drawn; 2 more left out."


def test_runs_are_shown_without_an_own_one(charts: TrainingCharts) -> None:
    charts.show_curves(LearningCurves())
    charts.show_runs([run("first")])
    assert names_of(charts) == ["first"]
    assert [entry.text() for entry in charts.legend.entries] == ["first"]


def test_a_run_keeps_its_colour_when_another_one_goes(charts: TrainingCharts) -> None:
    charts.show_runs([run("first"), run("second")])
    charts.show_runs([run("second"), run("third")])
    looks = {series.name: series.look for series in charts.loss.chart.contents.others}
    assert looks == {"second": 2, "third": 1}
    drawn = charts.loss.chart.plot.runs[1].measured[1].opts["pen"].color()
    assert drawn == QColor(run_colour(2, LIGHT))


@pytest.mark.parametrize("name", ["first", "This run"])
def test_a_click_in_the_legend_hides_a_run_and_another_one_brings_it_back(
    charts: TrainingCharts, qtbot: QtBot, name: str
) -> None:
    charts.show_runs([run("first"), run("second")])
    qtbot.mouseClick(entry(charts, name), Qt.MouseButton.LeftButton)
    assert name not in names_of(charts)
    charts.show_curves(curves_of(history(4), EXTRACT))
    assert name not in names_of(charts)
    qtbot.keyClick(entry(charts, name), Qt.Key.Key_Space)
    assert name in names_of(charts)


def test_the_own_run_is_seen_again_when_it_is_alone(charts: TrainingCharts) -> None:
    charts.show_runs([run("first")])
    charts.legend.entries[0].click()
    charts.show_runs([])
    charts.show_runs([run("first")])
    assert names_of(charts) == ["This run", "first"]


def test_a_long_name_is_told_whole_and_makes_nothing_wider(charts: TrainingCharts) -> None:
    width = charts.minimumSizeHint().width()
    name = "fine-tuned " * 40
    charts.show_runs([run(name)])
    assert charts.legend.entries[1].toolTip() == name
    assert charts.legend.entries[1].accessibleName() == f"Show {name}"
    assert charts.minimumSizeHint().width() == width


def test_csv_holds_what_was_measured_of_all_runs_that_are_seen(
    charts: TrainingCharts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    charts.smoothing.slider.setValue(50)
    charts.show_runs([run("fine, tuned", 1, 2), run("hidden")])
    charts.legend.entries[2].click()
    file = tmp_path / "curves.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    charts.accuracy.menu.actions()[1].trigger()
    rows = csv_of(file)
    assert [(row["run"], row["phase"], row["epoch"]) for row in rows] == [
        ("This run", "head", "1"),
        ("This run", "head", "2"),
        ("This run", "head", "3"),
        ("fine, tuned", "head", "1"),
        ("fine, tuned", "fine-tune", "1"),
        ("fine, tuned", "fine-tune", "2"),
    ]
    assert rows[1] == {
        "run": "This run", "phase": "head", "epoch": "2", "loss": "0.5", "accuracy": "0.5",
        "validation_loss": "0.75", "validation_accuracy": "0.4", "learning_rate": "0.001",
    }  # fmt: skip


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_png_shows_title_plot_and_legend_in_the_theme_at_twice_the_size(
    charts: TrainingCharts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colours: Colours
) -> None:
    charts.setPalette(palette_of(colours))
    charts.loss.chart.setPalette(palette_of(colours))
    charts.show_runs([run("first")])
    file = tmp_path / "loss.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    charts.loss.menu.actions()[0].trigger()
    image, plot = QImage(str(file)), charts.loss.chart.plot.widget
    assert image.width() > 2 * plot.width()
    assert image.height() > 2 * (plot.height() + 2 * 20)
    assert image.pixelColor(2, 2) == QColor(colours.surface)
    found = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(image.height())}
    assert run_colour(1, colours) in found


def test_saving_a_picture_leaves_the_chart_as_it_was(charts: TrainingCharts, tmp_path: Path) -> None:
    before = charts.loss.chart.grab().toImage()
    charts.loss.save_picture(str(tmp_path / "loss.png"))
    assert charts.loss.chart.grab().toImage() == before


def test_a_name_without_a_suffix_gets_one_unless_another_file_has_that_name(
    charts: TrainingCharts, tmp_path: Path
) -> None:
    charts.save_numbers(str(tmp_path / "curves"))
    assert (tmp_path / "curves.csv").exists()
    charts.save_numbers(str(tmp_path / "curves"))
    assert (tmp_path / "curves").exists()


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(charts: TrainingCharts, tmp_path: Path) -> None:
    told: list[StudioError] = []
    charts.failed.connect(told.append)
    (tmp_path / "taken.csv").mkdir()
    (tmp_path / "taken.png").mkdir()
    charts.save_numbers(str(tmp_path / "taken.csv"))
    charts.loss.save_picture(str(tmp_path / "taken.png"))
    assert [error.what for error in told] == [
        "'taken.csv' could not be written.",
        "'taken.png' could not be written.",
    ]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["taken.csv", "taken.png"]


def test_nothing_is_saved_when_no_file_is_chosen(charts: TrainingCharts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    told: list[StudioError] = []
    charts.failed.connect(told.append)
    for place in (0, 1):
        charts.loss.menu.actions()[place].trigger()
    assert not told


def test_the_menu_zooms_as_the_keys_do(charts: TrainingCharts) -> None:
    zoom_in, zoom_out, whole = charts.loss.menu.actions()[3:]
    zoom_in.trigger()
    zoom_in.trigger()
    assert charts.loss.chart.is_zoomed
    zoom_out.trigger()
    assert charts.loss.chart.span.width == pytest.approx(21)
    whole.trigger()
    assert not charts.loss.chart.is_zoomed
