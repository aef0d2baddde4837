"""Fine-tuning from what was computed once at the frozen border is fine-tuning of the whole module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from made_modules import save_application, save_reusable, save_with_endpoints, small_network

from hubstudio.ml.frozen_border import FrozenBorder, find_border
from hubstudio.ml.graph_cut import cut_before
from hubstudio.ml.hub_backbone import HubBackbone
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.tail_layer import BackboneTail, tail_model

SIZE = 32
CLOSE = 1e-5


@dataclass(frozen=True)
class Cut:
    """A module, its border before its last blocks, and some photos."""

    module: HubModule
    size: int
    moving: frozenset[int]
    border: FrozenBorder
    photos: np.ndarray

    @classmethod
    def of(cls, module: HubModule, blocks: int, size: int) -> Cut:
        moving = last(module, blocks)
        border = find_border(module, size, moving)
        assert border is not None
        return cls(module, size, moving, border, made_photos(4, size))

    def values(self) -> list[Any]:
        return self.border.front(tf.constant(self.photos))

    def weights(self) -> list[tf.Variable]:
        return [self.module.variables[place] for place in sorted(self.moving & self.module.trainable)]


def last(module: HubModule, blocks: int) -> frozenset[int]:
    return frozenset(place for block in module.blocks[-blocks:] for place in block.places)


def made_photos(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(1).random((count, size, size, 3), np.float32)


def assert_close(found: Any, expected: Any, share: float = CLOSE) -> None:
    """Hold a difference to a share of the scale."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * max(float(np.abs(expected).max()), 1e-30))


def assert_same_features_and_gradients(cut: Cut) -> None:
    values, weights = cut.values(), cut.weights()
    with tf.GradientTape(persistent=True) as tape:
        ours = cut.border.tail(values)
        whole = cut.module.forward(tf.constant(cut.photos), False)
        scores = [tf.reduce_sum(features * tf.cos(tf.range(0.0, features.shape[1]))) for features in (ours, whole)]
    assert_close(ours, whole)
    found, expected = (tape.gradient(score, weights) for score in scores)
    for one, other in zip(found, expected, strict=True):
        assert float(tf.reduce_max(tf.abs(other))) > 0
        assert_close(one, other, 1e-4)  # sums of many products, in another order


def assert_cut_and_refused(module: HubModule) -> None:
    """Its graph can be cut in two, but what comes of it is not what the module does."""
    moving = last(module, 1)
    assert cut_before(module.frozen(SIZE), moving) is not None
    assert find_border(module, SIZE, moving) is None


def save_residual(folder: Path) -> Path:
    """Save a module whose two ways from the first block are still apart where the last block takes them up."""
    keras.utils.set_random_seed(5)
    photos = keras.Input((SIZE, SIZE, 3))
    first = keras.layers.Conv2D(8, 3, 2, "same", activation="relu", name="stage_1_conv")(photos)
    wide = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="stage_2_conv")(first)
    last_map = keras.layers.Conv2D(8, 3, padding="same", name="stage_3_conv")(wide)
    sums = keras.layers.Add()([first, last_map])
    return save_reusable(keras.Model(photos, keras.layers.GlobalAveragePooling2D()(sums)), folder, SIZE)


def save_function(folder: Path, build: Callable[[Any, Any], Any]) -> Path:
    """Save a module of two kernels, ``stage_1`` and ``stage_2``, with a function of its own."""
    module = tf.__internal__.tracking.AutoTrackable()
    random = np.random.default_rng(2)
    module.first = tf.Variable(random.normal(size=(3, 3, 3, 6)).astype(np.float32), name="stage_1/kernel")
    module.second = tf.Variable(random.normal(size=(3, 3, 6, 6)).astype(np.float32), name="stage_2/kernel")
    module.variables = module.trainable_variables = [module.first, module.second]
    photos = tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32)
    module.__call__ = tf.function(lambda inputs: build(inputs, module), input_signature=[photos])
    tf.saved_model.save(module, str(folder))
    return folder


@pytest.fixture
def small(small_module: Path) -> Cut:
    return Cut.of(load_module(str(small_module)), 1, SIZE)


@pytest.mark.parametrize("blocks", [1, 2])
def test_features_and_gradients_are_those_of_the_whole_module(small_module: Path, blocks: int) -> None:
    cut = Cut.of(load_module(str(small_module)), blocks, SIZE)
    assert cut.border.shapes == {1: ((8, 8, 10),), 2: ((16, 16, 8),)}[blocks]
    assert_same_features_and_gradients(cut)


