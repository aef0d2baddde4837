"""Which photos look alike, so that a split can keep them on one side.

A photo's look is a row of bytes: a perceptual hash, and up to 96 local features. Hashes that are nearly equal tell the
same shot saved again; the same features in the same arrangement tell the same scene, seen from a little to the side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hubstudio.core.cancel import CancelToken

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""
Looks = NDArray[np.uint8]
"""``[photos, LOOK_BYTES]``."""
Pairs = NDArray[np.int64]
"""``[pairs, 2]``, places of photos, the smaller first, in ascending order, each pair once."""
Measures = NDArray[np.float64]
"""``[features, 4]``: x and y in longer sides of the photo, size in octaves, angle in radians."""

LOOK_VERSION = 1
"""To be raised when looks are no longer comparable: another layout, descriptor or preview."""
PREVIEW_SIDE = 112
"""Shorter side in pixels. SIFT takes 6 ms at 112 and 9 at 128, which finds no more series."""
FEATURES = 96
"""Most local features of a look. On 1,050 photos of groceries 48 found 65 % of the series, 64 74 %, 96 83 %."""

_HASH, _HASHED, _COUNT, _COLOUR = slice(0, 8), 8, 9, slice(10, 13)
_CODES = slice(16, 16 + 8 * FEATURES)
_PLACES = slice(_CODES.stop, _CODES.stop + 4 * FEATURES)
LOOK_BYTES = _PLACES.stop
"""Length of a look: hash, whether it counts, number of features, mean colour; codes; x, y, size and angle of each."""

NEAR_BITS = 10
"""How many of the hash's 64 bits may differ in the same shot: trimming 3 % or a watermark changes up to that many.
Other shots come as close (788 pairs among 1,000 photos of hands on a plain ground): the features have to agree, too."""
NEAR_SHARE = 0.36
"""Which share of the features must agree: at least 0.41 did in 120 photos of three sets after trimming by 6 %, halving,
strong compression, brightening, less contrast or a watermark; at most 0.31 in those 788 pairs."""
BARE_FEATURES, BARE_BITS = 8, 2
"""Below so many features the hash is all there is, and may differ only in so many bits, as after compressing again."""
FLAT_LEVELS = 3.0
"""A picture whose gray values deviate less than this from their mean has no pattern to hash, only noise."""

FEW_FEATURES = 48
"""With fewer features a photo shows an outline, which others share: hands, bottles, letters. No series for them."""
SAME_FEATURE_BITS = 14
"""How many of a feature's 64 bits may differ; those of different features differ by 32 on average."""
CLEARER_BITS = 2
"""By how much the second-best feature of the other photo has to be worse, so that repeated patterns say nothing."""
AGREEING_FEATURES = 5
"""Features that have to move together for one scene. Of 592 pairs with four, 5 were chance; of 544 with five, none."""
DRIFT = 0.03
"""How far, in longer sides of the photo, a feature may end from where the others' shift, turn and zoom put it."""
SIZE_DRIFT, ANGLE_DRIFT = 0.5, 0.35  # octaves, radians; between two features' own zooms and turns
MOST_ZOOM = 1.2  # octaves
LEAST_SPREAD = 0.15
"""How wide or high the agreeing features have to reach, in longer sides: a logo or a date stamp is no scene."""

_CODE_TURNS = tuple(range(0, 64, 8))
_CODE_NEIGHBOURS = 8
_CANDIDATES = 6
_VOTES_PER_PHOTO = 32
_PAIRS_AT_ONCE = 128
_PROPOSALS = 24
_HASH_NEIGHBOURS = 16
_NEAREST = 4
_BANDS = 4
_NO_FEATURE = 0xFF00
_STEPS_OF_CHECK = 8


@dataclass(frozen=True)
class Links:
    """Pairs of photos that look alike: ``near`` the same shot, in any classes; ``series`` one scene, in one class."""

    near: Pairs
    series: Pairs


