"""``hubstudio backbones``: the list, and each of its actions."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.core.errors import BackboneError, Cancelled, UnsafeModuleError
from saved_modules import put_as_tf_hub_does, saved_module

Hubstudio = Callable[..., Ended]
MODULE = saved_module()
HANDLE = "https://tfhub.dev/google/imagenet/mobilenet_v1_025_224/feature_vector/5"
KAGGLE = "https://www.kaggle.com/models/google/mobilenet-v1/TensorFlow2/025-224-feature-vector/2"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path / "cache"


def put(cache: Path, handle: str) -> Path:
    return put_as_tf_hub_does(cache, handle, MODULE)


def listed(hubstudio: Hubstudio) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in hubstudio("backbones", "--json").document["backbones"]}


def test_the_list_holds_the_bundled_ones_and_the_catalogue_with_what_is_published(hubstudio: Hubstudio) -> None:
    found = listed(hubstudio)
    assert found["studio-mini"]["state"] == "bundled"
    assert list(found["studio-mini"]["photo_sets"]) == list(found["mobilenet-v2-100-224"]["photo_sets"]) != []
    for row in bundled_catalogue().rows:
        entry = found[row.id]
        assert (entry["handle"], entry["state"], entry["bytes"]) == (row.handle, "absent", 0)
        assert (entry["imagenet_top1"], entry["download_bytes"]) == (row.imagenet_top1, row.download_bytes)


def test_the_list_says_in_words_what_is_where(hubstudio: Hubstudio, cache: Path) -> None:
    (put(cache, HANDLE) / "saved_model.pb").unlink()
    out = hubstudio("backbones").out
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert "bundled" in lines["studio-mini"]
    assert "\\x" not in out  # what would not be shown as it is
    assert "to download" in lines["mobilenet-v2-100-224"]
    assert "broken" in lines["mobilenet-v1-025-224"].split()
    assert "'mobilenet-v1-025-224' is broken: saved_model.pb is missing." in out
    assert "'hubstudio backbones get mobilenet-v1-025-224' mends it." in out


@pytest.mark.parametrize("handle", [HANDLE, KAGGLE])
def test_a_row_is_ready_by_either_of_its_handles(hubstudio: Hubstudio, cache: Path, handle: str) -> None:
    folder = put(cache, handle)
    entry = listed(hubstudio)["mobilenet-v1-025-224"]
    assert (entry["state"], entry["folder"], entry["handle"]) == ("ready", str(folder), handle)
    assert entry["bytes"] == sum(path.stat().st_size for path in MODULE.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "odd",
    [
        "https://www.kaggle.com/models/google/mobilenet-v1/frameworks/TensorFlow2/variations/x/versions/2",
        "https://www.kaggle.com/models/google",
        f"{HANDLE}?tf-hub-format=compressed",
    ],
)
def test_another_programs_entry_is_listed_and_removed_whatever_its_address_looks_like(
    hubstudio: Hubstudio, cache: Path, odd: str
) -> None:
    folder = put(cache, odd)
    (name,) = (name for name, entry in listed(hubstudio).items() if entry["folder"] == str(folder))
    assert hubstudio("backbones", "remove", name).code == 0
    assert not folder.exists()


def test_modules_of_ones_own_are_listed_too(hubstudio: Hubstudio, cache: Path) -> None:
    put(cache, "https://host/mine/1")
    assert listed(hubstudio)["https://host/mine/1"]["state"] == "ready"


def test_a_row_of_ones_own_whose_handle_is_a_folder_is_ready(hubstudio: Hubstudio, own_home: Path) -> None:
    rows = f'[[backbone]]\nid = "mine"\nhandle = "{MODULE.as_posix()}"\n'
    (own_home / "backbones.toml").write_text(rows + '[[backbone]]\nid = "gone"\nhandle = "/nowhere/module"\n')
    entry = listed(hubstudio)["mine"]
    assert (entry["state"], entry["folder"], entry["bytes"] > 0) == ("ready", str(MODULE), True)
    assert "to download" not in next(line for line in hubstudio("backbones").out.splitlines() if "gone" in line)


def test_a_badly_written_own_catalogue_costs_only_itself(hubstudio: Hubstudio, own_home: Path) -> None:
    (own_home / "backbones.toml").write_text("[[backbone]\n")
    ended = hubstudio("backbones", "--json")
    assert ended.code == 0
    assert "backbones.toml" in str(ended.document["catalogue_error"])
    assert len(ended.document["backbones"]) > 10


@pytest.mark.parametrize("name", ["mobilenet-v1-025-224", "MobileNetV1 0.25", HANDLE])
def test_get_brings_what_the_name_means(hubstudio: Hubstudio, engine: FakeEngine, name: str) -> None:
    assert hubstudio("backbones", "get", name, "--json").document["handle"] == HANDLE
    assert engine.asked == [HANDLE]


def test_get_takes_an_archive(hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(b"x")
    assert hubstudio("backbones", "get", tmp_path / "m.tar.gz").code == 0
    assert engine.asked == [str(tmp_path / "m.tar.gz")]


def test_a_mistyped_name_is_answered_with_the_nearest(hubstudio: Hubstudio, engine: FakeEngine) -> None:
    ended = hubstudio("backbones", "get", "mobilenet-v1-025-225", "--json")
    assert ended.code == 1
    assert "mobilenet-v1-025-224" in ended.document["error"]["found"]
    assert not engine.asked


def test_a_failed_fetch_is_a_mistake_with_its_next_step_and_a_cancelled_one_an_interruption(
    hubstudio: Hubstudio, engine: FakeEngine
) -> None:
    def refuse() -> None:
        raise BackboneError("Access is denied.", next_step="Get it from Kaggle.")

    engine.before = refuse
    ended = hubstudio("backbones", "get", HANDLE, "--json")
    assert (ended.code, ended.document["error"]["next"]) == (1, "Get it from Kaggle.")

    def cancel() -> None:
        raise Cancelled

    engine.before = cancel
    assert hubstudio("backbones", "get", HANDLE).code == 130


@pytest.mark.parametrize(("handle", "name"), [(HANDLE, HANDLE), (KAGGLE, "mobilenet-v1-025-224")])
def test_remove_frees_the_space_and_says_how_much(hubstudio: Hubstudio, cache: Path, handle: str, name: str) -> None:
    folder = put(cache, handle)
    document = hubstudio("backbones", "remove", name, "--json").document
    assert document["handle"] == handle
    assert document["bytes"] > 200_000
    assert not folder.exists()
    assert hubstudio("backbones", "remove", name).code == 1


def test_remove_takes_an_imported_one_by_its_name(hubstudio: Hubstudio, own_home: Path) -> None:
    folder = own_home / "modules" / "imported" / "mine-01234567"
    shutil.copytree(MODULE, folder)
    assert listed(hubstudio)["mine-01234567"]["state"] == "ready"
    assert "0.2 MB" in hubstudio("backbones", "remove", "mine-01234567").out
    assert not folder.exists()


def test_remove_never_touches_what_is_not_in_the_cache(hubstudio: Hubstudio, tmp_path: Path) -> None:
    own = Path(shutil.copytree(MODULE, tmp_path / "own"))
    for name in (own, "studio-mini"):
        ended = hubstudio("backbones", "remove", name, "--json")
        assert (ended.code, "not in the module cache" in ended.document["error"]["what"]) == (1, True)
    assert own.exists()
    assert MODULE.exists()


def test_probe_says_everything_that_is_known(hubstudio: Hubstudio, engine: FakeEngine) -> None:
    out = hubstudio("backbones", "probe", "studio-mini", "--features", "stem/map").out
    assert engine.asked == [("studio-mini", "stem/map")]
    for part in ("TensorFlow 2.11.0", "0 to 1", "of the endpoint stem/map", "12 × any × 8", "1,280"):
        assert part in out


def test_probe_json_holds_the_endpoints(hubstudio: Hubstudio) -> None:
    document = hubstudio("backbones", "probe", "studio-mini", "--json").document
    assert document["endpoints"][0] == {"name": "stem/map", "shape": [12, None, 8], "features": 8}
    assert (document["value_range"], document["producer"], document["default_size"]) == ("0 to 1", "2.11.0", 96)


def test_trust_passes_on_exactly_the_module_that_is_meant(
    hubstudio: Hubstudio, engine: FakeEngine, cache: Path
) -> None:
    put(cache, KAGGLE)
    assert hubstudio("backbones", "trust", "mobilenet-v1-025-224", "--json").document["trusted"] is True
    assert engine.asked == [("trust", KAGGLE)]


def test_probe_looks_into_an_archive_by_fetching_it_first(
    hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path
) -> None:
    archive = tmp_path / "m.tar.gz"
    archive.write_bytes(b"x")
    engine.absent = {str(archive): "/imported/m"}
    assert hubstudio("backbones", "probe", archive, "--json").document["handle"] == "/imported/m"


def test_ctrl_c_ends_a_look_into_an_archive(hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(b"x")
    engine.before = lambda: signal.raise_signal(signal.SIGINT)
    assert hubstudio("backbones", "probe", tmp_path / "m.tar.gz").code == 130
    assert engine.asked == []


def test_an_archive_whose_module_is_refused_is_trusted_by_the_folder_it_is_in(
    hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UnsafeModuleError("It could do more than look at photos.", operations=("PyFunc",), handle="/imported/m")

    (tmp_path / "m.tar.gz").write_bytes(b"x")
    monkeypatch.setattr(engine, "fetch", refuse)
    assert hubstudio("backbones", "trust", tmp_path / "m.tar.gz", "--json").document["handle"] == "/imported/m"
    assert engine.asked == [("trust", "/imported/m")]


@pytest.mark.parametrize(
    "arguments", [("get",), ("remove",), ("trust",), ("get", "studio-mini", "--features", "x"), ("--features", "x")]
)
def test_half_a_command_is_wrong_usage(hubstudio: Hubstudio, arguments: tuple[str, ...]) -> None:
    assert hubstudio("backbones", *arguments).code == 2


def test_the_help_tells_of_offline_and_proxies(hubstudio: Hubstudio) -> None:
    out = hubstudio("backbones", "--help").out
    assert "HUBSTUDIO_OFFLINE=1" in out
    assert "HTTPS_PROXY" in out
