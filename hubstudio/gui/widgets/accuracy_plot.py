"""Accuracy against speed, one point for each backbone, with its interval. Imports pyqtgraph when the first is made."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from hubstudio.core.run_state import percent
from hubstudio.gui.comparison_rows import Point, speed_text
from hubstudio.gui.label_places import free_places
from hubstudio.gui.qt_types import CHART_LIBRARY
from hubstudio.gui.theme import Colours, colours_of

_LONGEST_LABEL = 26
_DOT = 11
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


class AccuracyPlot(QWidget):
    """Speeds go up by factors, so that slow backbones stand apart as well as fast ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[Point, ...] = ()
        self._items: list[Any] = []
        self._names: list[Any] = []
        """Labels, in the order of the points."""
        self.setObjectName("accuracy_plot")
        self.setAccessibleName("Accuracy against speed")
        self.setMinimumHeight(180)
        self._pg: Any = importlib.import_module(CHART_LIBRARY)  # Any: it has no types
        self._plot: Any = self._bare_plot()
        caption = QLabel("photos per second (higher is faster)")
        caption.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._plot, 1)
        column.addWidget(caption, 0, Qt.AlignmentFlag.AlignHCenter)
        self._plot.getViewBox().sigResized.connect(self._place_names)
        self._draw()

    def show_points(self, points: Sequence[Point]) -> None:
        """Show these; the same again costs nothing."""
        best_first = tuple(sorted(points, key=lambda one: (-one.accuracy, -one.photos_per_second)))
        if best_first != self._points:
            self._points = best_first
            self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()

    def _bare_plot(self) -> Any:
        plot = self._pg.PlotWidget()
        plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setAccessibleName("Accuracy and speed points")
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.getViewBox().disableAutoRange()
        plot.showGrid(x=False, y=True, alpha=0.5)
        plot.getAxis("left").tickStrings = _share_texts
        return plot

    def _draw(self) -> None:
        colours = colours_of(self.palette())
        for item in self._items:
            self._plot.removeItem(item)
        self._names = self._labels(colours)
        self._items = [*self._bars(colours), *self._names] if self._points else []
        for item in self._items:
            self._plot.addItem(item)
        self._set_ranges()
        self._place_names()
        self._plot.setBackground(QColor(colours.surface))
        for name in ("bottom", "left"):
            self._plot.getAxis(name).setPen(QColor(colours.border))
            self._plot.getAxis(name).setTextPen(QColor(colours.muted))
        self.setAccessibleDescription(description(self._points))

    def _bars(self, colours: Colours) -> list[Any]:
        x = [math.log10(point.photos_per_second) for point in self._points]
        y = [point.accuracy for point in self._points]
        pen = QPen(QColor(colours.muted), 1.5)
        pen.setCosmetic(True)
        bars = self._pg.ErrorBarItem(beam=0.02, pen=pen)
        bars.setData(
            x=_array(x),
            y=_array(y),
            top=_array([point.high - point.accuracy for point in self._points]),
            bottom=_array([point.accuracy - point.low for point in self._points]),
        )
        dots = self._pg.ScatterPlotItem(x=x, y=y, size=_DOT, brush=QColor(colours.accent), pen=QColor(colours.surface))
        return [bars, dots]

    def names_shown(self) -> list[str]:
        """Return which points have their names beside them; the table has all."""
        return [point.name for point, name in zip(self._points, self._names, strict=True) if name.isVisible()]

    def _place_names(self, _: object = None) -> None:
        """Let no name cover another: it goes to the other side or a line up or down, or is left out."""
        box = self._plot.getViewBox()
        points = [box.mapViewToScene(self._place(point)) for point in self._points]
        sizes = [name.boundingRect().size() for name in self._names]
        room = box.sceneBoundingRect().adjusted(0, -_DOT, 0, _DOT)  # beside the axis and above the frame is room, too
        for name, place in zip(self._names, free_places(points, sizes, room, _DOT), strict=True):
            name.setVisible(place is not None)
            if place is not None:
                name.setPos(box.mapSceneToView(place.topLeft()))

    @staticmethod
    def _place(point: Point) -> QPointF:
        return QPointF(math.log10(point.photos_per_second), point.accuracy)

    def _labels(self, colours: Colours) -> list[Any]:
        return [self._pg.TextItem(_short(point.name), color=QColor(colours.text)) for point in self._points]

    def _span(self) -> tuple[float, float]:
        logs = [math.log10(point.photos_per_second) for point in self._points] or [0.5, 2.5]
        room = max((max(logs) - min(logs)) * 0.12, 0.2)
        return min(logs) - room, max(logs) + room

    def _set_ranges(self) -> None:
        low, high = self._span()
        self._plot.setXRange(low, high, padding=0)
        ticks = [(math.log10(tick), f"{tick:,}") for tick in _TICKS if low <= math.log10(tick) <= high]
        self._plot.getAxis("bottom").setTicks([ticks])
        bottom = min((point.low for point in self._points), default=0.0)
        top = max((point.high for point in self._points), default=1.0)
        room = max((top - bottom) * 0.06, 0.01)
        self._plot.setYRange(max(bottom - room, 0.0), min(top + room, 1.02), padding=0)


def description(points: Sequence[Point]) -> str:
    """Return the plot in words."""
    if not points:
        return "Nothing measured yet"
    each = (
        f"{point.name}: {percent(point.accuracy)}, {speed_text(point.photos_per_second)} photos/s" for point in points
    )
    return "; ".join(each)


def _short(name: str) -> str:
    """Return what fits beside a point; the table has the whole name."""
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"


def _share_texts(values: Sequence[float], _scale: float, _spacing: float) -> list[str]:
    return [f"{value * 100:.0f} %" for value in values]


def _array(values: list[float]) -> Any:
    """Return what pyqtgraph calculates with; it brings NumPy itself."""
    return importlib.import_module("numpy").array(values)
