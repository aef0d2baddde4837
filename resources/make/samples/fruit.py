"""The five kinds of fruit: a recipe for each draws one fruit with its stem, leaf or star."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from . import skin
from .arrays import Array, colour, dot, rotation, rotation_between, smoothstep, unit, vec
from .noise import cloud, solid, spots, wrapped
from .shapes import Body, Distance, leaf, outline, star, stem

Rng = np.random.Generator

OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "kiwi": ((0, 1.05), (0.1, 1.08), (0.3, 1.02), (0.62, 0.78), (0.84, 0.4), (0.9, 0), (0.84, -0.4),
             (0.62, -0.78), (0.3, -1.03), (0.1, -1.1), (0, -1.08)),
    "lemon": ((0, 1.3), (0.1, 1.24), (0.18, 1.1), (0.42, 0.9), (0.7, 0.48), (0.79, 0), (0.7, -0.48),
              (0.42, -0.88), (0.2, -1.03), (0.1, -1.1), (0, -1.13)),
    "orange": ((0, 0.86), (0.12, 0.89), (0.4, 0.86), (0.8, 0.54), (0.97, 0), (0.8, -0.54), (0.4, -0.87),
               (0.1, -0.93), (0, -0.9)),
    "pear": ((0, 1.5), (0.16, 1.52), (0.33, 1.36), (0.43, 0.98), (0.6, 0.52), (0.88, 0.06), (0.97, -0.36),
             (0.84, -0.78), (0.5, -1.05), (0.2, -1.08), (0, -1.0)),
    "tomato": ((0, 0.56), (0.2, 0.66), (0.55, 0.72), (0.9, 0.42), (1.02, 0), (0.88, -0.45), (0.5, -0.73),
               (0.15, -0.8), (0, -0.79)),
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One marched shape with its paint, shine and bounding ball."""

    distance: Distance
    paint: skin.Paint
    centre: Array
    radius: float
    gloss: float
    bump: Distance | None = None
    thin: bool = False


@dataclass(frozen=True)
class Fruit:
    """The parts of one fruit in its own frame, with balls that stand in for it when it casts shade."""

    body: Body
    parts: tuple[Part, ...]
    balls: tuple[tuple[Array, float], ...] = ()


def _bumps(body: Body, seed: int, cycles: float, scale: float, depth: float) -> Distance:
    """Fine pores plus slow dents of the skin, for the normals only; a cut stays smooth."""

    def bump(p: Array) -> Array:
        fine = wrapped(spots(seed, cycles), p, scale)
        total = np.float32(depth) * fine + np.float32(0.005) * solid(cloud(seed + 1, 2.6), p, 0.16)
        return total if body.cut is None else total * smoothstep(-0.01, -0.05, dot(p, body.cut))

    return bump


def _body_part(body: Body, paint: skin.Paint, gloss: float, bump: Distance) -> Part:
    """The fruit body as a part."""
    reach = float(np.sqrt((body.surface() ** 2).sum(axis=0)).max()) * 1.03 + 0.01
    return Part(body.distance, paint, vec(0, 0, 0), reach, gloss, bump)


def _stem_part(rng: Rng, body: Body, size: float, thick: float) -> Part:
    """A woody stem."""
    foot = body.top() - vec(0, 0.06, 0)
    tip = foot + vec(*(rng.uniform(-0.35, 0.35, 2) * size), size)[[0, 2, 1]]
    tone = skin.jitter(rng, colour(str(rng.choice(("#5a3d22", "#6f5a2e", "#4a3a22")))))
    middle, sway = (foot + tip) / 2, rng.uniform(-0.5, 0.5)
    return Part(stem(foot, tip, thick, sway), skin.flat(tone, 0.25), middle, size * 0.75 + 0.15, 0.1)


