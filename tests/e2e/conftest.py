"""What the tests of the whole program share: samples, one finished run, a broken photo, a desktop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.desktop import Desktop, reason_to_skip
from e2e.program import done
from e2e.studio_window import StudioWindow
from hubstudio.core.plan import Plan
from hubstudio.core.project import Project
from hubstudio.core.resources import samples_folder

EPOCHS = 3
OpenStudio = Callable[..., StudioWindow]


@dataclass(frozen=True)
class Trained:
    """A finished run in a project."""

    project: Path
    run: Path
    document: dict[str, Any]
    """What ``train --json`` printed."""

    @property
    def classes(self) -> list[str]:
        """The classes, in the order of the model's outputs."""
        return self.document["classes"]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The bundled sample photos."""
    return samples_folder()


@pytest.fixture(scope="session")
def classes(samples: Path) -> dict[str, list[Path]]:
    """The classes of the samples with their photos, both in order."""
    return {folder.name: sorted(folder.iterdir()) for folder in sorted(samples.iterdir()) if folder.is_dir()}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Trained:
    """Train once, by the command line, as the run of a project that the window can open."""
    folder = tmp_path_factory.mktemp("trained")
    project = folder / "fruit"
    run = project / "runs" / "run-001"
    document = done("train", samples, "--out", run, "--epochs", EPOCHS, "--seed", 7, home=folder / "home")
    Project(project, Plan.load(run / "plan.toml"), step="photos", run=run.name).save()
    return Trained(project, run, document)


@pytest.fixture
def broken_photo(tmp_path: Path) -> Path:
    """A file that is called a photo and is none."""
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"this is no photo")
    return path


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    """A desktop that nobody sees, for all tests of the window."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with Desktop() as desktop:
        yield desktop


@pytest.fixture
def open_studio(desktop: Desktop, own_home: Path) -> Iterator[OpenStudio]:
    """Open the window on a project, on photos or on nothing; whatever is left of it ends with the test."""
    opened: list[StudioWindow] = []

    def start(*arguments: object) -> StudioWindow:
        window = StudioWindow(desktop, own_home, [str(argument) for argument in arguments])
        opened.append(window)
        window.wait_for_window()
        return window

    yield start
    for window in opened:
        window.close()
