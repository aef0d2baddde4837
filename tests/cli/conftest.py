"""A command line with an engine that learns nothing: real run folders and plausible values, at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hubstudio.cli import main as command_line
from hubstudio.core.backbones import BackboneInfo, Block, Endpoint, ModuleFormat
from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender, best_first
from hubstudio.core.cost import Cost, RunCost, Speed
from hubstudio.core.engine import ExportedFile, Prediction, require_formats
from hubstudio.core.errors import BackboneError, Suspended
from hubstudio.core.events import (
    BytesFetched,
    EpochDone,
    Event,
    Note,
    Phase,
    PhaseStarted,
    Progress,
    Report,
    RunStarted,
)
from hubstudio.core.measures import Evaluation
from hubstudio.core.memory import TooLargeError
from hubstudio.core.photo_listing import scan
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import (
    CLASSES,
    HISTORY,
    METRICS,
    MODEL,
    PLAN,
    SPLIT,
    RunFolder,
    RunSummary,
    write_records,
    write_summary,
)
from hubstudio.core.split import split_photos
from hubstudio.core.unfinished_runs import RunProgress, UnfinishedRun
from made_speeds import SPEED
from pictures import save_picture


@dataclass
class FakeEngine:
    """Remembers what it was asked; ``before`` is called as a job begins, to fail or to send a signal."""

    plans: list[Plan] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    validation_loss: float = 0.25
    predicted: Cost | None = None
    ended: dict[str, str] = field(default_factory=lambda: {"head": "all_epochs"})
    """Why each phase ends."""
    best_epoch: int = 1
    unmeasurable: bool = False
    suspends: bool = False
    """Whether a training is laid aside as soon as it has begun."""
    amid: Callable[[], None] = lambda: None
    """Called in the midst of a training: all it knows is on disk."""
    absent: dict[str, str] = field(default_factory=dict[str, str])
    """What has to be fetched first, and the handle by which it is here from then on."""

    def probe(self, backbone: str, features: str = "") -> BackboneInfo:
        self.before()
        if backbone in self.absent:
            raise BackboneError(f"'{backbone}' is not on this computer yet.")
        self.asked.append((backbone, features) if features else backbone)
        blocks = (Block("stem", 2, 100), Block("block_1", 6, 2_000, 4))
        endpoints = (Endpoint("stem/map", (12, None, 8)), Endpoint("vector", (1280,)))
        return BackboneInfo(
            "tiny", backbone, Path("tiny"), 96, 1280, 2_100, True, blocks, ModuleFormat.TF2, 8_000, features, endpoints,
            96, "0 to 1", "2.11.0",
        )  # fmt: skip

    def fetch(self, backbone: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        self.before()
        cancel.check()
        report(BytesFetched(backbone, 4_000, 8_000, 1e6, 0.5))
        return self.probe(self.absent.pop(backbone, backbone))

    def trust(self, backbone: str) -> None:
        self.before()
        self.asked.append(("trust", backbone))

    def measure(self, plan: Plan, cancel: CancelToken) -> Speed:
        self.asked.append(("measure", plan.backbone))
        cancel.check()
        if self.unmeasurable:
            raise BackboneError("The backbone's speed could not be measured.")
        return SPEED

    def compare(self, plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
        self.plans.append(plan)
        self.asked.append(list(backbones))
        self.before()
        cancel.check()
        print("a library chatters on stdout")
        report(Progress(8, 8 * len(backbones), "photos, now through tiny"))
        return best_first(
            Contender(name, name, error=f"There is no backbone '{name}'.")
            if "missing" in name
            else Contender(name, name, 3 + place, 8, 120.0, 1.5, 4_200_000, 1280, 96)
            for place, name in enumerate(backbones)
        )

    def train(self, plan: Plan, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        self.plans.append(plan)
        self.before()
        cancel.check()
        found = scan(Path(plan.photos))
        split = split_photos(found, plan.seed, plan.shares)
        unfinished = UnfinishedRun.begin(out, plan, found, split)
        try:
            return self._learn(unfinished, plan, report)
        except TooLargeError:
            unfinished.discard()
            raise

    def _learn(self, unfinished: UnfinishedRun, plan: Plan, report: Report) -> RunSummary:
        out, (found, split) = unfinished.out, unfinished.photos()
        report(RunStarted(out, plan.backbone, plan.mode, found.classes, split.counts(), 0.1, self.predicted))
        unfinished.tell(RunProgress("head", 1, plan.epochs, 1.0))
        if self.suspends:
            raise Suspended(out)
        self.amid()
        report(PhaseStarted(Phase.HEAD, plan.epochs, 0.5))
        epoch = EpochDone(Phase.HEAD, 1, plan.epochs, 0.5, 0.9, self.validation_loss, 0.75, 1e-3, True, 1.0)
        report(epoch)
        report(Note("The loss did not fall any more.", 1.5))
        seconds = {"features": 0.5, "training": 1.0, "total": 2.0}
        summary = RunSummary(
            str(out), found.classes, split.counts(), plan.backbone, plan.mode.value, plan.epochs, self.best_epoch,
            "head", 0.75, self.validation_loss, False, seconds, 96, 1280,
            cost=RunCost(self.predicted, Cost(38.0, 1_150_000_000, 120_000_000, {"loading": 1.0, "head": 37.0})),
            ended=self.ended,
        )  # fmt: skip
        write_records(unfinished.folder, plan, found, split, [epoch])
        write_summary(unfinished.folder, summary)
        (unfinished.folder / MODEL).write_bytes(b"no model")
        unfinished.finish(frozenset((PLAN, CLASSES, SPLIT, HISTORY, METRICS, MODEL)))
        return summary

    def resume(self, run: Path, report: Report, cancel: CancelToken) -> RunSummary:
        self.asked.append(("resume", run))
        unfinished = UnfinishedRun.open(run)
        self.suspends = False
        self.plans.append(unfinished.plan())
        return self._learn(unfinished, unfinished.plan(), report)

    def continue_run(self, run: Path, epochs: int, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        self.asked.append(("continue", run, epochs))
        plan = RunFolder.open(run).plan()
        return self.train(replace(plan, epochs=plan.epochs + epochs), out, report, cancel)

    @contextmanager
    def tensorboard_log(self, folder: Path) -> Generator[Report]:
        logged: list[Event] = []
        yield logged.append
        self.asked.append((folder, logged))

    def write_tensorboard(self, run: Path, folder: Path) -> None:
        self.asked.append(("tensorboard", run, folder))

    def evaluate(self, run: Path, photos: Path | None, report: Report, cancel: CancelToken) -> Evaluation:
        self.asked.append(photos)
        self.before()
        cancel.check()
        print("a library chatters on stdout")
        report(Progress(8, 8))
        classes = RunFolder.open(run).classes()
        source = str(photos) if photos else "test"
        return Evaluation(classes, ((3, 1), (0, 0)), unreadable=("cats/torn.jpg",), source=source)

    def predict(self, run: Path, files: Sequence[Path], report: Report, cancel: CancelToken) -> list[Prediction]:
        self.asked.append(list(files))
        self.before()
        cancel.check()
        classes = RunFolder.open(run).classes()
        report(Progress(len(files), len(files)))
        return [self._prediction(file, classes) for file in files]

    def _prediction(self, file: Path, classes: tuple[str, ...]) -> Prediction:
        if file.suffix == ".txt":
            return Prediction(file, {}, "it is not a photo in a format that is known here")
        return Prediction(file, dict(zip(classes, (0.875, 0.125), strict=True)))

    def export(
        self, run: Path, formats: Sequence[str], out: Path, report: Report, cancel: CancelToken
    ) -> list[ExportedFile]:
        self.before()
        cancel.check()
        out.mkdir(parents=True, exist_ok=True)
        files: list[ExportedFile] = []
        for name in require_formats(formats):
            (out / name).write_bytes(b"model")
            files.append(ExportedFile(name, out / name, 5, 8, 1e-6))
        return files


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """All of stdout as one JSON document."""
        return json.loads(self.out)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def hubstudio(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run a command with the fake engine, without a screen."""

    def run(*arguments: object) -> Ended:
        code = command_line.run([str(argument) for argument in arguments], lambda: engine)
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of eight photos."""
    root = tmp_path / "photos"
    for name in ("cats", "dogs"):
        for number in range(1, 9):
            save_picture(root / name / f"{number}.png")
    return root


@pytest.fixture
def trained(hubstudio: Callable[..., Ended], photos: Path, tmp_path: Path) -> Path:
    """A finished run on the photos."""
    assert hubstudio("train", photos, "--out", tmp_path / "run").code == 0
    return tmp_path / "run"
