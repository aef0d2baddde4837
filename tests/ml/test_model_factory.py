"""Plans become models in which exactly the variables move that the plan says: the worked examples of the literature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_modules import inception_v3_shaped, save_reusable

from hubstudio.core.errors import BackboneError, PlanError
from hubstudio.core.plan import Mode, Output, Plan
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.model_factory import Classifier, FeatureStatistics, build_classifier


def statistics(features: int) -> FeatureStatistics:
    return FeatureStatistics.of(np.random.default_rng(0).normal(1, 2, (50, features)).astype(np.float32))


def built(plan: Plan, module: HubModule, classes: int) -> Classifier:
    return build_classifier(plan, module, classes, statistics(module.features))


def step(classifier: Classifier, classes: int, photos: int = 2) -> set[str]:
    """Train the inner model on one batch; return the names of the backbone's variables that moved."""
    variables = classifier.backbone.module.variables
    before = [variable.numpy() for variable in variables]
    random = np.random.default_rng(1)
    batch = random.uniform(0, 255, (photos, classifier.size, classifier.size, 3)).astype(np.float32)
    classifier.inner.train_on_batch(batch, np.arange(photos) % classes)
    return {
        variable.name.split(":")[0]
        for variable, former in zip(variables, before, strict=True)
        if not np.array_equal(variable.numpy(), former)
    }


def test_extract_moves_no_variable_of_the_backbone(small_module: Path) -> None:
    classifier = built(Plan("photos"), load_module(str(small_module)), 3)
    before = [variable.numpy() for variable in classifier.backbone.module.variables]
    head_before = [variable.numpy() for variable in classifier.head.trainable_variables]
    classifier.head.train_on_batch(np.random.default_rng(0).random((8, 12), np.float32), np.arange(8) % 3)
    after = [variable.numpy() for variable in classifier.backbone.module.variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    head_after = [variable.numpy() for variable in classifier.head.trainable_variables]
    assert not any(np.array_equal(a, b) for a, b in zip(head_before, head_after, strict=True))


@pytest.mark.parametrize(("unfreeze", "stages"), [(1, {3}), (2, {2, 3}), ("all", {1, 2, 3}), (99, {1, 2, 3})])
def test_fine_tuning_moves_exactly_the_last_blocks_and_no_statistics(
    small_module: Path, unfreeze: int | str, stages: set[int]
) -> None:
    plan = Plan("photos", mode=Mode.FINE_TUNE, unfreeze=unfreeze)  # type: ignore[arg-type]
    classifier = built(plan, load_module(str(small_module)), 3)
    classifier.unfreeze()
    classifier.compile_whole()
    expected = {f"stage_{n}_{kind}" for n in stages for kind in ("conv/kernel", "norm/gamma", "norm/beta")}
    assert step(classifier, 3) == expected


def test_batch_norm_statistics_follow_when_the_plan_says_so(small_module: Path) -> None:
    plan = Plan("photos", mode=Mode.FINE_TUNE, unfreeze=1, train_batch_norm=True)
    classifier = built(plan, load_module(str(small_module)), 3)
    classifier.unfreeze()
    classifier.compile_whole()
    assert "stage_3_norm/moving_mean" in step(classifier, 3)


@pytest.mark.shared
def test_example_1_mobilenet_v2_frozen_under_a_softmax_of_ten(shared: Path) -> None:
    module = load_module(str(shared / "backbones" / "mobilenet_v2_100_224"))
    classifier = built(Plan("photos"), module, 10)
    assert (classifier.size, module.features, classifier.inner.output_shape) == (224, 1280, (None, 10))
    classifier.inner.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert step(classifier, 10) == set()


@pytest.mark.slow
def test_example_2_the_end_of_inception_v3_under_dense_128_dropout_and_a_softmax_of_five(tmp_path: Path) -> None:
    module = load_module(str(save_reusable(inception_v3_shaped(), tmp_path / "inception", 299)))
    plan = Plan("photos", mode=Mode.FINE_TUNE, unfreeze=10, hidden_units=128, dropout=0.5, fine_tune_learning_rate=1e-4)
    classifier = built(plan, module, 5)
    assert (classifier.size, module.features) == (299, 2048)
    assert [type(layer).__name__ for layer in classifier.logits.layers[2:]] == ["Dense", "Dropout", "Dense"]
    assert classifier.logits.get_layer("hidden").units == 128
    assert classifier.logits.get_layer("hidden").activation is keras.activations.relu
    assert classifier.logits.get_layer("dropout").rate == 0.5
    classifier.unfreeze()
    classifier.compile_whole()
    assert float(classifier.inner.optimizer.learning_rate) == pytest.approx(1e-4)
    moved = step(classifier, 5)
    last = {module.variables[place].name.split(":")[0] for block in module.blocks[-10:] for place in block.places}
    assert moved == {name for name in last if "moving" not in name}


def test_example_3_any_size_with_resizing_inside_and_a_binary_sigmoid(any_size_module: Path) -> None:
    plan = Plan("photos", output=Output.SIGMOID, image_size=48)
    classifier = built(plan, load_module(str(any_size_module)), 2)
    finished = classifier.finished()
    assert finished.input_shape == (None, None, None, 3)
    for height, width in ((48, 48), (31, 200)):
        answer = finished(np.full((1, height, width, 3), 128, np.float32)).numpy()
        assert answer.shape == (1, 1)
        assert 0 < answer[0, 0] < 1
    assert classifier.head.loss.__class__ is keras.losses.BinaryCrossentropy


def test_the_finished_model_takes_ordinary_photos_and_answers_like_the_trained_one(small_module: Path) -> None:
    classifier = built(Plan("photos"), load_module(str(small_module)), 3)
    photo = np.random.default_rng(0).uniform(0, 255, (1, 90, 70, 3)).astype(np.float32)
    at_size = tf.image.resize(photo, (32, 32), antialias=True)
    expected = keras.ops.softmax(classifier.inner(at_size))
    np.testing.assert_allclose(classifier.finished()(photo), expected, atol=1e-5)
    np.testing.assert_allclose(classifier.finished_with_module()(photo), expected, atol=1e-5)


def test_sigmoid_for_three_classes_is_refused(small_module: Path) -> None:
    with pytest.raises(PlanError, match="two classes"):
        built(Plan("photos", output=Output.SIGMOID), load_module(str(small_module)), 3)


def test_fine_tuning_a_module_that_cannot_is_refused(small_module: Path) -> None:
    module = replace(load_module(str(small_module)), trainable=frozenset())
    with pytest.raises(BackboneError, match="cannot be fine-tuned"):
        built(Plan("photos", mode=Mode.FINE_TUNE), module, 3)


def test_a_feature_that_never_varied_in_training_is_not_blown_up() -> None:
    features = np.random.default_rng(0).normal(0, 2, (40, 5)).astype(np.float32)
    features[:, 2] = 0
    measured = FeatureStatistics.of(features)
    assert measured.variance[2] == pytest.approx(features.std(0).mean() ** 2, rel=1e-3)
