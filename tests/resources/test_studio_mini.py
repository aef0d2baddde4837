"""The bundled backbone Studio Mini: a reusable SavedModel for photos of any size that can be fine-tuned."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from hubstudio.core.cancel import CancelToken
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.core.events import ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_module import load_module

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "resources" / "backbones" / "studio-mini"
SIZE = 128
MAX_BYTES = 12_000_000
MAX_FEATURES = 2048

Images = npt.NDArray[np.float32]
Module = Any  # a loaded SavedModel has no type of its own


@pytest.fixture(scope="module")
def loaded() -> Module:
    """Return the bundled module, loaded once."""
    return tf.saved_model.load(str(MODULE))


@pytest.fixture
def module(loaded: Module) -> Iterator[Module]:
    """Return the bundled module; what a call in training does to its statistics is undone afterwards."""
    values = [variable.numpy() for variable in loaded.variables]
    yield loaded
    for variable, value in zip(loaded.variables, values, strict=True):
        variable.assign(value)


@pytest.fixture(scope="module")
def noise() -> Images:
    """Return six images of noise of different strength and brightness."""
    random = np.random.default_rng(0)
    images = random.uniform(0, 1, (6, SIZE, SIZE, 3)) * np.linspace(0.05, 1, 6)[:, None, None, None]
    return images.astype(np.float32)


def flat_images(level: float) -> Images:
    """Return a batch of one image of one grey."""
    return np.full((1, SIZE, SIZE, 3), level, np.float32)


@pytest.mark.parametrize("training", [False, True])
def test_images_become_rows_of_float_features(module: Module, noise: Images, training: bool) -> None:
    """A batch gives one float32 row per image, in training and out of it."""
    features = module(noise, training=training)
    assert features.dtype == tf.float32
    assert features.shape[0] == len(noise)
    assert 0 < features.shape[1] <= MAX_FEATURES


def test_the_catalogue_says_of_it_what_its_readme_says() -> None:
    row, info = bundled_catalogue().at("studio-mini"), load_module("studio-mini").info()
    assert row
    assert (row.features, row.input_size, row.any_size) == (info.features, SIZE, info.input_size is None)
    assert row.parameters == info.parameters
    lines = (MODULE / "README.md").read_text("utf-8").splitlines()
    cells = [line.split("|")[3:7] for line in lines if line.startswith("|") and line.count("|") == 7]
    measured = [[float(cell) for cell in row] for row in cells if re.fullmatch(r" *0\.\d{3} *", row[0])]
    names = ("studio-mini", "mobilenet-v1-025-224", "mobilenet-v2-050-96", "mobilenet-v2-100-224")
    said = [bundled_catalogue().at(name) or bundled_catalogue().find(name) for name in names]
    assert len(measured) == 3
    assert [[round(100 * share, 1) for share in shares] for shares in zip(*measured, strict=True)] == [
        list(one.photo_sets.values()) for one in said if one
    ]


def test_training_is_off_by_default_and_uses_the_batchs_own_statistics(module: Module, noise: Images) -> None:
    """As hub modules have it: batch-norm in training sees the batch and moves its statistics, a little."""
    plain = module(noise).numpy()
    np.testing.assert_array_equal(plain, module(noise, training=False).numpy())
    assert np.abs(plain - module(noise, training=True).numpy()).max() > 0.1
    after = module(noise).numpy()
    assert 0 < np.abs(plain - after).mean() < np.abs(plain).mean() / 4


@pytest.mark.parametrize("size", [96, 100, 128, 131, 224])
def test_photos_of_any_size_give_features_of_one_kind(module: Module, size: int) -> None:
    """A photo enlarged or shrunk stays clearly nearer to itself than to its mirror image."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    photo = np.stack([x, (x * 3 + y * 2) % 1, np.hypot(x - 0.3, y - 0.6) < 0.25], axis=-1)[None].astype(np.float32)
    features = module(photo).numpy()
    at_own_size = module(tf.image.resize(photo, [SIZE, SIZE], antialias=True)).numpy()
    turned = module(tf.image.resize(photo[:, ::-1], [SIZE, SIZE], antialias=True)).numpy()
    assert features.shape == at_own_size.shape
    assert np.linalg.norm(features - at_own_size) < 0.75 * np.linalg.norm(features - turned)


def test_photos_need_not_be_square(module: Module) -> None:
    """The grid of cells follows the photo's own shape."""
    features = module(np.random.default_rng(0).random((2, 96, 160, 3), np.float32)).numpy()
    assert np.isfinite(features).all()


def test_the_call_takes_any_size_and_the_serving_signature_names_the_best(module: Module) -> None:
    """Whoever loads the module can read both from it."""
    (spec,) = module.signatures["serving_default"].structured_input_signature[1].values()
    assert spec.shape.as_list() == [None, SIZE, SIZE, 3]
    for function in module.__call__.concrete_functions:
        images = tf.nest.flatten(function.structured_input_signature)[0]
        assert images.shape.as_list() == [None, None, None, 3]
    assert load_module("studio-mini").size() == SIZE


