"""Networks shaped like those of TF Hub: their blocks are sensible, in depth order, and exactly the chosen ones move."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from made_modules import save_application, without_names

from hubstudio.core.plan import Mode, Plan, Unfreeze
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.model_factory import FeatureStatistics, build_classifier

SIZE = 96
BLOCKS = {
    "InceptionV3": (16, "conv2d", "conv2d_85 to conv2d_93"),
    "EfficientNetB0": (18, "stem_conv", "top_conv"),
    "EfficientNetV2B0": (23, "stem_conv", "top_conv"),
    "ResNet50V2": (17, "conv1", "conv5_block3"),
}
"""As the papers count them: a stem, the blocks, a top."""
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class StandIn:
    name: str
    named: HubModule
    nameless: HubModule


@pytest.fixture(scope="module", params=BLOCKS)
def stand_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    root: Path = tmp_path_factory.mktemp("stand_in")
    folder = save_application(request.param, root / "named", SIZE)
    nameless = without_names(folder, root / "nameless")
    return StandIn(request.param, load_module(str(folder)), load_module(str(nameless)))


def moved_by_a_step(module: HubModule, unfreeze: Unfreeze) -> set[int]:
    """Train one step with the last blocks, and return the places of the variables that are not byte-equal after it."""
    plan = Plan("photos", mode=Mode.FINE_TUNE, unfreeze=unfreeze, fine_tune_learning_rate=1e-3)
    random = np.random.default_rng(0)
    features = random.random((20, module.features), np.float32)
    classifier = build_classifier(plan, module, 3, FeatureStatistics.of(features))
    classifier.unfreeze_and_compile()
    before = [variable.numpy().tobytes() for variable in module.variables]
    photos = random.random((4, module.default_size, module.default_size, 3), np.float32) * 255
    classifier.inner.train_on_batch(photos, np.array([0, 1, 2, 0]))
    after = [variable.numpy().tobytes() for variable in module.variables]
    return {place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}


def chosen(module: HubModule, count: int) -> set[int]:
    return {place for block in module.blocks[-count:] for place in block.places} & module.trainable


def test_the_blocks_are_those_of_the_papers(stand_in: StandIn) -> None:
    info = stand_in.named.info()
    assert (len(info.blocks), info.blocks[0].name, info.blocks[-1].name) == BLOCKS[stand_in.name]
    assert sum(block.parameters for block in info.blocks) == info.parameters


def test_exactly_the_chosen_blocks_move(stand_in: StandIn) -> None:
    module = stand_in.named
    assert moved_by_a_step(module, 3) == chosen(module, 3) != set()


def test_exactly_the_chosen_blocks_move_where_names_tell_nothing(stand_in: StandIn) -> None:
    module = stand_in.nameless
    assert {variable.name for variable in module.variables} == {"Variable:0"}
    assert moved_by_a_step(module, 3) == chosen(module, 3) != set()


def test_nameless_blocks_are_in_the_order_that_the_names_tell(stand_in: StandIn) -> None:
    named, nameless = stand_in.named, stand_in.nameless
    rank = {place: number for number, block in enumerate(named.blocks) for place in block.places}
    kernels = [[p for p in block.places if (nameless.variables[p].shape.rank or 0) > 1] for block in nameless.blocks]
    for earlier, later in pairwise(kernels):
        assert max(rank[place] for place in earlier) <= min(rank[place] for place in later)


def test_branches_between_two_narrow_places_are_one_block_without_names(stand_in: StandIn) -> None:
    residual = {"InceptionV3": 11, "EfficientNetB0": 9, "EfficientNetV2B0": 16, "ResNet50V2": 16}
    kernels = [
        sum((stand_in.nameless.variables[place].shape.rank or 0) > 1 for place in block.places)
        for block in stand_in.nameless.blocks
    ]
    assert sum(count > 1 for count in kernels) >= residual[stand_in.name]
