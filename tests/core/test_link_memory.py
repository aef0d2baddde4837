"""Links of looks that did not change are remembered: nothing else is found, and only what changed is compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hubstudio.core import look_alikes, paths, photo_index
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.core.look_alikes import LINK_VERSION, Links, find_links
from hubstudio.core.photo_check import check_photos
from hubstudio.core.photo_index import open_index
from hubstudio.core.photo_listing import scan
from scenes import compressed, leaves, links_of, looks_of, seen_from_aside

CLASSES = 3


class Store(dict[bytes, bytes]):
    """Links in memory."""

    def links(self, key: bytes) -> bytes | None:
        return self.get(key)

    def keep_links(self, key: bytes, links: bytes) -> None:
        self[key] = links


@pytest.fixture(scope="module")
def photos() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Looks and classes: in each of three classes four series, some shots saved again, also across classes, twins."""
    views = [seen_from_aside(leaves(seed), 0, 1, shift) for seed in range(12) for shift in (0, 0.06, 0.1)]
    again = [compressed(view) for view in views[::5]]
    looks = looks_of(*views, *again, *views[::9])
    return looks, np.concatenate([np.arange(36) // 12, np.arange(len(looks) - 36) % CLASSES])


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fill with what is searched: 'near', and 'series' for each class."""
    calls: list[str] = []

    def noting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object) -> object:
            calls.append(name)
            return real(*given)

        return call

    monkeypatch.setattr(look_alikes, "near_duplicates", noting("near", look_alikes.near_duplicates))
    monkeypatch.setattr(look_alikes, "series", noting("series", look_alikes.series))
    return calls


def pairs(links: Links) -> tuple[list[list[int]], list[list[int]]]:
    return links.near.tolist(), links.series.tolist()


Photos = tuple[NDArray[np.uint8], NDArray[np.int64]]


def test_what_did_not_change_is_not_compared_again(photos: Photos, compared: list[str]) -> None:
    looks, classes = photos
    store = Store()
    first = links_of(looks, classes.tolist(), store)
    assert compared == ["near"] + ["series"] * CLASSES
    assert min(map(len, pairs(first))) > 5
    compared.clear()
    assert pairs(links_of(looks, classes.tolist(), store)) == pairs(first)
    assert compared == []


def test_only_the_class_of_a_photo_that_is_taken_out_is_compared_again(photos: Photos, compared: list[str]) -> None:
    looks, classes = photos
    store = Store()
    links_of(looks, classes.tolist(), store)
    compared.clear()
    links_of(np.delete(looks, 1, axis=0), np.delete(classes, 1).tolist(), store)
    assert compared == ["near", "series"]


def test_the_order_and_names_of_classes_and_photos_do_not_matter(photos: Photos, compared: list[str]) -> None:
    looks, classes = photos
    store = Store()
    links_of(looks, classes.tolist(), store)
    compared.clear()
    order = np.random.default_rng(0).permutation(len(looks))
    mixed = links_of(looks[order], (CLASSES - classes[order]).tolist(), store)
    assert compared == []
    assert pairs(mixed) == pairs(links_of(looks[order], (CLASSES - classes[order]).tolist()))


def test_after_any_edits_it_finds_what_it_finds_without_memory(photos: Photos) -> None:
    looks, classes = photos
    random, store = np.random.default_rng(0), Store()
    for _ in range(12):
        chosen = random.choice(len(looks), random.integers(0, len(looks) + 1))  # leaves out, doubles, and mixes
        own = np.where(random.random(len(chosen)) < 0.1, random.integers(0, CLASSES, len(chosen)), classes[chosen])
        given = looks[chosen], own.tolist() or None
        assert pairs(links_of(*given, store)) == pairs(links_of(*given))


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[:-8],
        lambda kept: kept[:-3],
        lambda kept: b"",
        lambda kept: bytes(len(kept)),
        lambda kept: kept[:20] + bytes([kept[20] ^ 1]) + kept[21:],
        lambda kept: kept + bytes(8),
    ],
    ids=["shorter", "torn", "empty", "zeros", "a bit", "longer"],
)
def test_damage_is_noticed(photos: Photos, damage: Callable[[bytes], bytes]) -> None:
    looks, classes = photos
    store = Store()
    links = links_of(looks, classes.tolist(), store)
    for key, kept in store.items():
        store[key] = damage(kept)
    assert pairs(links_of(looks, classes.tolist(), store)) == pairs(links)


def test_links_of_other_photos_are_not_taken_for_these(photos: Photos) -> None:
    looks, classes = photos
    store = Store()
    links = links_of(looks, classes.tolist(), store)
    kept = list(store.values())
    for key, other in zip(store, kept[1:] + kept[:1], strict=True):
        store[key] = other
    assert pairs(links_of(looks, classes.tolist(), store)) == pairs(links)


def test_another_version_remembers_nothing(
    photos: Photos, compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, classes = photos
    store = Store()
    links_of(looks, classes.tolist(), store)
    compared.clear()
    monkeypatch.setattr(look_alikes, "_VERSION", "another")
    links_of(looks, classes.tolist(), store)
    assert compared == ["near"] + ["series"] * CLASSES


def test_classes_compared_before_it_was_cancelled_are_remembered(photos: Photos, compared: list[str]) -> None:
    looks, classes = photos
    store, cancel = Store(), CancelToken()

    def in_the_last_class(done: int, total: int) -> None:
        if done > total * 0.8:
            cancel.cancel()

    with pytest.raises(Cancelled):
        find_links(looks, classes, in_the_last_class, cancel, store)
    compared.clear()
    links_of(looks, classes.tolist(), store)
    assert compared == ["series"]


def made_up_looks() -> NDArray[np.uint8]:
    """Return looks that no library and no processor changes: crowds of 25 that differ by some bits."""
    random = np.random.RandomState(3)  # its numbers are promised never to change
    looks = np.repeat(random.randint(0, 256, (24, 1168)).astype(np.uint8), 25, axis=0)
    looks[:, 8], looks[:, 9] = 1, 96
    looks[:, :784] ^= np.packbits(random.rand(600, 784 * 8) < 0.05, axis=1)
    looks[:, 8], looks[:, 9] = 1, np.where(random.rand(600) < 0.1, 5, 90)
    return looks


def test_other_links_are_another_version() -> None:
    links = links_of(made_up_looks(), [photo % 2 for photo in range(600)])
    found = hashlib.sha256(repr(pairs(links)).encode()).hexdigest()[:16]
    assert (LINK_VERSION, found) == (1, "3fccaf8824fdd0dd"), (
        "Links changed: raise LINK_VERSION, so that remembered ones are dropped."
    )


def test_the_index_remembers_links_until_the_next_opening(photos: Photos, compared: list[str]) -> None:
    looks, classes = photos
    with open_index() as index:
        first = links_of(looks, classes.tolist(), index)
    compared.clear()
    with open_index() as index:
        assert pairs(links_of(looks, classes.tolist(), index)) == pairs(first)
    assert compared == []


def test_a_second_check_compares_only_the_class_that_changed(
    make_photos: Callable[..., Path], compared: list[str]
) -> None:
    root = make_photos(*(f"{name}/{number}.png" for name in "abc" for number in range(4)))
    first = check_photos(scan(root), lambda *_: None, CancelToken())
    compared.clear()
    assert check_photos(scan(root), lambda *_: None, CancelToken()) == first
    assert compared == []
    (root / "b" / "1.png").unlink()
    check_photos(scan(root), lambda *_: None, CancelToken())
    assert compared == ["near", "series"]


def test_the_index_forgets_the_oldest_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_index, "_LINKS_LIMIT", 5000)
    for number in range(8):
        with open_index() as index:
            index.keep_links(bytes([number]), bytes(1000))
    with open_index() as index:
        assert [number for number in range(8) if index.links(bytes([number]))] == [4, 5, 6, 7]


def test_links_too_large_to_keep_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_index, "_LINKS_LIMIT", 5000)
    with open_index() as index:
        index.keep_links(b"large", bytes(6000))
    with open_index() as index:
        assert index.links(b"large") is None


def test_an_index_from_before_there_were_links_gets_them() -> None:
    with open_index() as index:
        assert index._database is not None
        index._database.execute("DROP TABLE links")
    with open_index() as index:
        index.keep_links(b"key", b"links")
        assert index.links(b"key") == b"links"


def test_another_version_of_looks_drops_links(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_index() as index:
        index.keep_links(b"key", b"links")
    monkeypatch.setattr(photo_index, "_VERSION", "2")
    with open_index() as index:
        assert index.links(b"key") is None


@pytest.mark.parametrize("kept", ["text", 5, 1.5])
def test_links_that_are_no_bytes_are_not_known(kept: object) -> None:
    with open_index() as index:
        assert index._database is not None
        with index._database:
            index._database.execute("INSERT INTO links (key, links) VALUES (?, ?)", (b"key", kept))
        assert index.links(b"key") is None


def test_links_without_an_index_are_found_all_the_same(photos: Photos) -> None:
    paths.photo_index_file().mkdir(parents=True)
    with open_index() as index:
        assert pairs(links_of(photos[0], photos[1].tolist(), index)) == pairs(links_of(photos[0], photos[1].tolist()))
