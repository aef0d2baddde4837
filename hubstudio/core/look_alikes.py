"""Which photos look alike, so that a split can keep them on one side: the same shot, or the same scene in one class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.link_memory import LinkStore, NoStore, links_key, recall, remember
from hubstudio.core.looks import LOOK_VERSION, Looks
from hubstudio.core.near_duplicates import near_duplicates
from hubstudio.core.pairs import Pairs, tidy
from hubstudio.core.series import STEPS, series

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""
Places = NDArray[np.int64]
"""``[photos]``, places of photos."""

LINK_VERSION = 1
"""To be raised when other links are found among the same looks."""
_VERSION = f"{LINK_VERSION}.{LOOK_VERSION}"
_DIGEST = "V16"


@dataclass(frozen=True)
class Links:
    """Pairs of photos that look alike, in ascending order, each once, the smaller place first."""

    near: Pairs
    """The same shot, in any classes."""
    series: Pairs
    """One scene, in one class."""


def find_links(
    looks: Looks, classes: NDArray[np.int64], progress: Progress, cancel: CancelToken, store: LinkStore | None = None
) -> Links:
    """Link photos that look alike, given their looks and ``classes`` ``[photos]``; raises ``Cancelled`` if asked to.

    Equal looks are linked one to the next, as a chain, and searched only once, so that which photos hang together
    does not depend on their order. Not every pair is there: photos that hang together already are
    not compared for a series, and in crowds of nearly equal photos each is linked to a few others.
    What ``store`` holds of the same looks is not searched again; it never changes what is found.
    """
    store = NoStore() if store is None else store
    digests, twins = _twins(looks)
    firsts, chains = _collapse(twins, np.zeros_like(classes))
    key = links_key("near", _VERSION, digests.tobytes())
    near = recall(store, key)
    if near is None:
        near = near_duplicates(looks, firsts, cancel)
        remember(store, key, near)
    scenes: list[Pairs] = []
    done, total = 0, len(looks) * STEPS
    own_firsts, _ = _collapse(twins, classes)
    for number in np.unique(classes):
        members = own_firsts[classes[own_firsts] == number]
        share = int((classes == number).sum())
        for steps, found in _series(looks, members, digests[twins[members]].tobytes(), cancel, store):
            scenes.append(members[found])
            progress(done + int(steps * share), total)
        done += share * STEPS
    progress(total, total)
    return Links(tidy(firsts[near], chains), tidy(*scenes))


def _series(
    looks: Looks, members: Places, digests: bytes, cancel: CancelToken, store: LinkStore
) -> Iterator[tuple[float, Pairs]]:
    """Yield how many of ``STEPS`` are done, and linked pairs of members, whose order their looks alone decide."""
    key = links_key("series", _VERSION, digests)
    known = recall(store, key)
    if known is not None:
        yield STEPS, known
        return
    all_found: list[Pairs] = []
    for steps, found in series(looks, members, cancel):
        all_found.append(found)
        yield steps, found
    remember(store, key, np.concatenate(all_found))


def _twins(looks: Looks) -> tuple[NDArray[np.void], Places]:
    """Return the digests of the different looks, sorted, and for each photo which of them is its own."""
    digests = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in looks]
    different, twins = np.unique(np.array(digests, _DIGEST), return_inverse=True)
    return different, twins.astype(np.int64)


def _collapse(twins: Places, classes: NDArray[np.int64]) -> tuple[Places, Pairs]:
    """Return the first photo of each look within a class, by class and look, and links through its equals."""
    order = np.lexsort((np.arange(len(twins)), twins, classes))
    same = (np.diff(twins[order]) == 0) & (np.diff(classes[order]) == 0)
    firsts = order[np.concatenate([np.ones(min(1, len(order)), bool), ~same])]
    return firsts, np.stack([order[:-1][same], order[1:][same]], axis=1)
