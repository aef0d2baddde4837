"""A rewritten module answers as the module does, loads with Keras alone, and is refused rather than guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_modules import save_called, save_reusable

from hubstudio.ml.hub_module import load_module
from hubstudio.ml.keras_rewrite import CannotRewrite, rewrite


def difference(folder: Path, size: int, tmp_path: Path) -> float:
    """Largest difference between a module and its rewritten form after saving and loading, in units of its scale."""
    module = load_module(str(folder))
    for variable in module.variables:  # batch-norm as after training, not as made
        if "moving" in variable.name or "gamma" in variable.name or "beta" in variable.name:
            noise = np.random.default_rng(1).uniform(0.5, 1.5, variable.shape)
            variable.assign(noise.astype(np.float32))
    model = rewrite(module.frozen(size), size)
    model.save(tmp_path / "rewritten.keras")
    loaded = keras.models.load_model(tmp_path / "rewritten.keras")
    photos = np.random.default_rng(0).random((2, size, size, 3), np.float32)
    expected = module.forward(tf.constant(photos), False).numpy()
    return float(np.abs(loaded(photos) - expected).max() / (np.abs(expected).max() or 1))


def test_a_small_network_is_rewritten_exactly(small_module: Path, tmp_path: Path) -> None:
    assert difference(small_module, 32, tmp_path) < 1e-5


@pytest.mark.parametrize("size", [96, 100, 128])
def test_the_bundled_backbone_is_rewritten_exactly_at_any_size(size: int, tmp_path: Path) -> None:
    assert difference(Path("studio-mini"), size, tmp_path) < 1e-5


def test_means_over_a_grid_that_is_computed_from_the_photos_size_are_rewritten_exactly(tmp_path: Path) -> None:
    def thirds(photos: tf.Tensor) -> tf.Tensor:
        rows = tf.shape(photos)[1]
        place = 3 * tf.cast(tf.range(rows), tf.float32) / tf.cast(rows, tf.float32)
        shares = tf.nn.relu(1 - tf.abs(place - [[0.0], [1.0], [2.0]]))
        return tf.reshape(tf.matmul(shares, tf.reduce_mean(photos, 2)), [-1, 3 * 3])

    folder = save_called(tmp_path / "thirds", tf.TensorSpec([None, None, None, 3], tf.float32), thirds)
    assert difference(folder, 10, tmp_path) < 1e-5


def test_the_bundled_backbone_looks_twice_and_is_kept_once() -> None:
    module = load_module("studio-mini")
    weights = rewrite(module.frozen(128), 128).weights
    sizes = [int(np.prod(weight.shape)) for weight in weights if len(weight.shape) == 4]
    assert sum(sizes) <= sum(int(np.prod(variable.shape)) for variable in module.variables)


def test_weights_that_are_used_twice_stand_in_the_file_once(tmp_path: Path) -> None:
    kernel, other = (tf.constant(np.random.default_rng(seed).random((3, 3, 3, 3), np.float32)) for seed in (1, 2))

    def near_and_far(photos: tf.Tensor) -> tf.Tensor:
        views = [tf.nn.conv2d(view, kernel, 1, "SAME") for view in (photos, tf.nn.avg_pool2d(photos, 2, 2, "SAME"))]
        apart = [tf.nn.conv2d(photos, other, 1, "SAME"), tf.nn.conv2d(photos, kernel, 2, "SAME")]
        return tf.concat([tf.reduce_mean(view, [1, 2]) for view in (*views, *apart)], 1)

    folder = save_called(tmp_path / "twice", tf.TensorSpec([None, None, None, 3], tf.float32), near_and_far)
    assert difference(folder, 12, tmp_path) < 1e-5
    loaded = keras.models.load_model(tmp_path / "rewritten.keras")
    assert [weight.shape for weight in loaded.weights] == 3 * [(3, 3, 3, 3)]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: tf.cast(tf.cast(x, tf.float64), tf.float32), "a cast"),
        (lambda x: tf.matmul(x, x, transpose_b=True), "transposed"),
    ],
)
def test_a_use_of_an_operation_that_keras_has_no_layer_for_is_refused(
    tmp_path: Path, function: Callable[[tf.Tensor], tf.Tensor], reason: str
) -> None:
    spec = tf.TensorSpec([None, 16, 16, 3], tf.float32)
    folder = save_called(tmp_path / "odd", spec, lambda x: tf.reduce_mean(function(x), [1, 2]))
    with pytest.raises(CannotRewrite, match=reason):
        rewrite(load_module(str(folder)).frozen(16), 16)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50V2"])
def test_known_networks_are_rewritten_exactly(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    make = getattr(keras.applications, name)
    model = make(include_top=False, pooling="avg", weights=None, input_shape=(64, 64, 3))
    folder = save_reusable(model, tmp_path / name, 64, scale=255.0 if name.startswith(("E", "MobileNetV3")) else 1.0)
    assert difference(folder, 64, tmp_path) < 1e-4


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mobilenet_v1_025_224", "mobilenet_v1_025_224_tf1format", "mobilenet_v2_100_224"])
def test_real_modules_are_rewritten_exactly(shared: Path, name: str, tmp_path: Path) -> None:
    assert difference(shared / "backbones" / name, 224, tmp_path) < 1e-4


def test_an_operation_without_a_layer_of_its_meaning_is_refused(tmp_path: Path) -> None:
    spec = tf.TensorSpec([None, 16, 16, 3], tf.float32)
    folder = save_called(tmp_path / "odd", spec, lambda x: tf.reduce_mean(tf.cumsum(x, 1), [1, 2]))
    with pytest.raises(CannotRewrite, match="Cumsum"):
        rewrite(load_module(str(folder)).frozen(16), 16)
