"""The Backbone step in the real window: a module fetched from a real server, one dropped, one removed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from e2e.accessibility import Role, State
from e2e.conftest import OpenStudio
from e2e.studio_window import StudioWindow
from e2e.test_window import only_project
from hub.misbehaving_server import Reply, misbehaving
from hubstudio.core import module_cache, resources
from hubstudio.core.module_cache import ModuleState

pytestmark = [pytest.mark.screen, pytest.mark.slow]

FIELD, USE = "Backbone folder or handle", "Use this backbone"
LONG = 120.0  # seconds until TensorFlow is loaded and has looked inside, on a machine that is busy with other things


def test_a_module_is_fetched_cancelled_fetched_again_looked_into_and_removed(
    open_studio: OpenStudio, samples: Path
) -> None:
    studio = open_studio(samples)
    studio.press("Backbone")
    is_in_use(studio, "Studio Mini")
    archive = packed()
    with misbehaving(Reply(archive, seconds_between_pieces=0.1)) as server:
        studio.type_into(FIELD, server.handle)
        studio.press(USE)
        studio.wait_for_text("Downloading")
        studio.press("Cancel the download of small")
        studio.wait_for(lambda: module_cache.look_up(server.handle).state is ModuleState.PARTIAL, "nothing is left")
        is_in_use(studio, "Studio Mini")

        server.usual = Reply(archive)  # the line has become a quick one
        studio.press("Resume: small")
        is_in_use(studio, "small")
        resumed = [asked.range for asked in server.asked if asked.range]
    assert resumed
    assert only_project().plan.backbone == server.handle  # type: ignore[union-attr]
    assert module_cache.look_up(server.handle).is_ready

    studio.press("Look inside…")
    studio.wait_for_text(f"Handle: {server.handle}")
    studio.press("Remove from this computer…")
    studio.press("Remove")
    studio.wait_for_text("small was removed.")
    assert module_cache.look_up(server.handle).state is ModuleState.ABSENT
    studio.wait_for_text("Choose a backbone")
    assert "Traceback" not in studio.said()


def test_an_archive_dropped_on_the_page_becomes_the_backbone(
    open_studio: OpenStudio, samples: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "my_network.tar.gz"
    archive.write_bytes(packed())
    studio = open_studio(samples)
    studio.press("Backbone")
    is_in_use(studio, "Studio Mini")
    studio.drop("Choose a backbone", [archive])
    studio.wait_for(lambda: "my_network" in only_project().plan.backbone, "it is not chosen")  # type: ignore[union-attr]
    archive.unlink()
    studio.ask_to_close()
    assert studio.wait_for_end() == 0
    again = open_studio(only_project().folder)
    is_in_use(again, Path(only_project().plan.backbone).name)  # type: ignore[union-attr]


def test_a_server_that_says_no_is_explained_with_the_next_step(open_studio: OpenStudio, samples: Path) -> None:
    studio = open_studio(samples)
    studio.press("Backbone")
    is_in_use(studio, "Studio Mini")
    with misbehaving(Reply(b"no", status=404)) as server:
        studio.type_into(FIELD, server.handle)
        studio.press(USE)
        studio.wait_for_text("404", patience=LONG)
    is_in_use(studio, "Studio Mini")
    assert only_project().plan.backbone == "studio-mini"  # type: ignore[union-attr]


def is_in_use(studio: StudioWindow, name: str) -> None:
    """Wait until the card of that name is the chosen one."""

    def look() -> bool:
        node = next(
            (node for node in studio.tree().walk() if node.name == name and node.role == Role.RADIO_BUTTON), None
        )
        return node is not None and node.has(State.CHECKED)

    studio._wait(lambda: look() or None, f"{name!r} is not in use", LONG)


def packed() -> bytes:
    """Return the bundled module as an archive, as TF Hub serves them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(resources.bundled_backbones_folder() / "studio-mini", arcname=".")
    return buffer.getvalue()
