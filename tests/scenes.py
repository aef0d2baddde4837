"""Drawn scenes with as many edges and corners as photos have, seen again in ways that photos are, and their looks."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hubstudio.core.cancel import CancelToken
from hubstudio.core.link_memory import LinkStore
from hubstudio.core.look_alikes import Links, find_links
from hubstudio.core.looks import look_at

WIDTH, HEIGHT = 320, 240


def leaves(seed: int, leaf_count: int = 500) -> Image.Image:
    """Draw overlapping ellipses of random sizes and colours."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    for _ in range(leaf_count):
        x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
        width, height = random.uniform(5, 40, 2)
        draw.ellipse((x - width, y - height, x + width, y + height), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def compressed(image: Image.Image) -> Image.Image:
    """Return the picture as strong compression leaves it."""
    data = io.BytesIO()
    image.save(data, "JPEG", quality=30)
    return Image.open(data).convert("RGB")


def seen_from_aside(image: Image.Image, degrees: float, zoom: float, shift: float) -> Image.Image:
    """Return three quarters of the picture's width and height, turned, enlarged and moved aside."""
    turned = image.rotate(degrees, Image.Resampling.BICUBIC)
    width, height = WIDTH * 0.75 / zoom, HEIGHT * 0.75 / zoom
    left, upper = (WIDTH - width) / 2 + shift * WIDTH, (HEIGHT - height) / 2
    return turned.crop((round(left), round(upper), round(left + width), round(upper + height)))


def looks_of(*images: Image.Image) -> NDArray[np.uint8]:
    """Return ``[images, LOOK_BYTES]``."""
    return np.stack([np.frombuffer(look_at(image), np.uint8) for image in images])


def links_of(looks: NDArray[np.uint8], classes: list[int] | None = None, store: LinkStore | None = None) -> Links:
    """Return the links among looks, of one class unless told otherwise."""
    return find_links(looks, np.array(classes or [0] * len(looks), np.int64), lambda *_: None, CancelToken(), store)
