"""A measure over the epochs, to be read, zoomed into and walked through, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.gui.chart_contents import ChartContents, Measure, description
from hubstudio.gui.chart_reading import reading_at
from hubstudio.gui.epoch_span import EpochSpan
from hubstudio.gui.learning_curves import Curve
from hubstudio.gui.theme import colours_of
from hubstudio.gui.widgets.buttons import inline_button
from hubstudio.gui.widgets.chart_hover import ChartHover
from hubstudio.gui.widgets.chart_legend import LineLegend
from hubstudio.gui.widgets.chart_plot import ChartPlot

_STEP = 0.7  # what a key or a notch of the wheel leaves of the span
_NOTCH = 120  # Qt's unit of a wheel
_RING = 3  # room for the ring that shows the focus
_LEAST_DRAG = 6  # pixels; less is a click


class LineChart(QWidget):
    """A chart that only draws anew what has changed; its accessible description says where the lines stand."""

    zoomed = Signal(object)  # EpochSpan, or None for the whole training
    looked_at = Signal(object)  # the epoch that the person reads, counted through both phases, or None

    def __init__(self, measure: Measure, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measure = measure
        self._contents = ChartContents()
        self._zoom: EpochSpan | None = None
        self._place: int | None = None
        self._is_walked = False  # by keys: then the numbers stay when the mouse leaves
        self._drag: float | None = None
        self.setObjectName(f"{measure.title.casefold()}_chart")
        self.setAccessibleName(f"{measure.title} chart")
        self.setMinimumHeight(200)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.plot = ChartPlot(measure)
        self.legend = LineLegend()
        self.whole = inline_button(
            "Whole", f"{measure.title.casefold()}_whole", f"Show the whole training: {measure.title}"
        )
        self._lay_out()
        self.hover = ChartHover(self.plot, self)
        self.whole.clicked.connect(self._on_whole_clicked)
        self._draw()

    @property
    def curve(self) -> Curve:
        """The own run's line."""
        return self._contents.own

    @property
    def contents(self) -> ChartContents:
        """All that is shown."""
        return self._contents

    @property
    def span(self) -> EpochSpan:
        """The epochs that are shown."""
        return self._zoom or EpochSpan.whole(self._contents.epochs)

    @property
    def is_zoomed(self) -> bool:
        """Whether only a part of the epochs is shown."""
        return self._zoom is not None

    def show_curve(self, curve: Curve) -> None:
        """Show another state of the own run; the same one again costs nothing."""
        if curve != self._contents.own:
            self.show_contents(replace(self._contents, own=curve))

    def show_contents(self, contents: ChartContents) -> None:
        """Show other runs, or other numbers of them. A part that is zoomed into stays, unless a new run begins."""
        if contents == self._contents:
            return
        former, self._contents = self._contents, contents
        if self._zoom and len(contents.own) < len(former.own):
            self._set_zoom(None)
        elif self._zoom:
            self._set_zoom(self._zoom)
        self._draw()

    def show_span(self, span: EpochSpan | None) -> None:
        """Show these epochs, or all of them, which then grow with the training."""
        if self._set_zoom(span):
            self._draw()

    def show_whole(self) -> None:
        """Show all epochs."""
        self._zoom_to(None)

    def zoom_in(self) -> None:
        """Show fewer epochs, around the one that is read."""
        self._zoom_by(_STEP, self._centre())

    def zoom_out(self) -> None:
        """Show more epochs."""
        self._zoom_by(1 / _STEP, self._centre())

    def read_at(self, place: int | None) -> None:
        """Show the numbers of an epoch, counted through both phases, or of none."""
        self._place = None if place is None else min(max(place, 1), self._contents.measured) or None
        self._say()

    def follow(self, place: int | None) -> None:
        """Show the numbers of the epoch that is read in another chart; what keys asked for here stays."""
        if not self._is_walked:
            self.read_at(place)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what lies over the plot on it."""
        super().resizeEvent(event)
        if layout := self.layout():
            layout.activate()
        self.hover.setGeometry(0, 0, self.width(), self.plot.widget.geometry().bottom() + _RING)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk through the epochs and zoom."""
        act = self._key_acts().get(event.key())
        if act is None or not act():
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to draw a range."""
        x = self._inside(event.position())
        if event.button() is Qt.MouseButton.LeftButton and x is not None:
            self._drag = x
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the epoch below the mouse, or draw the range on."""
        x = event.position().x()
        if self._drag is not None:
            self.hover.show_band((self._drag, x) if abs(x - self._drag) >= _LEAST_DRAG else None)
            if self.hover.band:
                self._look_at(None)  # the box would hide what is chosen
                return
        inside = self._inside(event.position())
        if inside is not None or not self._is_walked:
            self._is_walked = False
            self._look_at(None if inside is None else self._nearest(inside))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Zoom into the range that was drawn."""
        band, self._drag = self.hover.band, None
        self.hover.show_band(None)
        if band:
            low, high = sorted(self.plot.epoch_at(x) for x in band)
            self._zoom_to(EpochSpan(round(low) - 0.5, round(high) + 0.5))
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all epochs again."""
        self._drag = None
        self.show_whole()
        super().mouseDoubleClickEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom, if the chart was asked for; else the page scrolls."""
        x = self._inside(event.position())
        is_meant = self.hasFocus() or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if x is None or not is_meant or not event.angleDelta().y():
            event.ignore()
            return
        self._zoom_by(_STEP ** (event.angleDelta().y() / _NOTCH), self.plot.epoch_at(x))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the numbers that the mouse asked for."""
        super().leaveEvent(event)
        if not self._is_walked:
            self._look_at(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys come here."""
        super().focusInEvent(event)
        self.hover.show_focus(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the numbers that keys asked for."""
        super().focusOutEvent(event)
        self.hover.show_focus(False)
        if self._is_walked:
            self._is_walked = False
            self._look_at(None)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_RING, _RING, _RING, 0)
        layout.setSpacing(2)
        layout.addWidget(self.plot.widget, 1)
        below = QHBoxLayout()
        epoch = QLabel("epoch")
        epoch.setProperty("role", "muted")
        below.addWidget(self.whole)
        below.addStretch(1)
        below.addWidget(epoch)
        below.addStretch(1)
        below.addWidget(self.legend)
        below.addStrut(self.whole.sizeHint().height())  # else the chart would jump with the button
        layout.addLayout(below)

    def _key_acts(self) -> dict[int, Callable[[], bool]]:
        """Return what keys do; each says whether there was anything to do."""
        first, last = max(self.span.first, 1), min(self.span.last, self._contents.measured)
        return {
            Qt.Key.Key_Left: lambda: self._walk_to(self._place - 1 if self._place else last),
            Qt.Key.Key_Right: lambda: self._walk_to(self._place + 1 if self._place else first),
            Qt.Key.Key_Home: lambda: self._walk_to(1),
            Qt.Key.Key_End: lambda: self._walk_to(self._contents.measured),
            Qt.Key.Key_Plus: lambda: self._zoom_by(_STEP, self._centre()),
            Qt.Key.Key_Equal: lambda: self._zoom_by(_STEP, self._centre()),  # plus without Shift
            Qt.Key.Key_Minus: lambda: self._zoom_by(1 / _STEP, self._centre()),
            Qt.Key.Key_Escape: self._escape,
        }

    def _walk_to(self, place: int) -> bool:
        if not self._contents.measured:
            return False
        self._is_walked = True
        self._look_at(place)
        if self._zoom and self._place:
            self._zoom_to(self._zoom.around(self._place))
        return True

    def _look_at(self, place: int | None) -> None:
        """Read an epoch because the person asked for it, and tell of it."""
        self.read_at(place)
        self.looked_at.emit(self._place)

    def _on_whole_clicked(self) -> None:
        self.setFocus()  # the button goes, and would take the focus with it
        self.show_whole()

    def _escape(self) -> bool:
        """Undo one thing: the range being drawn, the zoom, the numbers."""
        if self._drag is not None:
            self._drag = None
            self.hover.show_band(None)
        elif self._zoom:
            self.show_whole()
        elif self._place:
            self._look_at(None)
        else:
            return False
        return True

    def _centre(self) -> float:
        is_seen = self._place is not None and self.span.low <= self._place <= self.span.high
        return self._place if self._place and is_seen else (self.span.low + self.span.high) / 2

    def _zoom_by(self, factor: float, centre: float) -> bool:
        self._zoom_to(self.span.zoomed(factor, centre))
        return True

    def _zoom_to(self, span: EpochSpan | None) -> None:
        self.show_span(span)
        self.zoomed.emit(self._zoom)

    def _set_zoom(self, wanted: EpochSpan | None) -> bool:
        """Take over a span as far as it fits, and return whether that changed anything."""
        whole = EpochSpan.whole(self._contents.epochs)
        fitting = wanted.within(whole) if wanted else None
        former, self._zoom = self._zoom, None if fitting == whole else fitting
        self.whole.setVisible(self._zoom is not None)
        return former != self._zoom

    def _inside(self, position: QPointF) -> float | None:
        """Return how far at the right a point is, or None if it is not among the lines."""
        return position.x() if self.plot.area.contains(position) else None

    def _nearest(self, x: float) -> int | None:
        """Return the epoch nearest to a pixel, of those that are seen and measured."""
        last = min(self.span.last, self._contents.measured)
        first = max(self.span.first, 1)
        return min(max(round(self.plot.epoch_at(x)), first), last) if last >= first else None

    def _draw(self) -> None:
        self.whole.setVisible(self._zoom is not None)
        self.plot.draw(self._contents, self.span, colours_of(self.palette()))
        self.legend.show_overlay(self._contents.is_overlay)
        self.read_at(self._place)

    def _say(self) -> None:
        place = self._place
        reading = reading_at(self._measure, self._contents, self.plot.lines, place) if place else None
        is_seen = place is not None and self.span.low <= place <= self.span.high
        self.hover.show_reading(reading if is_seen else None)
        self.setAccessibleDescription(reading.sentence if reading else description(self._measure, self._contents))
