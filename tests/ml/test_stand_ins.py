"""Networks shaped like those of TF Hub: their blocks are sensible, in depth order, and exactly the chosen ones move."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from freezing import Stepping
from made_modules import save_application, without_names

from hubstudio.ml.hub_module import load_module

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
    named: Stepping
    nameless: Stepping


@pytest.fixture(scope="module", params=BLOCKS)
def stand_in(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    root: Path = tmp_path_factory.mktemp("stand_in")
    folder = save_application(request.param, root / "named", SIZE)
    nameless = without_names(folder, root / "nameless")
    named_and_not = (Stepping.on(load_module(str(place))) for place in (folder, nameless))
    return StandIn(request.param, *named_and_not)


def test_the_blocks_are_those_of_the_papers(stand_in: StandIn) -> None:
    info = stand_in.named.module.info()
    assert (len(info.blocks), info.blocks[0].name, info.blocks[-1].name) == BLOCKS[stand_in.name]
    assert sum(block.parameters for block in info.blocks) == info.parameters


def test_training_the_head_alone_moves_nothing_of_the_network(stand_in: StandIn) -> None:
    assert stand_in.named.moved_by_the_head() == set()


def test_exactly_the_last_block_moves(stand_in: StandIn) -> None:
    stepping = stand_in.named
    assert stepping.moved_by(1) == stepping.chosen(1) != set()


def test_exactly_half_of_the_blocks_move(stand_in: StandIn) -> None:
    stepping = stand_in.named
    half = len(stepping.module.blocks) // 2
    assert stepping.moved_by(half) == stepping.chosen(half)
    assert set() != stepping.chosen(half) < stepping.chosen("all")


def test_exactly_what_may_be_trained_moves_when_all_is_chosen(stand_in: StandIn) -> None:
    stepping = stand_in.named
    assert stepping.moved_by("all") == stepping.module.trainable


def test_exactly_the_chosen_blocks_move_where_names_tell_nothing(stand_in: StandIn) -> None:
    stepping = stand_in.nameless
    assert {variable.name for variable in stepping.module.variables} == {"Variable:0"}
    assert stepping.moved_by(3) == stepping.chosen(3) != set()


def test_nameless_blocks_are_in_the_order_that_the_names_tell(stand_in: StandIn) -> None:
    named, nameless = stand_in.named.module, stand_in.nameless.module
    rank = {place: number for number, block in enumerate(named.blocks) for place in block.places}
    kernels = [[p for p in block.places if (nameless.variables[p].shape.rank or 0) > 1] for block in nameless.blocks]
    for earlier, later in pairwise(kernels):
        assert max(rank[place] for place in earlier) <= min(rank[place] for place in later)


def test_branches_between_two_narrow_places_are_one_block_without_names(stand_in: StandIn) -> None:
    residual = {"InceptionV3": 11, "EfficientNetB0": 9, "EfficientNetV2B0": 16, "ResNet50V2": 16}
    nameless = stand_in.nameless.module
    kernels = [
        sum((nameless.variables[place].shape.rank or 0) > 1 for place in block.places) for block in nameless.blocks
    ]
    assert sum(count > 1 for count in kernels) >= residual[stand_in.name]