def test_a_photo_takes_four_bytes_for_every_number_at_the_border(small: Cut) -> None:
    assert small.border.bytes_per_photo == 4 * 8 * 8 * 10


def test_the_front_of_the_same_module_is_larger_the_fewer_blocks_move(small_module: Path) -> None:
    module = load_module(str(small_module))
    shares = [Cut.of(module, blocks, SIZE).border.front_share for blocks in (1, 2)]
    assert 1 > shares[0] > shares[1] > 0


def test_the_tail_follows_the_modules_variables(small: Cut) -> None:
    values = small.values()
    before = small.border.tail(values).numpy()
    for weight in small.weights():
        weight.assign(weight.numpy() * 1.5 + 0.1)
    after = small.border.tail(values).numpy()
    assert not np.allclose(before, after)
    assert_close(after, small.module.forward(tf.constant(small.photos), False))


def test_what_moves_changes_nothing_at_the_border(small: Cut) -> None:
    before = [value.numpy().tobytes() for value in small.values()]
    for place in small.moving:
        small.module.variables[place].assign(small.module.variables[place].numpy() + 0.1)
    assert [value.numpy().tobytes() for value in small.values()] == before


def test_a_residual_connection_past_the_border_is_kept_too(tmp_path: Path) -> None:
    cut = Cut.of(load_module(str(save_residual(tmp_path / "module"))), 1, SIZE)
    assert cut.border.shapes == ((16, 16, 8), (16, 16, 8))
    assert_same_features_and_gradients(cut)


def test_a_module_for_any_size_is_cut_for_the_size_of_the_photos(any_size_module: Path) -> None:
    cut = Cut.of(load_module(str(any_size_module)), 1, 48)
    assert cut.border.shapes == ((12, 12, 10),)
    assert_same_features_and_gradients(cut)


def test_a_module_left_early_is_cut_before_the_last_blocks_that_lead_there(tmp_path: Path) -> None:
    folder = save_with_endpoints(tmp_path / "module")
    cut = Cut.of(load_module(str(folder), "Net/stage_2"), 1, SIZE)
    assert cut.border.shapes == ((16, 16, 8),)
    assert_same_features_and_gradients(cut)


def test_padding_is_done_again_rather_than_kept(tmp_path: Path) -> None:
    def build(photos: Any, module: Any) -> Any:
        first = tf.nn.relu(tf.nn.conv2d(photos, module.first, 2, "SAME"))
        padded = tf.pad(first, [[0, 0], [3, 3], [3, 3], [0, 0]])
        return tf.reduce_mean(tf.nn.conv2d(padded, module.second, 1, "VALID"), [1, 2])

    cut = Cut.of(load_module(str(save_function(tmp_path / "module", build))), 1, SIZE)
    assert cut.border.shapes == ((16, 16, 6),)
    assert_same_features_and_gradients(cut)


def test_shapes_that_the_tail_asks_for_are_no_part_of_the_border(tmp_path: Path) -> None:
    def build(photos: Any, module: Any) -> Any:
        first = tf.nn.relu(tf.nn.conv2d(photos, module.first, 2, "SAME"))
        second = tf.nn.conv2d(first, module.second, 1, "SAME")
        return tf.reduce_mean(tf.reshape(second, [tf.shape(first)[0], -1, 6]), 1)

    cut = Cut.of(load_module(str(save_function(tmp_path / "module", build))), 1, SIZE)
    assert cut.border.shapes == ((16, 16, 6),)
    assert_same_features_and_gradients(cut)


def test_a_half_precision_border_is_kept_where_it_was_last_whole(tmp_path: Path) -> None:
    def build(photos: Any, module: Any) -> Any:
        first = tf.nn.relu(tf.nn.conv2d(photos, module.first, 2, "SAME"))
        half = tf.nn.avg_pool2d(tf.cast(first, tf.float16), 2, 2, "SAME")
        second = tf.nn.conv2d(half, tf.cast(module.second, tf.float16), 1, "SAME")
        return tf.reduce_mean(tf.cast(second, tf.float32), [1, 2])

    cut = Cut.of(load_module(str(save_function(tmp_path / "module", build))), 1, SIZE)
    assert cut.border.shapes == ((16, 16, 6),)


def test_a_module_whose_first_block_moves_is_not_cut(small_module: Path) -> None:
    module = load_module(str(small_module))
    assert find_border(module, SIZE, last(module, 3)) is None


