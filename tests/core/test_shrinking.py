"""How photos are brought to the size that a backbone takes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from hubstudio.core.shrinking import shrink


def triangle(length: int, wanted: int) -> np.ndarray:
    """Weights of an antialiased triangle filter, written from its definition."""
    scale = length / wanted
    reach = max(scale, 1.0)
    centres = (np.arange(wanted) + 0.5) * scale
    distances = (np.arange(length)[None, :] + 0.5 - centres[:, None]) / reach
    weights = np.clip(1.0 - np.abs(distances), 0.0, None)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("whole", [(60, 80), (1200, 1700), (3, 9000), (5000, 2)])
@pytest.mark.parametrize("size", [(24, 24), (7, 50), (96, 96), (1, 1), (60, 80)])
def test_shrinking_is_a_triangle_filter_that_widens(whole: tuple[int, int], size: tuple[int, int]) -> None:
    photo = np.random.default_rng(3).integers(0, 256, (*whole, 3), dtype=np.uint8)
    rows, columns = triangle(whole[0], size[0]), triangle(whole[1], size[1])
    expected = np.einsum("rh,hwc,kw->rkc", rows, photo.astype(np.float64), columns, optimize=True)
    assert np.abs(shrink(Image.fromarray(photo), size) - expected).max() < 0.005


@pytest.mark.parametrize("side", [5, 300, 1500])
def test_one_colour_stays_that_colour(side: int) -> None:
    values = shrink(Image.new("RGB", (side, side), (17, 128, 255)), (31, 33))
    assert values.dtype == np.float32
    assert values.shape == (31, 33, 3)
    assert np.abs(values - np.array([17, 128, 255])).max() < 1e-3


def test_threads_do_not_meet() -> None:
    photos = np.random.default_rng(6).integers(0, 256, (40, 200, 300, 3), dtype=np.uint8)
    alone = [shrink(photo, (64, 64)) for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: shrink(photo, (64, 64)), photos))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
