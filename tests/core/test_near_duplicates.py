"""The same shot saved again is found, also across classes; flat pictures and others are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from scenes import HEIGHT, WIDTH, compressed, leaves, links_of, looks_of


def watermarked(image: Image.Image) -> Image.Image:
    marked = image.copy()
    ImageDraw.Draw(marked).rectangle((200, 215, 310, 232), fill="white")
    return marked


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": compressed,
    "shrunk": lambda image: image.resize((WIDTH // 2, HEIGHT // 2)),
    "grown": lambda image: image.resize((WIDTH * 3, HEIGHT * 3)),
    "trimmed": lambda image: image.crop((4, 2, WIDTH - 3, HEIGHT - 3)),
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "paler": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "watermarked": watermarked,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_shot_saved_again_is_near_also_across_classes(change: Callable[[Image.Image], Image.Image]) -> None:
    image = leaves(1)
    links = links_of(looks_of(image, leaves(2), change(image)), [0, 0, 1])
    assert links.near.tolist() == [[0, 2]]
    assert links.series.tolist() == []


def noisy(level: int, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).normal(level, 1, (HEIGHT, WIDTH, 3))
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8))


def test_flat_pictures_of_different_brightness_are_not_linked() -> None:
    plain = [Image.new("RGB", (WIDTH, HEIGHT), (level,) * 3) for level in (0, 100, 255)]
    links = links_of(looks_of(*plain, noisy(60, 1), noisy(180, 2)))
    assert (links.near.tolist(), links.series.tolist()) == ([], [])
