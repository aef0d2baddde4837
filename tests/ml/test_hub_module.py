"""Modules are understood from what they say themselves, and wrong ones get a reason and a way out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from made_modules import save_called, save_served, save_tf1

from hubstudio.core.backbones import ModuleFormat
from hubstudio.core.errors import BackboneError
from hubstudio.ml import hub_module
from hubstudio.ml.hub_module import ANY_SIZE_DEFAULT, load_module


def test_a_module_says_its_size_features_and_blocks(small_module: Path) -> None:
    info = load_module(str(small_module)).info()
    assert (info.input_size, info.features, info.format, info.trainable) == (32, 12, ModuleFormat.TF2, True)
    assert [(block.name, block.variables) for block in info.blocks] == [("stage_1", 5), ("stage_2", 5), ("stage_3", 5)]


def test_a_frozen_graph_is_made_once_for_the_same_numbers(
    any_size_module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, photos = load_module(str(any_size_module)), tf.ones([1, 64, 64, 3])
    frozen = module.frozen(64)
    assert module.frozen(64) is frozen
    assert module.frozen(32) is not frozen
    variable = module.variables[0]
    before = module.frozen(64)
    variable.assign(variable * 2.0)
    np.testing.assert_allclose(
        module.frozen(64).function(photos)[0], module.forward(photos, False), rtol=1e-4, atol=1e-5
    )
    assert not np.allclose(module.frozen(64).function(photos)[0], before.function(photos)[0], rtol=1e-3)
    monkeypatch.setattr(hub_module, "_KEPT_BYTES", 10)
    assert module.frozen(64) is not module.frozen(64)


def test_a_module_for_any_size_takes_the_size_that_is_asked_for(any_size_module: Path) -> None:
    module = load_module(str(any_size_module))
    assert module.input_size is None
    assert module.size(64) == 64
    assert module.forward(tf.zeros([2, 64, 64, 3]), False).shape == (2, 12)


def test_a_module_for_any_size_names_its_own_in_its_serving_signature(tmp_path: Path) -> None:
    module = load_module(str(save_served(tmp_path / "served", [None, 40, 40, 3])))
    assert (module.input_size, module.default_size, module.size()) == (None, 40, 40)
    assert module.size(64) == 64


@pytest.mark.parametrize("shape", [None, [None, None, None, 3], [None, 40, 30, 3], [None, 40]])
def test_a_module_for_any_size_that_names_none_is_run_on_the_usual_one(
    tmp_path: Path, shape: list[int | None] | None
) -> None:
    assert load_module(str(save_served(tmp_path / "served", shape))).size() == ANY_SIZE_DEFAULT


def test_a_module_for_one_size_refuses_another(small_module: Path) -> None:
    with pytest.raises(BackboneError, match="32 px only"):
        load_module(str(small_module)).size(64)


def test_the_bundled_backbone_loads_by_name() -> None:
    module = load_module("Studio-Mini")
    assert module.handle == "studio-mini"
    assert module.trainable


def test_a_tf1_module_extracts_and_says_why_it_cannot_be_fine_tuned(tmp_path: Path) -> None:
    module = load_module(str(save_tf1(tmp_path / "tf1")))
    assert (module.format, module.features, module.input_size) == (ModuleFormat.TF1, 6, 32)
    photos = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    features = module.forward(tf.constant(photos), False).numpy()
    assert features.std() > 0
    np.testing.assert_allclose(module.frozen(32).function(tf.constant(photos))[0], features, atol=1e-5)
    with pytest.raises(BackboneError, match="TF1 hub format") as caught:
        module.require_fine_tuning()
    assert "Extract features" in caught.value.next_step


def test_a_feature_map_is_averaged_over_the_photo(tmp_path: Path) -> None:
    spec = tf.TensorSpec([None, 16, 16, 3], tf.float32)
    module = load_module(str(save_called(tmp_path / "map", spec, lambda x: tf.nn.avg_pool2d(x, 4, 4, "VALID"))))
    assert module.features == 3
    np.testing.assert_allclose(module.forward(tf.ones([1, 16, 16, 3]), False), [[1, 1, 1]])


def test_a_classification_module_is_recognised_and_explained(tmp_path: Path) -> None:
    spec = tf.TensorSpec([None, 16, 16, 3], tf.float32)
    folder = save_called(tmp_path / "logits", spec, lambda x: tf.tile(tf.reduce_mean(x, [1, 2]), [1, 334])[:, :1001])
    with pytest.raises(BackboneError, match="classification module") as caught:
        load_module(str(folder))
    assert "feature_vector" in caught.value.next_step


def test_a_module_for_batches_of_one_size_is_refused(tmp_path: Path) -> None:
    spec = tf.TensorSpec([1, 16, 16, 3], tf.float32)
    folder = save_called(tmp_path / "one", spec, lambda x: tf.reduce_mean(x, [1, 2]))
    with pytest.raises(BackboneError, match="batches of exactly 1"):
        load_module(str(folder))


def test_a_text_module_is_refused(tmp_path: Path) -> None:
    folder = save_called(
        tmp_path / "text", tf.TensorSpec([None], tf.string), lambda x: tf.cast(tf.strings.length(x), tf.float32)
    )
    with pytest.raises(BackboneError, match="not for photos") as caught:
        load_module(str(folder))
    assert "text" in caught.value.found


def test_a_module_for_sound_is_refused(tmp_path: Path) -> None:
    folder = save_called(tmp_path / "sound", tf.TensorSpec([None, 16000], tf.float32), lambda x: x)
    with pytest.raises(BackboneError, match="not for photos"):
        load_module(str(folder))


def test_a_folder_without_a_saved_model_says_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BackboneError, match=r"notes\.txt"):
        load_module(str(tmp_path))


def test_the_folder_above_a_module_points_at_it(small_module: Path) -> None:
    with pytest.raises(BackboneError) as caught:
        load_module(str(small_module.parent))
    assert str(small_module) in caught.value.next_step


@pytest.mark.parametrize("part", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
def test_a_truncated_module_is_called_damaged(small_module: Path, tmp_path: Path, part: str) -> None:
    folder = Path(shutil.copytree(small_module, tmp_path / "cut"))
    content = (folder / part).read_bytes()
    (folder / part).write_bytes(content[: len(content) // 3])
    with pytest.raises(BackboneError, match="damaged or incomplete"):
        load_module(str(folder))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(BackboneError, match="Did you mean 'studio-mini'"):
        load_module("studio-mimi")


def test_a_handle_is_found_in_the_cache_of_tf_hub_without_a_network(
    small_module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    handle = "https://example.invalid/somebody/small/feature_vector/1"
    place = tmp_path / hashlib.sha1(handle.encode()).hexdigest()
    shutil.copytree(small_module, place)
    Path(f"{place}.descriptor.txt").write_text(f"Module: {handle}\n")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    module = load_module(handle)
    assert (module.handle, module.folder, module.features) == (handle, place, 12)


def test_a_handle_that_is_not_here_is_not_fetched_but_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    with pytest.raises(BackboneError, match=r"not on this computer yet.*backbones get http://127"):
        load_module("http://127.0.0.1:9/somebody/small/1")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size", "features", "blocks", "first", "last"),
    [
        ("mobilenet_v2_100_224", 224, 1280, 19, "Conv", "Conv_1"),
        ("mobilenet_v2_050_96", 96, 1280, 19, "Conv", "Conv_1"),
        ("mobilenet_v1_025_224", 224, 256, 14, "Conv2d_0", "Conv2d_13"),
    ],
)
def test_real_modules_are_understood(
    shared: Path, name: str, size: int, features: int, blocks: int, first: str, last: str
) -> None:
    info = load_module(str(shared / "backbones" / name)).info()
    assert (info.input_size, info.features, len(info.blocks)) == (size, features, blocks)
    assert (info.blocks[0].name, info.blocks[-1].name) == (first, last)


@pytest.mark.shared
def test_the_real_tf1_module_gives_the_features_of_its_tf2_twin(shared: Path) -> None:
    photos = tf.constant(np.random.default_rng(0).random((2, 224, 224, 3), np.float32))
    twins = [load_module(str(shared / "backbones" / f"mobilenet_v1_025_224{end}")) for end in ("", "_tf1format")]
    np.testing.assert_allclose(*(twin.forward(photos, False) for twin in twins), atol=1e-4)


@pytest.mark.shared
def test_the_real_logits_module_is_recognised(shared: Path) -> None:
    with pytest.raises(BackboneError, match="1001"):
        load_module(str(shared / "backbones" / "mobilenet_v2_100_224_logits"))
