"""What Pillow lets pass in a PNG: wrong checksums of its pixels, transparent colours of other depths than 8 bits."""

from __future__ import annotations

import zlib
from typing import cast

from PIL import Image

from hubstudio.core.unreadable import DamageError, damaged

_FIRST_CHUNK = 8
_DEPTH = 24  # place of the byte that tells the bits per channel, in every PNG


def check_chunks(content: bytes) -> None:
    """Raise ``DamageError`` if the checksum of a chunk with pixels or colours is wrong, up to the end of the picture.

    Chunks beside the picture (lower-case names) are Pillow's concern; so is a picture that ends too early.
    """
    view = memoryview(content)
    place = _FIRST_CHUNK
    while place + 12 <= len(content):
        length = int.from_bytes(view[place : place + 4])
        name = bytes(view[place + 4 : place + 8])
        end = place + 8 + length
        counts = name[:1].isupper() or name == b"tRNS"
        if counts and zlib.crc32(view[place + 4 : end]) != int.from_bytes(view[end : end + 4]):
            raise DamageError(damaged(f"wrong checksum of {name.decode('ascii', 'replace')}"))
        if name == b"IEND":
            return
        place = end + 4


def mend_transparency(image: Image.Image, content: bytes) -> None:
    """Bring the transparent colour to the 8 bits that Pillow scales the pixels to, but not the colour.

    Of 16 bits per channel the upper 8 are compared: Pillow keeps no more, so very similar colours turn transparent too.
    """
    colour = cast("int | bytes | tuple[int, ...] | None", image.info.get("transparency"))
    depth = content[_DEPTH]
    if depth == 16 and isinstance(colour, tuple):
        image.info["transparency"] = tuple(part >> 8 for part in colour)
    elif depth in (2, 4) and image.mode == "L" and isinstance(colour, int):
        image.info["transparency"] = colour * 255 // (2**depth - 1)
