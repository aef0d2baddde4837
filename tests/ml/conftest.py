"""What the tests of the machine learning share: made modules and made photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubstudio.ml.environment import prepare_environment

prepare_environment()

from made_modules import save_reusable, small_network  # noqa: E402
from made_photos import make_photos  # noqa: E402

from hubstudio.ml import checkpoints  # noqa: E402 - the environment must be set before TensorFlow loads


@pytest.fixture(scope="session")
def small_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reusable module for 32 px photos: 12 features, three blocks."""
    return save_reusable(small_network(), tmp_path_factory.mktemp("modules") / "small", 32)


@pytest.fixture(scope="session")
def any_size_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network for photos of any size."""
    return save_reusable(small_network(), tmp_path_factory.mktemp("modules") / "any", None)


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photos of two classes."""
    return make_photos(tmp_path_factory.mktemp("photos") / "two", {"bad": 20, "good": 20})


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty photos of three classes."""
    return make_photos(tmp_path_factory.mktemp("photos") / "three", {"a": 20, "b": 20, "c": 20})


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints after every batch."""
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoints, "_SHARE_OF_TIME", float("inf"))