def look_at(image: Image.Image) -> bytes:
    """Return the look of an upright RGB image; one larger than ``PREVIEW_SIDE`` is shrunk, a smaller one stays.

    May be called from several threads at once.
    """
    image = _preview(image)
    gray = np.asarray(image.convert("L"))
    look = np.zeros(LOOK_BYTES, np.uint8)
    look[_COLOUR] = np.asarray(image).reshape(-1, 3).mean(axis=0).round()
    if gray.std() >= FLAT_LEVELS:
        look[_HASHED] = 1
        look[_HASH] = np.packbits(np.asarray(cast(Any, imagehash.phash(image)).hash, bool))
        codes, places = _features(gray)
        look[_COUNT] = len(codes)
        look[_CODES][: codes.size] = codes.ravel()
        look[_PLACES][: places.size] = places.ravel()
    return look.tobytes()


def find_links(looks: Looks, classes: NDArray[np.int64], progress: Progress, cancel: CancelToken) -> Links:
    """Link photos that look alike, given their looks and ``classes`` ``[photos]``; raises ``Cancelled`` if asked to.

    Equal looks are linked one to the next, as a chain, and searched only once, so that which photos hang together
    does not depend on their order. Not every pair is there: photos that hang together already are
    not compared for a series, and in crowds of nearly equal photos each is linked to a few others.
    """
    twins = _twins(looks)
    firsts, chains = _collapse(twins, np.zeros_like(classes))
    near = firsts[_near(looks[firsts], cancel)]
    series: list[Pairs] = []
    done, total = 0, len(looks) * (len(_CODE_TURNS) + _STEPS_OF_CHECK)
    own_firsts, _ = _collapse(twins, classes)
    for number in np.unique(classes):
        members = own_firsts[classes[own_firsts] == number]
        share = int((classes == number).sum())
        for steps, found in _series(looks, members, cancel):
            series.append(members[found])
            progress(done + int(steps * share), total)
        done += share * (len(_CODE_TURNS) + _STEPS_OF_CHECK)
    progress(total, total)
    return Links(_tidy(near, chains), _tidy(*series))


