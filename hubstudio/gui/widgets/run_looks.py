"""How lines look: training and validation of one run, and up to seven runs over each other.

The colours of runs were searched for: at least 3 to 1 against the card, and of all choices tried the one whose nearest
pair is farthest apart in CIELAB, seen with full colour vision and with each of the three dichromacies (Machado 2009).
Since that is not enough for everybody, each run also has a marker of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from hubstudio.gui.theme import DARK, Colours

MOST_RUNS = 6
"""Runs that can be laid over the own one."""
_LIGHT_RUNS = ("#2563d9", "#de6f10", "#1f9d57", "#c158b2", "#784c01", "#07274a", "#821631")
_DARK_RUNS = ("#5b9bff", "#ef9652", "#bdf5dd", "#d20cad", "#f9dc15", "#2de6ff", "#fc0f6d")
_RAW, _TRAINING = 0.45, 0.5  # how much of the colour is left in what stays in the background
_DASHES = (4, 1.5)
SYMBOL_SIZE = 7.0


@dataclass(frozen=True)
class LineStyle:
    """How one line looks; dashes tell the lines apart without colour."""

    name: str
    colour: str
    dashed: bool
    width: float = 2

    def pen(self, *, dashes: bool = True) -> QPen:
        """Return the pen, for a chart or its legend."""
        pen = QPen(QColor(self.colour), self.width)
        pen.setCosmetic(True)
        if self.dashed and dashes:
            pen.setDashPattern(_DASHES)
        return pen

    def behind(self, colours: Colours) -> LineStyle:
        """Return the style of what was measured, behind a smoothed line: pale and thin."""
        return replace(self, colour=faded(self.colour, colours, _RAW), width=self.width / 2)

    def times(self, factor: float) -> LineStyle:
        """Return the style for a picture that is finer than the screen: pens are as wide as its pixels say."""
        return replace(self, width=self.width * factor)


def line_styles(colours: Colours) -> tuple[LineStyle, LineStyle]:
    """Return the looks of training and validation where there is one run."""
    return LineStyle("training", colours.training, False), LineStyle("validation", colours.validation, True)


def overlay_styles(colour: str, colours: Colours, *, highlighted: bool = False) -> tuple[LineStyle, LineStyle]:
    """Return the looks of training and validation of one of several runs."""
    width = 3 if highlighted else 2
    training = LineStyle("training", faded(colour, colours, _TRAINING), True, width - 0.5)
    return training, LineStyle("validation", colour, False, width)


def run_colour(look: int, colours: Colours) -> str:
    """Return the colour of a run."""
    return (_DARK_RUNS if colours is DARK else _LIGHT_RUNS)[look]


def faded(colour: str, colours: Colours, share: float) -> str:
    """Return a colour mixed with the card's. An opaque one: lines that shine through are slow to draw."""
    own, ground = QColor(colour), QColor(colours.surface)
    parts = zip((own.red(), own.green(), own.blue()), (ground.red(), ground.green(), ground.blue()), strict=True)
    return QColor(*(round(share * one + (1 - share) * other) for one, other in parts)).name()


def looks_for(names: Sequence[str], former: dict[str, int]) -> dict[str, int]:
    """Return each name's look: the one it had, so that no colour changes when another run comes or goes."""
    kept = {name: former[name] for name in names if name in former}
    free = [look for look in range(1, MOST_RUNS + 1) if look not in kept.values()]
    return {name: kept[name] if name in kept else free.pop(0) for name in names}


@cache
def marker(look: int) -> QPainterPath:
    """Return a run's marker, of size 1 around the origin."""
    path = QPainterPath()
    if look == 0:
        path.addEllipse(QPointF(), 0.5, 0.5)
    elif look == 1:
        path.addRect(QRectF(-0.45, -0.45, 0.9, 0.9))
    else:
        path.addPolygon(QPolygonF(_MARKERS[look]()))
        path.closeSubpath()
    return path


def _ring(corners: int, start: float, radius: float = 0.58, notch: float = 0) -> list[QPointF]:
    """Return the corners of a polygon; with ``notch`` every second one is that far from the middle."""
    points: list[QPointF] = []
    for place in range(corners):
        turn = math.radians(start + 360 * place / corners)
        far = notch if notch and place % 2 else radius
        points.append(QPointF(far * math.cos(turn), far * math.sin(turn)))
    return points


_MARKERS = {
    2: lambda: _ring(3, -90, 0.62),
    3: lambda: _ring(4, -90, 0.64),
    4: lambda: _ring(3, 90, 0.62),
    5: lambda: _ring(10, -90, 0.7, 0.28),
    6: lambda: _ring(8, -90, 0.66, 0.18),
}


def paint_key(painter: QPainter, place: QRectF, styles: Sequence[LineStyle], look: int | None = None) -> None:
    """Paint a short piece of each line, below each other, with the run's marker in the middle."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for number, style in enumerate(styles, 1):
        height = place.top() + place.height() * number / (len(styles) + 1)
        painter.setPen(style.pen())
        painter.drawLine(QPointF(place.left(), height), QPointF(place.right(), height))
    if look is not None:
        painter.translate(place.center())
        painter.scale(SYMBOL_SIZE, SYMBOL_SIZE)
        painter.fillPath(marker(look), QColor(styles[-1].colour))
    painter.restore()
