"""The one decoder: a file on disk becomes upright RGB pixels, the same for every later use."""

from __future__ import annotations

import errno
import math
import stat
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
MAX_PIXELS = 178_956_970  # twice the number Pillow warns at, and so the one above which Pillow itself refuses
LARGE_PHOTO_PIXELS = 1_000_000
"""From here on shrinking row by row is faster than Pillow's way, band by band."""

_WHITE = (255, 255, 255)
_FAULTS_OF_THE_FILE = (None, errno.EINVAL, errno.EISDIR)
"""Numbers of ``OSError`` that say nothing of the disk: Pillow's own have none, a damaged offset is sought in vain."""

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

    Raises ``UnreadablePhotoError`` whatever is wrong with the file. That memory ran out is no fault of the file's.
    """
    try:
        return _decode(path)
    except (UnreadablePhotoError, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever comes: ValueError, struct.error
        raise UnreadablePhotoError(path, _reason(path, error)) from error


def pixels(path: Path, size: tuple[int, int]) -> FloatPixels:
    """Return the photo shrunk (or grown) to ``size`` = (height, width) as float32 RGB, 0 to 255."""
    return shrink(decode(path), size)


def shrink(image: Image.Image, size: tuple[int, int]) -> FloatPixels:
    """Resize to ``size`` = (height, width) with a triangle filter that widens when shrinking (antialiased).

    It is the filter of ``keras.layers.Resizing(interpolation="bilinear", antialias=True)``, which the trained
    models carry inside; both agree to 0.005 of 255 on photos of any size. Nothing is rounded on the way: fine-tuned
    models answer measurably otherwise on photos rounded to whole levels.
    """
    if image.width * image.height > LARGE_PHOTO_PIXELS:
        by_rows = _shrink_rows(np.asarray(image), size[0])
        by_columns = _shrink_rows(np.ascontiguousarray(by_rows.transpose(1, 0, 2)), size[1])
        return np.ascontiguousarray(by_columns.transpose(1, 0, 2))
    target = (size[1], size[0])
    bands = [band.convert("F").resize(target, Image.Resampling.BILINEAR) for band in image.split()]
    return np.stack([np.asarray(band) for band in bands], axis=-1)


def _shrink_rows(pixels: NDArray[np.uint8] | FloatPixels, rows: int) -> FloatPixels:
    """Filter ``[height, width, 3]`` to ``[rows, width, 3]``, each row from the few that it covers.

    The same as Pillow's filter for floating-point images, at half its time on 12 megapixels.
    """
    flat = pixels.reshape(pixels.shape[0], -1)
    step = pixels.shape[0] / rows
    reach = max(step, 1.0)
    filtered = np.empty((rows, flat.shape[1]), np.float32)
    for row in range(rows):
        centre = (row + 0.5) * step
        first, last = max(0, math.ceil(centre - reach - 0.5)), min(len(flat), math.floor(centre + reach + 0.5))
        weights = 1 - np.abs(np.arange(first, last) + 0.5 - centre) / reach
        filtered[row] = (weights / weights.sum()).astype(np.float32) @ flat[first:last].astype(np.float32)
    return filtered.reshape(rows, *pixels.shape[1:])


def _decode(path: Path) -> Image.Image:
    _refuse_other_kinds(path)
    with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UnreadablePhotoError(path, _too_many_pixels(image.width, image.height))
        image.load()
        return _rgb(_upright(image))


def _refuse_other_kinds(path: Path) -> None:
    """Keep away from pipes and devices, which may never answer."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise UnreadablePhotoError(path, "it is a folder")
    if not stat.S_ISREG(kind):
        raise UnreadablePhotoError(path, "it is a pipe or a device, not a file")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF says nothing about orientation; the photo itself is whole
        return image.copy()


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bit(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (*_WHITE, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


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
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "the file is no longer there"
    if isinstance(error, PermissionError):
        return "there is no permission to read it"
    if isinstance(error, OSError) and error.errno not in _FAULTS_OF_THE_FILE:
        return f"the disk did not answer ({error.strerror or error})"
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
