"""Links found before among the same looks, so that only classes whose photos changed are compared again."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from hubstudio.core.pairs import Pairs

_SUM_BYTES = 16


class LinkStore(Protocol):
    """Where links are kept: a cache that may forget or be damaged at any time."""

    def links(self, key: bytes) -> bytes | None:
        """Return what was kept under the key."""
        ...

    def keep_links(self, key: bytes, links: bytes) -> None:
        """Keep links under the key."""
        ...


class NoStore:
    """Keeps nothing."""

    def links(self, key: bytes) -> bytes | None:
        """Return nothing."""

    def keep_links(self, key: bytes, links: bytes) -> None:
        """Do nothing."""


def links_key(kind: str, version: str, digests: bytes) -> bytes:
    """Return the key for links of a kind among looks, given the sorted digests of the looks, one behind the other."""
    return hashlib.blake2b(f"{kind} {version} ".encode() + digests, digest_size=_SUM_BYTES).digest()


def recall(store: LinkStore, key: bytes) -> Pairs | None:
    """Return pairs that were kept under the key, if they are whole."""
    kept = store.links(key)
    if kept is None or len(kept) % 8 or kept[:_SUM_BYTES] != _sum(key, kept[_SUM_BYTES:]):
        return None
    return np.frombuffer(kept, "<i4", offset=_SUM_BYTES).astype(np.int64).reshape(-1, 2)


def remember(store: LinkStore, key: bytes, pairs: Pairs) -> None:
    """Keep pairs, places of fewer than two thousand million looks, under the key."""
    content = pairs.astype("<i4").tobytes()
    store.keep_links(key, _sum(key, content) + content)


def _sum(key: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_SUM_BYTES, key=key).digest()
