"""Photos that look alike are linked, others are not, whatever their order and however many are equal."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import decode
from hubstudio.core.errors import Cancelled
from hubstudio.core.look_alikes import LOOK_BYTES, Links, find_links, groups_of, look_at

WIDTH, HEIGHT = 320, 240


def leaves(seed: int, leaf_count: int = 500) -> Image.Image:
    """Draw overlapping ellipses of random sizes and colours: as many edges and corners as a photo has."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    for _ in range(leaf_count):
        x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
        width, height = random.uniform(5, 40, 2)
        draw.ellipse((x - width, y - height, x + width, y + height), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def looks_of(*images: Image.Image) -> NDArray[np.uint8]:
    return np.stack([np.frombuffer(look_at(image), np.uint8) for image in images])


def links_of(looks: NDArray[np.uint8], classes: list[int] | None = None) -> Links:
    return find_links(looks, np.array(classes or [0] * len(looks), np.int64), lambda *_: None, CancelToken())


def compressed(image: Image.Image) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=30)
    return Image.open(data).convert("RGB")


def watermarked(image: Image.Image) -> Image.Image:
    marked = image.copy()
    ImageDraw.Draw(marked).rectangle((200, 215, 310, 232), fill="white")
    return marked


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": compressed,
    "shrunk": lambda image: image.resize((WIDTH // 2, HEIGHT // 2)),
    "grown": lambda image: image.resize((WIDTH * 3, HEIGHT * 3)),
    "trimmed": lambda image: image.crop((4, 2, WIDTH - 3, HEIGHT - 3)),
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.3),
    "paler": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "watermarked": watermarked,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_same_shot_saved_again_is_near_also_across_classes(change: Callable[[Image.Image], Image.Image]) -> None:
    image = leaves(1)
    links = links_of(looks_of(image, leaves(2), change(image)), [0, 0, 1])
    assert links.near.tolist() == [[0, 2]]
    assert links.series.tolist() == []


def seen_from_aside(image: Image.Image, degrees: float, zoom: float, shift: float) -> Image.Image:
    turned = image.rotate(degrees, Image.Resampling.BICUBIC)
    width, height = WIDTH * 0.75 / zoom, HEIGHT * 0.75 / zoom
    left, upper = (WIDTH - width) / 2 + shift * WIDTH, (HEIGHT - height) / 2
    return turned.crop((round(left), round(upper), round(left + width), round(upper + height)))


@pytest.mark.parametrize("view", [(0, 1, 0.1), (0, 1.15, 0), (5, 1, 0), (-4, 1.08, 0.06)])
def test_a_scene_seen_from_aside_is_a_series(view: tuple[float, float, float]) -> None:
    first, second = seen_from_aside(leaves(3), 0, 1, 0), seen_from_aside(leaves(3), *view)
    assert links_of(looks_of(first, leaves(4), second)).series.tolist() == [[0, 2]]


def test_a_series_stays_within_its_class() -> None:
    views = [seen_from_aside(leaves(3), 0, 1, shift) for shift in (0, 0.1)]
    assert links_of(looks_of(*views), [0, 1]).series.tolist() == []


def test_different_photos_are_not_linked() -> None:
    links = links_of(looks_of(*(leaves(seed) for seed in range(40))))
    assert (links.near.tolist(), links.series.tolist()) == ([], [])


def test_a_logo_shared_by_different_photos_makes_no_series() -> None:
    logo = leaves(99).resize((40, 30))
    images = [leaves(seed) for seed in range(6)]
    for image in images:
        image.paste(logo, (270, 200))
    links = links_of(looks_of(*images))
    assert (links.near.tolist(), links.series.tolist()) == ([], [])


def noisy(level: int, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).normal(level, 1, (HEIGHT, WIDTH, 3))
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8))


def test_flat_pictures_of_different_brightness_are_not_linked() -> None:
    plain = [Image.new("RGB", (WIDTH, HEIGHT), (level,) * 3) for level in (0, 100, 255)]
    links = links_of(looks_of(*plain, noisy(60, 1), noisy(180, 2)))
    assert (links.near.tolist(), links.series.tolist()) == ([], [])


def test_tiny_and_narrow_pictures_have_a_look() -> None:
    for size in ((1, 1), (3, 2), (2000, 1), (1, 500)):
        assert len(look_at(Image.radial_gradient("L").resize(size).convert("RGB"))) == LOOK_BYTES


def test_a_look_is_the_same_every_time() -> None:
    assert look_at(leaves(5)) == look_at(leaves(5))


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


def test_groups_are_what_hangs_together() -> None:
    near, series = np.array([[1, 4], [2, 3]]), np.array([[3, 5]])
    assert groups_of(7, near, series).tolist() == [0, 1, 2, 2, 1, 2, 6]


def test_groups_without_links_are_single_photos() -> None:
    assert groups_of(3).tolist() == [0, 1, 2]


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
