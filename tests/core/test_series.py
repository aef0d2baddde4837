"""A scene seen from aside is a series within its class; a shared logo makes none."""

import pytest

from scenes import leaves, links_of, looks_of, seen_from_aside


@pytest.mark.parametrize("view", [(0, 1, 0.1), (0, 1.15, 0), (5, 1, 0), (-4, 1.08, 0.06)])
def test_a_scene_seen_from_aside_is_a_series(view: tuple[float, float, float]) -> None:
    first, second = seen_from_aside(leaves(3), 0, 1, 0), seen_from_aside(leaves(3), *view)
    assert links_of(looks_of(first, leaves(4), second)).series.tolist() == [[0, 2]]


def test_a_series_stays_within_its_class() -> None:
    views = [seen_from_aside(leaves(3), 0, 1, shift) for shift in (0, 0.1)]
    assert links_of(looks_of(*views), [0, 1]).series.tolist() == []


def test_a_logo_shared_by_different_photos_makes_no_series() -> None:
    logo = leaves(99).resize((40, 30))
    images = [leaves(seed) for seed in range(6)]
    for image in images:
        image.paste(logo, (270, 200))
    links = links_of(looks_of(*images))
    assert (links.near.tolist(), links.series.tolist()) == ([], [])
