"""A module can be left early, at an endpoint averaged over the photo: in training, files and exports alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_modules import save_called, save_tf1, save_with_endpoints

from hubstudio.core.backbones import Endpoint
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_backbone import HubBackbone, load_keras_file
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.model_factory import FeatureStatistics, build_classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_with_endpoints(tmp_path_factory.mktemp("endpoints") / "module")


@pytest.fixture
def photos() -> np.ndarray:
    return np.random.default_rng(0).random((3, 32, 32, 3), np.float32)


def own_map(module: HubModule, photos: np.ndarray, name: str) -> np.ndarray:
    """Return what the module itself gives at an endpoint, averaged by NumPy."""
    return module.loaded(tf.constant(photos), training=False, return_endpoints=True)[name].numpy().mean((1, 2))


def names_of(module: HubModule, places: set[int]) -> set[str]:
    return {module.variables[place].name.split(":")[0] for place in places}


def moved_by_a_step(module: HubModule, plan: Plan) -> set[int]:
    random = np.random.default_rng(0)
    statistics = FeatureStatistics.of(random.random((20, module.features), np.float32))
    classifier = build_classifier(plan, module, 2, statistics)
    classifier.unfreeze()
    classifier.compile_whole()
    before = [variable.numpy().tobytes() for variable in module.variables]
    classifier.inner.train_on_batch(random.random((4, 32, 32, 3), np.float32) * 255, np.array([0, 1, 1, 0]))
    after = [variable.numpy().tobytes() for variable in module.variables]
    return {place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}


def test_endpoints_are_listed_in_depth_order_each_tensor_once(folder: Path) -> None:
    info = load_module(str(folder)).info()
    assert info.endpoints == (
        Endpoint("Net/stage_1", (16, 16, 8)),
        Endpoint("Net/stage_2", (8, 8, 10)),
        Endpoint("Net/stage_3", (4, 4, 12)),
    )
    assert (info.features, info.features_name) == (12, "")


def test_a_map_of_a_module_for_any_size_has_no_size_of_its_own(tmp_path: Path) -> None:
    module = load_module(str(save_with_endpoints(tmp_path / "any", None)), "stage_2")
    assert module.info().endpoints[1] == Endpoint("Net/stage_2", (None, None, 10))
    for size in (32, 48):
        assert module.forward(tf.zeros([2, size, size, 3]), False).shape == (2, 10)


def test_an_endpoints_features_are_its_map_averaged(folder: Path, photos: np.ndarray) -> None:
    module = load_module(str(folder), "Net/stage_2")
    expected = own_map(module, photos, "Net/stage_2")
    assert module.features == 10
    np.testing.assert_allclose(module.forward(tf.constant(photos), False), expected, atol=1e-6)
    np.testing.assert_allclose(module.frozen(32).function(tf.constant(photos))[0], expected, atol=1e-6)


def test_only_what_leads_to_the_endpoint_counts(folder: Path) -> None:
    info = load_module(str(folder), "Net/stage_2").info()
    assert [(block.name, block.variables) for block in info.blocks] == [("stage_1", 5), ("stage_2", 5)]
    assert info.parameters == sum(block.parameters for block in info.blocks)
    assert info.parameters < load_module(str(folder)).parameters


def test_only_what_leads_to_the_endpoint_is_computed(folder: Path, photos: np.ndarray) -> None:
    module = load_module(str(folder), "Net/stage_1")
    last = next(variable for variable in module.variables if variable.name.startswith("stage_3_conv"))
    last.assign(tf.fill(last.shape, np.nan))
    with tf.GradientTape() as tape:
        features = module.forward(tf.constant(photos), False)
        total = tf.reduce_sum(features)
    first = next(variable for variable in module.variables if variable.name.startswith("stage_1_conv"))
    gradients = tape.gradient(total, [first, last])
    assert np.isfinite(gradients[0]).all()
    assert gradients[1] is None
    convolutions = [node for node in module.frozen(32).nodes if node.op == "Conv2D"]
    assert len(convolutions) == 1


@pytest.mark.parametrize("name", ["stage_2", "net/STAGE_2", " Net/stage_2/output "])
def test_a_name_may_be_shortened_or_another_of_the_same_tensor(folder: Path, name: str) -> None:
    assert load_module(str(folder), name).features_name == "Net/stage_2"


@pytest.mark.parametrize("name", ["", "default", "Net/pool"])
def test_names_of_the_own_vector_mean_the_own_vector(folder: Path, name: str) -> None:
    module = load_module(str(folder), name)
    assert (module.features_name, module.features) == ("", 12)


def test_a_wrong_name_is_answered_with_the_nearest_and_all(folder: Path) -> None:
    with pytest.raises(BackboneError, match="'Net/stage2' is not one of its endpoints") as caught:
        load_module(str(folder), "Net/stage2")
    assert "Did you mean 'Net/stage_" in caught.value.found
    assert "Net/stage_1, Net/stage_2, Net/stage_3" in caught.value.next_step


def test_an_endpoint_that_is_neither_map_nor_vector_is_refused_with_its_shape(folder: Path) -> None:
    with pytest.raises(BackboneError, match="8 × 10"):
        load_module(str(folder), "Net/rows")


def test_a_module_without_endpoints_says_so(small_module: Path) -> None:
    with pytest.raises(BackboneError, match="offers none"):
        load_module(str(small_module), "stage_2")


def test_a_classification_module_is_useful_at_an_endpoint_and_its_refusal_says_so(tmp_path: Path) -> None:
    folder = save_with_endpoints(tmp_path / "logits", features=1001)
    with pytest.raises(BackboneError, match="classification module") as caught:
        load_module(str(folder))
    assert "'Net/stage_3'" in caught.value.next_step
    assert load_module(str(folder), "stage_2").features == 10


def test_outputs_of_a_tf1_signature_are_endpoints(tmp_path: Path) -> None:
    module = load_module(str(save_tf1(tmp_path / "tf1", endpoints=True)), "Net/conv")
    photos = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    assert module.info().endpoints == (Endpoint("Net/conv", (16, 16, 6)),)
    raw = module.loaded.signatures["image_feature_vector"](images=tf.constant(photos))["Net/conv"]
    np.testing.assert_allclose(module.forward(tf.constant(photos), False), raw.numpy().mean((1, 2)), atol=1e-6)


def test_a_module_whose_plain_call_gives_several_outputs_offers_the_others(tmp_path: Path) -> None:
    spec = tf.TensorSpec([None, 16, 16, 3], tf.float32)
    folder = save_called(tmp_path / "several", spec, lambda x: x, wrap=lambda x: {"default": x[:, 0, 0], "all": x})
    assert [endpoint.name for endpoint in load_module(str(folder)).endpoints] == ["all"]


def test_fine_tuning_at_an_endpoint_moves_exactly_the_blocks_before_it(folder: Path) -> None:
    module = load_module(str(folder), "Net/stage_2")
    plan = Plan("photos", mode=Mode.FINE_TUNE, unfreeze=1)
    moved = names_of(module, moved_by_a_step(module, plan))
    assert moved == {"stage_2_conv/kernel", "stage_2_norm/gamma", "stage_2_norm/beta"}
    everything = load_module(str(folder), "Net/stage_2")
    moved = names_of(everything, moved_by_a_step(everything, replace(plan, unfreeze="all")))
    assert moved == {f"stage_{n}_{kind}" for n in (1, 2) for kind in ("conv/kernel", "norm/gamma", "norm/beta")}


def test_batch_norm_that_follows_the_photos_stays_as_it_is_behind_the_endpoint(folder: Path) -> None:
    module = load_module(str(folder), "Net/stage_2")
    plan = Plan("photos", mode=Mode.FINE_TUNE, unfreeze="all", train_batch_norm=True)
    moved = names_of(module, moved_by_a_step(module, plan))
    assert {"stage_1_norm/moving_mean", "stage_2_norm/moving_variance"} <= moved
    assert not [name for name in moved if name.startswith("stage_3")]


def test_penalties_on_what_lies_behind_the_endpoint_are_left_out(folder: Path) -> None:
    assert len(load_module(str(folder)).regularization_losses) == 3
    assert len(load_module(str(folder), "Net/stage_2").regularization_losses) == 2


def test_a_keras_file_with_the_module_inside_remembers_the_endpoint(
    folder: Path, tmp_path: Path, photos: np.ndarray
) -> None:
    module = load_module(str(folder), "Net/stage_2")
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, HubBackbone(module.features, module)(inputs))
    module.variables[0].assign(module.variables[0].numpy() + 0.1)
    model.save(tmp_path / "carried.keras")
    loaded = load_keras_file(tmp_path / "carried.keras")
    np.testing.assert_allclose(loaded(photos), own_map(module, photos, "Net/stage_2"), atol=1e-6)


def test_a_layer_saved_before_there_were_endpoints_is_read_as_the_own_vector(folder: Path) -> None:
    module = load_module(str(folder))
    config = HubBackbone(module.features, module).get_config()
    del config["features_name"]
    assert HubBackbone.from_config(config).features_name == ""


@pytest.mark.parametrize("mode", list(Mode))
def test_a_run_at_an_endpoint_says_so_and_its_exports_agree(
    folder: Path, two_classes: Path, tmp_path: Path, mode: Mode
) -> None:
    plan = Plan(str(two_classes), str(folder), "stage_2", mode, unfreeze=1, epochs=2, head_epochs=2)
    engine = LocalEngine()
    summary = engine.train(plan, tmp_path / "run", ignore, CancelToken())
    run = RunFolder.open(tmp_path / "run")
    assert (summary.features, summary.features_name, run.plan().features) == (10, "Net/stage_2", "Net/stage_2")
    keras_only = keras.models.load_model(run.model, compile=False)
    assert not [layer for layer in keras_only.get_layer("classifier").layers if isinstance(layer, HubBackbone)]
    (prediction,) = engine.predict(run.path, [next(two_classes.glob("*/*"))], ignore, CancelToken())
    assert sum(prediction.scores.values()) == pytest.approx(1, abs=1e-5)
    formats = ["savedmodel", "tflite"] if mode is Mode.FINE_TUNE else ["keras"]
    exported = engine.export(run.path, formats, tmp_path / "out", ignore, CancelToken())
    assert all(file.largest_difference < 1e-3 for file in exported)


@pytest.mark.shared
def test_a_real_modules_endpoints_are_understood(shared: Path) -> None:
    folder = shared / "backbones" / "mobilenet_v2_100_224"
    module = load_module(str(folder), "layer_12")
    info = module.info()
    names = [endpoint.name for endpoint in info.endpoints]
    layers = [name for name in names if name.count("/") == 1]
    assert layers == [f"MobilenetV2/layer_{number}" for number in range(1, 20)]
    assert info.endpoints[-1] == Endpoint("MobilenetV2/layer_19", (7, 7, 1280))
    assert [block.name for block in info.blocks][-1] == "expanded_conv_10"
    photos = np.random.default_rng(0).random((2, 224, 224, 3), np.float32)
    expected = own_map(module, photos, "MobilenetV2/layer_12")
    np.testing.assert_allclose(module.forward(tf.constant(photos), False), expected, atol=1e-4)


@pytest.mark.shared
def test_real_modules_say_who_made_them_and_what_they_take(shared: Path) -> None:
    info = load_module(str(shared / "backbones" / "mobilenet_v2_100_224")).info()
    assert (info.producer, info.value_range) == ("1.13.1", "0 to 1, rescaled inside to −1 to 1")
