"""What a program is: the rule of one class, which paints as many examples as are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .canvas import Array, Rng
from .colours import palette, varied

Program = Callable[[Rng, int], Array]
"""Paints one example of a class, ``[size, size, 3]``; a new one for every state of the random numbers."""


@dataclass(frozen=True)
class Seeds:
    """Random numbers for what a class is made of. Sister classes share one and differ in the other."""

    form: Rng
    dress: Rng | None
    """None for a class that is known by its form alone: every example wears what it likes."""


@dataclass(frozen=True)
class Dress:
    """The colours that a class wears, or none if every example wears what it likes."""

    own: Array | None
    count: int

    def worn(self, rng: Rng) -> Array:
        """Return the colours of one example, ``[count, 3]``."""
        return palette(rng, self.count) if self.own is None else varied(rng, self.own)


def dress(seeds: Seeds, count: int) -> Dress:
    """Return a class's dress of ``count`` colours."""
    return Dress(None if seeds.dress is None else palette(seeds.dress, count), count)


def chance(rng: Rng, share: float) -> bool:
    """Return true in ``share`` of all cases."""
    return bool(rng.random() < share)


def between(rng: Rng, low: float, high: float) -> float:
    """Return a number that lies evenly between the logarithms of two."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
