"""A SavedModel in miniature, written by hand: for tests of files and archives, which need no TensorFlow to load it."""

from __future__ import annotations

import atexit
import functools
import hashlib
import random
import shutil
import struct
import tempfile
from pathlib import Path

_DATA_BYTES = 30_000
_GRAPH_BYTES = 200_000


@functools.cache
def saved_module() -> Path:
    """Return a folder with a whole module of 230 kB, the same bytes each time; it goes with the tests."""
    folder = Path(tempfile.mkdtemp(prefix="module-")) / "module"
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    (folder / "variables").mkdir(parents=True)
    graph = _field(2, b"x" * _GRAPH_BYTES) + _field(7, b"objects")  # MetaGraphDef: graph_def, object_graph_def
    (folder / "saved_model.pb").write_bytes(b"\x08\x01" + _field(2, graph))
    (folder / "variables" / "variables.index").write_bytes(_index(_DATA_BYTES))
    data = random.Random(1).randbytes(_DATA_BYTES)
    (folder / "variables" / "variables.data-00000-of-00001").write_bytes(data)
    return folder


def put_as_tf_hub_does(cache: Path, handle: str, module: Path) -> Path:
    """Put a copy of a module where TF Hub puts what it has fetched, with its descriptor; return its folder."""
    folder = cache / hashlib.sha1(handle.encode()).hexdigest()
    shutil.copytree(module, folder)
    folder.with_name(f"{folder.name}.descriptor.txt").write_text(f"Module: {handle}\nDownload Time: now\n")
    return folder


def _index(size: int) -> bytes:
    """Return a table that says: one file, with one tensor of that size at its beginning."""
    tensors = _block((b"", b"\x08\x01"), (b"weights", b"\x08\x01\x28" + _varint(size)))
    about = _block()
    places = _block((b"weights", _varint(0) + _varint(len(tensors) - 5)))
    handles = b"".join(
        map(_varint, (len(tensors), len(about) - 5, len(tensors) + len(about), len(places) - 5)),
    )
    return tensors + about + places + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def _block(*entries: tuple[bytes, bytes]) -> bytes:
    """Return a block of keys and values with its trailer: not compressed, checksum left out."""
    content = b"".join(_varint(0) + _varint(len(key)) + _varint(len(value)) + key + value for key, value in entries)
    return content + struct.pack("<II", 0, 1) + b"\0" * 5


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
