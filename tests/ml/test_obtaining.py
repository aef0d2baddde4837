"""A module that is not here comes here: from a real server, looked into by TensorFlow, and found by TF Hub itself."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_hub as hub
from made_modules import save_called

from hub.misbehaving_server import Reply, misbehaving
from hubstudio.core import module_places
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError, Cancelled, UnsafeModuleError
from hubstudio.core.events import BytesFetched, Event, ignore
from hubstudio.core.module_cache import ModuleState, look_up
from hubstudio.core.settings import OFFLINE_VARIABLE, Settings
from hubstudio.ml import buckets
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.module_folders import find_folder
from hubstudio.ml.obtaining import obtain

DATA = "variables/variables.data-00000-of-00001"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TF Hub's cache; the machine's proxies do not count."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(folder, arcname=".")
    return buffer.getvalue()


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_fetched_module_is_understood_and_found_by_tf_hub_without_a_network(small_module: Path) -> None:
    events: list[Event] = []
    with misbehaving(Reply(packed(small_module))) as server:
        info = LocalEngine().fetch(server.handle, events.append, CancelToken())
    assert (info.handle, info.features, info.input_size) == (server.handle, 12, 32)
    assert any(isinstance(event, BytesFetched) for event in events)
    assert hub.resolve(server.handle) == str(info.folder)
    assert load_module(server.handle).folder == info.folder


def test_training_fetches_what_is_not_here_and_mends_what_only_loading_shows_to_be_damaged(
    small_module: Path, cache: Path
) -> None:
    with misbehaving(Reply(packed(small_module))) as server:
        folder = look_up(server.handle).folder
        shutil.copytree(small_module, folder)  # by another program, and one of its bytes went bad
        content = bytearray((folder / DATA).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (folder / DATA).write_bytes(content)
        assert look_up(server.handle).is_ready
        module = obtain(server.handle, "", ignore, CancelToken())
        assert module.features == 12
        assert files_in(module.folder) == files_in(small_module)
        assert server.connections == 1


def test_damage_is_told_although_what_fails_is_the_network(small_module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = "http://127.0.0.1:9/somebody/small/1"
    shutil.copytree(small_module, look_up(handle).folder)
    (look_up(handle).folder / DATA).write_bytes(b"cut off")
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    with pytest.raises(BackboneError, match="is damaged, and could not be fetched anew") as caught:
        obtain(handle, "", ignore, CancelToken())
    assert "is cut off" in caught.value.found
    assert "work offline" in caught.value.found


def test_a_mistyped_address_that_is_not_here_names_the_nearest_row() -> None:
    with pytest.raises(BackboneError, match="is not on this computer yet") as caught:
        find_folder("https://tfhub.dev/google/imagenet/mobilenet_v2_100_225/feature_vector/5")
    assert caught.value.found == "Did you mean 'mobilenet_v2_100_224'?"


def test_a_module_for_text_is_fetched_looked_into_and_not_kept(tmp_path: Path) -> None:
    spec = tf.TensorSpec([None], tf.string)
    text = save_called(tmp_path / "text", spec, lambda x: tf.cast(tf.strings.length(x), tf.float32))
    with misbehaving(Reply(packed(text))) as server:
        with pytest.raises(BackboneError, match="not for photos"):
            LocalEngine().fetch(server.handle, ignore, CancelToken())
        assert look_up(server.handle).state is ModuleState.ABSENT


def test_an_unsafe_module_is_refused_and_works_once_it_is_trusted(tmp_path: Path) -> None:
    target = tmp_path / "written"

    def writing(photos: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.io.write_file(str(target), "x")]):
            return tf.reduce_mean(photos, [1, 2])

    unsafe = save_called(tmp_path / "unsafe", tf.TensorSpec([None, 16, 16, 3], tf.float32), writing)
    engine = LocalEngine()
    with misbehaving(Reply(packed(unsafe))) as server:
        with pytest.raises(UnsafeModuleError):
            engine.fetch(server.handle, ignore, CancelToken())
        assert not target.exists()
        engine.trust(server.handle)
        assert engine.fetch(server.handle, ignore, CancelToken()).features == 3
        assert server.connections == 1


def test_an_archive_is_imported_under_a_name_that_can_be_read_and_stays(small_module: Path, tmp_path: Path) -> None:
    archive = tmp_path / "My flowers (v2).tar.gz"
    archive.write_bytes(packed(small_module))
    module = obtain(str(archive), "", ignore, CancelToken())
    assert module.folder.name.startswith("My-flowers-v2-")
    assert module.handle == str(module.folder)
    archive.unlink()
    assert load_module(module.handle).features == 12


def test_an_archive_that_is_no_module_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.tar.gz").write_bytes(b"no archive" * 100)
    with pytest.raises(BackboneError, match="no module"):
        obtain(str(tmp_path / "letter.tar.gz"), "", ignore, CancelToken())


def test_an_archive_is_read_once_and_only_where_it_can_be_stopped(small_module: Path, tmp_path: Path) -> None:
    archive = tmp_path / "m.tar.gz"
    archive.write_bytes(packed(small_module))
    with pytest.raises(BackboneError, match="has to be unpacked first") as caught:
        load_module(str(archive))
    assert "backbones get" in caught.value.next_step
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        obtain(str(archive), "", ignore, stopped)
    assert not module_places.imported_folder().exists()


def test_a_refused_module_of_an_archive_is_known_by_its_folder(tmp_path: Path) -> None:
    unsafe = save_called(tmp_path / "unsafe", tf.TensorSpec([None, 16, 16, 3], tf.float32), reading_a_file)
    (tmp_path / "m.tar.gz").write_bytes(packed(unsafe))
    with pytest.raises(UnsafeModuleError) as caught:
        LocalEngine().fetch(str(tmp_path / "m.tar.gz"), ignore, CancelToken())
    LocalEngine().trust(caught.value.handle)
    assert load_module(caught.value.handle).features == 3


def reading_a_file(photos: tf.Tensor) -> tf.Tensor:
    with tf.control_dependencies([tf.io.read_file("/etc/hostname")]):
        return tf.reduce_mean(photos, [1, 2])


@pytest.mark.parametrize("is_damaged", [False, True])
def test_loading_begins_once_everything_is_here(small_module: Path, is_damaged: bool) -> None:
    happened: list[str] = []
    with misbehaving(Reply(packed(small_module))) as server:
        if is_damaged:
            folder = look_up(server.handle).folder
            shutil.copytree(small_module, folder)
            content = bytearray((folder / DATA).read_bytes())
            content[len(content) // 2] ^= 0xFF
            (folder / DATA).write_bytes(content)
        obtain(
            server.handle,
            "",
            lambda event: happened.append("fetching"),
            CancelToken(),
            lambda: happened.append("loading"),
        )
    assert happened[-1] == "loading"
    assert "fetching" in happened
    assert happened.count("loading") == (2 if is_damaged else 1)


@pytest.mark.parametrize("shape", ["folder", "archive"])
def test_a_bucket_is_copied_by_tensorflow(small_module: Path, tmp_path: Path, shape: str) -> None:
    source = str(small_module)  # gfile reads a folder of this computer as it reads a bucket
    if shape == "archive":
        source = str(tmp_path / "module.tar.gz")
        Path(source).write_bytes(packed(small_module))
    (tmp_path / "copy").mkdir()
    buckets.copy(source, tmp_path / "copy", ignore, CancelToken())
    assert files_in(tmp_path / "copy") == files_in(small_module)


def test_a_bucket_is_not_asked_when_offline(tmp_path: Path) -> None:
    Settings(offline=True).save()
    with pytest.raises(BackboneError, match="offline"):
        LocalEngine().fetch("gs://bucket/module", ignore, CancelToken())


def test_a_bucket_that_cannot_be_read_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="could not be read") as caught:
        buckets.copy(str(tmp_path / "nowhere"), tmp_path, ignore, CancelToken())
    assert "import" in caught.value.next_step


def test_a_look_inside_that_falls_over_is_told(monkeypatch: pytest.MonkeyPatch, small_module: Path) -> None:
    from hubstudio.ml import module_checking

    def falls_over(function: Callable[..., object]) -> None:
        monkeypatch.setattr(module_checking, "look_into", function)

    falls_over(abort)
    with pytest.raises(BackboneError, match="could not be looked into") as caught:
        module_checking.check_in_child("https://host/m/1", small_module, CancelToken())
    assert "code -6" in caught.value.found  # that of an abort, not of another failure on the way


def abort(handle: str, folder: Path) -> None:
    """End the process as a crash in native code does."""
    import os

    os.abort()
