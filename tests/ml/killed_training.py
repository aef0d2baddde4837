"""A program that trains, or goes on training, and kills itself at a given moment; run by tests in a process of its own.

    python killed_training.py begin PLAN OUT MOMENT COUNT
    python killed_training.py resume OUT MOMENT COUNT

It dies by SIGKILL the COUNT-th time that MOMENT comes; with a MOMENT that never comes, it ends well.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import keras

from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import BatchDone, Event, FeaturesDone, Phase, PhaseStarted
from hubstudio.core.plan import Plan
from hubstudio.ml import checkpoints, fine_tuning_ways, training_loop
from hubstudio.ml.engine import LocalEngine


class Killer:
    """Counts how often a moment comes, and ends the program at once."""

    def __init__(self, moment: str, count: int) -> None:
        self._moment, self._left = moment, count

    def at(self, moment: str) -> None:
        """Say that a moment has come."""
        self._left -= moment == self._moment
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def report(self, event: Event) -> None:
        """Take an event of the training as a moment."""
        if isinstance(event, FeaturesDone):
            self.at("features")
        elif isinstance(event, BatchDone):
            self.at(event.phase.value)
        elif isinstance(event, PhaseStarted) and event.phase is Phase.SAVING:
            self.at("saving")


def main(how: str, *rest: str) -> None:
    """Train until it is over or the moment comes."""
    *paths, moment, count = rest
    killer = Killer(moment, int(count))
    checkpoints._SECONDS_BETWEEN, checkpoints._SHARE_OF_TIME = 0.0, float("inf")  # one after every batch
    training_loop._SECONDS_TOGETHER = 0.0  # and every batch for itself, which may be a moment then
    fine_tuning_ways.FRONT_PASSES = 0  # fine-tune behind the frozen border, few photos or not
    _watch(keras.Model, "test_on_batch", killer, "validation", first=True)
    _watch(Path, "replace", killer, "before a file is in place", first=True)
    _watch(keras.Model, "save", killer, "model written", first=False)
    if how == "begin":
        LocalEngine().train(Plan.load(Path(paths[0])), Path(paths[1]), killer.report, CancelToken())
    else:
        LocalEngine().resume(Path(paths[0]), killer.report, CancelToken())


def _watch(owner: Any, name: str, killer: Killer, moment: str, *, first: bool) -> None:
    original = getattr(owner, name)

    def watched(self: Any, *args: Any, **options: Any) -> Any:
        if first:
            killer.at(moment)
        result = original(self, *args, **options)
        if not first:
            killer.at(moment)
        return result

    setattr(owner, name, watched)


if __name__ == "__main__":
    main(*sys.argv[1:])
