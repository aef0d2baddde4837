"""Photos that look alike are linked, others are not, whatever their order and however many are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import decode
from hubstudio.core.errors import Cancelled
from hubstudio.core.groups import groups_of
from hubstudio.core.look_alikes import find_links
from hubstudio.core.looks import LOOK_BYTES
from scenes import compressed, leaves, links_of, looks_of, seen_from_aside


def test_different_photos_are_not_linked() -> None:
    links = links_of(looks_of(*(leaves(seed) for seed in range(40))))
    assert (links.near.tolist(), links.series.tolist()) == ([], [])


def test_the_order_of_photos_changes_no_link() -> None:
    images = [seen_from_aside(leaves(seed), 0, 1, shift) for seed in range(12) for shift in (0, 0.06, 0.1)]
    looks, classes = looks_of(*images, *(compressed(image) for image in images[:6])), np.array([0] * 18 + [1] * 24)
    order = np.random.default_rng(0).permutation(len(looks))
    plain = links_of(looks, classes.tolist())
    mixed = links_of(looks[order], classes[order].tolist())
    for there, here in ((plain.near, mixed.near), (plain.series, mixed.series)):
        assert len(there) > 5
        assert set(map(tuple, there.tolist())) == {tuple(sorted(pair)) for pair in order[here].tolist()}


@pytest.mark.parametrize("look", [np.zeros(LOOK_BYTES, np.uint8), looks_of(leaves(1))[0]], ids=["empty", "leaves"])
def test_thousands_of_equal_looks_become_one_chain(look: NDArray[np.uint8]) -> None:
    links = links_of(np.tile(look, (5000, 1)), [0, 1] * 2500)
    assert links.near.tolist() == [[photo, photo + 1] for photo in range(4999)]
    assert len(links.series) == 0


def test_a_crowd_of_nearly_equal_looks_hangs_together_with_few_links() -> None:
    looks = np.tile(looks_of(leaves(1)), (1500, 1))
    random = np.random.default_rng(0)
    looks[:, :8] ^= np.packbits(random.random((1500, 64)) < 0.03, axis=1)
    looks[:, 16 : 16 + 96 * 8] ^= np.packbits(random.random((1500, 96 * 64)) < 0.04, axis=1)
    links = links_of(looks)
    assert len(links.near) + len(links.series) < 30 * len(looks)
    assert groups_of(len(looks), links.near, links.series).max() == 0


def test_no_photos_and_one_photo_have_no_links() -> None:
    for count in (0, 1):
        links = links_of(looks_of(leaves(1))[:count])
        assert (links.near.shape, links.series.shape) == ((0, 2), (0, 2))


def test_progress_rises_to_its_end() -> None:
    seen: list[tuple[int, int]] = []
    looks = looks_of(*(seen_from_aside(leaves(seed), 0, 1, shift) for seed in range(3) for shift in (0, 0.1)))
    find_links(looks, np.repeat([0, 1], 3), lambda *counts: seen.append(counts), CancelToken())
    assert seen == sorted(seen)
    assert len({total for _, total in seen}) == 1
    assert seen[-1][0] == seen[-1][1]


def test_it_stops_when_cancelled() -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        find_links(looks_of(leaves(1), leaves(2)), np.zeros(2, np.int64), lambda *_: cancel.cancel(), cancel)


SERIES = (
    ("Kiwi", [f"dataset__train__Fruit__Kiwi__Kiwi_{number}.jpg" for number in ("009", "026", "031", "040")]),
    ("Zucchini", [f"Zucchini_{number}.jpg" for number in ("020", "021", "027")]),
    ("Zucchini", [f"dataset__train__Vegetables__Zucchini__Zucchini_{number}.jpg" for number in ("001", "009", "025")]),
    ("Zucchini", [f"dataset__train__Vegetables__Zucchini__Zucchini_{number}.jpg" for number in ("002", "003", "029")]),
    ("Aubergine", [f"Aubergine_{number}.jpg" for number in ("008", "012", "018")]),
)
"""Photos that SIFT and a homography (RANSAC, at least 60 inliers) at full size, and a person, found to be one scene."""


@pytest.mark.shared
def test_real_series_stay_together_and_classes_do_not_chain(shared: Path) -> None:
    folders = [shared / "datasets" / "grocery_produce" / name for name in ("Aubergine", "Kiwi", "Zucchini")]
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    links = links_of(looks_of(*map(decode, files)), [folders.index(file.parent) for file in files])
    group = dict(zip(files, groups_of(len(files), links.near, links.series).tolist(), strict=True))
    for name, series in SERIES:
        assert len({group[shared / "datasets" / "grocery_produce" / name / file] for file in series}) == 1, series
    assert np.bincount(list(group.values())).max() <= 12


@pytest.mark.shared
def test_hands_on_a_plain_ground_are_not_taken_for_one(shared: Path) -> None:
    files = [file for name in "05" for file in sorted((shared / "datasets" / "sign_digits" / name).iterdir())]
    links = links_of(looks_of(*map(decode, files)), [int(file.parent.name) for file in files])
    assert len(links.near) + len(links.series) <= 2
