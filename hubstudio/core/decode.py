"""The one decoder: a file on disk becomes upright RGB pixels, the same for every later use."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from hubstudio.core.errors import PhotosError

FloatPixels = NDArray[np.float32]
"""``[height, width, 3]``, RGB, 0 to 255."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM", "ICO")
"""What Pillow is asked to try. MPO, several JPEGs in a file, comes with JPEG and has no entry of its own."""
MAX_PIXELS = 178_956_970  # Pillow's own bound against decompression bombs: 1 GiB of RGB with 24 bits and overhead
EXACT_SHRINK_PIXELS = 2_000_000

_WHITE = (255, 255, 255)

# Broken EXIF and odd tags are warned about; the pixels are what counts. Said once, since filters belong to all threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
Image.init()  # registers every format once, here rather than from several threads at the first odd file


class UnreadablePhotoError(PhotosError):
    """A file that gives no pixels. ``reason`` is a short clause for lists: "the file is empty"."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"'{path.name}' could not be read.",
            found=f"{reason[:1].upper()}{reason[1:]}.",
            next_step="Leave it out, or save the photo again from its source.",
        )
        self.path = path
        self.reason = reason


def decode(path: Path) -> Image.Image:
    """Return the photo as an upright RGB image, alpha laid on white, the first frame of several.

    Raises ``UnreadablePhotoError`` whatever is wrong with the file.
    """
    try:
        return _decode(path)
    except UnreadablePhotoError:
        raise
    except Exception as error:  # decoders raise whatever comes: ValueError, struct.error
        raise UnreadablePhotoError(path, _reason(path, error)) from error


def pixels(path: Path, size: tuple[int, int]) -> FloatPixels:
    """Return the photo shrunk (or grown) to ``size`` = (height, width) as float32 RGB, 0 to 255."""
    return shrink(decode(path), size)


def shrink(image: Image.Image, size: tuple[int, int]) -> FloatPixels:
    """Resize to ``size`` = (height, width) with a triangle filter that widens when shrinking (antialiased).

    It is the filter of ``keras.layers.Resizing(interpolation="bilinear", antialias=True)``, which the trained
    models carry inside: up to ``EXACT_SHRINK_PIXELS`` both agree to 0.005 of 255; larger photos are rounded to
    whole levels on the way, nine times as fast, and agree to 1 of 255.
    """
    target = (size[1], size[0])
    if image.width * image.height > EXACT_SHRINK_PIXELS:
        return np.asarray(image.resize(target, Image.Resampling.BILINEAR), dtype=np.float32)
    bands = [band.convert("F").resize(target, Image.Resampling.BILINEAR) for band in image.split()]
    return np.stack([np.asarray(band) for band in bands], axis=-1)


def _decode(path: Path) -> Image.Image:
    with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UnreadablePhotoError(path, _too_many_pixels(image.width, image.height))
        image.load()
        return _rgb(_upright(image))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF says nothing about orientation; the photo itself is whole
        return image.copy()


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bit(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (*_WHITE, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale gray values of more than 8 bits to 0..255: 16 bits by their range, others by what they hold."""
    values = np.asarray(image, dtype=np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    top = 65535.0 if image.mode.startswith("I") and values.max(initial=0) > 255 else max(values.max(initial=0), 1e-12)
    if image.mode.startswith("I") and values.max(initial=0) <= 255:
        top = 255.0
    return Image.fromarray(np.clip(values / top * 255.0, 0, 255).round().astype(np.uint8))


def _too_many_pixels(width: int, height: int) -> str:
    return f"it claims {width} × {height} pixels, more than the {MAX_PIXELS // 1_000_000} million a photo may have"


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is no longer there"
    if isinstance(error, PermissionError):
        return "there is no permission to read it"
    if isinstance(error, Image.DecompressionBombError):
        return f"it claims more pixels than the {MAX_PIXELS // 1_000_000} million a photo may have"
    if _is_empty(path):
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "it is not a photo in a format that is known here"
    if "truncated" in str(error):
        return "the file is cut short"
    return f"its content is damaged ({type(error).__name__})"


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False
