"""Pictures for tests: each number another one, none a look-alike of another, and none very small."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image


def picture(number: int, side: int = 64) -> Image.Image:
    """Return coarse coloured noise, the same for the same number."""
    noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(noise).resize((side + 16, side), Image.Resampling.BICUBIC)


def save_picture(path: Path, seed: str | None = None) -> Path:
    """Save the picture that belongs to ``seed``, or to the last three parts of the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(crc32((seed or "/".join(path.parts[-3:])).encode("utf-8", "surrogateescape"))).save(path)
    return path
