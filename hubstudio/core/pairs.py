"""Pairs of photos: put in order, the best of them chosen, taken in portions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken

Pairs = NDArray[np.int64]
"""``[pairs, 2]``, places of photos."""

_AT_ONCE = 128


def no_pairs() -> Pairs:
    """Return an empty array of pairs."""
    return np.zeros((0, 2), np.int64)


def tidy(*pairs: Pairs) -> Pairs:
    """Return all pairs in ascending order, each once, the smaller place first."""
    together = np.sort(np.concatenate([no_pairs(), *pairs]), axis=1)
    photos = int(together.max(initial=0)) + 1
    keys = np.sort(together[:, 0] * photos + together[:, 1])
    # Not np.unique: since NumPy 2.3 it makes a hash table of whole numbers, ten times slower and holding the GIL.
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return np.stack([keys // photos, keys % photos], axis=1)


def among_best(pairs: NDArray[np.integer[Any]], scores: NDArray[np.integer[Any]], most: int) -> NDArray[np.bool_]:
    """Tell which pairs are among the ``most`` best of either photo."""
    kept = np.zeros(len(pairs), bool)
    ranks = scores.max(initial=0) - scores
    span = int(ranks.max(initial=0)) + 1
    for owners in pairs.T:
        keys = owners.astype(np.int64)
        keys *= span
        keys += ranks
        order = np.argsort(keys, kind="stable")  # sooner than lexsort
        del keys
        ranked = owners[order]
        kept[order[: min(most, len(order))]] = True
        kept[order[most:][ranked[most:] != ranked[:-most]]] = True
    return kept


def portions(pairs: Pairs, cancel: CancelToken) -> Iterator[Pairs]:
    """Yield so many pairs at once that comparing them takes little memory and time."""
    for start in range(0, len(pairs), _AT_ONCE):
        cancel.check()
        yield pairs[start : start + _AT_ONCE]
