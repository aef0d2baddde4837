"""Things: one silhouette, several joined parts, or a drawn sign, before a ground that does not matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Array, Rng, blur, developed, lay, line, polygon, relief, with_shadow
from .colours import mapped
from .grounds import ground
from .outlines import Freedom, closed_curve, freedom, outline, posed, turned
from .programs import Program, Seeds, between, chance, dress
from .surfaces import any_field, surface


def silhouette(seeds: Seeds) -> Program:
    """A class known by its outline, by marks inside it, and at times by its colours and its surface."""
    form = seeds.form
    shape, may, wears = outline(form), freedom(form), dress(seeds, 3)
    pattern = any_field(form) if chance(form, 0.4) else None
    marks = [(outline(form) * form.uniform(0.1, 0.35), form.uniform(-0.5, 0.5, 2)) for _ in range(form.integers(0, 4))]

    def paint(rng: Rng, size: int) -> Array:
        colours = wears.worn(rng)
        inside = mapped(pattern(rng, size), colours[:2]) if pattern else surface(rng, size, colours[:2])
        pieces = [shape, *(mark + place for mark, place in marks)]
        placed = posed(rng, np.concatenate(pieces), may)
        body, *holes = np.split(placed, len(pieces))
        mask = polygon(body, size)
        picture = with_shadow(ground(rng, size), mask, rng) if chance(rng, 0.5) else ground(rng, size)
        for hole in holes:
            inside = lay(inside, polygon(hole, size), colours[2])
        return developed(lay(picture, mask, _lit(rng, inside, mask)), rng)

    return paint


def _lit(rng: Rng, inside: Array, mask: Array) -> Array:
    """Light a thing as if it were flat, rounded at the edge, or folded."""
    if chance(rng, 0.4):
        return inside
    bulge = relief(mask, rng.uniform(0.3, 1.2), rng.uniform(0, 2 * np.pi), rng.uniform(0.02, 0.12))
    return np.clip(inside * bulge[..., None], 0, 1)


@dataclass(frozen=True)
class Part:
    """One part of a jointed thing: its outline about its joint, where the joint sits, how far it swings."""

    shape: Array
    joint: Array
    swing: float
    tone: int


def _limb(rng: Rng) -> Array:
    """A long rounded part that begins at its joint."""
    width, length = rng.uniform(0.06, 0.2), rng.uniform(0.4, 1.0)
    end = width * rng.uniform(0.4, 1.3)
    knots = np.array([[-width, 0], [-end, length], [0, length + end], [end, length], [width, 0], [0, -width]])
    return turned(closed_curve(knots, 48).astype(np.float32), rng.uniform(-np.pi, np.pi))


def _part(rng: Rng) -> Part:
    shape = _limb(rng) if chance(rng, 0.5) else outline(rng)[::2] * between(rng, 0.15, 0.6)
    return Part(shape, rng.uniform(-0.5, 0.5, 2).astype(np.float32), rng.uniform(0.02, 0.35), int(rng.integers(0, 4)))


def jointed(seeds: Seeds) -> Program:
    """A class known by which parts sit where on its body; mirrored in half of the classes, as animals and tools are."""
    form = seeds.form
    body, may, wears = outline(form) * form.uniform(0.3, 0.6), freedom(form), dress(seeds, 4)
    parts = [_part(form) for _ in range(int(form.integers(1, 6)))]
    if chance(form, 0.5):
        mirror = np.array([-1, 1], np.float32)
        parts += [Part(part.shape * mirror, part.joint * mirror, part.swing, part.tone) for part in parts]
    in_front, one_tone = form.random(len(parts)) < 0.6, chance(form, 0.4)

    def paint(rng: Rng, size: int) -> Array:
        colours = wears.worn(rng)
        if one_tone:
            colours = np.repeat(colours[:1], 4, axis=0)
        pieces = [turned(part.shape, rng.normal(0, part.swing)) + part.joint for part in parts]
        whole = np.concatenate([body, *pieces])
        shown = posed(rng, whole / np.abs(whole).max(), may)
        cuts = np.cumsum([len(body), *(len(piece) for piece in pieces)])[:-1]
        first, *others = (polygon(points, size) for points in np.split(shown, cuts))
        layers = [(mask, colours[part.tone]) for part, mask in zip(parts, others, strict=True)]
        order = [layer for layer, front in zip(layers, in_front, strict=True) if not front]
        order += [(first, colours[0]), *(layer for layer, front in zip(layers, in_front, strict=True) if front)]
        return developed(_assembled(rng, ground(rng, size), order), rng)

    return paint


def _assembled(rng: Rng, picture: Array, layers: list[tuple[Array, Array]]) -> Array:
    """Lay the parts over each other under one light, each with a rim that sets it off."""
    whole = np.max([mask for mask, _ in layers], axis=0)
    picture = with_shadow(picture, whole, rng) if chance(rng, 0.4) else picture
    light, depth, rim = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1), rng.uniform(0, 0.5)
    for mask, tone in layers:
        picture = picture * (1 - rim * np.clip(blur(mask, 1.2) - mask, 0, 1))[..., None]
        bright = relief(mask, depth, light, 0.04)[..., None]
        picture = lay(picture, mask, np.clip(tone * bright, 0, 1))
    return picture


def sign(seeds: Seeds) -> Program:
    """A class known by its strokes alone, as letters and drawings are."""
    form = seeds.form
    strokes = [_stroke(form) for _ in range(int(form.integers(1, 5)))]
    may, wears = Freedom(form.uniform(0.1, 0.4), 0.12, 0), dress(seeds, 1)

    def paint(rng: Rng, size: int) -> Array:
        picture, width = ground(rng, size), between(rng, 0.03, 0.18)
        tone = wears.worn(rng)[0]
        if np.abs(tone - picture.mean(axis=(0, 1))).sum() < 0.5:
            tone = np.float32(1) - tone.round()
        knots = [stroke + rng.normal(0, 0.05, stroke.shape) for stroke in strokes]
        placed = posed(rng, np.concatenate(knots), may, (0.5, 0.95))
        lines = np.split(placed, np.cumsum([len(k) for k in knots])[:-1])
        mask = np.max([line(_bezier(points), width, size) for points in lines], axis=0)
        return developed(lay(picture, mask, tone), rng)

    return paint


def _stroke(rng: Rng) -> Array:
    knots = rng.uniform(-1, 1, (int(rng.integers(2, 5)), 2))
    return knots.astype(np.float32)


def _bezier(knots: Array) -> Array:
    """Return 24 points of the Bezier curve of the knots (de Casteljau)."""
    t = np.linspace(0, 1, 24)[:, None, None]
    points = np.broadcast_to(knots, (24, *knots.shape))
    while points.shape[1] > 1:
        points = points[:, :-1] * (1 - t) + points[:, 1:] * t
    return points[:, 0].astype(np.float32)
