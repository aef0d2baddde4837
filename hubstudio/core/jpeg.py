"""JPEG, read so that damage is noticed: libjpeg fills gaps with gray and only warns, and Pillow drops the warnings.

simplejpeg reads with libjpeg-turbo as Pillow does, gives the same pixels sooner, and hands on the first warning.
"""

from __future__ import annotations

import re
from typing import Any, cast

import numpy as np
import simplejpeg  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray
from PIL import Image

from hubstudio.core.scratch import Scratch
from hubstudio.core.unreadable import CUT_SHORT, DamageError, damaged

_COLOUR_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""Pillow's mode to simplejpeg's name."""

_HARMLESS = re.compile(
    # Left over when every pixel of a stretch was there, before its end or the photo's. Before a restart it may also be
    # the trace of damage in that stretch, but every viewer shows such photos, and old cameras write them.
    r"extraneous bytes before marker 0xd[0-79]"
    r"|unknown JFIF revision|Unknown Adobe color transform"
)
"""Warnings after which the photo is whole, in the words of libjpeg's jerror.h."""

_NOT_FOR_SIMPLEJPEG = re.compile(r"subsampling (level|type)")
_SOI, _SOS, _JFIF, _ADOBE = 0xD8, 0xDA, 0xE0, 0xEE
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
_NEEDED = frozenset((*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, _JFIF, _ADOBE))
_SEQUENTIAL = (0xC0, 0xC1)

_pixels = Scratch()


def scale_for(size: tuple[int, int], side: int | None) -> int:
    """Return by how much a JPEG may shrink while it is decoded (8, 4, 2, 1) and keep ``side`` pixels at its shorter."""
    if side is None:
        return 1
    return next((scale for scale in (8, 4, 2) if -(-min(size) // scale) >= side), 1)


def jpeg_array(opened: Image.Image, content: bytes) -> NDArray[np.uint8] | None:
    """Return the pixels ``[height, width, 3]`` of an RGB JPEG that Pillow has opened, not turned.

    None if only ``read_jpeg`` can read it. Raises ``DamageError`` as that does. The memory is the thread's, and is used
    again by the next call.
    """
    if opened.mode != "RGB":
        return None
    return _array(content, opened.mode, opened.size, _pixels.array((opened.height * opened.width * 3,), np.uint8))


def read_jpeg(opened: Image.Image, content: bytes, scale: int) -> Image.Image:
    """Return the pixels of a JPEG that Pillow has opened: mode RGB, L or CMYK, not turned, 1/``scale`` of its size.

    Raises ``DamageError`` if pixels are missing or came from bad data. Of a warning after which the photo is whole,
    nothing is said. Only the first warning of a stream is known, so after a harmless one the file is read again
    without what it was about.
    """
    is_cmyk = opened.mode == "CMYK"  # whether it is inverted is Pillow's knowledge; here it is only looked through
    array = _array(content, opened.mode, _scaled(opened.size, 8 if is_cmyk else scale))
    if array is None or is_cmyk:
        width, height = opened.size
        opened.draft(None, (max(1, width // scale), max(1, height // scale)))
        opened.load()
        return opened
    return Image.fromarray(array[:, :, 0] if opened.mode == "L" else array)


def _scaled(size: tuple[int, int], scale: int) -> tuple[int, int]:
    return -(-size[0] // scale), -(-size[1] // scale)


def _array(
    content: bytes, mode: str, size: tuple[int, int], memory: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8] | None:
    """Return ``[height, width, channels]``, or None if Pillow shall read it, as simplejpeg gives no pixels then."""
    try:
        return _strict(content, mode, size, memory)
    except ValueError as error:
        if _NOT_FOR_SIMPLEJPEG.search(str(error)):
            return None
        bare = _bare(content)
    try:
        return _strict(bare, mode, size, memory)
    except ValueError as error:
        if _HARMLESS.search(str(error)):
            return None
        raise DamageError(_clause(str(error))) from error


def _strict(content: bytes, mode: str, size: tuple[int, int], memory: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    width, height = size
    decode = cast(Any, simplejpeg.decode_jpeg)
    array = decode(content, _COLOUR_SPACES[mode], min_height=height, min_width=width, buffer=memory, strict=True)
    if array.shape[:2] != (height, width):
        raise DamageError(damaged("two sizes"))
    return array


def _clause(warning: str) -> str:
    if "Premature end of JPEG file" in warning:
        return CUT_SHORT
    return damaged(warning.removeprefix("Corrupt JPEG data: "))


def _bare(content: bytes) -> bytes:
    """Return a JPEG without what is odd before its first scan: junk, EXIF, profiles, versions, parameters.

    Found as libjpeg's ``next_marker`` finds it: what is no marker is skipped. Returned as it is if it has no scan.
    """
    kept = [b"\xff\xd8"]
    frame, place = 0, 2
    while (place := content.find(b"\xff", place)) >= 0 and place + 4 <= len(content):
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0 or marker in _WITHOUT_LENGTH:
            place += 2
            continue
        end = place + 2 + int.from_bytes(content[place + 2 : place + 4])
        if marker == _SOS:
            whole_spectrum = frame in _SEQUENTIAL  # the only parameters there; some programs write others
            scan = content[place : end - 3] + b"\0\x3f\0" if whole_spectrum else content[place:end]
            return b"".join((*kept, scan, content[end:]))
        if marker in _NEEDED:
            segment = content[place:end]
            if marker == _JFIF and segment[4:9] == b"JFIF\0":
                segment = segment[:9] + b"\1" + segment[10:]
            elif marker in range(0xC0, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
                frame = marker
            kept.append(segment)
        place = end
    return content
