"""The layer adopts the module's own variables; what Keras moves is what the module computes with."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from hubstudio.ml.hub_backbone import HubBackbone, load_keras_file
from hubstudio.ml.hub_module import load_module


def test_keras_shares_the_variables_of_the_saved_model(small_module: Path) -> None:
    module = load_module(str(small_module))
    layer = HubBackbone(module.features, module)
    assert [variable.value for variable in layer.variables] == list(module.variables)
    photos = tf.ones([1, 32, 32, 3])
    before = layer(photos).numpy()
    layer.variables[0].assign(layer.variables[0].numpy() * 2)
    assert not np.allclose(layer(photos), before)


def test_nothing_trains_until_it_is_unfrozen_and_then_only_what_the_module_allows(small_module: Path) -> None:
    module = load_module(str(small_module))
    layer = HubBackbone(module.features, module)
    assert layer.trainable_variables == []
    layer.unfreeze(set(module.blocks[-1].places))
    names = {variable.name for variable in layer.trainable_variables}
    assert names == {"stage_3_conv.kernel", "stage_3_norm.gamma", "stage_3_norm.beta"}


def test_regularization_losses_count_only_while_something_of_the_backbone_trains(small_module: Path) -> None:
    module = load_module(str(small_module))
    layer = HubBackbone(module.features, module)
    photos = tf.ones([1, 32, 32, 3])
    layer(photos, training=True)
    assert layer.losses == []
    layer.unfreeze({0})
    layer(photos, training=True)
    expected = module.regularization_losses[0]()
    assert [float(loss) for loss in layer.losses] == [float(expected)]
    layer(photos, training=False)
    assert layer.losses == []


def test_batch_norm_statistics_move_only_when_asked(small_module: Path) -> None:
    module = load_module(str(small_module))
    layer = HubBackbone(module.features, module)
    layer.unfreeze(range(len(module.variables)))
    statistics = [variable for variable in module.variables if "moving_mean" in variable.name]
    before = [value.numpy() for value in statistics]
    layer(tf.random.uniform([4, 32, 32, 3]), training=True)
    assert all(np.array_equal(value, former) for value, former in zip(statistics, before, strict=True))
    layer.train_batch_norm = True
    layer(tf.random.uniform([4, 32, 32, 3]), training=True)
    assert not any(np.array_equal(value, former) for value, former in zip(statistics, before, strict=True))


def test_a_keras_file_carries_the_module_and_its_changed_weights(small_module: Path, tmp_path: Path) -> None:
    module = load_module(str(small_module))
    photos = keras.Input((32, 32, 3))
    model = keras.Model(photos, HubBackbone(module.features, module)(photos))
    module.variables[0].assign(module.variables[0].numpy() + 0.1)
    model.save(tmp_path / "carried.keras")
    example = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    loaded = load_keras_file(tmp_path / "carried.keras")
    np.testing.assert_allclose(loaded(example), model(example), atol=1e-6)