def groups_of(count: int, *links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``[count]``: the number of each photo's group, which is the place of the group's first photo."""
    groups = _Groups(count)
    for pairs in links:
        groups.join(pairs)
    return np.array([groups.first(photo) for photo in range(count)], np.int64)


class _Groups:
    """Which photos hang together, as trees whose root is the first photo."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, pairs: Pairs) -> None:
        for one, other in pairs.tolist():
            low, high = sorted((self.first(one), self.first(other)))
            self._above[high] = low

    def first(self, photo: int) -> int:
        above = self._above
        while above[photo] != photo:
            above[photo] = above[above[photo]]
            photo = above[photo]
        return photo

    def apart(self, pairs: Pairs) -> Pairs:
        """Return the pairs whose photos do not hang together yet."""
        return pairs[[self.first(one) != self.first(other) for one, other in pairs.tolist()]]


def _preview(image: Image.Image) -> Image.Image:
    zoom = PREVIEW_SIDE / min(image.size)
    if zoom >= 1:
        return image
    size = (max(1, round(image.width * zoom)), max(1, round(image.height * zoom)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


# Features


def _features(gray: NDArray[np.uint8]) -> tuple[Looks, Looks]:
    """Return the codes ``[features, 8]`` and places ``[features, 4]`` of the strongest SIFT features.

    A code is the signs of 64 projections of the descriptor's square roots (RootSIFT, Arandjelovic and Zisserman, 2012).
    """
    points, descriptors = cv2.SIFT.create(contrastThreshold=0.02).detectAndCompute(gray, None)
    best = _strongest(points)
    if not best:
        return np.zeros((0, 8), np.uint8), np.zeros((0, 4), np.uint8)
    roots = np.sqrt(np.asarray(descriptors, np.float32)[best])
    codes = np.packbits((roots - roots.mean(axis=1, keepdims=True)) @ _PROJECTIONS > 0, axis=1)
    longer = max(gray.shape)
    measures = np.array([(*points[place].pt, points[place].size, points[place].angle) for place in best])
    places = np.empty((len(best), 4))
    places[:, :2] = measures[:, :2] / longer * 255
    places[:, 2] = (np.log2(measures[:, 2] / longer) + 8) * 32
    places[:, 3] = measures[:, 3] / 360 * 256 % 256
    return codes, places.clip(0, 255).astype(np.uint8)


def _strongest(points: Sequence[cv2.KeyPoint]) -> list[int]:
    """Return the places of the strongest features, one for each pixel, strongest first."""
    order = sorted(range(len(points)), key=lambda place: (-points[place].response, points[place].pt))
    pixels = {(round(points[place].pt[0]), round(points[place].pt[1])): place for place in reversed(order)}
    kept = set(pixels.values())
    return [place for place in order if place in kept][:FEATURES]


def _projections() -> NDArray[np.float32]:
    """Return ``[128, 64]``: rows of a Hadamard matrix with shuffled signs, the same on every machine for all time."""
    hadamard = np.ones((1, 1), np.float32)
    for _ in range(7):
        hadamard = np.kron(hadamard, np.array([[1, 1], [1, -1]], np.float32))
    random = np.random.RandomState(7)  # its numbers are promised never to change
    signs = np.where(random.randint(0, 2, 128) > 0, 1, -1)
    return np.ascontiguousarray((hadamard[random.permutation(128)[:64]] * signs).T, np.float32)


_PROJECTIONS = _projections()
cv2.setNumThreads(1)  # photos are looked at from several threads already


# Equal looks


def _twins(looks: Looks) -> NDArray[np.int64]:
    """Return ``[photos]``: a number for each photo's look, equal for equal ones, that no order of photos changes."""
    digests = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in looks]
    return np.unique(np.array(digests, "V16"), return_inverse=True)[1].astype(np.int64)


def _collapse(twins: NDArray[np.int64], classes: NDArray[np.int64]) -> tuple[NDArray[np.int64], Pairs]:
    """Return the first photo of each look within a class, by class and look, and links through its equals."""
    order = np.lexsort((np.arange(len(twins)), twins, classes))
    same = (np.diff(twins[order]) == 0) & (np.diff(classes[order]) == 0)
    firsts = order[np.concatenate([np.ones(min(1, len(order)), bool), ~same])]
    return firsts, np.stack([order[:-1][same], order[1:][same]], axis=1)


def _tidy(*pairs: Pairs) -> Pairs:
    """Return all pairs, each once, the smaller place first."""
    together = np.sort(np.concatenate([np.zeros((0, 2), np.int64), *pairs]), axis=1)
    photos = int(together.max(initial=0)) + 1
    keys = np.unique(together[:, 0] * photos + together[:, 1])
    return np.stack([keys // photos, keys % photos], axis=1)


# The same shot


def _near(looks: Looks, cancel: CancelToken) -> Pairs:
    """Return pairs among different looks whose hashes are close and, where there are any, whose features agree."""
    hashed = np.flatnonzero(looks[:, _HASHED])
    hashes = np.ascontiguousarray(looks[hashed, _HASH]).view(">u8").ravel().astype(np.uint64)
    order = np.argsort(hashes, kind="stable")
    pairs = hashed[order][_close_hashes(hashes[order], cancel)]
    found: list[Pairs] = []
    for some in _portions(pairs, cancel):
        counts = looks[some, _COUNT].min(axis=1)
        differing = np.bitwise_count(looks[some[:, 0], _HASH] ^ looks[some[:, 1], _HASH]).sum(axis=1)
        bare = (counts < BARE_FEATURES) & (differing <= BARE_BITS)
        rich = np.flatnonzero(counts >= BARE_FEATURES)
        agreeing = np.array([match.sum() for match, _, _ in _agreeing(looks, some[rich])], np.int64)
        found += [some[bare], some[rich[agreeing >= NEAR_SHARE * counts[rich]]]]
    return _tidy(*found)


def _close_hashes(hashes: NDArray[np.uint64], cancel: CancelToken) -> Pairs:
    """Return pairs of the sorted hashes that differ by at most ``NEAR_BITS``, for each hash at least the nearest.

    Multi-index hashing (Norouzi et al., 2012) over four bands of 16 bits, of which one has to differ by a single bit or
    none: so are all pairs up to 7 bits apart, 96 % of those 8 and 78 % of those 10 apart.
    """
    found = np.zeros((0, 2), np.int64)
    for band in range(_BANDS):
        turned = _turn(hashes, 16 * band)
        order = np.argsort(turned, kind="stable")
        turned = turned[order]
        for flip in (0, *(1 << bit for bit in range(48, 64))):
            cancel.check()
            found = _tidy(found, order[_probe(turned, np.uint64(flip))])
            closeness = 64 - np.bitwise_count(hashes[found[:, 0]] ^ hashes[found[:, 1]]).astype(np.int64)
            found = found[_among_best(found, closeness, _NEAREST)]
    return found


def _probe(hashes: NDArray[np.uint64], flip: np.uint64) -> Pairs:
    """Compare each of the sorted hashes, one bit flipped, with its neighbours of the same upper 16 bits."""
    wanted = hashes ^ flip
    place = np.searchsorted(hashes, wanted)
    pairs: list[Pairs] = []
    for step in range(-_HASH_NEIGHBOURS, _HASH_NEIGHBOURS + 1):
        other = place + step
        inside = np.flatnonzero((other >= 0) & (other < len(hashes)))
        other = other[inside]
        alike = (hashes[other] ^ wanted[inside]) >> np.uint64(48) == 0
        inside, other = inside[alike], other[alike]
        close = (np.bitwise_count(hashes[inside] ^ hashes[other]) <= NEAR_BITS) & (inside < other)
        pairs.append(np.stack([inside[close], other[close]], axis=1))
    return np.concatenate(pairs)


def _turn(codes: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    return codes if bits == 0 else (codes << np.uint64(bits)) | (codes >> np.uint64(64 - bits))


# The same scene


def _series(looks: Looks, members: NDArray[np.int64], cancel: CancelToken) -> Iterator[tuple[float, Pairs]]:
    """Yield steps done of ``len(_CODE_TURNS) + _STEPS_OF_CHECK``, and linked pairs among the photos of a class."""
    rich = np.flatnonzero(looks[members, _COUNT] >= FEW_FEATURES)
    nothing = np.zeros((0, 2), np.int64)
    votes = _Votes(len(rich))
    codes, owners = _all_codes(looks, members[rich])
    for step, bits in enumerate(_CODE_TURNS):
        yield step, nothing
        for keys in _similar_owners(codes, owners, bits, len(rich)):
            cancel.check()
            votes.add(keys)
    del codes, owners
    candidates = votes.candidates()
    groups = _Groups(len(rich))
    done = 0
    for portion in _portions(candidates, cancel):
        some = groups.apart(portion)
        same = np.array([_is_scene(*agreeing) for agreeing in _agreeing(looks, members[rich[some]])], bool)
        groups.join(some[same])
        done += len(portion)
        yield len(_CODE_TURNS) + done / len(candidates) * _STEPS_OF_CHECK, rich[some[same]]


def _all_codes(looks: Looks, photos: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return the codes of all features of the photos, and the place in ``photos`` that each belongs to."""
    counts = looks[photos, _COUNT].astype(np.int64)
    codes = np.empty(counts.sum(), np.uint64)
    start = 0
    for photo, count in zip(photos, counts, strict=True):
        codes[start : start + count] = looks[photo, _CODES][: 8 * count].view(np.uint64)
        start += count
    return codes, np.repeat(np.arange(len(photos), dtype=np.int32), counts)


def _similar_owners(
    codes: NDArray[np.uint64], owners: NDArray[np.int32], bits: int, photos: int
) -> Iterator[NDArray[np.int64]]:
    """Yield keys, one for every two similar codes that lie close together when sorted from bit ``bits`` on.

    The key is smaller owner × photos + larger owner. Each code meets a fixed number of others, however many are alike.
    """
    turned = _turn(codes, bits)
    order = np.argsort(turned, kind="stable")
    turned, owners = turned[order], owners[order]
    del order
    for step in range(1, _CODE_NEIGHBOURS + 1):
        similar = np.flatnonzero(np.bitwise_count(turned[step:] ^ turned[:-step]) <= SAME_FEATURE_BITS)
        one, other = owners[similar].astype(np.int64), owners[similar + step].astype(np.int64)
        key = np.minimum(one, other) * photos + np.maximum(one, other)
        yield key[one != other]


class _Votes:
    """How many similar features two photos were seen to have: those with most are worth comparing."""

    def __init__(self, photos: int) -> None:
        self._photos = max(1, photos)
        self._keys = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)

    def add(self, keys: NDArray[np.int64]) -> None:
        """Count each key once more for every time it is there; in a crowd, forget what has fewest votes."""
        new, counts = np.unique(keys, return_counts=True)
        new, counts = self._bounded(new, counts)
        together = np.concatenate([self._keys, new])
        order = np.argsort(together, kind="stable")
        together, votes = together[order], np.concatenate([self._counts, counts])[order]
        starts = np.flatnonzero(np.diff(together, prepend=-1))
        votes = np.add.reduceat(votes, starts) if len(starts) else votes
        self._keys, self._counts = self._bounded(together[starts], votes)

    def candidates(self) -> Pairs:
        """Return pairs of at least two votes that are among the best of either photo, most votes first."""
        enough = self._counts >= 2
        pairs = self._pairs(self._keys[enough])
        best = _among_best(pairs, self._counts[enough], _CANDIDATES)
        return pairs[best][np.argsort(-self._counts[enough][best], kind="stable")]

    def _bounded(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        if len(keys) <= _VOTES_PER_PHOTO * self._photos:
            return keys, counts
        kept = _among_best(self._pairs(keys), counts, _VOTES_PER_PHOTO // 2)
        return keys[kept], counts[kept]

    def _pairs(self, keys: NDArray[np.int64]) -> Pairs:
        return np.stack([keys // self._photos, keys % self._photos], axis=1)


def _among_best(pairs: Pairs, scores: NDArray[np.integer[Any]], most: int) -> NDArray[np.bool_]:
    """Tell which pairs are among the ``most`` best of either photo."""
    kept = np.zeros(len(pairs), bool)
    for owners in pairs.T:
        order = np.lexsort((-scores, owners))
        ranked = owners[order]
        kept[order[: min(most, len(order))]] = True
        kept[order[most:][ranked[most:] != ranked[:-most]]] = True
    return kept


def _portions(pairs: Pairs, cancel: CancelToken) -> Iterator[Pairs]:
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        cancel.check()
        yield pairs[start : start + _PAIRS_AT_ONCE]


# Comparing features


def _agreeing(looks: Looks, pairs: Pairs) -> Iterator[tuple[NDArray[np.bool_], Measures, Measures]]:
    """Yield for each pair of photos which matched features moved together, and all matched features of either photo.

    Fewer matches than any decision needs are left out.
    """
    ours, theirs = looks[pairs[:, 0]], looks[pairs[:, 1]]
    matched, partner = _matches(ours, theirs)
    matched &= matched.sum(axis=1, keepdims=True) >= BARE_FEATURES * NEAR_SHARE
    for row in range(len(pairs)):
        own = np.flatnonzero(matched[row])
        here, there = _measures(ours[row])[own], _measures(theirs[row])[partner[row, own]]
        yield _moved_together(here, there), here, there


def _matches(ours: Looks, theirs: Looks) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return for each feature ``[pairs, FEATURES]`` whether it has a clear partner in the other photo, and which."""
    codes = (np.ascontiguousarray(look[:, _CODES]).view(np.uint64) for look in (ours, theirs))
    one, other = (code.reshape(-1, FEATURES) for code in codes)
    numbers = np.arange(FEATURES, dtype=np.uint16)
    differing = np.bitwise_count(one[:, :, None] ^ other[:, None, :]).astype(np.uint16) << 8
    differing[numbers >= ours[:, _COUNT, None], :] = _NO_FEATURE
    differing.transpose(0, 2, 1)[numbers >= theirs[:, _COUNT, None], :] = _NO_FEATURE
    back = (differing | numbers[:, None]).min(axis=1) & 0xFF  # distance and place in one number: one pass finds both
    differing |= numbers
    best = differing.min(axis=2)
    partner = (best & 0xFF).astype(np.int64)
    mutual = np.take_along_axis(back, partner, axis=1) == numbers
    np.put_along_axis(differing, partner[:, :, None], _NO_FEATURE, axis=2)
    clear = (differing.min(axis=2) >> 8) >= (best >> 8) + CLEARER_BITS
    return ((best >> 8) <= SAME_FEATURE_BITS) & mutual & clear, partner


def _measures(look: Looks) -> Measures:
    return look[_PLACES].reshape(FEATURES, 4) / np.array([255, 255, 32, 128 / np.pi])


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


def _is_scene(agreeing: NDArray[np.bool_], ours: Measures, theirs: Measures) -> bool:
    """Tell whether enough features agree, spread wide enough over both photos."""
    if agreeing.sum() < AGREEING_FEATURES:
        return False
    reach = (np.ptp(measures[agreeing, :2], axis=0).max() for measures in (ours, theirs))
    return bool(min(reach) >= LEAST_SPREAD)
