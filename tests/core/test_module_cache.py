"""What is in the caches of this computer is known from its files alone, whoever put it there."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from filelock import FileLock

from hubstudio.core import module_cache, module_places
from hubstudio.core.errors import BackboneError
from hubstudio.core.module_cache import ModuleState, cached_modules, look_up
from hubstudio.core.module_places import EntryPaths
from hubstudio.core.module_record import ModuleRecord, file_facts, load_record
from hubstudio.core.saved_model_files import damage
from saved_modules import put_as_tf_hub_does, saved_module

MODULE = saved_module()
HANDLE = "https://tfhub.dev/somebody/small/feature_vector/1"
KAGGLE = "https://www.kaggle.com/models/google/mobilenet-v1/TensorFlow2/025-224-feature-vector/2"
DATA = "variables/variables.data-00000-of-00001"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path / "cache"


def put(folder: Path, handle: str = HANDLE) -> Path:
    return put_as_tf_hub_does(folder, handle, MODULE)


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_tf_hub_fetched_is_found(cache: Path) -> None:
    entry = put(cache)
    module = look_up(HANDLE)
    assert (module.state, module.folder, module.bytes) == (ModuleState.READY, entry, total(MODULE))
    assert [module.handle for module in cached_modules()] == [HANDLE]


def test_nothing_is_nothing() -> None:
    assert look_up(HANDLE).state is ModuleState.ABSENT
    assert cached_modules() == []


def test_without_a_named_cache_it_is_our_own_and_tf_hubs_common_one_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    assert look_up(HANDLE).folder.parent == own_home / "modules"
    entry = put(tmp_path / "temporary" / "tfhub_modules")
    assert look_up(HANDLE).folder == entry
    with pytest.raises(BackboneError, match="another program"):
        module_cache.remove(HANDLE)
    assert entry.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has a temporary folder for each person")
def test_a_common_folder_that_others_can_write_to_is_not_looked_through(tmp_path: Path) -> None:
    common = tmp_path / "temporary" / "tfhub_modules"
    put(common)
    assert look_up(HANDLE).is_ready
    common.chmod(0o777)
    assert look_up(HANDLE).state is ModuleState.ABSENT


def test_a_kaggle_module_is_found_by_every_address_programs_use(cache: Path) -> None:
    other = "https://kaggle.com/models/google/mobilenet-v1/frameworks/tensorFlow2/variations/025-224-feature-vector/versions/2"
    entry = put(cache, other)
    assert look_up(KAGGLE).folder == entry


SPELLINGS = [
    "https://www.kaggle.com/models/google/mobilenet-v1/frameworks/TensorFlow2/variations/025-224-feature-vector/versions/2",
    "https://kaggle.com/models/google/mobilenet-v1/tensorFlow2/025-224-feature-vector/2",
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_entry_that_another_program_spelled_otherwise_is_listed_as_plans_hold_it(cache: Path, spelled: str) -> None:
    entry = put(cache, spelled)
    assert [(module.handle, module.folder) for module in cached_modules()] == [(KAGGLE, entry)]


def test_entries_of_one_module_are_listed_once_and_removed_together(cache: Path) -> None:
    for spelled in SPELLINGS:
        put(cache, spelled)
    assert [module.handle for module in cached_modules()] == [KAGGLE]
    assert module_cache.remove(KAGGLE) == 2 * total(MODULE)
    assert cached_modules() == []


@pytest.mark.parametrize(
    "odd",
    [
        f"{HANDLE}?tf-hub-format=compressed",
        "https://www.kaggle.com/models/google",
        "https://www.kaggle.com/models/a/b//d/1",
        "https://www.kaggle.com/models/a/b/tensorFlow2/d/1/2",
        "http://[",
    ],
)
def test_an_entry_whose_address_leads_elsewhere_keeps_it_and_can_be_removed(cache: Path, odd: str) -> None:
    entry = put(cache, odd)
    assert [(module.handle, module.folder) for module in cached_modules()] == [(odd, entry)]
    assert module_cache.remove(odd) == total(MODULE)
    assert not entry.exists()


@pytest.mark.parametrize("is_marked", [True, False])
def test_what_kagglehub_fetched_is_found_once_it_is_marked_as_whole(tmp_path: Path, is_marked: bool) -> None:
    place = tmp_path / "kagglehub/models/google/mobilenet-v1/tensorFlow2/025-224-feature-vector/2"
    shutil.copytree(MODULE, place)
    if is_marked:
        place.with_name("2.complete").touch()
    found = look_up(KAGGLE)
    assert found.state is (ModuleState.READY if is_marked else ModuleState.ABSENT)
    assert not is_marked or found.folder == place


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: shutil.rmtree(folder / "variables"), "variables.index is missing"),
        (lambda folder: (folder / DATA).unlink(), "variables.data-00000-of-00001 is missing"),
        (lambda folder: (folder / DATA).write_bytes((folder / DATA).read_bytes()[:-1]), "cut off"),
        (lambda folder: (folder / DATA).rename(folder / DATA.replace("of-00001", "of-00002")), "1 of 2 files"),
        (lambda folder: (folder / "variables/variables.index").write_bytes(b"x" * 60), "index is damaged"),
        (lambda folder: (folder / "saved_model.pb").unlink(), "saved_model.pb is missing"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "it is empty"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"<html>"), "no protocol buffer"),
        (lambda folder: [shutil.rmtree(folder), folder.mkdir()], "its folder is empty"),
        (lambda folder: [shutil.rmtree(folder), folder.touch()], "a file lies where its folder belongs"),
    ],
)
def test_a_damaged_entry_of_another_program_is_recognised(cache: Path, spoil: object, why: str) -> None:
    spoil(put(cache))  # type: ignore[operator]
    module = look_up(HANDLE)
    assert module.state is ModuleState.BROKEN
    assert why in module.why


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.9, 0.999])
def test_a_saved_model_that_is_cut_off_anywhere_is_recognised(cache: Path, share: float) -> None:
    model = put(cache) / "saved_model.pb"
    content = model.read_bytes()
    model.write_bytes(content[: max(1, int(len(content) * share))])
    assert look_up(HANDLE).state is ModuleState.BROKEN


def test_a_whole_one_elsewhere_goes_before_a_damaged_one_here(tmp_path: Path, cache: Path) -> None:
    (put(cache) / DATA).unlink()
    good = put(tmp_path / "temporary" / "tfhub_modules")
    assert look_up(HANDLE).folder == good


def test_our_own_record_tells_of_any_missing_file(cache: Path) -> None:
    entry = put(cache)
    (entry / "assets").mkdir(exist_ok=True)
    (entry / "assets" / "labels.txt").write_text("cats")
    names = [path.relative_to(entry).as_posix() for path in entry.rglob("*") if path.is_file()]
    record = ModuleRecord(HANDLE, "", {name: file_facts(entry / name) for name in names})
    record.save(EntryPaths(entry).record)
    assert look_up(HANDLE).is_ready
    assert load_record(EntryPaths(entry).record) == record
    (entry / "assets" / "labels.txt").write_text("dogs!")
    assert look_up(HANDLE).why == "assets/labels.txt has 5 bytes instead of 4"
    (entry / "assets" / "labels.txt").write_text("dogs")
    assert look_up(HANDLE).is_ready
    assert record.altered(entry) == "assets/labels.txt was altered or damaged"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"handle": "x"}', '{"handle": "x", "source": "", "files": []}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "record").write_text(content)
    assert load_record(tmp_path / "record") is None


def test_removing_takes_everything_and_tells_how_much(cache: Path) -> None:
    entry = EntryPaths(put(cache))
    entry.archive.write_bytes(b"half")
    assert module_cache.remove(HANDLE) == total(MODULE)
    assert [path.name for path in cache.iterdir()] == [entry.lock.name]
    assert look_up(HANDLE).state is ModuleState.ABSENT
    with pytest.raises(BackboneError, match="not on this computer"):
        module_cache.remove(HANDLE)


def test_a_module_that_is_being_fetched_is_not_removed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_cache, "_LOCK_SECONDS", 0.0)
    entry = EntryPaths(put(cache))
    with FileLock(entry.lock), pytest.raises(BackboneError, match="being fetched"):
        module_cache.remove(HANDLE)
    assert look_up(HANDLE).is_ready


def test_removing_waits_for_a_fetching_that_is_about_to_end(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = FileLock(EntryPaths(put(cache)).lock)
    lock.acquire()
    monkeypatch.setattr(time, "sleep", lambda _seconds: lock.release())  # it ends while it is waited for
    module_cache.remove(HANDLE)
    assert look_up(HANDLE).state is ModuleState.ABSENT


def test_a_begun_download_is_listed_and_can_be_removed(cache: Path) -> None:
    entry = module_places.own_entry(HANDLE)
    cache.mkdir()
    entry.archive.write_bytes(b"12345")
    entry.archive_facts.write_text(f'{{"handle": "{HANDLE}"}}')
    assert [(module.handle, module.state, module.bytes) for module in cached_modules()] == [
        (HANDLE, ModuleState.PARTIAL, 5)
    ]
    assert module_cache.remove(HANDLE) == 5
    assert cached_modules() == []


def test_an_imported_module_is_known_by_its_path(own_home: Path) -> None:
    folder = own_home / "modules" / "imported" / "mine-01234567"
    shutil.copytree(MODULE, folder)
    assert [(module.handle, module.is_ours) for module in cached_modules()] == [(str(folder), True)]
    (folder / DATA).unlink()
    assert look_up(str(folder)).state is ModuleState.BROKEN
    module_cache.remove(str(folder))
    assert not folder.exists()


def test_descriptors_that_lie_or_are_no_text_are_passed_over(cache: Path) -> None:
    put(cache)
    (cache / "0123.descriptor.txt").write_text("Module: https://host/other/1\n")
    (cache / "4567.descriptor.txt").write_bytes(b"\xff\xfe")
    assert [module.handle for module in cached_modules()] == [HANDLE]


def test_whole_modules_are_whole() -> None:
    assert damage(MODULE) == ""


@pytest.mark.shared
def test_the_real_modules_are_whole_and_one_byte_less_is_seen(shared: Path, tmp_path: Path) -> None:
    for module in sorted((shared / "backbones").iterdir()):
        assert damage(module) == ""
        copy = Path(shutil.copytree(module, tmp_path / module.name))
        content = (copy / DATA).read_bytes()
        (copy / DATA).write_bytes(content[:-1])
        assert "cut off" in damage(copy)
