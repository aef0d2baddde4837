"""Class folders of small coloured photos."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

COLOURS = {"blue": (40, 80, 200), "green": (40, 160, 60), "red": (200, 50, 40)}


def make_photos(folder: Path, counts: dict[str, int], side: int = 48) -> Path:
    """Write class folders of small JPEGs and return the folder."""
    for number, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        base = COLOURS.get(name, ((number * 67) % 256, (number * 131) % 256, (number * 29) % 256))
        for photo in range(count):
            colour = tuple((value + photo * 5) % 256 for value in base)
            Image.new("RGB", (side, side * 3 // 4), colour).save(folder / name / f"{name[:40]} {photo + 1}.jpg")
    return folder
