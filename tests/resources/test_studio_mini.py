"""The bundled backbone Studio Mini: a reusable SavedModel that its script reproduces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "resources" / "make" / "studio_mini.py"
MODULE = ROOT / "resources" / "backbones" / "studio-mini"
SIZE = 96
MAX_BYTES = 1_000_000
MAX_FEATURES = 2048

Images = npt.NDArray[np.float32]
Module = Any  # a loaded SavedModel has no type of its own


@pytest.fixture(scope="module")
def module() -> Module:
    """Return the bundled module, loaded."""
    return tf.saved_model.load(str(MODULE))


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


def test_training_is_off_by_default_and_changes_nothing(module: Module, noise: Images) -> None:
    """The bank has no dropout and no batch statistics."""
    plain = module(noise).numpy()
    np.testing.assert_array_equal(plain, module(noise, training=False).numpy())
    np.testing.assert_allclose(plain, module(noise, training=True).numpy(), atol=1e-5)


def test_the_signatures_state_the_input_size(module: Module) -> None:
    """Whoever loads the module can read the size of its images from it."""
    (spec,) = module.signatures["serving_default"].structured_input_signature[1].values()
    assert spec.shape.as_list() == [None, SIZE, SIZE, 3]
    for function in module.__call__.concrete_functions:
        images = tf.nest.flatten(function.structured_input_signature)[0]
        assert images.shape.as_list() == [None, SIZE, SIZE, 3]


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


def test_variables_are_trainable_and_named_by_block(module: Module) -> None:
    """The names say how deep each variable lies, from the shallowest block on."""
    names = [variable.name for variable in module.variables]
    assert {v.name for v in module.trainable_variables} == set(names)
    assert len(set(names)) == len(names)
    matches = [re.match(r"block_(\d+)/\w+/\w+", name) for name in names]
    blocks = [int(match[1]) for match in matches if match]
    assert len(blocks) == len(names)
    assert blocks == sorted(blocks)
    assert set(blocks) == set(range(1, max(blocks) + 1))


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


def test_the_script_reproduces_the_bundled_module(module: Module, noise: Images, tmp_path: Path) -> None:
    """Running the script anew over an older folder gives the same weights and features."""
    out = tmp_path / "made" / "studio-mini"
    out.mkdir(parents=True)
    (out / "README.md").write_text("kept", encoding="utf-8")
    subprocess.run([sys.executable, str(SCRIPT), "--out", str(out)], check=True, capture_output=True, timeout=300)
    made: Module = tf.saved_model.load(str(out))
    for ours, theirs in zip(module.variables, made.variables, strict=True):
        assert ours.name == theirs.name
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
    np.testing.assert_allclose(module(noise).numpy(), made(noise).numpy(), atol=1e-5)
    assert (out / "README.md").read_text(encoding="utf-8") == "kept"
    assert [path.name for path in out.parent.iterdir()] == ["studio-mini"]


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
