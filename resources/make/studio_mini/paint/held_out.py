"""Kinds of classes that no network is trained on: how well features carry over is judged on them."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Array, Rng, axes, developed, lay
from .colours import colour
from .grounds import ground
from .programs import Program, Seeds, between, chance, dress

_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabdefghijkmnqrty2345678"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)


def molecule(seeds: Seeds) -> Program:
    """Balls joined in space, seen from a different side each time."""
    form = seeds.form
    count = int(form.integers(3, 8))
    places, reaches = form.normal(0, 0.45, (count, 3)), form.uniform(0.15, 0.45, count)
    wears, tones = dress(seeds, 3), form.integers(0, 3, count)

    def paint(rng: Rng, size: int) -> Array:
        turn = _turn(rng.normal(0, 0.35, 3))
        seen, scale = places @ turn.T, rng.uniform(0.6, 1)
        seen = seen * scale + (*rng.uniform(-0.2, 0.2, 2), 0)
        picture, colours, light = ground(rng, size), wears.worn(rng)[tones], rng.uniform(0, 2 * np.pi)
        for ball in np.argsort(seen[:, 2]):
            picture = _with_ball(picture, seen[ball], reaches[ball] * scale, colours[ball], light)
        return developed(picture, rng)

    return paint


def _turn(angles: Array) -> Array:
    return cv2.Rodrigues(angles.astype(np.float64))[0]  # pyright: ignore[reportReturnType]


def _with_ball(picture: Array, place: Array, reach: float, tone: Array, light: float) -> Array:
    x, y = axes(picture.shape[0])
    across, down = (x - place[0]) / reach, (y - place[1]) / reach
    far = np.hypot(across, down)
    bright = 0.35 + 0.65 * np.sqrt(np.clip(1 - far**2, 0, 1)) + 0.25 * (np.cos(light) * across + np.sin(light) * down)
    cover = np.clip((1 - far) * reach * picture.shape[0] / 2, 0, 1).astype(np.float32)
    return lay(picture, cover, np.clip(tone * bright[..., None], 0, 1).astype(np.float32))


def letter(seeds: Seeds) -> Program:
    """One or two characters in several hands, thick and thin, askew, in any colours."""
    form = seeds.form
    text = "".join(form.choice(list(_CHARACTERS), int(form.integers(1, 3))))

    def paint(rng: Rng, size: int) -> Array:
        font, thickness = int(rng.choice(_FONTS)), int(rng.integers(4, 14))
        mask = np.zeros((192, 192), np.uint8)
        (width, height), _ = cv2.getTextSize(text, font, 4, thickness)
        scale = 4 * 150 / max(width, height)
        (width, height), _ = cv2.getTextSize(text, font, scale, thickness)
        start = ((192 - width) // 2, (192 + height) // 2)
        cv2.putText(mask, text, start, font, scale, 255, thickness, cv2.LINE_AA)
        corners = np.array([[0, 0], [192, 0], [192, 192], [0, 192]], np.float32)
        shown = (corners / 192 * rng.uniform(0.6, 1) + rng.uniform(0, 0.25) + rng.normal(0, 0.06, (4, 2))) * size
        view = cv2.getPerspectiveTransform(corners, shown.astype(np.float32))
        cover = cv2.warpPerspective(mask, view, (size, size), flags=cv2.INTER_AREA).astype(np.float32) / 255
        picture = ground(rng, size)
        tone = colour(rng) if chance(rng, 0.5) else 1 - picture.mean(axis=(0, 1)).round()
        return developed(lay(picture, cover * between(rng, 0.6, 1), tone.astype(np.float32)), rng)

    return paint
