"""On real modules, a step of training moves exactly the variables of the chosen blocks, from the head to everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from freezing import Stepping

from hubstudio.ml.hub_module import load_module

pytestmark = pytest.mark.shared


MODULES = [
    "mobilenet_v1_025_224",
    "mobilenet_v2_050_96",
    pytest.param("mobilenet_v2_100_224", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=MODULES)
def stepping(request: pytest.FixtureRequest, shared: Path) -> Stepping:
    return Stepping.on(load_module(str(shared / "backbones" / request.param)))


def test_training_the_head_alone_moves_nothing_of_the_module(stepping: Stepping) -> None:
    assert stepping.moved_by_the_head() == set()


def test_exactly_the_last_block_moves(stepping: Stepping) -> None:
    assert stepping.moved_by(1) == stepping.chosen(1) != set()


def test_exactly_half_of_the_blocks_move(stepping: Stepping) -> None:
    half = len(stepping.module.blocks) // 2
    assert stepping.moved_by(half) == stepping.chosen(half)
    assert set() != stepping.chosen(half) < stepping.chosen("all")


def test_exactly_what_may_be_trained_moves_when_all_is_chosen(stepping: Stepping) -> None:
    module = stepping.module
    assert stepping.moved_by("all") == module.trainable
    assert len(module.trainable) < len(module.variables)  # statistics of batch-norm are not trained
