"""Recipes: the pinned numbers of ``recipe.toml`` that decide what is painted, trained and saved."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("recipe.toml")


@dataclass(frozen=True)
class Stage:
    """A stretch of training on crops of one size, with one batch size."""

    side: int
    seen: int
    batch: int
    rate: float = 0.0
    """Highest learning rate of the cycle that begins here; 0 goes on with the cycle of the stage before."""

    @property
    def steps(self) -> int:
        """How many batches it takes to see that many pictures."""
        return self.seen // self.batch


@dataclass(frozen=True)
class Recipe:
    """What decides the weights."""

    name: str
    seed: int
    pool_size: int
    examples: int
    precision: str
    stages: tuple[Stage, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    classes: dict[str, int]

    @property
    def steps(self) -> int:
        """Batches in all stages together."""
        return sum(stage.steps for stage in self.stages)

    def cycle_at(self, step: int) -> tuple[float, int, int]:
        """Return the highest rate of a step's cycle, the step's place in the cycle, and the steps of the cycle."""
        cycles: list[tuple[float, int]] = []
        for stage in self.stages:
            before = cycles.pop() if cycles and not stage.rate else (stage.rate, 0)
            cycles.append((before[0], before[1] + stage.steps))
        for rate, steps in cycles[:-1]:
            if step < steps:
                return rate, step, steps
            step -= steps
        return cycles[-1][0], step, cycles[-1][1]

    def stage_at(self, step: int) -> Stage:
        """Return the stage that a step, counted from 0, belongs to."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]

    @property
    def programs(self) -> list[tuple[str, int]]:
        """The classes in the order of their labels: family, and number within the family."""
        return [(family, number) for family, count in self.classes.items() for number in range(count)]


def read(name: str, file: Path = FILE) -> Recipe:
    """Return the recipe of that name. Raises ``SystemExit`` if there is none."""
    recipes: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))
    if name not in recipes:
        raise SystemExit(f"There is no recipe '{name}' in {file.name}. Recipes: {', '.join(recipes)}.")
    values = recipes[name]
    stages = tuple(Stage(**stage) for stage in values.pop("stages"))
    shape = {key: tuple(values.pop(key)) for key in ("widths", "depths")}
    return Recipe(name=name, stages=stages, **shape, **values)
