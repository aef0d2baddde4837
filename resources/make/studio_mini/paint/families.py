"""All families of classes, and the way from a class's number to its program and from there to a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .fills import fractal, leaves, pile, scatter, texture
from .held_out import letter, molecule
from .programs import Program, Seeds
from .things import jointed, sign, silhouette


@dataclass(frozen=True)
class Family:
    """A kind of class."""

    make: Callable[[Seeds], Program]
    dressed: float
    """The share of classes that come with colours of their own."""


FAMILIES = {
    "silhouette": Family(silhouette, 0.5),
    "jointed": Family(jointed, 0.5),
    "sign": Family(sign, 0.2),
    "fractal": Family(fractal, 0.5),
    "leaves": Family(leaves, 0.7),
    "texture": Family(texture, 0.6),
    "pile": Family(pile, 0.9),
    "scatter": Family(scatter, 1.0),
    "molecule": Family(molecule, 1.0),
    "letter": Family(letter, 0.0),
}
_NUMBERS = {name: number for number, name in enumerate(FAMILIES)}
_SISTERS = 4
"""Dressed classes come in fours: two forms in two dresses each, so that neither form nor colour alone tells them."""


@lru_cache(maxsize=64)
def program(seed: int, family: str, number: int) -> Program:
    """Return the program of one class."""
    group, sister = divmod(number, _SISTERS)
    base = [seed, _NUMBERS[family], group]
    if np.random.default_rng(base).random() >= FAMILIES[family].dressed:
        return FAMILIES[family].make(Seeds(np.random.default_rng([*base, 0, sister]), None))
    form, dress = (np.random.default_rng([*base, part, kin]) for part, kin in enumerate((sister % 2, sister // 2)))
    return FAMILIES[family].make(Seeds(form, dress))


def example(seed: int, family: str, number: int, index: int, size: int) -> NDArray[np.uint8]:
    """Paint one example of a class; the same numbers give the same picture, whoever paints it and when."""
    rng = np.random.default_rng([seed, _NUMBERS[family], number, 2, index])
    return (program(seed, family, number)(rng, size) * 255 + 0.5).astype(np.uint8)
