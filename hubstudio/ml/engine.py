"""The engine on this computer: each request of the door, answered by the module that knows how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import ExportedFile, Prediction, require_formats
from hubstudio.core.events import Report
from hubstudio.core.measures import Evaluation
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import RunFolder, RunSummary
from hubstudio.ml import export, prediction
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.saved_models import TrainedModel, load_trained
from hubstudio.ml.training import Trainer


class LocalEngine:
    """Implements ``hubstudio.core.engine.Engine``. One thread at a time."""

    def __init__(self) -> None:
        self._trained: tuple[tuple[Path, int], TrainedModel] | None = None

    def probe(self, backbone: str) -> BackboneInfo:
        """Find a backbone and look inside."""
        return load_module(backbone).info()

    def train(self, plan: Plan, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        """Train by the plan into the run folder ``out``."""
        return Trainer(plan, out, report, cancel).run()

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
