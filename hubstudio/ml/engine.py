"""The engine on this computer: each request of the door, answered by the module that knows how."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender
from hubstudio.core.cost import Speed
from hubstudio.core.engine import ExportedFile, Prediction, require_formats
from hubstudio.core.events import Report
from hubstudio.core.measures import Evaluation
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import RunFolder, RunSummary
from hubstudio.ml import comparing, export, prediction, speed_measuring, tensorboard_log, training
from hubstudio.ml.hub_module import load_module, trust_module
from hubstudio.ml.module_folders import fetch_module
from hubstudio.ml.saved_models import TrainedModel, load_trained


class LocalEngine:
    """Implements ``hubstudio.core.engine.Engine``. One thread at a time."""

    def __init__(self) -> None:
        self._trained: tuple[tuple[Path, int], TrainedModel] | None = None

    def probe(self, backbone: str, features: str = "") -> BackboneInfo:
        """Find a backbone and look inside, as far as the endpoint ``features``."""
        return load_module(backbone, features).info()

    def fetch(self, backbone: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        """Bring a module from the hub, or out of an archive, into the cache. May run beside another method."""
        return fetch_module(backbone, report, cancel)

    def trust(self, backbone: str) -> None:
        """Remember that this module, as it is now, may be used."""
        trust_module(backbone)

    def measure(self, plan: Plan, cancel: CancelToken) -> Speed:
        """Measure for a few seconds how fast the plan's backbone runs and learns here; the result is kept."""
        return speed_measuring.measure(plan, cancel)

    def compare(self, plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
        """Train a head on each backbone's features of the plan's photos; the best comes first."""
        return comparing.compare(plan, backbones, report, cancel)

    def train(self, plan: Plan, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Train by the plan into the run folder ``out``."""
        return training.train(plan, out, report, cancel)

    def resume(self, run: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Go on with an interrupted training."""
        return training.resume(run, report, cancel)

    def continue_run(self, run: Path, epochs: int, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Train a finished run for more epochs, into the run folder ``out``."""
        return training.continue_run(run, epochs, out, report, cancel)

    def tensorboard_log(self, folder: Path) -> AbstractContextManager[Report]:
        """Give a taker of events that writes learning curves for TensorBoard into ``folder``."""
        return tensorboard_log.tensorboard_log(folder)

    def write_tensorboard(self, run: Path, folder: Path) -> None:
        """Write a finished run's learning curves for TensorBoard into ``folder``."""
        tensorboard_log.write_history(RunFolder.open(run), folder)

    def evaluate(self, run: Path, photos: Path | None, report: Report, cancel: CancelToken) -> Evaluation:
        """Measure a run on its test part or on other labelled photos."""
        folder = RunFolder.open(run)
        return prediction.evaluate(folder, self._loaded(folder), photos, report, cancel)

    def predict(self, run: Path, files: Sequence[Path], report: Report, cancel: CancelToken) -> list[Prediction]:
        """Classify photos, in the order given."""
        return prediction.predict(self._loaded(RunFolder.open(run)), files, report, cancel)

    def export(
        self, run: Path, formats: Sequence[str], out: Path, report: Report, cancel: CancelToken
    ) -> list[ExportedFile]:
        """Write the trained model in each format into ``out``, each checked against the app's own answers."""
        folder = RunFolder.open(run)
        return export.export(folder, self._loaded(folder), require_formats(formats), out, report, cancel)

    def _loaded(self, run: RunFolder) -> TrainedModel:
        """Return the run's model, kept for the next request on the same file."""
        key = (run.model, run.model.stat().st_mtime_ns)
        if not self._trained or self._trained[0] != key:
            self._trained = (key, load_trained(run))
        return self._trained[1]
