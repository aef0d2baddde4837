"""Which local features two photos share, and which of those moved together from one photo to the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hubstudio.core.looks import CODES, COUNT, FEATURES, Looks, Measures, measures_of
from hubstudio.core.pairs import Pairs

SAME_FEATURE_BITS = 14
"""How many of a feature's 64 bits may differ; those of different features differ by 32 on average."""
CLEARER_BITS = 2
"""By how much the second-best feature of the other photo has to be worse, so that repeated patterns say nothing."""
DRIFT = 0.03
"""How far, in longer sides of the photo, a feature may end from where the others' shift, turn and zoom put it."""
SIZE_DRIFT, ANGLE_DRIFT = 0.5, 0.35  # octaves, radians; between two features' own zooms and turns
MOST_ZOOM = 1.2  # octaves

_PROPOSALS = 24
_NO_FEATURE = 0xFF00
_NONE = np.zeros(0, np.int64)
_AT_ONCE = 16  # pairs whose distances stay in the processor's cache


def agreeing_features(
    looks: Looks, pairs: Pairs, least: float
) -> Iterator[tuple[NDArray[np.bool_], Measures, Measures]]:
    """Yield for each pair of photos which matched features moved together, and all matched features of either photo.

    Fewer matches than ``least`` are left out.
    """
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        ours, theirs = looks[some[:, 0]], looks[some[:, 1]]
        matched, partner = _matches(ours, theirs)
        enough = matched.sum(axis=1) >= least
        for row in range(len(some)):
            own = np.flatnonzero(matched[row]) if enough[row] else _NONE
            here, there = measures_of(ours[row], own), measures_of(theirs[row], partner[row, own])
            yield _moved_together(here, there), here, there


def _matches(ours: Looks, theirs: Looks) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return for each feature ``[pairs, FEATURES]`` whether it has a clear partner in the other photo, and which."""
    codes = (np.ascontiguousarray(look[:, CODES]).view(np.uint64) for look in (ours, theirs))
    one, other = (code.reshape(-1, FEATURES) for code in codes)
    numbers = np.arange(FEATURES, dtype=np.uint16)
    differing = np.bitwise_count(one[:, :, None] ^ other[:, None, :]).astype(np.uint16) << 8
    differing[numbers >= ours[:, COUNT, None], :] = _NO_FEATURE
    differing.transpose(0, 2, 1)[numbers >= theirs[:, COUNT, None], :] = _NO_FEATURE
    back = (differing | numbers[:, None]).min(axis=1) & 0xFF  # distance and place in one number: one pass finds both
    differing |= numbers
    best = differing.min(axis=2)
    partner = (best & 0xFF).astype(np.int64)
    mutual = np.take_along_axis(back, partner, axis=1) == numbers
    np.put_along_axis(differing, partner[:, :, None], _NO_FEATURE, axis=2)
    clear = (differing.min(axis=2) >> 8) >= (best >> 8) + CLEARER_BITS
    return ((best >> 8) <= SAME_FEATURE_BITS) & mutual & clear, partner


def _moved_together(ours: Measures, theirs: Measures) -> NDArray[np.bool_]:
    """Return which of the matched features were moved by one shift, turn and zoom: the one that most agree on.

    Each of the strongest matches proposes the movement that its own size and angle tell (Lowe, 2004).
    """
    if len(ours) == 0:
        return np.zeros(0, bool)
    octaves, turn = theirs[:, 2] - ours[:, 2], theirs[:, 3] - ours[:, 3]
    few = slice(_PROPOSALS)
    movement = np.exp2(octaves[few]) * np.exp(1j * turn[few])
    here, there = ours[:, 0] + 1j * ours[:, 1], theirs[:, 0] + 1j * theirs[:, 1]
    drift = np.abs(movement[:, None] * (here - here[few, None]) - (there - there[few, None]))
    twist = np.abs((turn - turn[few, None] + np.pi) % (2 * np.pi) - np.pi)
    agreeing = (drift < DRIFT) & (twist < ANGLE_DRIFT) & (np.abs(octaves - octaves[few, None]) < SIZE_DRIFT)
    agreeing &= (np.abs(octaves[few]) < MOST_ZOOM)[:, None]
    return agreeing[agreeing.sum(axis=1).argmax()]
