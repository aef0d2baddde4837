"""Signed-distance shapes: turned fruit bodies, stems, leaves and the tomato's green star."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Array, dot, length, vec

Distance = Callable[[Array], Array]
TABLE = 1024


def _curve(points: Sequence[tuple[float, float]]) -> Array:
    """A dense Catmull-Rom curve through the (radius, height) points of an outline."""
    knots = np.array(points, dtype=np.float64)
    mirror = np.array([-1.0, 1.0])
    knots = np.vstack([knots[1] * mirror, knots, knots[-2] * mirror])
    t = np.linspace(0.0, 1.0, 40, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        bend = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
        pieces.append(0.5 * (2 * b + (c - a) * t + bend))
    return np.vstack([*pieces, knots[-2:-1]])


def outline(points: Sequence[tuple[float, float]]) -> Array:
    """Distance from the centre for every polar angle, 0 at the stem to pi at the blossom end."""
    curve = _curve(points)
    angle = np.arctan2(np.abs(curve[:, 0]), curve[:, 1])
    order = np.argsort(angle, kind="stable")
    reach = np.hypot(curve[:, 0], curve[:, 1])
    return np.interp(np.linspace(0.0, np.pi, TABLE), angle[order], reach[order]).astype(np.float32)


@dataclass(frozen=True)
class Body:
    """A turned shape about the y axis, made uneven, ribbed, bent and perhaps cut in half."""

    table: Array
    stretch: float = 1.0
    uneven: tuple[float, float] = (0.0, 0.0)
    ribs: int = 0
    rib_depth: float = 0.0
    bend: float = 0.0
    cut: Array | None = None
    cut_offset: float = 0.0

    def distance(self, p: Array) -> Array:
        """Signed distance estimate at each point."""
        whole = self.skin_distance(p)
        if self.cut is None:
            return whole
        return np.maximum(whole, dot(p, self.cut) - np.float32(self.cut_offset))

    def skin_distance(self, p: Array) -> Array:
        """Signed distance estimate to the uncut body."""
        x, y, z = p[0], p[1] / np.float32(self.stretch), p[2]
        if self.bend:
            x = x - np.float32(self.bend) * np.square(np.maximum(y, 0))
        far = np.sqrt(x * x + y * y + z * z + np.float32(1e-9))
        return far - self.reach(x / far, y / far, z / far)

    def reach(self, x: Array, y: Array, z: Array) -> Array:
        """Distance from the centre to the surface along unit directions."""
        place = np.arccos(np.clip(y, -1, 1)) * np.float32((TABLE - 1) / np.pi)
        cell = np.minimum(place.astype(np.int32), TABLE - 2)
        share = place - cell
        radius = self.table[cell] * (1 - share) + self.table[cell + 1] * share
        radius = radius * (1 + np.float32(self.uneven[0]) * x + np.float32(self.uneven[1]) * x * z)
        if self.rib_depth:
            wave = np.cos(np.arctan2(z, x) * self.ribs)
            radius = radius * (1 + np.float32(self.rib_depth) * wave * (1 - y * y))
        return radius

    def surface(self) -> Array:
        """A coarse cloud of points on the surface, cut included."""
        polar, turn = np.meshgrid(np.linspace(0.01, 3.13, 40), np.linspace(0, 2 * np.pi, 40))
        x, y, z = np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)
        ray = np.stack([x, y, z]).reshape(3, -1).astype(np.float32)
        p = ray * self.reach(*ray)
        p[0] += self.bend * np.square(np.maximum(p[1], 0))
        p[1] *= self.stretch
        if self.cut is not None:
            p -= np.maximum(dot(p, self.cut) - self.cut_offset, 0) * self.cut[:, None]
        return p

    def top(self) -> Array:
        """Where the stem meets the body."""
        y = float(self.table[0])
        return vec(self.bend * y * y, y * self.stretch, 0.0)


def stem(foot: Array, tip: Array, thick: float, sway: float) -> Distance:
    """A bent stick from `foot` to `tip`, thicker at both ends."""
    along = tip - foot
    size = float(np.dot(along, along))

    def distance(p: Array) -> Array:
        q = p - foot[:, None]
        share = np.clip(dot(q, along) / np.float32(size), 0, 1)
        middle = share * (1 - share)
        q = q - along[:, None] * share
        q[2] -= np.float32(sway) * middle
        return length(q) - np.float32(thick) * (1.15 - 1.6 * middle + 0.25 * share**4)

    return distance


def leaf(foot: Array, frame: Array, size: float, curl: float) -> Distance:
    """A thin leaf that starts at `foot` and runs along the first row of `frame`."""
    scale = np.float32(size)

    def distance(p: Array) -> Array:
        u, v, w = frame @ (p - foot[:, None]) / scale
        share = np.clip(u, 0, 1)
        half = 0.27 * np.sin(np.pi * share**0.8)
        sheet = v + np.float32(curl) * u * u - 0.22 * np.abs(w)
        flat = np.maximum(np.abs(w) - half, np.maximum(-u, u - 1))
        return np.maximum(flat * 0.7, np.abs(sheet) - 0.016) * scale

    return distance


def star(body: Body, count: int, size: float, curl: float) -> Distance:
    """The green star on a tomato: pointed leaves that hug the top and curl up at their tips."""
    step = 2 * np.pi / count

    def distance(p: Array) -> Array:
        out = np.sqrt(p[0] ** 2 + p[2] ** 2 + np.float32(1e-9)) / np.float32(size)
        turn = np.arctan2(p[2], p[0]) + 0.35 * out
        side = np.abs(np.mod(turn, step) - step / 2) * out
        half = 0.20 * np.clip(1 - out, 0, 1) ** 0.8 + 0.004
        rise = 0.015 + np.float32(curl) * out**3 + 0.25 * side
        sheet = np.abs(body.skin_distance(p) - rise) - 0.018
        flat = np.maximum(side - half, out - 1) * np.float32(size)
        return np.maximum(np.maximum(flat, sheet), 0.2 - p[1]).astype(np.float32)

    return distance
