"""The files of a module as one number: what tells whether it is still the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

_READ_AT_ONCE = 1 << 20


def files_digest(folder: Path) -> str:
    """Return a digest of all files of a module, of the graph and the weights. Raises ``OSError``."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\n{file.stat().st_size}\n".encode())
        with file.open("rb") as opened:
            while piece := opened.read(_READ_AT_ONCE):
                digest.update(piece)
    return digest.hexdigest()