def test_a_module_of_which_nothing_moves_is_not_cut(small_module: Path) -> None:
    module = load_module(str(small_module))
    assert find_border(module, SIZE, ()) is None
    statistics = [place for place, variable in enumerate(module.variables) if "moving_mean" in variable.name]
    assert find_border(module, SIZE, statistics) is None


def test_scaling_the_photos_alone_is_not_worth_a_border(tmp_path: Path) -> None:
    module = load_module(str(save_reusable(small_network(), tmp_path / "module", SIZE, scale=255.0)))
    assert find_border(module, SIZE, last(module, 3)) is None


def test_a_module_that_mixes_the_photos_of_a_batch_is_not_cut(tmp_path: Path) -> None:
    def build(photos: Any, module: Any) -> Any:
        first = tf.nn.conv2d(photos, module.first, 2, "SAME")
        mixed = first - tf.reduce_mean(first, 0, keepdims=True)
        return tf.reduce_mean(tf.nn.conv2d(mixed, module.second, 1, "SAME"), [1, 2])

    assert_cut_and_refused(load_module(str(save_function(tmp_path / "module", build))))


def test_a_module_that_draws_numbers_is_not_cut(tmp_path: Path) -> None:
    def build(photos: Any, module: Any) -> Any:
        first = tf.nn.conv2d(photos, module.first, 2, "SAME")
        noisy = first + tf.random.normal(tf.shape(first))
        return tf.reduce_mean(tf.nn.conv2d(noisy, module.second, 1, "SAME"), [1, 2])

    assert_cut_and_refused(load_module(str(save_function(tmp_path / "module", build))))


@tf.custom_gradient
def _halved(values: Any) -> Any:
    """Pass values on, and half of their gradient back."""
    return tf.identity(values), lambda gradient: gradient * 0.5


def test_a_tail_with_a_gradient_that_its_operations_do_not_tell_is_not_cut(tmp_path: Path) -> None:
    def build(photos: Any, module: Any) -> Any:
        first = tf.nn.relu(tf.nn.conv2d(photos, module.first, 2, "SAME"))
        return tf.reduce_mean(_halved(tf.nn.conv2d(first, module.second, 1, "SAME")), [1, 2])

    assert_cut_and_refused(load_module(str(save_function(tmp_path / "module", build))))


class Pair:
    """Two loads of one module under equal heads: one trains on photos, the other from the border."""

    def __init__(self, folder: Path, blocks: int, features: str = "") -> None:
        self.whole, self.cut = load_module(str(folder), features), load_module(str(folder), features)
        self.size = self.cut.size()
        self.places = last(self.cut, blocks)
        border = find_border(self.cut, self.size, self.places)
        assert border is not None
        self.border = border
        self.backbone = self._backbone(self.cut)
        photos = keras.Input((self.size, self.size, 3))
        head = self._head(self.whole)
        self.whole_model = self._compiled(keras.Model(photos, head(self._backbone(self.whole)(photos))))
        self.tail_model = self._compiled(tail_model(self.backbone, border, self._head(self.cut)))

    def train(self, steps: int, rows: int = 6) -> None:
        random = np.random.default_rng(3)
        for _ in range(steps):
            photos = random.random((rows, self.size, self.size, 3), np.float32)
            labels = random.integers(0, 3, (rows, 1))
            self.whole_model.train_on_batch(photos, labels)
            values = [value.numpy() for value in self.border.front(tf.constant(photos))]
            self.tail_model.train_on_batch(values, labels)

    def _backbone(self, module: HubModule) -> HubBackbone:
        backbone = HubBackbone(module.features, module)
        backbone.unfreeze(self.places)
        return backbone

    @staticmethod
    def _head(module: HubModule) -> keras.Model:
        features = keras.Input((module.features,))
        start = keras.initializers.GlorotUniform(seed=7)
        return keras.Model(features, keras.layers.Dense(3, kernel_initializer=start)(features))

    @staticmethod
    def _compiled(model: keras.Model) -> keras.Model:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.05, momentum=0.9, global_clipnorm=1.0), loss, jit_compile=False)
        return model


def assert_trained_alike(pair: Pair, before: list[np.ndarray]) -> None:
    """Hold what both models moved against how far it moved, and what is frozen to every bit."""
    moves = pair.places & pair.cut.trainable
    for place, (ours, whole) in enumerate(zip(pair.cut.variables, pair.whole.variables, strict=True)):
        if place not in moves:
            assert ours.numpy().tobytes() == before[place].tobytes()
            continue
        way = np.abs(whole.numpy() - before[place]).max()
        assert way > 0
        np.testing.assert_allclose(ours.numpy(), whole.numpy(), rtol=0, atol=0.01 * way)


