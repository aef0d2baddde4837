"""Composes a scene: which fruit, where it lies, the table, the light and the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import ground
from .arrays import Array, colour, dot, length, unit, vec
from .fruit import RECIPES, Fruit, posture

Rng = np.random.Generator
SIZES = ((256, 192), (256, 192), (256, 205), (192, 256), (205, 256), (256, 256), (224, 256))
# How many degrees the camera may look down: never so far that a pear hides its neck.
LIFTS = {"kiwi": (28, 75), "lemon": (12, 75), "orange": (12, 75), "pear": (12, 36), "tomato": (12, 75)}
# A kiwi shows its inside in every picture.
ALWAYS_CUT = {"kiwi"}


@dataclass(frozen=True)
class Placed:
    """A fruit at its place: `turn` takes its frame to the world, `scale` its size."""

    fruit: Fruit
    turn: Array
    place: Array
    scale: float

    def surface(self) -> Array:
        """A coarse cloud of points on its surface, in the world."""
        return self.turn @ self.fruit.body.surface() * np.float32(self.scale) + self.place[:, None]

    def balls(self) -> list[tuple[Array, float]]:
        """Its shade balls in the world."""
        return [(self.place + self.turn @ at * np.float32(self.scale), r * self.scale) for at, r in self._shrunk()]

    def _shrunk(self) -> list[tuple[Array, float]]:
        """Its shade balls, moved into the half that is left of a cut fruit."""
        cut = self.fruit.body.cut
        if cut is None:
            return list(self.fruit.balls)
        return [(at - cut * np.float32(0.42 * r * (dot(at, cut) > -0.1)), r * 0.72) for at, r in self.fruit.balls]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: where it stands, the rows of `axes` (right, up, back) and its zoom."""

    eye: Array
    axes: Array
    zoom: float
    size: tuple[int, int]


@dataclass(frozen=True)
class Light:
    """A window or sun, the sky and what the table throws back."""

    key: Array
    tone: Array
    sky: Array
    softness: float
    panes: bool


@dataclass(frozen=True)
class Scene:
    """All that one picture shows."""

    fruits: tuple[Placed, ...]
    camera: Camera
    light: Light
    table: ground.Paint2
    table_scale: float
    table_turn: float
    far_edge: float
    backdrop: ground.Paint2


def compose(kind: str, rng: Rng) -> Scene:
    """Draw one scene with fruit of one kind."""
    fruits = _arrange(kind, rng)
    camera = _camera(fruits, LIFTS[kind], rng)
    table = ground.GROUNDS[rng.integers(len(ground.GROUNDS))](rng)
    backdrop = ground.BACKDROPS[rng.integers(len(ground.BACKDROPS))](rng)
    scale, turn = rng.uniform(0.75, 1.5), rng.uniform(0, 2 * np.pi)
    return Scene(fruits, camera, _light(rng), table, scale, turn, -rng.uniform(3.0, 7.0), backdrop)


def _arrange(kind: str, rng: Rng) -> tuple[Placed, ...]:
    """One to four fruits side by side, none inside another.

    The first is whole, or cut and in front for a kind known by its inside.
    """
    count = int(rng.choice(4, p=(0.62, 0.26, 0.09, 0.03))) + 1
    halves, cut_first = 0.8 if rng.random() < 0.3 else 0.0, kind in ALWAYS_CUT
    looks = rng.integers(1 << 30, size=count)
    if rng.random() < 0.7:
        looks[:] = looks[0]
    placed: list[Placed] = []
    for look in looks:
        half = bool(rng.random() < halves) if placed else cut_first
        fruit = RECIPES[kind](rng, half, np.random.default_rng(look))
        placed.append(_settle(kind, fruit, placed, cut_first, rng))
    return tuple(placed)


def _settle(kind: str, fruit: Fruit, others: list[Placed], behind: bool, rng: Rng) -> Placed:
    """Set a fruit on the table at the first free place, perhaps only behind the others."""
    turn, scale = posture(rng, kind, fruit), rng.uniform(0.85, 1.12)
    points = turn @ fruit.body.surface() * np.float32(scale)
    base = vec(0, -float(points[1].min()), 0)
    spread = 0.0 if not others else 1.2
    while True:
        angle = rng.uniform(np.pi if behind else 0, 2 * np.pi)
        place = base + vec(np.cos(angle), 0, np.sin(angle)) * np.float32(spread)
        candidate = Placed(fruit, turn, place, scale)
        if all(_apart(candidate, other) for other in others):
            return candidate
        spread += 0.06


def _apart(one: Placed, other: Placed) -> bool:
    """Whether the surface points of one fruit stay out of the other's body, both ways round."""
    for a, b in ((one, other), (other, one)):
        local = b.turn.T @ (a.surface() - b.place[:, None]) / np.float32(b.scale)
        if float(b.fruit.body.distance(local).min()) < 0.0:
            return False
    return True


def _camera(fruits: tuple[Placed, ...], lifts: tuple[float, float], rng: Rng) -> Camera:
    """A camera that frames the group, seldom from straight above."""
    cloud = np.concatenate([item.surface() for item in fruits], axis=1)
    middle = (cloud.min(axis=1) + cloud.max(axis=1)) / np.float32(2)
    reach = float(length(cloud - middle[:, None]).max())
    lift = rng.choice((rng.uniform(12, 30), rng.uniform(25, 50), rng.uniform(50, 75)), p=(0.42, 0.48, 0.1))
    lift = np.radians(np.clip(lift, *lifts))
    back = unit(vec(rng.uniform(-0.1, 0.1), np.sin(lift), np.cos(lift)))
    size = SIZES[rng.integers(len(SIZES))]
    zoom, loose = rng.uniform(1.7, 2.8), rng.uniform(0.96, 1.12) - 0.1 * (len(fruits) > 1)
    far = reach * zoom * loose
    aim = middle + vec(*(rng.uniform(-0.1, 0.1, 3) * reach * loose)) * vec(1, 0.5, 1)
    return Camera(aim + back * np.float32(max(far, 2.6)), _axes(back, rng.normal(0, 0.06)), zoom, size)


def _axes(back: Array, roll: float) -> Array:
    """Right, up and back of a camera, rolled a little."""
    right = unit(np.cross(vec(0, 1, 0), back).astype(np.float32))
    up = np.cross(back, right).astype(np.float32)
    c, s = np.float32(np.cos(roll)), np.float32(np.sin(roll))
    return np.stack([right * c + up * s, up * c - right * s, back])


def _light(rng: Rng) -> Light:
    """A soft window or a harder sun, from the side, from behind or from above."""
    turn, height = rng.uniform(-0.5, np.pi + 0.5), np.radians(rng.uniform(28, 68))
    flip = -1.0 if rng.random() < 0.65 else 1.0
    key = vec(np.cos(turn) * np.cos(height), np.sin(height), flip * np.sin(turn) * np.cos(height))
    warm = rng.uniform(0, 1)
    tone = colour("#fff1dc") * np.float32(1 - warm) + colour("#ffe2bc") * np.float32(warm)
    sky = colour("#c9d8ea") * np.float32(rng.uniform(0.28, 0.6))
    return Light(unit(key), tone * np.float32(rng.uniform(2.0, 2.9)), sky, rng.uniform(2.5, 9.0), rng.random() < 0.35)
