"""From whatever colours a file holds to RGB with 8 bits, alpha on white."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms

STRIP_PIXELS = 4_000_000
"""So much is converted at a time, so that large photos need no more than themselves and the result."""

_WHITE = (255, 255, 255)
_SIXTEEN_BITS = 65535.0
_Conversion = Callable[[Image.Image], Image.Image]


def rgb(image: Image.Image, factor: int = 1) -> Image.Image:
    """Return the image as RGB, blocks of ``factor`` × ``factor`` pixels averaged to one.

    Profiles of RGB and gray photos (Display P3 of phones) are ignored: backbones were trained on photos whose profiles
    were ignored, every other reader of an exported model ignores them, and it costs time. CMYK is converted through its
    profile if it has a sound one, since no simple formula comes near what ink looks like; else by the simple formula.
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image.reduce(factor) if factor > 1 else image
    convert = _conversion(image)
    result = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top, strip in _strips(image, factor):
        converted = convert(strip)
        result.paste(converted.reduce(factor) if factor > 1 else converted, (0, top // factor))
    return result


def _strips(image: Image.Image, factor: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield (first row, strip) from top to bottom, each a multiple of ``factor`` rows high but the last."""
    rows = max(1, STRIP_PIXELS // (image.width * factor)) * factor
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def _conversion(image: Image.Image) -> _Conversion:
    if image.mode.startswith("I") or image.mode == "F":
        return _from_many_levels(image)
    if image.has_transparency_data:
        return _on_white
    if image.mode == "CMYK":
        return _through_profile(image.info.get("icc_profile")) or _plainly
    return _plainly


def _plainly(strip: Image.Image) -> Image.Image:
    return strip.convert("RGB")


def _on_white(strip: Image.Image) -> Image.Image:
    layer = strip.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, (*_WHITE, 255)), layer).convert("RGB")


def _through_profile(profile: object) -> _Conversion | None:
    """Return the conversion of CMYK that its ICC profile describes, to sRGB; None if it is missing or unsound."""
    if not isinstance(profile, bytes):
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(cast(Any, ImageCms).createProfile("sRGB"))
        transform = ImageCms.buildTransform(source, target, "CMYK", "RGB")  # refuses a profile of other colours
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None

    def convert(strip: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(strip, transform)
        return _plainly(strip) if converted is None else converted

    return convert


def _from_many_levels(image: Image.Image) -> _Conversion:
    """Scale gray values of more than 8 bits to 0..255: 16 bits by their range, others by what they hold."""
    largest = max(float(_values(strip).max(initial=0)) for _, strip in _strips(image, 1))
    top = max(largest, 1e-12)
    if image.mode.startswith("I"):
        top = _SIXTEEN_BITS if largest > 255 else 255.0
    transparent = image.info.get("transparency")

    def convert(strip: Image.Image) -> Image.Image:
        values = _values(strip)
        gray = np.clip(values / top * 255.0, 0, 255).round().astype(np.uint8)
        if isinstance(transparent, int):
            gray[values == transparent] = 255
        return Image.fromarray(gray).convert("RGB")

    return convert


def _values(strip: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.nan_to_num(np.asarray(strip, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