@pytest.mark.parametrize("features", ["", "Net/stage_2"])
def test_training_from_the_border_moves_what_training_the_whole_module_moves(tmp_path: Path, features: str) -> None:
    pair = Pair(save_with_endpoints(tmp_path / "module"), 1, features)
    before = [variable.numpy() for variable in pair.cut.variables]
    pair.train(5)
    assert_trained_alike(pair, before)


def test_training_alike_with_the_penalty_on_a_weight_that_moves(tmp_path: Path) -> None:
    pair = Pair(save_with_endpoints(tmp_path / "module"), 2)
    pair.train(1)
    assert [float(loss) for loss in pair.backbone.penalties()] == pytest.approx(
        [float(loss()) for loss in pair.whole.regularization_losses], rel=1e-4
    )
    assert len(pair.backbone.penalties()) == 3


def test_the_tail_has_the_backbones_own_variables_in_its_order(small: Cut) -> None:
    backbone = HubBackbone(small.module.features, small.module)
    backbone.unfreeze(small.moving)
    tail = BackboneTail(backbone, small.border)
    assert [id(variable) for variable in tail.variables] == [id(variable) for variable in backbone.variables]
    assert [id(one) for one in tail.trainable_variables] == [id(one) for one in backbone.trainable_variables]
    assert {variable.name for variable in tail.trainable_variables} == {
        "stage_3_conv.kernel",
        "stage_3_norm.gamma",
        "stage_3_norm.beta",
    }


def test_penalties_count_in_the_tail_as_in_the_backbone(small: Cut) -> None:
    backbone = HubBackbone(small.module.features, small.module)
    tail = BackboneTail(backbone, small.border)
    tail(small.values(), training=True)
    assert tail.losses == []
    backbone.unfreeze(small.moving)
    tail(small.values(), training=True)
    assert [float(loss) for loss in tail.losses] == [float(loss()) for loss in small.module.regularization_losses]
    tail(small.values(), training=False)
    assert tail.losses == []


@pytest.mark.parametrize("more", ["another block", "batch-norm statistics"])
def test_a_tail_refuses_to_train_what_its_border_depends_on(small: Cut, more: str) -> None:
    backbone = HubBackbone(small.module.features, small.module)
    backbone.unfreeze(last(small.module, 2) if more == "another block" else small.moving)
    backbone.train_batch_norm = more == "batch-norm statistics"
    tail = BackboneTail(backbone, small.border)
    with pytest.raises(ValueError, match="more of the backbone is to move"):
        tail(small.values(), training=True)
    assert tail(small.values()).shape == (4, small.module.features)


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_bundled_backbone_is_cut(blocks: int) -> None:
    module = load_module("studio-mini")
    cut = Cut.of(module, blocks, module.size())
    assert len(cut.border.shapes) > 1  # its fixed half runs beside the network
    assert cut.border.bytes_per_photo < 4 * module.size() ** 2 * 3
    assert_same_features_and_gradients(cut)


def test_the_bundled_backbone_trains_alike() -> None:
    pair = Pair(Path("studio-mini"), 2)
    before = [variable.numpy() for variable in pair.cut.variables]
    pair.train(2)
    assert_trained_alike(pair, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0"])  # residual paths, and gradients of their own
def test_networks_shaped_like_those_of_tf_hub_are_cut(name: str, tmp_path: Path) -> None:
    cut = Cut.of(load_module(str(save_application(name, tmp_path / "module", 96))), 3, 96)
    assert cut.border.front_share > 0.3
    assert_same_features_and_gradients(cut)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(("name", "blocks"), [("mobilenet_v1_025_224", 8), ("mobilenet_v2_050_96", 3)])
def test_real_modules_are_cut(shared: Path, name: str, blocks: int) -> None:
    module = load_module(str(shared / "backbones" / name))
    cut = Cut.of(module, blocks, module.size())
    assert len(cut.border.shapes) == 1
    assert_same_features_and_gradients(cut)


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_module_trains_alike(shared: Path) -> None:
    pair = Pair(shared / "backbones" / "mobilenet_v2_050_96", 3)
    before = [variable.numpy() for variable in pair.cut.variables]
    pair.train(3)
    assert_trained_alike(pair, before)
