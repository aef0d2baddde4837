"""A row of the catalogue is one module: every copy of it on this computer is known as that row's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hubstudio.core import module_places
from hubstudio.core.catalogue import CatalogueRow, bundled_catalogue
from hubstudio.core.known_modules import all_here, best, resolved
from hubstudio.core.module_cache import ModuleState
from saved_modules import saved_module

CATALOGUE = bundled_catalogue()
MODULE = saved_module()
ROW = next(row for row in CATALOGUE.rows if row.kaggle)
OTHER = "https://host/mine/1"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path / "cache"


def put(handle: str) -> Path:
    entry = module_places.own_entry(handle)
    shutil.copytree(MODULE, entry.folder)
    entry.descriptor.write_text(f"Module: {handle}\n")
    return entry.folder


def put_into_kagglehub(tmp_path: Path) -> Path:
    folder = tmp_path / "kagglehub/models" / ROW.kaggle
    shutil.copytree(MODULE, folder)
    folder.with_name(f"{folder.name}.complete").touch()
    return folder


def test_what_is_not_here_is_known_by_its_own_handle() -> None:
    assert (best(ROW).handle, best(ROW).state) == (ROW.handle, ModuleState.ABSENT)
    assert resolved(ROW.id) == ROW.handle


def test_the_kaggle_copy_stands_for_the_row() -> None:
    folder = put(ROW.kaggle_address)
    assert (best(ROW).folder, best(ROW).handle) == (folder, ROW.kaggle_address)
    assert resolved(ROW.handle) == ROW.kaggle_address


def test_what_kagglehub_keeps_stands_for_the_row(tmp_path: Path) -> None:
    folder = put_into_kagglehub(tmp_path)
    assert best(ROW).folder == folder
    known = {one.row.id: one.module for one in all_here(CATALOGUE) if one.row}
    assert (known[ROW.id].folder, known[ROW.id].is_ready) == (folder, True)


def test_a_whole_copy_goes_before_a_damaged_one() -> None:
    (put(ROW.handle) / "saved_model.pb").unlink()
    whole = put(ROW.kaggle_address)
    assert best(ROW).folder == whole


def test_all_rows_come_first_and_each_other_module_once() -> None:
    folders = {put(ROW.kaggle_address), put(OTHER)}
    found = all_here(CATALOGUE)
    assert tuple(one.row for one in found[: len(CATALOGUE.rows)]) == CATALOGUE.rows
    assert [one.module.handle for one in found[len(CATALOGUE.rows) :]] == [OTHER]
    ready = [one.module.folder for one in found if one.module.is_ready]
    assert (len(ready), set(ready)) == (2, folders)


def test_a_row_that_names_a_folder_is_what_lies_there(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    row = CatalogueRow("mine", "Mine", str(folder))
    assert (best(row).state, best(row).why) == (ModuleState.BROKEN, "there is no such folder")
    shutil.copytree(MODULE, folder)
    found = best(row)
    assert (found.state, found.folder, found.is_ours) == (ModuleState.READY, folder, False)
    assert found.bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    (folder / "variables" / "variables.index").unlink()
    assert (best(row).state, best(row).why) == (ModuleState.BROKEN, "variables/variables.index is missing")


def test_an_imported_module_is_called_by_its_name() -> None:
    folder = module_places.imported_folder() / "mine-01234567"
    shutil.copytree(MODULE, folder)
    assert resolved("mine-01234567") == str(folder)
