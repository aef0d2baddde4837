"""The same scene, seen from a little to the side: photos of one class whose features moved together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.feature_matches import SAME_FEATURE_BITS, agreeing_features
from hubstudio.core.groups import Groups
from hubstudio.core.looks import CODES, COUNT, Codes, Looks, Measures, turned
from hubstudio.core.pairs import Pairs, among_best, no_pairs, portions

FEW_FEATURES = 48
"""With fewer features a photo shows an outline, which others share: hands, bottles, letters. No series for them."""
AGREEING_FEATURES = 5
"""Features that have to move together for one scene. Of 592 pairs with four, 5 were chance; of 544 with five, none."""
LEAST_SPREAD = 0.15
"""How wide or high the agreeing features have to reach, in longer sides: a logo or a date stamp is no scene."""

_CODE_TURNS = tuple(range(0, 64, 8))
_CODE_NEIGHBOURS = 8
_CANDIDATES = 6
_CODES_AT_ONCE = 2**17
_VOTES_PER_PHOTO = 32
_STEPS_OF_CHECK = 8

STEPS = len(_CODE_TURNS) + _STEPS_OF_CHECK
"""In how many steps a class is searched."""


def series(looks: Looks, members: NDArray[np.int64], cancel: CancelToken) -> Iterator[tuple[float, Pairs]]:
    """Yield how many of ``STEPS`` are done, and linked pairs, as places among the ``members`` of a class."""
    rich = np.flatnonzero(looks[members, COUNT] >= FEW_FEATURES)
    votes = _Votes(len(rich))
    codes, owners = _all_codes(looks, members[rich])
    for step, bits in enumerate(_CODE_TURNS):
        yield step, no_pairs()
        for keys in _similar_owners(codes, owners, bits, len(rich)):
            cancel.check()
            votes.add(keys)
    del codes, owners
    candidates = votes.candidates()
    groups = Groups(len(rich))
    done = 0
    for portion in portions(candidates, cancel):
        some = groups.apart(portion)
        matches = agreeing_features(looks, members[rich[some]], AGREEING_FEATURES)
        same = np.array([_is_scene(*agreeing) for agreeing in matches], bool)
        groups.join(some[same])
        done += len(portion)
        yield len(_CODE_TURNS) + done / len(candidates) * _STEPS_OF_CHECK, rich[some[same]]


def _all_codes(looks: Looks, photos: NDArray[np.int64]) -> tuple[Codes, NDArray[np.int32]]:
    """Return the codes of all features of the photos, and the place in ``photos`` that each belongs to."""
    counts = looks[photos, COUNT].astype(np.int64)
    codes = np.empty(counts.sum(), np.uint64)
    start = 0
    for photo, count in zip(photos, counts, strict=True):
        codes[start : start + count] = looks[photo, CODES][: 8 * count].view(np.uint64)
        start += count
    return codes, np.repeat(np.arange(len(photos), dtype=np.int32), counts)


def _similar_owners(codes: Codes, owners: NDArray[np.int32], bits: int, photos: int) -> Iterator[NDArray[np.int64]]:
    """Yield keys, one for every two similar codes that lie close together when sorted from bit ``bits`` on.

    The key is smaller owner × photos + larger owner. Each code meets a fixed number of others, however many are alike.
    """
    sorted_codes = turned(codes, bits)
    order = np.argsort(sorted_codes, kind="stable")
    sorted_codes, owners = sorted_codes[order], owners[order]
    del order
    for step in range(1, _CODE_NEIGHBOURS + 1):
        similar = _similar(sorted_codes, step)
        one, other = owners[similar].astype(np.int64), owners[similar + step].astype(np.int64)
        key = np.minimum(one, other) * photos + np.maximum(one, other)
        yield key[one != other]


def _similar(codes: Codes, step: int) -> NDArray[np.int64]:
    """Return the places of codes that are similar to the one ``step`` places further."""
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(codes) - step, _CODES_AT_ONCE):
        there = codes[start + step : start + step + _CODES_AT_ONCE]
        here = codes[start : start + len(there)]
        found.append(start + np.flatnonzero(np.bitwise_count(here ^ there) <= SAME_FEATURE_BITS))
    return np.concatenate(found)


class _Votes:
    """How many similar features two photos were seen to have: those with most are worth comparing."""

    def __init__(self, photos: int) -> None:
        self._photos = max(1, photos)
        self._keys = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int32)

    def add(self, keys: NDArray[np.int64]) -> None:
        """Count each key once more for every time it is there; in a crowd, forget what has fewest votes."""
        new, counts = np.unique(keys, return_counts=True)
        new, counts = self._bounded(new, counts.astype(np.int32))
        together = np.concatenate([self._keys, new])
        order = np.argsort(together, kind="stable")
        together, votes = together[order], np.concatenate([self._counts, counts])[order]
        del order, new, counts
        starts = np.flatnonzero(np.diff(together, prepend=-1))
        votes = np.add.reduceat(votes, starts, dtype=np.int32) if len(starts) else votes
        self._keys, self._counts = self._bounded(together[starts], votes)

    def candidates(self) -> Pairs:
        """Return pairs of at least two votes that are among the best of either photo, most votes first."""
        enough = self._counts >= 2
        pairs = self._pairs(self._keys[enough]).astype(np.int64)
        best = among_best(pairs, self._counts[enough], _CANDIDATES)
        return pairs[best][np.argsort(-self._counts[enough][best], kind="stable")]

    def _bounded(
        self, keys: NDArray[np.int64], counts: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        if len(keys) <= _VOTES_PER_PHOTO * self._photos:
            return keys, counts
        kept = among_best(self._pairs(keys), counts, _VOTES_PER_PHOTO // 2)
        return keys[kept], counts[kept]

    def _pairs(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        pairs = np.empty((len(keys), 2), np.int32)
        pairs[:, 0], pairs[:, 1] = keys // self._photos, keys % self._photos
        return pairs


def _is_scene(agreeing: NDArray[np.bool_], ours: Measures, theirs: Measures) -> bool:
    """Tell whether enough features agree, spread wide enough over both photos."""
    if agreeing.sum() < AGREEING_FEATURES:
        return False
    reach = (np.ptp(measures[agreeing, :2], axis=0).max() for measures in (ours, theirs))
    return bool(min(reach) >= LEAST_SPREAD)
