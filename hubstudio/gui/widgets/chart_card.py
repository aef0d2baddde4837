"""One chart in its card: picture or table, and a menu to save it and to zoom."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.gui import chart_files
from hubstudio.gui.chart_contents import ChartContents, Measure, table_of
from hubstudio.gui.learning_curves import Curve
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.chart_image import chart_png
from hubstudio.gui.widgets.line_chart import LineChart
from hubstudio.gui.widgets.table_twin import TableTwin, TwinCard


class ChartCard(TwinCard):
    """A chart that can be read as a table and saved as a picture; saving numbers is up to who knows all of them."""

    numbers_wanted = Signal()
    failed = Signal(object)  # StudioError

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        self.chart = LineChart(measure)
        self.table = TableTwin(f"{measure.title} by epoch")
        super().__init__(measure.title, self.chart, self.table, parent)
        self._measure = measure
        name = measure.title.casefold()
        self.menu = QMenu(self)
        self.menu.setObjectName(f"{name}_menu")
        self.menu.setAccessibleName(f"What to do with the chart: {measure.title}")
        self.more = quiet_button("More", f"{name}_more", f"More: {measure.title}")
        self.header.insertWidget(1, self.more)
        self._fill_menu(name)
        self.more.clicked.connect(self._on_more_clicked)
        self.toggle.clicked.connect(self._on_page_changed)

    def show_curve(self, curve: Curve) -> None:
        """Show another state of the own run in what is visible of chart and table."""
        self.chart.show_curve(curve)
        self._fill_table()

    def show_contents(self, contents: ChartContents) -> None:
        """Show other runs, or other numbers of them."""
        self.chart.show_contents(contents)
        self._fill_table()

    def save_picture(self, chosen: str) -> None:
        """Write the chart as PNG, in the present theme."""
        try:
            chart_files.save(chart_files.named(chosen, ".png"), chart_png(self.chart, self._measure.title))
        except StudioError as error:
            self.failed.emit(error)

    def _fill_menu(self, name: str) -> None:
        chart = self.chart
        for text, own, key, act in (
            ("Save as PNG…", "save_png", "", self._on_save_picture),
            ("Save as CSV…", "save_csv", "", self.numbers_wanted.emit),
            ("", "", "", None),
            ("Zoom in", "zoom_in", "+", chart.zoom_in),
            ("Zoom out", "zoom_out", "-", chart.zoom_out),
            ("Whole training", "zoom_whole", "Esc", chart.show_whole),
        ):
            if act is None:
                self.menu.addSeparator()
                continue
            # The chart itself takes the key while it has the focus; here it is only told.
            action = self.menu.addAction(f"{text}\t{key}" if key else text)
            action.setObjectName(f"{name}_{own}")
            action.triggered.connect(lambda _=False, act=act: act())

    def _on_more_clicked(self) -> None:
        self.menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _on_save_picture(self) -> None:
        name = f"{self._measure.title.casefold()}.png"
        chosen, _ = QFileDialog.getSaveFileName(self, "Save as PNG", name, "PNG (*.png)")
        if chosen:
            self.save_picture(chosen)

    def _on_page_changed(self) -> None:
        self._fill_table()

    def _fill_table(self) -> None:
        if self.shows_table:  # a hidden table need not be kept up
            self.table.show_rows(*table_of(self._measure, self.chart.contents))
