from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fake_engine import put_into_cache

from hubstudio.cli import backbone_list
from hubstudio.core import module_places
from hubstudio.core.backbones import bundled_folder
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.gui import shelf
from hubstudio.gui.names_apart import difference
from hubstudio.gui.shelf import Presence, ShelfRow
from hubstudio.gui.shelf_jobs import copy_here, forget_own, keep_refusal, own_backbones, read_shelf, understand

TWO_ADDRESSES = next(row for row in bundled_catalogue().rows if row.kaggle and row.kaggle_address != row.handle)


def row_of_catalogue(row_id: str) -> ShelfRow:
    return next(row for row in read_shelf([]).rows if row.row and row.row.id == row_id)


def test_the_kaggle_copy_of_a_module_makes_its_card_ready() -> None:
    put_into_cache(TWO_ADDRESSES.kaggle_address)
    shown = read_shelf([TWO_ADDRESSES.handle])
    row = row_of_catalogue(TWO_ADDRESSES.id)
    assert (row.presence, row.handle, row.name) == (Presence.READY, TWO_ADDRESSES.kaggle_address, TWO_ADDRESSES.name)
    assert shown.find(TWO_ADDRESSES.handle) == row
    assert [one.name for one in shown.rows].count(TWO_ADDRESSES.name) == 1


def test_a_module_in_the_cache_of_kagglehub_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    folder = tmp_path.joinpath("models", *TWO_ADDRESSES.kaggle.split("/"))
    bundled = bundled_folder("studio-mini")
    assert bundled
    shutil.copytree(bundled, folder)
    folder.with_name(f"{folder.name}.complete").touch()
    row = row_of_catalogue(TWO_ADDRESSES.id)
    assert (row.presence, row.is_removable) == (Presence.READY, False)
    assert understand(TWO_ADDRESSES.id).presence is Presence.READY
    assert copy_here(TWO_ADDRESSES.handle) == TWO_ADDRESSES.kaggle_address


@pytest.mark.parametrize(
    "copies",
    [[], [TWO_ADDRESSES.handle], [TWO_ADDRESSES.kaggle_address], [TWO_ADDRESSES.handle, TWO_ADDRESSES.kaggle_address]],
)
def test_cards_and_the_list_of_the_console_agree_on_what_is_here(copies: list[str]) -> None:
    for address in [*copies, "https://example.org/models/of/somebody/1"]:
        put_into_cache(address)
    lines = {(line.handle, line.state == "ready") for line in backbone_list.listed()[0] if line.state != "bundled"}
    rows = {(row.handle, row.presence is Presence.READY) for row in read_shelf([]).rows}
    assert rows - {("studio-mini", False)} == lines


def test_an_imported_module_can_be_called_by_its_name(home: Path) -> None:
    bundled = bundled_folder("studio-mini")
    assert bundled
    folder = module_places.imported_folder() / "my_archive"
    shutil.copytree(bundled, folder)
    assert understand("my_archive").handle == str(folder)


def test_own_folders_of_a_drive_that_is_away_are_on_the_list_again_when_it_is_back(tmp_path: Path) -> None:
    drive, other, third = (tmp_path / name for name in ("drive", "other", "third"))
    for folder in (drive, other, third):
        folder.mkdir()
        understand(str(folder))
    drive.rename(tmp_path / "unplugged")
    assert own_backbones() == (str(third), str(other))
    understand(str(other))
    forget_own(str(third))
    (tmp_path / "unplugged").rename(drive)
    assert own_backbones() == (str(other), str(drive))


def test_a_list_of_own_folders_that_cannot_be_read_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    file = home / "own_backbones.txt"
    file.write_bytes(b"/caf\xe9\n")
    understand(str(tmp_path))
    assert file.read_bytes() == b"/caf\xe9\n"


def test_modules_of_the_same_name_are_told_apart_by_what_differs_in_their_handles(tmp_path: Path) -> None:
    for handle in ("https://example.org/models/me/big/2", "https://example.org/models/me/big/3"):
        put_into_cache(handle)
    folders = [tmp_path / owner / "net" for owner in ("ann", "bob")]
    for folder in folders:
        folder.mkdir(parents=True)
    names = [row.name for row in read_shelf([str(folder) for folder in folders]).rows]
    assert {"big (2)", "big (3)", "net (ann)", "net (bob)", "Studio Mini"} <= set(names)
    assert len(names) == len(set(names))


def test_what_differs_may_be_several_parts_or_none() -> None:
    assert difference("https://x.org/me/big/3", ["https://x.org/me/big/3", "https://x.org/you/big/2"]) == "me/big/3"
    assert difference("https://x.org/me/big", ["https://x.org/me/big", "https://x.org/me/big/2"]) == ""


def test_a_refused_module_is_marked_with_the_reason_until_it_is_another_one() -> None:
    handle = "https://example.org/models/me/scores/1"
    graph = put_into_cache(handle) / "saved_model.pb"
    keep_refusal(handle, "It gives scores, not features.")
    row = read_shelf([]).find(handle)
    assert row
    assert (row.presence, row.why) == (Presence.REFUSED, "It gives scores, not features.")
    assert row.is_removable
    graph.write_bytes(graph.read_bytes() + b"\0")
    again = read_shelf([]).find(handle)
    assert again
    assert again.presence is not Presence.REFUSED


def test_names_of_cards_need_no_look_at_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_into_cache("https://example.org/models/of/somebody/1")
    shown = read_shelf([str(tmp_path)])

    def looks(handle: str) -> str:
        raise AssertionError(handle)

    monkeypatch.setattr(shelf, "display_name", looks)
    assert {"Studio Mini", "somebody", tmp_path.name} <= {row.name for row in shown.rows}
