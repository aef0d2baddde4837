"""The two charts of a training with what goes for both. Importing this is cheap; making it imports pyqtgraph."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.gui import chart_files
from hubstudio.gui.chart_contents import ACCURACY, LOSS, NOTHING, OWN_LOOK, ChartContents, Measure, Series
from hubstudio.gui.learning_curves import Curve, LearningCurves, RunCurves
from hubstudio.gui.widgets.chart_card import ChartCard
from hubstudio.gui.widgets.chart_legend import LegendRun, RunLegend
from hubstudio.gui.widgets.run_looks import MOST_RUNS, looks_for
from hubstudio.gui.widgets.side_by_side import SideBySide
from hubstudio.gui.widgets.smoothing_slider import SmoothingSlider

MEASURES = (LOSS, ACCURACY)
_NARROW = 620
_OWN_NAME = "This run"


class TrainingCharts(QWidget):
    """Loss and accuracy side by side, or below each other where it is narrow: zoomed, smoothed and read together.

    The own run is the one that is going on or chosen. Others can be laid over it; it then gets a colour as they do.
    """

    failed = Signal(object)  # StudioError: a file could not be written

    def __init__(self, cards: Sequence[ChartCard] = (), parent: QWidget | None = None) -> None:
        """Hold the ``cards`` of loss and accuracy, where they were made beforehand: each takes a moment."""
        super().__init__(parent)
        self._own = LearningCurves()
        self._own_name = _OWN_NAME
        self._runs: tuple[RunCurves, ...] = ()
        self._looks: dict[str, int] = {}
        self._hidden: set[str] = set()
        self._own_is_hidden = False
        self._left_out = 0
        self.loss, self.accuracy = cards or map(ChartCard, MEASURES)
        self.smoothing = SmoothingSlider()
        self.legend = RunLegend()
        self.legend.hide()
        self._lay_out()
        self._connect()

    @property
    def shown_runs(self) -> tuple[RunCurves, ...]:
        """The runs whose lines are seen, the own one first."""
        others = tuple(run for run in self._runs if run.name not in self._hidden)
        has_own = bool(self._own.history) and not self._own_is_hidden
        return (RunCurves(self._own_name, self._own.history), *others) if has_own else others

    def show_curves(self, curves: LearningCurves) -> None:
        """Show another state of the own run."""
        self._own = curves
        self._show()

    def show_runs(self, runs: Sequence[RunCurves], own_name: str = _OWN_NAME) -> None:
        """Lay finished runs over the own one, which is called ``own_name`` beside them and is not to be among them.

        Names must differ. Of more than ``MOST_RUNS`` the first are drawn, and the legend says so. A run that is shown
        time and again keeps its colour, and stays hidden if it was.
        """
        self._runs, self._own_name = tuple(runs[:MOST_RUNS]), own_name
        names = [run.name for run in self._runs]
        self._looks = looks_for(names, self._looks)
        self._hidden &= set(names)
        self._left_out = len(runs) - len(self._runs)
        self._own_is_hidden = self._own_is_hidden and bool(runs)
        self._show()

    def save_numbers(self, chosen: str) -> None:
        """Write the numbers of all runs that are seen as CSV."""
        try:
            content = chart_files.curves_csv(self.shown_runs).encode("utf-8", "surrogateescape")
            chart_files.save(chart_files.named(chosen, ".csv"), content)
        except StudioError as error:
            self.failed.emit(error)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.addWidget(self.legend, 1)
        bar.addWidget(self.smoothing, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(bar)
        layout.addWidget(SideBySide(self.loss, self.accuracy, _NARROW), 1)

    def _connect(self) -> None:
        self.smoothing.changed.connect(self._on_smoothing_changed)
        self.legend.shown_changed.connect(self._on_shown_changed)
        for card, other in ((self.loss, self.accuracy), (self.accuracy, self.loss)):
            card.failed.connect(self.failed)
            card.numbers_wanted.connect(self._on_numbers_wanted)
            card.chart.zoomed.connect(other.chart.show_span)
            card.chart.looked_at.connect(other.chart.follow)

    def _show(self) -> None:
        self.legend.show_runs(self._legend_runs(), self._left_out)
        self.legend.setVisible(bool(self._runs))
        self.loss.show_contents(self._contents(self._own.loss, LOSS))
        self.accuracy.show_contents(self._contents(self._own.accuracy, ACCURACY))

    def _legend_runs(self) -> list[LegendRun]:
        has_own = self._own.loss != NOTHING
        own = [LegendRun(self._own_name, OWN_LOOK, False, not self._own_is_hidden)] if has_own else []
        return own + [
            LegendRun(run.name, self._looks[run.name], run.highlighted, run.name not in self._hidden)
            for run in self._runs
        ]

    def _contents(self, own: Curve, measure: Measure) -> ChartContents:
        others = tuple(
            Series(run.name, run.curves.loss if measure is LOSS else run.curves.accuracy, look, run.highlighted)
            for run in self._runs
            if run.name not in self._hidden and (look := self._looks[run.name])
        )
        is_overlay = bool(self._runs)
        return ChartContents(own, others, self.smoothing.weight, self._own_name, self._own_is_hidden, is_overlay)

    def _on_smoothing_changed(self, _: float) -> None:
        self._show()

    def _on_shown_changed(self, look: int, shown: bool) -> None:
        if look == OWN_LOOK:
            self._own_is_hidden = not shown
        else:
            name = next(name for name, own in self._looks.items() if own == look)
            self._hidden = self._hidden - {name} if shown else self._hidden | {name}
        self._show()

    def _on_numbers_wanted(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save as CSV", "learning-curves.csv", "CSV (*.csv)")
        if chosen:
            self.save_numbers(chosen)
