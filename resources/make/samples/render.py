"""Traces a scene into layers: the table with its shadows, and one layer for each fruit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Array, dot, length, mix, smoothstep, spread, unit, vec
from .fruit import Part
from .scene import Camera, Light, Placed, Scene

SUPER = 2
STEPS = 48


@dataclass(frozen=True)
class Layer:
    """Linear light times coverage (3, h, w), coverage (h, w) and depth (h, w) at the final size."""

    light: Array
    cover: Array
    depth: Array


def rays_of(camera: Camera) -> Array:
    """The direction through every sub-pixel, (3, h, w)."""
    wide, high = camera.size[0] * SUPER, camera.size[1] * SUPER
    unit_size = min(wide, high) / 2
    x = (np.arange(wide, dtype=np.float32) + 0.5 - wide / 2) / unit_size
    y = (high / 2 - np.arange(high, dtype=np.float32) - 0.5) / unit_size
    plane = np.stack([*np.meshgrid(x, y), np.full((high, wide), -camera.zoom, dtype=np.float32)])
    return unit(np.einsum("ij,ihw->jhw", camera.axes, plane).astype(np.float32))


def shrink(field: Array) -> Array:
    """Average the sub-pixels."""
    *rest, high, wide = field.shape
    return field.reshape(*rest, high // SUPER, SUPER, wide // SUPER, SUPER).mean(axis=(-3, -1), dtype=np.float32)


def render(scene: Scene) -> list[Layer]:
    """All layers, the table first, then the fruit from far to near."""
    rays = rays_of(scene.camera)
    table, bounce = _table(scene, rays)
    order = sorted(scene.fruits, key=lambda item: -float(length(item.place - scene.camera.eye)))
    return [table, *(_fruit(scene, item, rays, bounce) for item in order)]


def shade_of(balls: list[tuple[Array, float]], p: Array, light: Light) -> Array:
    """The share of key light that balls let through to each point, with soft edges."""
    through = np.ones_like(p[0])
    for middle, radius in balls:
        to = spread(middle, p.ndim - 1) - p
        along = dot(to, light.key)
        beside = np.sqrt(np.maximum(dot(to, to) - along * along, 0))
        blur = 0.05 + np.maximum(along, 0) / np.float32(light.softness)
        open_sky = smoothstep(-1.0, 1.0, (beside - radius) / blur)
        through = through * np.where(along > 0, open_sky, np.float32(1))
    return through


def occlusion(balls: list[tuple[Array, float]], p: Array, normal: Array) -> Array:
    """The share of sky that balls leave open over each point."""
    left = np.ones_like(p[0])
    for middle, radius in balls:
        to = spread(middle, p.ndim - 1) - p
        far = length(to)
        cover = np.maximum(dot(to, normal) / far * 0.75 + 0.25, 0) * np.minimum((radius / far) ** 2, 1)
        left = left * (1 - 0.85 * cover)
    return left


def _table(scene: Scene, rays: Array) -> tuple[Layer, Array]:
    """Table and backdrop with cast shadows; also the mean tone the table throws back."""
    eye, light = scene.camera.eye, scene.light
    t = -eye[1] / np.minimum(rays[1], np.float32(-1e-3))
    p = eye[:, None, None] + rays * t
    on_table = (rays[1] < -1e-3) & (p[2] > scene.far_edge)
    tone = _table_tone(scene, np.where(on_table, p, np.float32(0)))
    depth = np.where(on_table, t, np.float32(length(eye) + 6.0))
    picture = np.where(on_table, _table_light(scene, p, tone), _backdrop(scene, rays)).astype(np.float32)
    bounce = tone.reshape(3, -1).mean(axis=1) * (light.tone * light.key[1] * np.float32(0.55) + light.sky)
    small = shrink(picture)
    return Layer(small, np.ones_like(small[0]), shrink(depth)), bounce.astype(np.float32)


def _table_tone(scene: Scene, p: Array) -> Array:
    """The colour of the table at points on it."""
    c, s = np.cos(scene.table_turn), np.sin(scene.table_turn)
    x, z = p[0] / np.float32(scene.table_scale), p[2] / np.float32(scene.table_scale)
    return scene.table(x * c - z * s, x * s + z * c)


def _table_light(scene: Scene, p: Array, tone: Array) -> Array:
    """The table's colour under key light and sky, shaded by the fruit."""
    light, balls = scene.light, [ball for item in scene.fruits for ball in item.balls()]
    key = light.tone[:, None, None] * (light.key[1] * shade_of(balls, p, light))
    return tone * (key + light.sky[:, None, None] * occlusion(balls, p, vec(0, 1, 0)))


def _backdrop(scene: Scene, rays: Array) -> Array:
    """What is seen beyond the table."""
    right, up, light = scene.camera.axes[0], scene.camera.axes[1], scene.light
    return scene.backdrop(dot(rays, right) * 2, dot(rays, up) * 2) * (0.6 * light.tone + light.sky)[:, None, None]


