"""What it saves to compute the frozen part only once, as a table.

    python tests/benchmarks/frozen_border.py mobilenet=3,8 studio-mini=4 [--photos 500]

For every backbone and every number of last blocks that move, one row: how many bytes a photo takes at the border, the
front's share of a forward pass (by the clock, and by operations as `worth_cutting` counts), the seconds of filling the
border once, and the seconds of one training epoch through the whole module and from the border, trained in turns.
Photos are made up; what is in them does not change the time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hubstudio.core.backbones import display_name
from hubstudio.core.cancel import CancelToken
from hubstudio.ml.border_store import store_borders
from hubstudio.ml.frozen_border import FrozenBorder, find_border
from hubstudio.ml.hub_backbone import HubBackbone
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.tail_layer import tail_model

BATCH = 16
CLASSES = 10
FORWARD_BATCH = 8


def main() -> None:
    """Print a row for every backbone and number of blocks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backbones", nargs="+", metavar="BACKBONE=BLOCKS,BLOCKS")
    parser.add_argument("--photos", type=int, default=500)
    arguments = parser.parse_args()
    print(
        "| backbone | blocks | bytes a photo | front: time | front: operations | fill s | whole s | border s | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for text in arguments.backbones:
        name, _, numbers = text.rpartition("=")
        module = load_module(name)
        pixels = made_pixels(arguments.photos, module.size())
        for blocks in map(int, numbers.split(",")):
            print(row(module, blocks, pixels), flush=True)


def made_pixels(count: int, size: int) -> np.ndarray:
    """Return photos of noise, as fine-tuning keeps them."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def row(module: HubModule, blocks: int, pixels: np.ndarray) -> str:
    """Measure one case."""
    size = module.size()
    places = {place for block in module.blocks[-blocks:] for place in block.places}
    border = find_border(module, size, places)
    head = f"| {display_name(module.handle)} | {blocks} "
    if border is None:
        return f"{head}| cannot be cut | | | | | | |"
    share = front_share(module, border, size)
    fill, whole, cut = epochs(module, border, places, pixels)
    return (
        f"{head}| {border.bytes_per_photo:,} | {share:.0%} | {border.front_share:.0%} "
        f"| {fill:.1f} | {whole:.1f} | {cut:.1f} | {whole / cut:.1f} |"
    )


def front_share(module: HubModule, border: FrozenBorder, size: int) -> float:
    """Return the front's share of the seconds of a forward pass, the median of many, in turns."""
    photos = tf.constant(made_pixels(FORWARD_BATCH, size) / np.float32(255))
    whole = tf.function(lambda values: module.forward(values, False))
    seconds = [[timed(lambda: border.front(photos)), timed(lambda: whole(photos))] for _ in range(12)][2:]
    front, all_of_it = np.median(seconds, axis=0)
    return float(front / all_of_it)


def epochs(module: HubModule, border: FrozenBorder, places: set[int], pixels: np.ndarray) -> tuple[float, float, float]:
    """Return the seconds of filling the border, of an epoch through the whole module, and of one from the border."""
    backbone = HubBackbone(module.features, module)
    backbone.unfreeze(places)
    features = keras.Input((module.features,))
    head = keras.Model(features, keras.layers.Dense(CLASSES)(features))
    photos = keras.Input(pixels.shape[1:])
    whole = compiled(keras.Model(photos, head(backbone(keras.layers.Rescaling(1 / 255)(photos)))))
    cut = compiled(tail_model(backbone, border, head))
    with tempfile.TemporaryDirectory() as folder:
        rows = np.arange(len(pixels))
        began = time.perf_counter()
        values = store_borders(pixels.__getitem__, rows, border, Path(folder), lambda *_: None, CancelToken())
        fill = time.perf_counter() - began
        assert values is not None
        ways = (
            (whole, lambda places: np.asarray(pixels[places], np.float32)),
            (cut, lambda places: [array[places] for array in values]),
        )
        return fill, *epoch_in_turns(ways, len(pixels))


def compiled(model: keras.Model) -> keras.Model:
    """Compile a model as fine-tuning does."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-5, global_clipnorm=1.0), loss, jit_compile=False)
    return model


def epoch_in_turns(ways: Sequence[tuple[keras.Model, Callable[[np.ndarray], Any]]], photos: int) -> list[float]:
    """Return the seconds that each model spends on an epoch, step by step in turns: what else runs here hits all.

    Batches of either size are trained before, so that nothing is traced in it.
    """
    order = np.random.default_rng(1).permutation(photos)
    labels = (np.arange(photos) % CLASSES)[:, np.newaxis]
    batches = [order[begin : begin + BATCH] for begin in range(0, photos, BATCH)]
    seconds = [0.0 for _ in ways]
    for number, places in enumerate([batches[0], batches[-1], batches[0], *batches]):
        for way, (model, inputs) in enumerate(ways):
            began = time.perf_counter()
            model.train_on_batch(inputs(places), labels[places])
            seconds[way] += time.perf_counter() - began if number > 2 else 0.0
    return seconds


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
