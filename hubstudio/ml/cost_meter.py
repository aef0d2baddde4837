"""What a run takes while it runs: time by stretch, the peak of memory, and the disk."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from hubstudio.core.cost import Cost
from hubstudio.core.peak_memory import begin_peak, peak_memory


class CostMeter:
    """Follows one run from the moment that photos and backbone are here to its end; ``before`` is what it had taken."""

    def __init__(self, clock: Callable[[], float], before: Cost | None = None) -> None:
        self._clock = clock
        self._before = before or Cost(0.0, 0, 0)
        self._entered: list[tuple[str, float]] = []
        self._bytes = 0

    def begin(self) -> None:
        """Begin to count, anew if it was called before: bringing the backbone here is no part of what a run takes."""
        begin_peak()
        self._entered = [("loading", self._clock())]

    def enter(self, stretch: str) -> None:
        """Begin a stretch, which ends the one before."""
        self._entered.append((stretch, self._clock()))

    def weigh(self, folder: Path) -> None:
        """Count what lies in the folder that is being made; called when that is most."""
        self._bytes = sum(path.stat().st_size for path in folder.iterdir())

    def cost(self) -> Cost:
        """Return what the run has taken until now."""
        starts = [*self._entered, ("", self._clock())]
        stretches = dict(self._before.stretches)
        for (name, begun), (_, end) in pairwise(starts):  # a stretch may come more than once
            stretches[name] = round(stretches.get(name, 0.0) + end - begun, 3)
        memory = max(peak_memory(), self._before.memory_bytes)
        return Cost(sum(stretches.values()), memory, self._bytes, stretches)
