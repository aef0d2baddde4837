"""The one decoder: a file on disk becomes upright RGB pixels, the same for every later use."""

from __future__ import annotations

import hashlib
import io
import stat
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pillow_heif
from PIL import Image, UnidentifiedImageError

from hubstudio.core.colours import rgb
from hubstudio.core.decoding_room import DecodingRoom
from hubstudio.core.jpeg import jpeg_array, read_jpeg, scale_for
from hubstudio.core.png import check_chunks, mend_transparency
from hubstudio.core.shrinking import FloatPixels, shrink
from hubstudio.core.unreadable import MAX_PIXELS, DamageError, UnreadablePhotoError, reason_of, unidentified

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF", "PPM", "ICO")
"""What Pillow is asked to try. MPO, several JPEGs in a file, comes with JPEG and has no entry of its own."""
MAX_FILE_BYTES = 256 * 1024 * 1024
"""Files are read whole, then decoded; beyond this they are films, or scans to be saved smaller."""
DECODER_VERSION = 3
"""Raise it when ``pixels`` gives other numbers than before: features that are kept were computed from them."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a photo upright, by its EXIF orientation."""
_TURNED: dict[int, Callable[[FloatPixels], FloatPixels]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}
"""The same for arrays ``[height, width, 3]``."""
_FIRST_ON_ITS_SIDE = 5
"""From this orientation on, width and height change places."""

_room = DecodingRoom(96_000_000)  # pixels in all threads together: at 4 to 8 bytes each, below a gigabyte

# Broken EXIF and odd tags are warned about; the pixels are what counts. Said once, since filters belong to all threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
# Registers every format once, here rather than from several threads at the first odd file. One thread per HEIC, since
# several photos are read at a time; what else is in the file is of no use here.
Image.init()
cast(Any, pillow_heif).register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)


@dataclass(frozen=True)
class Examined:
    """What one pass over a file tells."""

    preview: Image.Image
    """As ``preview`` returns it."""
    width: int
    height: int
    """Of the whole photo, upright, in pixels."""
    digest: bytes
    """BLAKE2b of the file's content, 16 bytes."""


def decode(path: Path, digest: bytes | None = None) -> Image.Image:
    """Return the photo as an upright RGB image, alpha laid on white, the first frame of several.

    Raises ``UnreadablePhotoError`` whatever is wrong with the file; also where its content is no longer that of
    ``digest``, if one is given. That memory ran out is no fault of the file's.
    """
    with _explained(path):
        return _photo(_content_of(path, digest), None)[0]


def preview(path: Path, side: int) -> Image.Image:
    """Return the photo as ``decode`` does, but shrunk to ``side`` pixels at its shorter side; never enlarged.

    Quick rather than exact: a JPEG shrinks while it is decoded. For looking at, not for models. Raises as ``decode``
    does, for the same files: all their data is read.
    """
    with _explained(path):
        return _photo(_content(path), side)[0]


def examine(path: Path, side: int) -> Examined:
    """Return preview, size and digest of a photo, which is read from disk once. Raises as ``decode`` does."""
    with _explained(path):
        content = _content(path)
        digest = _digest(content)
        image, (width, height) = _photo(content, side)
        return Examined(image, width, height, digest)


def digest_of(path: Path) -> bytes:
    """Return the digest of a file's content as ``examine`` does, without decoding; empty if it cannot be read."""
    try:
        return _digest(_content(path))
    except (OSError, ValueError):
        return b""


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def pixels(
    path: Path, size: tuple[int, int], digest: bytes | None = None, into: FloatPixels | None = None
) -> FloatPixels:
    """Return the photo shrunk (or grown) to ``size`` = (height, width) as float32 RGB, 0 to 255; in ``into`` if given.

    With ``digest``, a file whose content is another by now cannot be read. Raises as ``decode`` does.
    """
    with _explained(path):
        content = _content_of(path, digest)
        shrunk = _shrunk_jpeg(content, size, into)
        return shrink(_photo(content, None)[0], size, into) if shrunk is None else shrunk


@contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except (UnreadablePhotoError, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever comes: ValueError, struct.error
        raise UnreadablePhotoError(path, reason_of(error)) from error


def _content_of(path: Path, digest: bytes | None) -> bytes:
    """Read a file that was read before: what was kept under ``digest`` must come from these very bytes."""
    content = _content(path)
    if digest is not None and _digest(content) != digest:
        raise DamageError("it has changed since it was checked")
    return content


def _content(path: Path) -> bytes:
    """Read a file; keep away from pipes and devices, which may never answer."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise DamageError("it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise DamageError("it is a pipe or a device, not a file")
    if found.st_size > MAX_FILE_BYTES:
        raise DamageError(f"it has {found.st_size >> 20:,} MB, more than the {MAX_FILE_BYTES >> 20} a photo may have")
    content = path.read_bytes()
    if not content:
        raise DamageError("the file is empty")
    return content


def _shrunk_jpeg(content: bytes, size: tuple[int, int], into: FloatPixels | None) -> FloatPixels | None:
    """Return ``pixels`` of the most usual kind of photo; None of any other.

    The same as from ``_photo``, but for the last digits of turned ones: without the way into Pillow's memory and out of
    it, and turned once it is small.
    """
    with _opened(content) as opened:
        if opened.format not in ("JPEG", "MPO"):
            return None
        with _room.for_pixels(opened.width * opened.height):
            array = jpeg_array(opened, content)
        turn = _turn(opened)
    if array is None or turn is None:
        return None if array is None else shrink(array, size, into)
    height, width = size
    upright = _TURNED[turn](shrink(array, (width, height) if turn >= _FIRST_ON_ITS_SIDE else size))
    if into is None:
        return np.ascontiguousarray(upright)
    into[:] = upright
    return into


def _photo(content: bytes, side: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Return the upright RGB photo, shrunk if ``side`` is given, and the upright (width, height) of the whole."""
    with _opened(content) as opened:
        is_jpeg = opened.format in ("JPEG", "MPO")
        scale = scale_for(opened.size, side) if is_jpeg else 1
        is_scaled_on_the_way = is_jpeg and "progressive" not in opened.info
        with _room.for_pixels(opened.width * opened.height // (scale**2 if is_scaled_on_the_way else 1)):
            size = opened.size
            if is_jpeg:
                image = read_jpeg(opened, content, scale)
            else:
                image = _loaded(opened, content)
                size = image.size  # may have changed: TIFF is turned while loading
            turn = _turn(opened)
            factor = 1 if side is None else max(1, min(image.size) // (2 * side))
            image = rgb(image, factor)
            if side is not None:
                image = _fitted(image, size, scale * factor, side)
            if turn is not None:
                image = image.transpose(_TURNS[turn])
    return image, size if turn is None or turn < _FIRST_ON_ITS_SIDE else (size[1], size[0])


def _opened(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise DamageError(unidentified(content)) from error
    if image.width * image.height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise DamageError(f"it claims {image.width} × {image.height} pixels, more than the {limit} million it may have")
    return image


def _loaded(opened: Image.Image, content: bytes) -> Image.Image:
    """Read the pixels of anything but a JPEG, and refuse what Pillow lets pass."""
    if opened.format == "PNG":
        check_chunks(content)
        opened.load()
        mend_transparency(opened, content)
    elif opened.format == "GIF":
        _refuse_bomb_as_second_frame(content)
    opened.load()
    return opened


def _refuse_bomb_as_second_frame(content: bytes) -> None:
    """A frame may be larger than the picture claims to be; Pillow looks when it gets there."""
    with Image.open(io.BytesIO(content), formats=("GIF",)) as frames:
        try:
            frames.seek(1)
        except Image.DecompressionBombError:
            raise
        except Exception:  # there is none, or it is damaged: only the first counts
            return


def _turn(image: Image.Image) -> int | None:
    """Return the EXIF orientation of a photo that is not upright."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # damaged EXIF says nothing about orientation; the photo itself is whole
        return None
    return orientation if orientation in _TURNS else None


def _fitted(image: Image.Image, whole: tuple[int, int], shrunk_by: int, side: int) -> Image.Image:
    """Bring an image that was ``whole`` and is already ``shrunk_by`` to ``side`` pixels at its shorter side."""
    shorter = min(whole)
    if shorter <= side:
        return image
    width, height = (max(side, round(length * side / shorter)) for length in whole)
    box = (0.0, 0.0, whole[0] / shrunk_by, whole[1] / shrunk_by)  # the last block was not a full one: no stretching
    return image.resize((width, height), Image.Resampling.BILINEAR, box=box)