def _fruit(scene: Scene, item: Placed, rays: Array, bounce: Array) -> Layer:
    """One fruit: every part marched, the nearest kept."""
    shape = rays.shape[1:]
    depth = np.full(shape, np.inf, dtype=np.float32).ravel()
    picture = np.zeros((3, depth.size), dtype=np.float32)
    flat_rays = rays.reshape(3, -1)
    for part in item.fruit.parts:
        where, t, p = _hits(scene, item, part, flat_rays)
        nearer = t < depth[where]
        where, t, p = where[nearer], t[nearer], p[:, nearer]
        if where.size:
            depth[where] = t
            picture[:, where] = _shade(scene, item, part, p, flat_rays[:, where], bounce)
    cover = np.isfinite(depth).astype(np.float32).reshape(shape)
    middle = float(length(item.place - scene.camera.eye))
    small = shrink(cover)
    return Layer(shrink(picture.reshape(3, *shape)), small, np.full_like(small, middle))


def _hits(scene: Scene, item: Placed, part: Part, rays: Array) -> tuple[Array, Array, Array]:
    """Which rays meet a part: their indices, the distances and the points in its frame."""
    eye = item.turn.T @ (scene.camera.eye - item.place) / np.float32(item.scale)
    centre = part.centre - eye
    middle = dot(rays, item.turn @ centre)
    room = middle * middle - np.float32(dot(centre, centre) - part.radius**2)
    where = np.flatnonzero(room > 0)
    local = item.turn.T @ rays[:, where]
    root = np.sqrt(room[where])
    t, hit = _march(part, eye, local, np.maximum(middle[where] - root, 0.1), middle[where] + root)
    p = eye[:, None] + local[:, hit] * t[hit]
    return where[hit], t[hit] * np.float32(item.scale), p


def _march(part: Part, eye: Array, rays: Array, t: Array, end: Array) -> tuple[Array, Array]:
    """Walk along the rays until the surface; returns distances and which rays met it."""
    alive = np.arange(t.size)
    hit = np.zeros(t.size, dtype=bool)
    pace = np.float32(0.45 if part.thin else 0.65)
    for _ in range(STEPS):
        if not alive.size:
            break
        gap = part.distance(eye[:, None] + rays[:, alive] * t[alive])
        t[alive] += gap * pace
        met = gap < 2e-3
        hit[alive[met]] = True
        alive = alive[~met & (t[alive] < end[alive])]
    return t, hit


def _normals(part: Part, p: Array) -> Array:
    """Surface directions from four nearby distances, with the fine bumps added."""
    reach = np.float32(0.004)
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        step = vec(*corner)[:, None]
        at = p + step * reach
        value = part.distance(at)
        if part.bump is not None:
            value = value - part.bump(at)
        total += step * value
    return unit(total)


def _shade(scene: Scene, item: Placed, part: Part, p: Array, rays: Array, bounce: Array) -> Array:
    """The light that leaves points of a part towards the eye."""
    light = scene.light
    tone = np.clip(part.paint(p), 0, 1)
    normal = item.turn @ _normals(part, p)
    if part.thin:
        normal = normal * -np.sign(dot(normal, rays))
    world = item.turn @ p * np.float32(item.scale) + item.place[:, None]
    balls = [ball for other in scene.fruits if other is not item for ball in other.balls()]
    through, open_sky = shade_of(balls, world, light), occlusion(balls, world, normal)
    facing = dot(normal, light.key)
    soft = 0.10 + 0.25 * tone
    key = np.maximum((facing + soft) / (1 + soft), 0) * through
    up = 0.5 + 0.5 * normal[1]
    near_table = 1 - 0.75 * np.exp(-2.2 * np.maximum(world[1], 0)) * (1 - up)
    fill = mix(bounce[:, None], light.sky[:, None], up) * (open_sky * near_table)
    lit = tone * (light.tone[:, None] * key + fill)
    return lit + _shine(part.gloss, light, normal, rays, through, open_sky)


def _shine(gloss: float, light: Light, normal: Array, rays: Array, through: Array, open_sky: Array) -> Array:
    """The mirrored window, a wide sheen about it and the sky at the rim."""
    mirror = rays - normal * (2 * dot(rays, normal))
    toward = np.maximum(dot(mirror, light.key), 1e-3)
    right = unit(np.cross(light.key, vec(0, 1, 0.01)).astype(np.float32))
    up = np.cross(right, light.key).astype(np.float32)
    u, v = dot(mirror, right) / toward, dot(mirror, up) / toward
    size, edge = 0.9 / np.sqrt(light.softness), 0.04 + 0.3 * (1 - gloss)
    window = smoothstep(size + edge, size - edge, np.abs(u)) * smoothstep(size + edge, size - edge, np.abs(v))
    if light.panes:
        window = window * smoothstep(0.0, 0.05 + edge, np.minimum(np.abs(u), np.abs(v)))
    window = np.where(dot(mirror, light.key) > 0.2, window, np.float32(0))
    sheen = toward ** np.float32(6 + 26 * gloss)
    rim = (1 - np.clip(-dot(rays, normal), 0, 1)) ** 5
    key = (0.42 * gloss * window + (0.03 + 0.07 * gloss) * sheen) * through * (1 + 3 * rim)
    sky = (0.03 + 0.5 * rim) * (0.35 + 0.65 * gloss) * open_sky * np.clip(0.35 + 0.65 * mirror[1], 0.1, 1)
    return light.tone[:, None] * key + light.sky[:, None] * sky
