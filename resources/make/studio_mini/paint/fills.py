"""Fills: classes that cover the whole picture, by texture, by colour, or by many things of one kind."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Array, Rng, axes, blur, clouds, developed, lay, polygon
from .colours import mapped, varied
from .grounds import ground
from .outlines import Freedom, outline, posed, turned
from .programs import Program, Seeds, between, chance, dress
from .surfaces import any_field, surface


def texture(seeds: Seeds) -> Program:
    """A class known by its surface: one field or two woven together, in its own colours or in any."""
    form = seeds.form
    fields = [any_field(form) for _ in range(int(form.integers(1, 3)))]
    wears = dress(seeds, int(form.integers(2, 5)))

    def paint(rng: Rng, size: int) -> Array:
        colours = wears.worn(rng)
        field = fields[0](rng, size)
        if len(fields) > 1:
            field = 0.6 * field + 0.4 * fields[1](rng, size)
        return developed(mapped(field, colours), rng)

    return paint


def leaves(seeds: Seeds) -> Program:
    """Dead leaves (Lee, Mumford & Huang 2001): things of one form dropped over each other; their sizes follow a law."""
    form = seeds.form
    shape, wears = outline(form)[::4], dress(seeds, 4)
    smallest, law, coherence = between(form, 0.04, 0.25), form.uniform(0.4, 1.5), form.choice([0.2, 0.6, np.pi])
    slim, shaded = np.exp(form.normal(0, 0.5)), form.uniform(0, 0.5)

    def paint(rng: Rng, size: int) -> Array:
        colours = wears.worn(rng)
        picture = np.broadcast_to(colours[0] * 0.6, (size, size, 3)).astype(np.float32).copy()
        count = int(np.clip(5 / smallest**1.5, 25, 220))
        angle = rng.uniform(-np.pi, np.pi) if coherence < 1 else 0.0
        reaches = np.minimum(smallest * rng.uniform(0.02, 1, count) ** (-law / 2), 0.8)
        turns, places = angle + rng.uniform(-coherence, coherence, count), rng.uniform(-1.1, 1.1, (count, 2))
        tones = varied(rng, colours[rng.integers(0, 4, count)], 0.04) * rng.uniform(1 - shaded, 1, (count, 1))
        for reach, turn, place, tone in zip(reaches, turns, places, tones, strict=True):
            _drop(picture, turned(shape * (reach * slim, reach / slim), turn) + place, tone)
        return developed(picture, rng)

    return paint


def _drop(picture: Array, points: Array, tone: Array) -> None:
    scaled = np.round(((points + 1) * (picture.shape[0] / 2) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(picture, [scaled], tone.tolist(), cv2.LINE_8, 4)


def pile(seeds: Seeds) -> Program:
    """A class known by the things it is a heap of: rounded, lit from one side, with a skin of their own."""
    form = seeds.form
    shape, slim = outline(form), np.exp(form.normal(0, 0.35))
    round_share = form.uniform(0.2, 1) if chance(form, 0.7) else 0.0
    shape = shape * (1 - round_share) + round_share * shape / np.linalg.norm(shape, axis=1, keepdims=True)
    skin, wears = any_field(form), dress(seeds, 3)
    reach, coherence, gloss = between(form, 0.15, 0.6), form.choice([0.3, np.pi]), form.uniform(0, 0.6)
    skin_strength = form.uniform(0.1, 0.9)

    def paint(rng: Rng, size: int) -> Array:
        colours = wears.worn(rng)
        tile = int(size * reach * 1.4) + 8
        patch, mask = _lump(rng, tile, shape * (slim, 1 / slim), skin, colours, skin_strength, gloss)
        picture = ground(rng, size) * 0.8 if chance(rng, 0.5) else surface(rng, size, colours) * 0.35
        count = int(np.clip(rng.uniform(1.2, 3.0) / reach**2, 2, 60))
        angle = rng.uniform(-np.pi, np.pi)
        for _ in range(count):
            turn = angle + rng.uniform(-coherence, coherence)
            picture = _placed(picture, patch, mask, turn, rng.uniform(0.8, 1.15), rng.uniform(-0.1, 1.1, 2), rng)
        return developed(picture, rng)

    return paint


def _lump(
    rng: Rng, size: int, shape: Array, skin: object, colours: Array, strength: float, gloss: float
) -> tuple[Array, Array]:
    """Paint one thing of a heap on a tile of its own: its picture and its mask."""
    reach = np.abs(shape).max()
    mask = polygon((shape / reach * 0.9).astype(np.float32), size)
    height = np.sqrt(np.clip(cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3), 0, None))
    height = blur(height.astype(np.float32), size / 24)
    down, across = np.gradient(height)
    norm = np.sqrt(0.15 + across**2 + down**2)
    light = rng.uniform(0, 2 * np.pi)
    facing = (np.cos(light) * across + np.sin(light) * down) / norm
    field = skin(rng, size) if callable(skin) else mask
    field = field * strength + (1 - strength) * (0.5 + 0.5 * np.clip(facing, -1, 1) * 0.3)
    bright = np.clip(0.95 + 0.4 * facing, 0.3, 1.5) * (0.7 + 0.3 * np.clip(height / (height.max() + 1e-6) * 2, 0, 1))
    shine = gloss * np.clip(facing * 1.3 - 0.75, 0, 1) ** 2 * 8
    return np.clip(mapped(field, colours) * bright[..., None] + shine[..., None], 0, 1), mask


def _placed(picture: Array, patch: Array, mask: Array, turn: float, scale: float, place: Array, rng: Rng) -> Array:
    """Lay a tile, turned and scaled, on the picture, darker around than within."""
    size, tile = picture.shape[0], patch.shape[0]
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    middle, at = tile / 2, place * size
    move = np.array([[c, -s, at[0] - c * middle + s * middle], [s, c, at[1] - s * middle - c * middle]], np.float32)
    left, top = (int(max(0, value - tile * 0.75 * scale)) for value in at)
    right, bottom = (int(min(size, value + tile * 0.75 * scale)) for value in at)
    if right <= left or bottom <= top:
        return picture
    move[:, 2] -= (left, top)
    both = np.dstack([patch * rng.uniform(0.75, 1.1), mask])
    moved = cv2.warpAffine(both, move, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    cover = moved[..., 3:]
    part = picture[top:bottom, left:right]
    dim = 1 - 0.35 * blur(moved[..., 3], 2)[..., None]
    picture = picture.copy() if not picture.flags.writeable else picture
    picture[top:bottom, left:right] = part * dim * (1 - cover) + np.clip(moved[..., :3], 0, 1) * cover
    return picture


def fractal(seeds: Seeds) -> Program:
    """A class known by its iterated function system (Kataoka et al. 2020, "Pre-training without natural images")."""
    form = seeds.form
    maps, wears = _contractions(form), dress(seeds, 3)
    count = len(maps)

    def paint(rng: Rng, size: int) -> Array:
        moved = maps + rng.normal(0, 0.025, maps.shape)
        points, last = _attractor(rng, moved)
        points = points - np.median(points, axis=0)
        points = points / (np.quantile(np.abs(points), 0.97) + 1e-3) * 0.85
        points = posed(rng, points.astype(np.float32), Freedom(0.4, 0.1, 0), (0.6, 1.1))
        colours = wears.worn(rng)
        tone, dense = _splatted(points, last / max(1, count - 1), size)
        dark = ground(rng, size)
        cover = np.clip(dense * rng.uniform(0.6, 1.6), 0, 1)
        return developed(lay(dark, cover, mapped(tone, colours)), rng)

    return paint


def _contractions(rng: Rng) -> Array:
    """Return affine maps ``[n, 2, 3]`` with singular values below one (Anderson & Farrell 2022)."""
    rows = []
    for _ in range(int(rng.integers(2, 6))):
        a, b = rng.uniform(-np.pi, np.pi, 2)
        big = rng.uniform(0.35, 0.85)
        stretch = np.diag([big, big * rng.uniform(0.3, 1)])
        linear = _rotation(a) @ stretch @ _rotation(b)
        rows.append(np.concatenate([linear, rng.uniform(-1, 1, (2, 1))], axis=1))
    return np.array(rows)


def _rotation(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]], np.float32)


def _attractor(
    rng: Rng, maps: Array, walkers: int = 400, steps: int = 40, thrown_away: int = 10
) -> tuple[Array, Array]:
    """Play the chaos game with many walkers at once; return points ``[n, 2]`` and the map that led to each."""
    shares = np.abs(np.linalg.det(maps[:, :, :2])) + 0.05
    picks = rng.choice(len(maps), (steps, walkers), p=shares / shares.sum())
    point, points = np.zeros((walkers, 2)), []
    for pick in picks:
        chosen = maps[pick]
        point = np.einsum("nij,nj->ni", chosen[:, :, :2], point) + chosen[:, :, 2]
        points.append(point)
    return np.concatenate(points[thrown_away:]), picks[thrown_away:].ravel()


def _splatted(points: Array, tones: Array, size: int) -> tuple[Array, Array]:
    """Return the mean tone and the density of points in every pixel."""
    place = np.floor((points + 1) * size / 2).astype(np.int32)
    inside = ((place >= 0) & (place < size)).all(axis=1)
    index = place[inside, 1] * size + place[inside, 0]
    hits = np.bincount(index, minlength=size * size).astype(np.float32)
    total = np.bincount(index, tones[inside], minlength=size * size).astype(np.float32)
    hits, total = (blur(field.reshape(size, size), 0.6) for field in (hits, total))
    return total / np.maximum(hits, 1e-3), 1 - np.exp(-hits)


def scatter(seeds: Seeds) -> Program:
    """A class known by its colours and how they are shared out, whatever the forms: colour alone must tell."""
    form = seeds.form
    wears, slope = dress(seeds, 4), form.uniform(1, 2.2)
    weights = np.sort(form.dirichlet((1.5, 1.5, 1.5, 1.5)))

    def paint(rng: Rng, size: int) -> Array:
        field = clouds(rng, size, slope) + 0.3 * axes(size)[rng.integers(2)]
        ranks = field.ravel().argsort().argsort().reshape(size, size) / field.size
        index = np.searchsorted(np.cumsum(weights)[:-1], ranks)
        picture = wears.worn(rng)[index]
        return developed(picture * (1 + 0.08 * clouds(rng, size, 1.2))[..., None], rng)

    return paint
