"""Protocol buffers, read without their libraries: only which fields there are and where they end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10


class Field(NamedTuple):
    """One field of a message."""

    number: int
    wire_type: int
    start: int
    """Where its value begins."""
    end: int
    value: int
    """Of a varint; 0 for others."""


def fields(file: BinaryIO, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message between two places; values are passed over, not read.

    Raises ``ValueError`` where this is no message, or one that was cut off.
    """
    place = start
    while place < end:
        file.seek(place)
        tag = read_varint(file)
        number, wire_type = tag >> 3, tag & 7
        if not number or wire_type not in (VARINT, FIXED64, BYTES, FIXED32):
            raise ValueError("it is no protocol buffer")
        value = read_varint(file) if wire_type in (VARINT, BYTES) else 0
        begins = file.tell()
        length = value if wire_type == BYTES else _FIXED_SIZES.get(wire_type, 0)
        place = begins + length
        if place > end:
            raise ValueError("it is cut off")
        yield Field(number, wire_type, begins, place, value if wire_type == VARINT else 0)


def read_varint(file: BinaryIO) -> int:
    """Read a number of variable length. Raises ``ValueError`` if the file ends within."""
    number = 0
    for position in range(_LONGEST_VARINT):
        byte = file.read(1)
        if not byte:
            raise ValueError("it is cut off")
        number |= (byte[0] & 0x7F) << (7 * position)
        if byte[0] < 0x80:
            return number
    raise ValueError("it is no protocol buffer")
