"""The one door to the machine learning: what window and command line may ask of it, and what they get."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender
from hubstudio.core.cost import Speed
from hubstudio.core.errors import ExportError, did_you_mean
from hubstudio.core.events import Report
from hubstudio.core.measures import Evaluation
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import RunSummary

EXPORT_FORMATS = {
    "keras": "Keras file, for Python",
    "savedmodel": "TensorFlow SavedModel, for servers",
    "tflite": "TensorFlow Lite (LiteRT), for phones and small devices",
}


@dataclass(frozen=True)
class Prediction:
    """One photo's answer, or why there is none."""

    file: Path
    scores: dict[str, float]
    """Probability of every class, 0 to 1, in class order; empty if there is an error."""
    error: str = ""

    @property
    def label(self) -> str:
        """The likeliest class."""
        return max(self.scores, key=lambda name: self.scores[name])

    @property
    def confidence(self) -> float:
        """The likeliest class's probability."""
        return self.scores[self.label]

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the likeliest classes with their probabilities, best first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])[:count]


@dataclass(frozen=True)
class ExportedFile:
    """A model written in one format, run again on photos before it was handed over."""

    format: str
    path: Path
    bytes: int
    checked_photos: int
    largest_difference: float
    """Largest difference of any probability from the app's own answer on those photos."""


class Engine(Protocol):
    """Trains, measures, answers and exports. Calls block; all report through events and poll the cancel token.

    Every method raises ``StudioError`` for what a person can mend and ``Cancelled`` when asked to stop.
    """

    def probe(self, backbone: str, features: str = "") -> BackboneInfo:
        """Find a backbone by bundled name, folder or hub handle and look inside; nothing is fetched.

        ``features`` names the endpoint to use instead of the module's own vector. Raises ``UnsafeModuleError`` for a
        module whose graphs touch files or run code, before anything of it is loaded, unless it is trusted.
        """
        ...

    def fetch(self, backbone: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        """Bring a module from the hub, or out of an archive, into the cache, checked, whole or not at all.

        May be called from a thread of its own while another method works. Reports ``BytesFetched`` and ``Progress``.
        """
        ...

    def trust(self, backbone: str) -> None:
        """Remember that this module, as it is now, may be used although its graphs touch files or run code."""
        ...

    def measure(self, plan: Plan, cancel: CancelToken) -> Speed:
        """Measure for a few seconds how fast the plan's backbone runs and learns here; the result is kept."""
        ...

    def compare(self, plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
        """Train a head on each backbone's features of the plan's photos; one that fails gives a row with an error."""
        ...

    def train(self, plan: Plan, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Train by the plan and write the run folder ``out``, whole or not at all.

        Until it is whole, all that is known stands beside it, and ``resume`` goes on from there after any end but
        ``Cancelled``. ``CancelToken.suspend`` ends it so on purpose, in ``Suspended``.
        """
        ...

    def resume(self, run: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Go on with an interrupted training, to the same result as if nothing had happened.

        ``run`` is the folder it was to become, or the unfinished one. All epochs that are done are reported again.
        """
        ...

    def continue_run(self, run: Path, epochs: int, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Train a finished run for so many more epochs, on the same photos, into a new run folder ``out``."""
        ...

    def tensorboard_log(self, folder: Path) -> AbstractContextManager[Report]:
        """Give a taker of a training's events that writes learning curves for TensorBoard into ``folder``."""
        ...

    def write_tensorboard(self, run: Path, folder: Path) -> None:
        """Write a finished run's learning curves for TensorBoard into ``folder``."""
        ...

    def evaluate(self, run: Path, photos: Path | None, report: Report, cancel: CancelToken) -> Evaluation:
        """Measure a run on its own locked test part, or on another folder of class folders."""
        ...

    def predict(self, run: Path, files: Sequence[Path], report: Report, cancel: CancelToken) -> list[Prediction]:
        """Classify photos, in the order given; a file that cannot be read gives a prediction with an error."""
        ...

    def export(
        self, run: Path, formats: Sequence[str], out: Path, report: Report, cancel: CancelToken
    ) -> list[ExportedFile]:
        """Write the trained model in each format into the folder ``out``, each checked against ``predict``."""
        ...


def require_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Return the formats without repeats. Raises ``ExportError`` for an unknown one or none."""
    wanted = tuple(dict.fromkeys(name.strip().casefold() for name in formats if name.strip()))
    for name in wanted:
        if name not in EXPORT_FORMATS:
            raise ExportError(
                f"There is no export format '{name}'.",
                found=did_you_mean(name, EXPORT_FORMATS),
                next_step=f"Choose from: {', '.join(EXPORT_FORMATS)}.",
            )
    if not wanted:
        raise ExportError("No export format was chosen.", next_step=f"Choose from: {', '.join(EXPORT_FORMATS)}.")
    return wanted
