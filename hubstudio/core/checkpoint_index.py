"""How long the files of a module's variables must be, as ``variables.index`` tells: without TensorFlow.

The index is a LevelDB table (``tensorflow/core/lib/io/table_format.txt``) of ``BundleEntryProto``
(``tensorflow/core/protobuf/tensor_bundle.proto``): each says in which file a tensor lies, where, and how long it is.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from hubstudio.core.wire_format import fields, read_varint

_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
_TRAILER_BYTES = 5
_SHARD, _OFFSET, _SIZE = 3, 4, 5  # fields of BundleEntryProto
_SHARDS = 1  # field of BundleHeaderProto


def data_sizes(index: bytes) -> tuple[int, ...]:
    """Return the least size of every data file, in order.

    Raises ``ValueError`` if this is no index, or a damaged or compressed one.
    """
    if len(index) < _FOOTER_BYTES or struct.unpack("<Q", index[-8:])[0] != _MAGIC:
        raise ValueError("it does not end like one")
    footer = io.BytesIO(index[-_FOOTER_BYTES:])
    _handle(footer)  # of the block about the table itself
    sizes: dict[int, int] = {}
    shards = 1
    for _, place in _entries(_block(index, *_handle(footer))):
        for key, value in _entries(_block(index, *_handle(io.BytesIO(place)))):
            numbers = _numbers(value)
            if not key:
                shards = numbers.get(_SHARDS, 1)
                continue
            shard = numbers.get(_SHARD, 0)
            sizes[shard] = max(sizes.get(shard, 0), numbers.get(_OFFSET, 0) + numbers.get(_SIZE, 0))
    return tuple(sizes.get(shard, 0) for shard in range(shards))


def _handle(file: io.BytesIO) -> tuple[int, int]:
    """Read where a block is and how long."""
    return read_varint(file), read_varint(file)


def _block(index: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if size < 4 or end + _TRAILER_BYTES > len(index):
        raise ValueError("it is cut off")
    if index[end]:
        raise ValueError("it is compressed")
    return index[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values; a key repeats the beginning of the one before it."""
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    file = io.BytesIO(block)
    key = b""
    while file.tell() < end:
        shared, own, length = read_varint(file), read_varint(file), read_varint(file)
        key = key[:shared] + file.read(own)
        yield key, file.read(length)


def _numbers(message: bytes) -> dict[int, int]:
    return {field.number: field.value for field in fields(io.BytesIO(message), 0, len(message))}
