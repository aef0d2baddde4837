"""What all tests share: a home of their own, and the real photos and backbones where there are some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubstudio.core import paths
from leftover_windows import free_leftover_windows

_windows_may_be_left = False
REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep projects, settings and caches of a test away from the person's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(home))
    return home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photo sets, backbones and nasty files, which are not part of the project."""
    folder = Path(os.environ.get("HUBSTUDIO_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the real backbones and photos are not here; HUBSTUDIO_SHARED names their folder")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what several processes must not share out: the tests of a file, and those that use the screen."""
    for item in items:
        on_screen = REPOSITORY / "tests" / "e2e" in item.path.parents
        item.add_marker(pytest.mark.xdist_group("screen" if on_screen else str(item.path)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Free what the last test of the window left before another test's threads collect it."""
    global _windows_may_be_left
    is_of_window = REPOSITORY / "tests" / "gui" in item.path.parents
    if _windows_may_be_left and not is_of_window:
        free_leftover_windows()
    _windows_may_be_left = is_of_window
