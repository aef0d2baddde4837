"""Blocks follow the depth of the graph, whatever order a module lists its variables in."""

from __future__ import annotations

import random

from hubstudio.ml.blocks import find_blocks
from hubstudio.ml.module_graph import Action


def blocks_of(names: list[str], ranks: list[int] | None = None, shuffle: int = 0) -> list[tuple[str, list[str]]]:
    """Find blocks of variables that act in the order of ``names``, listed in another order."""
    ranks = ranks or [4] * len(names)
    order = list(range(len(names)))
    random.Random(shuffle).shuffle(order)
    last_kernel: int | None = None
    actions: dict[int, Action] = {}
    for depth, original in enumerate(range(len(names))):
        place = order.index(original)
        actions[place] = Action(depth, last_kernel)
        last_kernel = place if ranks[original] > 1 else last_kernel
    found = find_blocks([names[i] for i in order], [ranks[i] for i in order], actions)
    return [(block.name, sorted(names[order[place]] for place in block.places)) for block in found]


def test_a_shared_scope_tells_nothing_and_depth_orders_the_rest() -> None:
    names = [
        f"Net/{scope}/weights:0" for scope in ("Conv", "expanded_conv", "expanded_conv_2", "expanded_conv_10", "Conv_1")
    ]
    assert [name for name, _ in blocks_of(names, shuffle=4)] == [
        "Conv",
        "expanded_conv",
        "expanded_conv_2",
        "expanded_conv_10",
        "Conv_1",
    ]


def test_layers_of_one_number_are_one_block() -> None:
    names = ["N/Conv2d_0/w:0", "N/Conv2d_1_depthwise/w:0", "N/Conv2d_1_pointwise/w:0", "N/Conv2d_2_depthwise/w:0"]
    assert [name for name, _ in blocks_of(names)] == ["Conv2d_0", "Conv2d_1", "Conv2d_2"]


def test_flat_keras_names_are_cut_at_their_number() -> None:
    names = [
        "stem_conv/kernel",
        "block1a_dwconv2/kernel",
        "block1a_bn/gamma",
        "conv2_block1_1_conv/kernel",
        "top_conv/kernel",
    ]
    assert [name for name, _ in blocks_of(names)] == ["stem_conv", "block1a", "conv2_block1", "top_conv"]


def test_numbered_inner_scopes_are_blocks_of_their_own() -> None:
    names = [f"resnet/block{b}/unit_{u}/conv/weights" for b in (1, 2) for u in (1, 2)]
    assert [name for name, _ in blocks_of(names, shuffle=1)] == [
        "block1/unit_1",
        "block1/unit_2",
        "block2/unit_1",
        "block2/unit_2",
    ]


def test_a_batch_norm_of_its_own_name_joins_the_kernel_it_follows() -> None:
    names = ["conv2d_5/kernel", "batch_normalization_9/gamma", "conv2d_7/kernel", "batch_normalization_2/beta"]
    found = blocks_of(names, [4, 1, 4, 1], shuffle=2)
    assert found == [
        ("conv2d_5", ["batch_normalization_9/gamma", "conv2d_5/kernel"]),
        ("conv2d_7", ["batch_normalization_2/beta", "conv2d_7/kernel"]),
    ]


def test_names_that_tell_nothing_leave_it_to_the_graph() -> None:
    found = blocks_of(["kernel:0", "gamma:0", "kernel:0", "gamma:0"], [4, 1, 4, 1], shuffle=3)
    assert [(name, len(members)) for name, members in found] == [("layer_1", 2), ("layer_2", 2)]


def test_variables_that_do_not_act_belong_to_no_block() -> None:
    found = find_blocks(["a/w", "unused/w"], [4, 4], {0: Action(1, None)})
    assert [block.name for block in found] == ["a"]
