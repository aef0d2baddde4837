"""The two charts of a training with their tables. Importing this is cheap; making it imports pyqtgraph."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from hubstudio.gui.learning_curves import Curve, LearningCurves
from hubstudio.gui.widgets.line_chart import ACCURACY, LOSS, LineChart, Measure, table_of
from hubstudio.gui.widgets.side_by_side import SideBySide
from hubstudio.gui.widgets.table_twin import TableTwin, TwinCard

_NARROW = 620


class ChartCard(TwinCard):
    """One chart, its legend and its table."""

    def __init__(self, measure: Measure) -> None:
        self.chart = LineChart(measure)
        self.table = TableTwin(f"{measure.title} by epoch")
        super().__init__(measure.title, self.chart, self.table)
        self._measure = measure
        self.toggle.clicked.connect(self._fill_table)

    def show_curve(self, curve: Curve) -> None:
        """Show the curve in what is visible of chart and table."""
        self.chart.show_curve(curve)
        self._fill_table()

    def _fill_table(self) -> None:
        if self.shows_table:  # a hidden table need not be kept up
            self.table.show_rows(*table_of(self._measure, self.chart.curve))


class TrainingCharts(QWidget):
    """Loss and accuracy side by side, or below each other where it is narrow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = ChartCard(LOSS)
        self.accuracy = ChartCard(ACCURACY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(SideBySide(self.loss, self.accuracy, _NARROW))

    def show_curves(self, curves: LearningCurves) -> None:
        """Show both measures."""
        self.loss.show_curve(curves.loss)
        self.accuracy.show_curve(curves.accuracy)