def _leaf_part(rng: Rng, body: Body) -> Part:
    """A green leaf at the stem."""
    foot = body.top()
    foot[1] = max(foot[1], float(body.surface()[1].max())) + 0.04
    spin, lift = rotation(vec(0, 1, 0), rng.uniform(0, 6.3)), rotation(vec(0, 0, 1), rng.uniform(0.1, 0.75))
    frame = (spin @ lift).T.astype(np.float32)
    tone = skin.jitter(rng, colour(str(rng.choice(("#3c6a24", "#557f2d", "#2f5526")))), 0.15)
    size = rng.uniform(0.8, 1.35)
    middle = foot + frame[0] * np.float32(size / 2)
    shape = leaf(foot, frame, size, rng.uniform(-0.15, 0.4))
    return Part(shape, skin.flat(tone, 0.12), middle, size * 0.72, 0.35, thin=True)


def _star_part(rng: Rng, body: Body) -> tuple[Part, Part]:
    """The tomato's green star and its stub of a stem."""
    foot, size = body.top() - vec(0, 0.01, 0), rng.uniform(0.55, 0.8)
    tone = skin.jitter(rng, colour(str(rng.choice(("#4a7a2c", "#6a8f3c", "#3f6427")))), 0.12)
    shape = star(body, int(rng.integers(5, 7)), size, rng.uniform(0.0, 0.45))
    stub = foot + vec(rng.uniform(-0.1, 0.1), rng.uniform(0.16, 0.36), rng.uniform(-0.1, 0.1))
    stick = Part(stem(foot, stub, 0.06, 0.1), skin.flat(tone * 0.9), (foot + stub) / 2, 0.4, 0.15)
    return Part(shape, skin.flat(tone), foot, size * 1.1, 0.2, thin=True), stick


def _turned(rng: Rng, kind: str, stretch: tuple[float, float], cut: Array | None) -> Body:
    """The body of a kind, a little taller or flatter and uneven."""
    uneven = (float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.05, 0.05)))
    return Body(outline(OUTLINES[kind]), float(rng.uniform(*stretch)), uneven, cut=cut)


def _extras(rng: Rng, body: Body, stem_odds: float, leaf_odds: float, size: tuple[float, float]) -> list[Part]:
    """Perhaps a stem, perhaps a leaf."""
    parts = [_stem_part(rng, body, rng.uniform(*size), 0.05)] if rng.random() < stem_odds else []
    return parts + ([_leaf_part(rng, body)] if rng.random() < leaf_odds else [])


def kiwi(rng: Rng, half: bool, look: Rng) -> Fruit:
    """A kiwi, or half of one cut across."""
    body = _turned(rng, "kiwi", (0.92, 1.12), vec(0, 1, 0) if half else None)
    paint = skin.kiwi(look)
    paint = skin.halved(body, paint, skin.kiwi_flesh(rng, body)) if half else paint
    parts = (_body_part(body, paint, rng.uniform(0.05, 0.2), _bumps(body, 50, 110, 0.6, 0.0012)),)
    return Fruit(body, parts, ((vec(0, 0.25, 0), 0.84), (vec(0, -0.25, 0), 0.84)))


def pear(rng: Rng, half: bool, look: Rng) -> Fruit:
    """A pear, or half of one."""
    cut = vec(1, 0, 0) if half else None
    bend = 0.0 if half else rng.uniform(-0.12, 0.12)
    body = replace(_turned(rng, "pear", (0.78, 1.04), cut), bend=bend)
    paint = skin.pear(look)
    paint = skin.halved(body, paint, skin.pome_flesh(rng, body)) if half else paint
    parts = [_body_part(body, paint, rng.uniform(0.15, 0.5), _bumps(body, 52, 60, 0.45, 0.0003))]
    balls = ((vec(0, -0.15, 0), 0.93), (vec(0, 0.85 * body.stretch, 0), 0.5))
    return Fruit(body, (*parts, *_extras(rng, body, 0.85, 0.2, (0.4, 0.75))), balls)


