"""Photos that the tests of the machine learning draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def make_photos(root: Path, classes: dict[str, int], size: tuple[int, int] = (48, 40)) -> Path:
    """Draw photos whose class shows in colour and stripes, with noise, one folder a class."""
    random = np.random.default_rng(11)
    for number, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for index in range(count):
            rows = np.arange(size[1])[:, None, None]
            stripes = 60 * np.sin(rows * (0.3 + 0.35 * number))
            colour = np.roll([170, 110, 70], number)
            pixels = colour + stripes + random.normal(0, 25, (size[1], size[0], 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name / f"{index:03}.png")
    return root
