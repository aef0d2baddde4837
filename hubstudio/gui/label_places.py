"""Where names stand beside their points so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF

_SHIFTS = ((0, False), (0, True), (-1, False), (1, False), (-1, True), (1, True))
"""Lines down, and whether at the other side: where it is still seen which point a name belongs to."""


def free_places(
    points: Sequence[QPointF], sizes: Sequence[QSizeF], room: QRectF, diameter: float
) -> list[QRectF | None]:
    """Return a place for each name, the first ones first; None where every place near its point is taken."""
    half = diameter / 2
    dots = [QRectF(at.x() - half, at.y() - half, diameter, diameter) for at in points]
    placed: list[QRectF | None] = []
    for own, (at, size) in enumerate(zip(points, sizes, strict=True)):
        taken = [dot for place, dot in enumerate(dots) if place != own and not dot.intersects(dots[own])]
        taken += [one for one in placed if one is not None]
        near = [_beside(at, size, room, diameter, shift) for shift in _SHIFTS]
        placed.append(next((one for one in near if _is_free(one, taken, room)), None))
    return placed


def _beside(at: QPointF, size: QSizeF, room: QRectF, gap: float, shift: tuple[int, bool]) -> QRectF:
    """Return a place beside a point: towards the middle, where there is room, or at the other side."""
    lines, is_other_side = shift
    is_left = (at.x() > room.center().x()) is not is_other_side
    left = at.x() - gap - size.width() if is_left else at.x() + gap
    return QRectF(QPointF(left, at.y() + (lines - 0.5) * size.height()), size)


def _is_free(rect: QRectF, taken: Sequence[QRectF], room: QRectF) -> bool:
    return room.contains(rect) and not any(map(rect.intersects, taken))
