"""Histories of trainings for tests of the charts."""

from __future__ import annotations

from dataclasses import replace

from hubstudio.core.events import EpochDone, Phase
from hubstudio.core.plan import Mode, Plan
from hubstudio.gui.learning_curves import RunCurves

EXTRACT = Plan("photos", epochs=30)
FINE_TUNE = replace(EXTRACT, mode=Mode.FINE_TUNE, head_epochs=4, epochs=10)


def history(head: int, fine_tune: int = 0, scale: float = 1.0) -> list[EpochDone]:
    """Losses that fall as 1/n, times ``scale``; validation is half as much again."""
    epochs = [(Phase.HEAD, number) for number in range(1, head + 1)]
    epochs += [(Phase.FINE_TUNE, number) for number in range(1, fine_tune + 1)]
    return [
        EpochDone(phase, number, 30, scale / (place + 1), 0.5, 1.5 * scale / (place + 1), 0.4, 1e-3, True, float(place))
        for place, (phase, number) in enumerate(epochs)
    ]


def run(name: str, head: int = 3, fine_tune: int = 0, *, scale: float = 1.0, highlighted: bool = False) -> RunCurves:
    """A finished run."""
    return RunCurves(name, tuple(history(head, fine_tune, scale)), highlighted)
