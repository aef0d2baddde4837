"""Colours of skins, leaves and cut flesh: each maker returns a paint function over body points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .arrays import Array, colour, dot, mix, smoothstep, unit, vec
from .noise import cloud, plane, solid, spots
from .shapes import Body

Paint = Callable[[Array], Array]
Rng = np.random.Generator
Pair = tuple[str, str]


def jitter(rng: Rng, base: Array, amount: float = 0.1) -> Array:
    """A colour near `base`."""
    return (base * rng.uniform(1 - amount, 1 + amount, 3) * rng.uniform(1 - amount, 1 + amount)).astype(np.float32)


def pick(rng: Rng, pairs: Sequence[Pair], odds: Sequence[float]) -> tuple[Array, Array]:
    """One of the colour pairs by its odds, slightly off."""
    first, second = pairs[rng.choice(len(pairs), p=np.array(odds) / sum(odds))]
    return jitter(rng, colour(first)), jitter(rng, colour(second))


def _side(rng: Rng) -> Array:
    """The sunny side of a fruit."""
    return unit(rng.normal(size=3).astype(np.float32) * vec(1, 0.7, 1))


def flat(tone: Array, rough: float = 0.12) -> Paint:
    """One colour with slight clouds: stems and leaves."""

    def paint(p: Array) -> Array:
        return tone[:, None] * (1 + rough * solid(cloud(30, 1.2), p, 0.4))

    return paint


def kiwi(rng: Rng) -> Paint:
    """Brown and furry, paler where the fur is rubbed off, dark at both ends."""
    pairs = (("#8a6538", "#6b4a28"), ("#94733f", "#755430"))
    pale, dark = pick(rng, pairs, (0.6, 0.4))
    shift = rng.uniform(0, 1)

    def paint(p: Array) -> Array:
        clouds = solid(cloud(31, 1.3), p + shift, 0.15)
        skin = mix(pale, dark, np.clip(0.5 + 0.3 * clouds, 0, 1))
        fur = solid(spots(32, 110), p * vec(1, 0.45, 1)[:, None], 0.5)
        ends = smoothstep(0.975, 0.995, np.abs(unit(p)[1]))
        return mix(skin * (1 + 0.1 * fur), colour("#3f2c1a"), ends * 0.8)

    return paint


def pear(rng: Rng) -> Paint:
    """Green to greenish yellow, russet freckles, at times a red cheek."""
    pairs = (("#95a542", "#a6b052"), ("#aeb24a", "#a2ac46"), ("#a8a048", "#908a3a"))
    under, over = pick(rng, pairs, (0.6, 0.32, 0.08))
    cheek, side = jitter(rng, colour("#b8442c")), _side(rng)
    blush, shift = max(0.0, rng.uniform(-0.7, 0.7)), rng.uniform(0, 1)

    def paint(p: Array) -> Array:
        clouds = solid(cloud(34), p + shift, 0.12)
        skin = mix(under, over, np.clip(0.5 + 0.3 * clouds + 0.2 * p[1], 0, 1))
        skin = mix(skin, cheek, blush * smoothstep(0.1, 1.0, dot(unit(p), side) + 0.15 * clouds))
        dots = smoothstep(1.5, 2.3, solid(spots(35, 80), p, 0.2)) * 0.55
        ends = smoothstep(1.25, 1.55, p[1]) * 0.5 + smoothstep(-0.95, -1.08, p[1]) * 0.6
        return mix(mix(skin, colour("#6f5426"), dots), colour("#6b5426"), ends)

    return paint


def lemon(rng: Rng) -> Paint:
    """Yellow, at times with a greenish cheek."""
    pairs = (("#efce22", "#e4c01d"), ("#e6ce34", "#c9c03a"))
    ripe, green = pick(rng, pairs, (0.82, 0.18))
    return _citrus(rng, ripe, green)


def orange(rng: Rng) -> Paint:
    """Orange, now and then a shade lighter or redder."""
    pairs = (("#ec7a10", "#e06e0e"), ("#ea8814", "#de7c12"), ("#e26814", "#d65c14"))
    ripe, green = pick(rng, pairs, (0.66, 0.17, 0.17))
    return _citrus(rng, ripe, green)


def _citrus(rng: Rng, ripe: Array, green: Array) -> Paint:
    """Pored peel, patchy between two tones."""
    side, shift = _side(rng), rng.uniform(0, 1)

    def paint(p: Array) -> Array:
        share = 0.5 + 0.5 * dot(unit(p), side) + 0.2 * solid(cloud(36), p + shift, 0.1)
        skin = mix(ripe, green, smoothstep(0.2, 1.0, share))
        pores = smoothstep(0.8, 2.2, solid(spots(37, 70), p, 0.26))
        foot = smoothstep(0.985, 0.998, unit(p)[1])
        return mix(skin * (1 - 0.12 * pores), colour("#7c8a3c"), foot * 0.7)

    return paint


def tomato(rng: Rng) -> Paint:
    """Red, at times a little orange, greener round the stem when unripe."""
    pairs = (("#c91d0d", "#b3170c"), ("#d0300f", "#bd260e"))
    ripe, second = pick(rng, pairs, (0.75, 0.25))
    shoulder, unripe = jitter(rng, colour("#6f8434")), max(0.0, rng.uniform(-0.8, 0.5))
    shift = rng.uniform(0, 1)

    def paint(p: Array) -> Array:
        clouds = solid(cloud(38), p + shift, 0.08)
        skin = mix(ripe, second, np.clip(0.5 + 0.35 * clouds, 0, 1))
        height = unit(p)[1] + 0.12 * clouds
        skin = mix(skin, shoulder, unripe * smoothstep(0.35, 0.95, height))
        return mix(skin, colour("#8a7a45"), smoothstep(-0.985, -0.998, unit(p)[1]) * 0.8)

    return paint


def halved(body: Body, skin: Paint, flesh: Paint) -> Paint:
    """The skin outside, the flesh on the cut."""
    assert body.cut is not None
    cut = body.cut

    def paint(p: Array) -> Array:
        inside = smoothstep(-0.012, -0.004, dot(p, cut) - body.cut_offset)
        return mix(skin(p), flesh(p), inside)

    return paint


def citrus_flesh(rng: Rng, body: Body, pulp: Array) -> Paint:
    """Segments with pale walls, juice sacs, white pith and a thin rim of peel."""
    count, turn0 = int(rng.integers(9, 12)), rng.uniform(0, 1)
    pith, rim = colour("#f1e6c4"), rng.uniform(0.075, 0.13)

    def paint(p: Array) -> Array:
        out = np.sqrt(p[0] ** 2 + p[2] ** 2)
        turn = np.arctan2(p[2], p[0]) / (2 * np.pi) * count + turn0
        wall = np.abs(np.mod(turn, 1.0) - 0.5) * 2 * np.pi / count * out
        wall = np.pi / count * out - wall
        depth = -body.skin_distance(p)
        sacs = plane(cloud(39, 0.9), turn * 0.35, out * 0.08)
        juice = pulp[:, None] * (1 + 0.16 * sacs)
        pale = 1 - smoothstep(0.012, 0.045, wall) * smoothstep(rim, rim + 0.035, depth)
        pale = np.maximum(pale, smoothstep(0.12, 0.07, out))
        peel = smoothstep(0.045, 0.02, depth)
        return mix(mix(juice, pith, pale), pulp * 0.85, peel)

    return paint


def pome_flesh(rng: Rng, body: Body) -> Paint:
    """Cream flesh, a paler line under the skin, a core with dark seeds."""
    cream, core = jitter(rng, colour("#efe3b8"), 0.05), colour("#cdb87a")
    seeds = [(0.1, sign * rng.uniform(0.11, 0.14), 0.06) for sign in (-1, 1)]

    def paint(p: Array) -> Array:
        out, high = p[2], p[1] + 0.12
        flesh = cream[:, None] * (1 + 0.035 * solid(cloud(40, 1.1), p, 0.2))
        lens = np.hypot(out / 0.34, high / 0.44)
        flesh = mix(flesh, core, 0.55 * np.exp(-(((lens - 1) / 0.09) ** 2)) + 0.18 * smoothstep(1, 0.8, lens))
        thread = np.exp(-((out / 0.025) ** 2)) * smoothstep(0.3, 0.5, np.abs(high))
        flesh = mix(flesh, core, 0.4 * thread)
        for _, across, width in seeds:
            seed = np.hypot((out - across) / width, (high + 0.02) / 0.16)
            flesh = mix(flesh, colour("#3a2113"), smoothstep(1.05, 0.85, seed))
        return mix(flesh, colour("#f7f2d8"), smoothstep(0.07, 0.02, -body.skin_distance(p)) * 0.6)

    return paint


def kiwi_flesh(rng: Rng, body: Body) -> Paint:
    """Green flesh with pale rays, a cream heart and a ring of black seeds about it."""
    green = jitter(rng, colour(str(rng.choice(("#7fa331", "#93ad38", "#6f9a34")))), 0.06)
    heart, light = jitter(rng, colour("#eee7bb"), 0.04), mix(green, colour("#dfe79a"), 0.55)
    rays, turn0, core = int(rng.integers(26, 34)), rng.uniform(0, 1), rng.uniform(0.17, 0.23)

    def paint(p: Array) -> Array:
        out = np.sqrt(p[0] ** 2 + p[2] ** 2)
        turn = np.arctan2(p[2], p[0]) / (2 * np.pi) * rays + turn0
        wobble = plane(cloud(42, 1.0), p[0] * 0.2, p[2] * 0.2)
        heart_edge = core * (1 + 0.12 * np.cos(turn * 2 * np.pi) + 0.1 * wobble)
        beam = 0.5 + 0.5 * np.cos(turn * 2 * np.pi + 0.8 * wobble)
        glow = smoothstep(0.75, 0.25, out) * (0.35 + 0.65 * beam)
        flesh = mix(green[:, None] * (1 + 0.06 * wobble), light, glow)
        flesh = mix(flesh, heart, smoothstep(1.15, 0.9, out / heart_edge))
        seeds = np.zeros_like(out)
        for half_turn, ring in ((0.0, core + 0.10), (0.5, core + 0.17)):
            place = np.mod(turn + half_turn, 1.0) - 0.5
            aside = place * 2 * np.pi / rays * out
            along = out - ring - 0.02 * wobble
            seeds = np.maximum(seeds, smoothstep(1.1, 0.8, np.hypot(aside / 0.024, along / 0.05)))
        flesh = mix(flesh, colour("#1c150f"), seeds)
        return mix(flesh, green * 0.55, smoothstep(0.06, 0.02, -body.skin_distance(p)) * 0.7)

    return paint


def tomato_flesh(rng: Rng, body: Body, pulp: Array) -> Paint:
    """A wall, a pale heart and chambers of jelly with seeds."""
    count, turn0 = int(rng.integers(3, 7)), rng.uniform(0, 1)
    wall_tone, heart = pulp * 1.15 + 0.04, mix(pulp, colour("#e8b49a"), 0.45)

    def paint(p: Array) -> Array:
        out = np.sqrt(p[0] ** 2 + p[2] ** 2)
        turn = np.arctan2(p[2], p[0]) / (2 * np.pi) * count + turn0 + 0.06 * plane(cloud(41), p[0] * 0.2, p[2] * 0.2)
        spoke = (0.5 - np.abs(np.mod(turn, 1.0) - 0.5)) * 2 * np.pi / count * out
        room = smoothstep(0.05, 0.1, spoke) * smoothstep(0.15, 0.22, -body.skin_distance(p))
        room = room * smoothstep(0.24, 0.34, out)
        flesh = mix(wall_tone[:, None] * np.ones_like(p), heart, smoothstep(0.5, 0.15, out))
        jelly = mix(pulp * 0.62, colour("#a8762a"), 0.3)
        seeds = smoothstep(1.0, 1.5, plane(spots(42, 60), p[0] * 0.14, p[2] * 0.14))
        return mix(flesh, mix(jelly[:, None] * np.ones_like(p), colour("#e3cf8e"), seeds * 0.9), room)

    return paint
