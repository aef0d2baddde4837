"""What the tests of the machine learning share: made modules and made photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hubstudio.ml.environment import prepare_environment

prepare_environment()

from made_modules import save_reusable, small_network  # noqa: E402 - the environment must be set before TensorFlow loads


@pytest.fixture(scope="session")
def small_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reusable module for 32 px photos: 12 features, three blocks."""
    return save_reusable(small_network(), tmp_path_factory.mktemp("modules") / "small", 32)


@pytest.fixture(scope="session")
def any_size_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network for photos of any size."""
    return save_reusable(small_network(), tmp_path_factory.mktemp("modules") / "any", None)


def make_photos(root: Path, classes: dict[str, int], size: tuple[int, int] = (48, 40)) -> Path:
    """Draw photos whose class shows in colour and stripes, with noise, one folder a class."""
    random = np.random.default_rng(11)
    for number, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for index in range(count):
            rows = np.arange(size[1])[:, None, None]
            stripes = 60 * np.sin(rows * (0.3 + 0.35 * number))
            colour = np.roll([170, 110, 70], number)
            pixels = colour + stripes + random.normal(0, 25, (size[1], size[0], 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name / f"{index:03}.png")
    return root


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photos of two classes."""
    return make_photos(tmp_path_factory.mktemp("photos") / "two", {"bad": 20, "good": 20})


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty photos of three classes."""
    return make_photos(tmp_path_factory.mktemp("photos") / "three", {"a": 20, "b": 20, "c": 20})
