"""The pool: painted pictures in one file that training maps into memory and draws its crops from."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .paint.families import example
from .recipe import Recipe

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Order:
    """What is asked of a painter: some examples of one class."""

    seed: int
    family: str
    number: int
    first: int
    count: int
    size: int


def paint(order: Order) -> Pictures:
    """Paint the examples of an order, ``[count, size, size, 3]``."""
    import cv2

    cv2.setNumThreads(1)  # as many painters as cores are at work already
    examples = range(order.first, order.first + order.count)
    return np.stack([example(order.seed, order.family, order.number, index, order.size) for index in examples])


def painted(orders: list[Order], workers: int) -> Iterator[Pictures]:
    """Yield what each order asked for, in their order, painted by ``workers`` processes."""
    if workers <= 1:
        yield from map(paint, orders)
        return
    # Spawned, because forking a process that runs TensorFlow or JAX leaves locks behind that nobody holds.
    with multiprocessing.get_context("spawn").Pool(workers) as painters:
        yield from painters.imap(paint, orders, chunksize=4)


class Pool:
    """Pictures ``[classes, examples, size, size, 3]``, painted once, mapped from a file."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Open the pool in ``folder``; ``fill`` must have finished."""
        self.pictures: Pictures = np.load(folder / "pool.npy", mmap_mode="r")
        if self.pictures.shape[:2] != (len(recipe.programs), recipe.examples):
            raise SystemExit(f"The pool in {folder} was painted for another recipe. Choose an empty folder.")


def fill(folder: Path, recipe: Recipe, workers: int) -> Pool:
    """Return the pool of a recipe; paint what is missing, going on where an earlier call was broken off."""
    done, made = folder / "pool.json", 0
    orders = [
        Order(recipe.seed, family, number, 0, recipe.examples, recipe.pool_size) for family, number in recipe.programs
    ]
    asked = [asdict(order) for order in orders]
    if done.is_file():
        state = json.loads(done.read_text(encoding="utf-8"))
        if state["orders"] != asked:
            raise SystemExit(f"The pool in {folder} was painted for another recipe. Choose an empty folder.")
        made = state["made"]
    folder.mkdir(parents=True, exist_ok=True)
    _paint_rest(folder, recipe, orders, made, workers)
    return Pool(folder, recipe)


def _paint_rest(folder: Path, recipe: Recipe, orders: list[Order], made: int, workers: int) -> None:
    file = folder / "pool.npy"
    shape = (len(orders), recipe.examples, recipe.pool_size, recipe.pool_size, 3)
    if made == len(orders):
        return
    pictures = np.lib.format.open_memmap(file, "r+" if made else "w+", np.uint8, None if made else shape)
    for label, examples in enumerate(painted(orders[made:], workers), made):
        pictures[label] = examples
        if label % 16 == 15 or label + 1 == len(orders):
            pictures.flush()
            state = {"made": label + 1, "orders": [asdict(order) for order in orders]}
            (folder / "pool.json").write_text(json.dumps(state), encoding="utf-8")
            print(f"painted {label + 1} of {len(orders)} classes", flush=True)
