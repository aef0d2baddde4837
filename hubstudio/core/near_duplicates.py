"""The same shot saved again: photos whose perceptual hashes are close, and whose features agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.feature_matches import agreeing_features
from hubstudio.core.looks import COUNT, HASH, HASHED, Codes, Looks, turned
from hubstudio.core.pairs import Pairs, among_best, no_pairs, portions, tidy

NEAR_BITS = 10
"""How many of the hash's 64 bits may differ in the same shot: trimming 3 % or a watermark changes up to that many.
Other shots come as close (788 pairs among 1,000 photos of hands on a plain ground): the features have to agree, too."""
NEAR_SHARE = 0.36
"""Which share of the features must agree: at least 0.41 did in 120 photos of three sets after trimming by 6 %, halving,
strong compression, brightening, less contrast or a watermark; at most 0.31 in those 788 pairs."""
BARE_FEATURES, BARE_BITS = 8, 2
"""Below so many features the hash is all there is, and may differ only in so many bits, as after compressing again."""

_HASH_NEIGHBOURS = 16
_NEAREST = 4
_BANDS = 4
_BAND = np.uint64(48)
_PROBED_AT_ONCE = 2**15


def near_duplicates(looks: Looks, members: NDArray[np.int64], cancel: CancelToken) -> Pairs:
    """Return pairs, as places among ``members``, whose hashes are close and whose features agree, if there are any.

    No two members may have equal looks.
    """
    hashed = np.flatnonzero(looks[members, HASHED])
    hashes = np.ascontiguousarray(looks[members[hashed], HASH]).view(">u8").ravel().astype(np.uint64)
    order = np.argsort(hashes, kind="stable")
    pairs = hashed[order][_close_hashes(hashes[order], cancel)]
    found: list[Pairs] = []
    for places in portions(pairs, cancel):
        some = members[places]
        counts = looks[some, COUNT].min(axis=1)
        differing = np.bitwise_count(looks[some[:, 0], HASH] ^ looks[some[:, 1], HASH]).sum(axis=1)
        bare = (counts < BARE_FEATURES) & (differing <= BARE_BITS)
        rich = np.flatnonzero(counts >= BARE_FEATURES)
        matches = agreeing_features(looks, some[rich], least=BARE_FEATURES * NEAR_SHARE)
        agreeing = np.array([agreeing.sum() for agreeing, _, _ in matches], np.int64)
        found += [places[bare], places[rich[agreeing >= NEAR_SHARE * counts[rich]]]]
    return tidy(*found)


def _close_hashes(hashes: Codes, cancel: CancelToken) -> Pairs:
    """Return pairs of the sorted hashes that differ by at most ``NEAR_BITS``, for each hash at least the nearest.

    Multi-index hashing (Norouzi et al., 2012) over four bands of 16 bits, of which one has to differ by a single bit or
    none: so are all pairs up to 7 bits apart, 96 % of those 8 and 78 % of those 10 apart.
    """
    found = no_pairs()
    for band in range(_BANDS):
        banded = turned(hashes, 16 * band)
        order = np.argsort(banded, kind="stable")
        banded = banded[order]
        starts = np.searchsorted(banded >> _BAND, np.arange(2**16 + 1, dtype=np.uint64))
        for flip in (0, *(1 << bit for bit in range(48, 64))):
            cancel.check()
            for some in range(0, len(hashes), _PROBED_AT_ONCE):
                probed = np.arange(some, min(some + _PROBED_AT_ONCE, len(hashes)))
                found = tidy(found, order[_probe(banded, starts, probed, np.uint64(flip))])
            closeness = 64 - np.bitwise_count(hashes[found[:, 0]] ^ hashes[found[:, 1]]).astype(np.int64)
            found = found[among_best(found, closeness, _NEAREST)]
    return found


def _probe(hashes: Codes, starts: NDArray[np.int64], probed: NDArray[np.int64], flip: np.uint64) -> Pairs:
    """Compare some of the sorted hashes, one bit flipped, with those behind them of the same upper 16 bits.

    ``starts`` tells where hashes of each upper 16 bits begin. In a crowd only the ``_HASH_NEIGHBOURS`` next in order on
    either side are compared.
    """
    wanted = hashes[probed] ^ flip
    low, high = starts[wanted >> _BAND], starts[(wanted >> _BAND) + np.uint64(1)]
    crowd = np.flatnonzero(high - low > _HASH_NEIGHBOURS)
    place = np.searchsorted(hashes, wanted[crowd])
    low[crowd] = np.maximum(low[crowd], place - _HASH_NEIGHBOURS)
    high[crowd] = np.minimum(high[crowd], place + _HASH_NEIGHBOURS + 1)
    low = np.maximum(low, probed + 1)
    counts = np.maximum(high - low, 0)
    ends = np.cumsum(counts)
    row = np.repeat(np.arange(len(probed)), counts)
    other = np.arange(len(row)) - (ends - counts - low)[row]
    close = np.bitwise_count(wanted[row] ^ flip ^ hashes[other]) <= NEAR_BITS
    return np.stack([probed[row[close]], other[close]], axis=1)