def lemon(rng: Rng, half: bool, look: Rng) -> Fruit:
    """A lemon, or half of one cut across."""
    body = _turned(rng, "lemon", (0.84, 1.05), vec(0, 1, 0) if half else None)
    paint = skin.lemon(look)
    pulp = skin.jitter(rng, colour("#ead24a"), 0.08)
    paint = skin.halved(body, paint, skin.citrus_flesh(rng, body, pulp)) if half else paint
    parts = [_body_part(body, paint, rng.uniform(0.2, 0.5), _bumps(body, 54, 60, 0.55, 0.0010))]
    extras = [] if half else _extras(rng, body, 0.15, 0.2, (0.2, 0.35))
    return Fruit(body, (*parts, *extras), ((vec(0, 0.35, 0), 0.72), (vec(0, -0.35, 0), 0.72)))


def orange(rng: Rng, half: bool, look: Rng) -> Fruit:
    """An orange, or half of one cut across."""
    body = _turned(rng, "orange", (0.86, 1.06), vec(0, 1, 0) if half else None)
    paint = skin.orange(look)
    pulp = skin.jitter(rng, colour(str(rng.choice(("#ee9522", "#e87f1a")))), 0.08)
    paint = skin.halved(body, paint, skin.citrus_flesh(rng, body, pulp)) if half else paint
    parts = [_body_part(body, paint, rng.uniform(0.2, 0.5), _bumps(body, 56, 60, 0.6, 0.0011))]
    extras = [] if half else _extras(rng, body, 0.25, 0.25, (0.15, 0.3))
    return Fruit(body, (*parts, *extras), ((vec(0, 0, 0), 0.93),))


def tomato(rng: Rng, half: bool, look: Rng) -> Fruit:
    """A tomato, round or ribbed, or half of one cut across."""
    ribs, depth = int(rng.integers(5, 9)), max(0.0, rng.uniform(-0.05, 0.042))
    body = replace(_turned(rng, "tomato", (0.85, 1.1), vec(0, 1, 0) if half else None), ribs=ribs, rib_depth=depth)
    paint = skin.tomato(look)
    pulp = skin.jitter(rng, colour("#c23a22"), 0.08)
    paint = skin.halved(body, paint, skin.tomato_flesh(rng, body, pulp)) if half else paint
    parts = [_body_part(body, paint, rng.uniform(0.6, 1.0), _bumps(body, 58, 30, 0.3, 0.0004))]
    extras = [] if half else _star_part(rng, body)
    return Fruit(body, (*parts, *extras), ((vec(0, 0, 0), 0.92 * min(1.0, body.stretch)),))


RECIPES: dict[str, Callable[[Rng, bool, Rng], Fruit]] = {
    "kiwi": kiwi, "lemon": lemon, "orange": orange, "pear": pear, "tomato": tomato,
}  # fmt: skip


def posture(rng: Rng, kind: str, fruit: Fruit) -> Array:
    """A rotation that sets the fruit on the table the way such a fruit lies."""
    spin = rotation(vec(0, 1, 0), rng.uniform(0, 2 * np.pi))
    if fruit.body.cut is not None:
        return _face_up(rng, fruit.body.cut)
    lying = {"kiwi": 1.0, "lemon": 1.0, "orange": 0.4, "pear": 0.25, "tomato": 0.05}[kind]
    tilt = rng.uniform(1.3, 1.85) if rng.random() < lying else abs(rng.normal(0, 0.22))
    if kind == "pear" and tilt > 1:
        tilt = rng.uniform(1.75, 1.95)
    yaw = rng.uniform(-0.5, 0.5) + (np.pi if rng.random() < 0.5 else 0)
    turn = rotation(vec(0, 1, 0), yaw)
    return (turn @ rotation(vec(0, 0, 1), tilt) @ spin).astype(np.float32)


def _face_up(rng: Rng, cut: Array) -> Array:
    """A half lies on its round back and leans, mostly to the viewer."""
    facing = unit(vec(rng.normal(0, 0.3), 1.0, rng.uniform(0.3, 1.3)))
    lift = rotation_between(cut, facing)
    return (rotation(facing, rng.uniform(0, 2 * np.pi)) @ lift).astype(np.float32)