def test_endpoints_are_named_and_the_default_one_is_the_features(module: Module, noise: Images) -> None:
    """Every block's map can be had, halved from stage to stage."""
    endpoints = module(noise, training=False, return_endpoints=True)
    np.testing.assert_array_equal(endpoints["default"].numpy(), module(noise).numpy())
    sides = [endpoints[name].shape[1] for name in ("stem", *(f"stage_{stage}/block_1" for stage in (1, 2, 3, 4)))]
    assert sides == [64, 32, 16, 8, 4]
    assert any(name.startswith("bank/") for name in endpoints)


def test_the_serving_signature_gives_the_same_features(module: Module, noise: Images) -> None:
    """serving_default is the plain call under another name."""
    served = module.signatures["serving_default"](inputs=tf.constant(noise))["features"]
    np.testing.assert_allclose(served.numpy(), module(noise).numpy(), atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_images_give_finite_features(module: Module, level: float) -> None:
    """Neither black nor white nor grey divides by nothing."""
    assert np.isfinite(module(flat_images(level)).numpy()).all()


def test_noise_gives_finite_features_that_differ(module: Module, noise: Images) -> None:
    """Different images are told apart."""
    features = module(noise).numpy()
    assert np.isfinite(features).all()
    assert np.abs(np.diff(features, axis=0)).max(axis=1).min() > 0.1


def test_an_image_has_the_same_features_alone_and_in_a_batch(module: Module, noise: Images) -> None:
    """Rows do not see each other."""
    alone = np.concatenate([module(image[None]).numpy() for image in noise])
    np.testing.assert_allclose(alone, module(noise).numpy(), rtol=1e-5, atol=1e-5)


def test_blocks_are_found_in_their_order() -> None:
    """What "the last N blocks" means must be right for the backbone that people meet first."""
    names = [block.name for block in load_module("studio-mini").info().blocks]
    assert names[0] == "stem"  # the fixed bank beside it cannot move and is no block
    assert names[1:] == sorted(names[1:])
    assert names[-1].startswith("stage_4/")


def test_learned_weights_are_trainable_fixed_kernels_and_statistics_are_not(module: Module) -> None:
    """Fine-tuning leaves the colours and gradients of the fixed half alone."""
    names = [variable.name.split(":")[0] for variable in module.variables]
    trainable = {variable.name.split(":")[0] for variable in module.trainable_variables}
    assert len(set(names)) == len(names)
    assert trainable == {name for name in names if name.startswith(("stem/", "stage_")) and "moving_" not in name}


def test_regularization_losses_are_callable_penalties(module: Module) -> None:
    """Each gives one small finite number that reaches a kernel."""
    assert len(module.regularization_losses) > 0
    for loss in module.regularization_losses:
        with tf.GradientTape() as tape:
            value = loss()
        assert value.shape.rank == 0
        assert 0 < float(value) < 0.1
        assert any(g is not None for g in tape.gradient(value, list(module.trainable_variables)))


@pytest.mark.parametrize("kind", ["noise", "black"])
def test_gradients_reach_every_trainable_variable(module: Module, noise: Images, kind: str) -> None:
    """Fine-tuning moves every block, and a black photo does not spoil it."""
    images = noise if kind == "noise" else flat_images(0.0)
    variables = list(module.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(module(images, training=True)))
    gradients = tape.gradient(loss, variables)
    assert all(gradient is not None for gradient in gradients)
    assert all(np.isfinite(tf.convert_to_tensor(gradient).numpy()).all() for gradient in gradients)
    if kind == "noise":
        assert all(np.abs(tf.convert_to_tensor(gradient).numpy()).max() > 0 for gradient in gradients)


def test_the_module_is_small_and_documented() -> None:
    """The folder fits into the programme's download many times over."""
    files = [path for path in MODULE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    assert (MODULE / "README.md").is_file()


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
def test_the_module_converts_to_built_in_tflite_operations(module: Module, noise: Images) -> None:
    """TFLite needs no extra kernels, and computes the same features."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(MODULE), signature_keys=["serving_default"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    runner = tf.lite.Interpreter(model_content=converter.convert()).get_signature_runner("serving_default")
    lite = runner(inputs=noise)["features"]
    np.testing.assert_allclose(lite, module(noise).numpy(), rtol=1e-3, atol=2e-3)


@pytest.mark.shared
@pytest.mark.slow
def test_fine_tuning_gains_on_real_photos(shared: Path, tmp_path: Path) -> None:
    """Hand signs: unlike anything the generator paints, so that the network has something to learn."""
    extract = Plan(str(shared / "datasets" / "sign_digits"), backbone="studio-mini")
    whole = replace(extract.with_mode(Mode.FINE_TUNE), unfreeze="all", fine_tune_learning_rate=1e-3)
    plans = {"extract": extract, "fine-tuned": whole}
    accuracies: dict[str, float] = {}
    for name, plan in plans.items():
        engine = LocalEngine()
        engine.train(plan, tmp_path / name, ignore, CancelToken())
        accuracies[name] = engine.evaluate(tmp_path / name, None, ignore, CancelToken()).accuracy
    assert accuracies["fine-tuned"] > accuracies["extract"]
