"""Which line is which: training and validation below a chart, and the runs above both, which can be hidden there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from hubstudio.gui.theme import Colours, colours_of
from hubstudio.gui.widgets.flow import CardGrid
from hubstudio.gui.widgets.run_looks import (
    MOST_RUNS,
    LineStyle,
    faded,
    line_styles,
    overlay_styles,
    paint_key,
    run_colour,
)
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_KEY_WIDTH, _ENTRY_WIDTH = 24, 190


class LineLegend(QWidget):
    """Says which line is training and which validation."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = [_LineKey(place) for place in (0, 1)]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        for place, name in enumerate(("training", "validation")):
            label = QLabel(name)
            label.setProperty("role", "muted")
            row.addSpacing(7 * place)
            row.addWidget(self._keys[place])
            row.addWidget(label)

    def show_overlay(self, is_overlay: bool) -> None:
        """Tell the lines apart as they are where there are several runs, or where there is one."""
        for key in self._keys:
            key.is_overlay = is_overlay
            key.update()


def legend_styles(colours: Colours, *, is_overlay: bool) -> tuple[LineStyle, LineStyle]:
    """Return the looks of training and validation, for any run."""
    return overlay_styles(colours.muted, colours) if is_overlay else line_styles(colours)


class _LineKey(QWidget):
    """A short piece of a line."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place = place
        self.is_overlay = False
        self.setFixedSize(20, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        del event
        painter = QPainter(self)
        style = legend_styles(colours_of(self.palette()), is_overlay=self.is_overlay)[self._place]
        paint_key(painter, QRectF(self.rect()), [style])
        painter.end()


@dataclass(frozen=True)
class LegendRun:
    """A run in the legend."""

    name: str
    look: int
    highlighted: bool = False
    is_shown: bool = True


class RunEntry(QAbstractButton):
    """A run's key and name; while it is pressed in, its lines are shown."""

    def __init__(self, run: LegendRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = run.look
        self._is_bold = run.highlighted
        self.setObjectName(f"legend_run_{run.look}")
        self.setText(run.name)
        self.setAccessibleName(f"Show {run.name}")
        self.setToolTip(run.name)
        self.setCheckable(True)
        self.setChecked(run.is_shown)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for the whole name."""
        text = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(text + _KEY_WIDTH + 14, self.fontMetrics().height() + 8)

    def minimumSizeHint(self) -> QSize:
        """Make do with a few letters."""
        return QSize(_KEY_WIDTH + 40, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw key and name; hidden runs are pale and struck out."""
        del event
        painter = QPainter(self)
        colours = colours_of(self.palette())
        own = run_colour(self.look, colours)
        colour = own if self.isChecked() else faded(own, colours, 0.3)
        paint_key(painter, QRectF(4, 0, _KEY_WIDTH, self.height()), [overlay_styles(colour, colours)[1]], self.look)
        self._paint_name(painter, colours)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        painter.end()

    def _paint_name(self, painter: QPainter, colours: Colours) -> None:
        font = self.font()
        font.setBold(self._is_bold)
        font.setStrikeOut(not self.isChecked())
        painter.setFont(font)
        painter.setPen(QColor(colours.text if self.isChecked() else colours.muted))
        place = self.rect().adjusted(_KEY_WIDTH + 10, 0, -4, 0)
        shown = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


class RunLegend(QWidget):
    """The runs that lie over each other."""

    shown_changed = Signal(int, bool)  # look, whether it is shown

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Runs in the charts")
        self.entries: list[RunEntry] = []
        self._runs: tuple[LegendRun, ...] = ()
        self._grid = CardGrid(_ENTRY_WIDTH, 4)
        self.left_out = WrappedLabel("", "muted", "runs_left_out")
        self.left_out.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._grid)
        column.addWidget(self.left_out)

    def show_runs(self, runs: Sequence[LegendRun], left_out: int = 0) -> None:
        """Show these runs, and say how many more there would have been."""
        self.left_out.say(f"{MOST_RUNS} runs at most are drawn; {left_out} more left out." if left_out else "")
        self.left_out.setVisible(left_out > 0)
        if tuple(runs) != self._runs:
            self._runs = tuple(runs)
            self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the height of all rows: what is around the charts asks for no height at a width."""
        super().resizeEvent(event)
        self._claim_height()

    def _claim_height(self) -> None:
        if layout := self.layout():
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))

    def _fill(self) -> None:
        had_focus = next((entry.look for entry in self.entries if entry.hasFocus()), None)
        self._grid.clear()
        self.entries = [RunEntry(run) for run in self._runs]
        for entry in self.entries:
            entry.toggled.connect(partial(self._on_toggled, entry.look))
            self._grid.addWidget(entry)
            if entry.look == had_focus:
                entry.setFocus()
        self._claim_height()

    def _on_toggled(self, look: int, shown: bool) -> None:
        self._runs = tuple(replace(run, is_shown=shown) if run.look == look else run for run in self._runs)
        self.shown_changed.emit(look, shown)
