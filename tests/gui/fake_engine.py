"""An engine that learns nothing: real events, real run folders, plausible values, at once."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from hubstudio.core import module_places
from hubstudio.core.backbones import BackboneInfo, Block, Endpoint, ModuleFormat, bundled_folder, display_name
from hubstudio.core.cancel import CancelToken
from hubstudio.core.comparison import Contender
from hubstudio.core.cost import Cost, RunCost, Speed
from hubstudio.core.engine import ExportedFile, Prediction, require_formats
from hubstudio.core.errors import BackboneError, Cancelled, StudioError, Suspended, UnsafeModuleError
from hubstudio.core.events import (
    BatchDone,
    BytesFetched,
    CheckpointKept,
    EpochDone,
    FeaturesDone,
    Phase,
    PhaseEnd,
    PhaseEnded,
    PhaseStarted,
    Progress,
    Report,
    RunFinished,
    RunStarted,
)
from hubstudio.core.intake import read_photos
from hubstudio.core.measures import Evaluation
from hubstudio.core.memory import TooLargeError
from hubstudio.core.parts import Part
from hubstudio.core.plan import Mode, Plan
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
from hubstudio.core.unfinished_runs import RunProgress, UnfinishedRun
from made_speeds import SPEED


def put_into_cache(handle: str) -> Path:
    """Put a whole module where TF Hub would keep the one of that handle; return its folder."""
    entry = module_places.own_entry(handle)
    bundled = bundled_folder("studio-mini")
    assert bundled
    shutil.copytree(bundled, entry.folder, dirs_exist_ok=True)
    entry.descriptor.write_text(f"Module: {handle}\nDownload Time: now\n")
    return entry.folder


MEASURED = replace(SPEED, image_size=160)
"""What this engine measures of any backbone."""


class FakeEngine:
    """Answers at once; set ``hold`` to a cleared ``threading.Event`` to keep a training after its first epoch."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.hold.set()
        self.trainable = True
        self.problem: StudioError | None = None
        """Raised by the next call of anything but ``probe`` and ``measure``."""
        self.endpoints: tuple[Endpoint, ...] = ()
        self.unsafe: set[str] = set()
        """Backbones that are refused until they are trusted."""
        self.fetching = threading.Event()
        self.fetching.set()
        """Cleared: a download stands still at 40 %; a comparison at its first photo."""
        self.fetched: list[str] = []
        self.predicted: Cost | None = None
        """What every run is predicted to take."""
        self.notes: tuple[str, ...] = ()
        """What every run has to say."""
        self.resumed: list[Path] = []
        self.continued: list[tuple[Path, int]] = []
        self.standing = threading.Event()
        """Set while a held training stands still because it was paused."""
        self.measured: list[Plan] = []
        self.compared: list[str] = []

    def probe(self, backbone: str, features: str = "") -> BackboneInfo:
        if "missing" in backbone:
            raise BackboneError(
                f"There is no backbone '{backbone}'.",
                found="No folder, no bundled backbone and no handle has this name.",
                next_step="Check the name, or paste a handle that begins with https://.",
            )
        if backbone in self.unsafe:
            raise UnsafeModuleError(
                f"'{backbone}' could touch your files.",
                operations=("WriteFile writes files", "PyFunc runs Python code"),
                next_step="Use it only if you trust its maker.",
            )
        blocks = tuple(Block(f"block_{number}", 6, 10_000 * number, 10_000 * number) for number in range(1, 15))
        folder = bundled_folder(backbone) or Path("modules") / display_name(backbone)
        return BackboneInfo(
            name=display_name(backbone),
            handle=backbone,
            folder=folder,
            input_size=160,
            features=next((one.features for one in self.endpoints if one.name == features), 768),
            parameters=sum(block.parameters for block in blocks),
            trainable=self.trainable,
            blocks=blocks if self.trainable else (),
            format=ModuleFormat.TF2 if self.trainable else ModuleFormat.TF1,
            bytes=4_200_000,
            features_name=features,
            endpoints=self.endpoints,
            default_size=160,
            value_range="0 to 1",
            producer="2.15.0",
        )

    def fetch(self, backbone: str, report: Report, cancel: CancelToken) -> BackboneInfo:
        total = 10_000_000
        while not self.fetching.wait(0.01):
            report(BytesFetched(backbone, 4_000_000, total, 2e6, 3.0))
            cancel.check()
        cancel.check()
        self._raise_problem()
        report(BytesFetched(backbone, total, total, 2e6, 0.0))
        report(Progress(1, 1, "checks"))
        self.fetched.append(backbone)
        put_into_cache(backbone)
        return self.probe(backbone)

    def trust(self, backbone: str) -> None:
        self.unsafe.discard(backbone)

    def measure(self, plan: Plan, cancel: CancelToken) -> Speed:
        cancel.check()
        self.measured.append(plan)
        return MEASURED

    def compare(self, plan: Plan, backbones: Sequence[str], report: Report, cancel: CancelToken) -> list[Contender]:
        report(Progress(1, 30))
        while not self.fetching.wait(0.01):
            cancel.check()
        self._raise_problem()
        self.compared += backbones
        return [
            Contender(name, display_name(name), 26, 30, 80.0, 3.0, 4_200_000, 768, 160)
            if "broken" not in name
            else Contender(name, display_name(name), error="It could not be loaded.")
            for name in backbones
        ]

    def train(self, plan: Plan, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        self._raise_problem()
        photo_set, split = read_photos(plan, lambda done, total, what: None, cancel)
        photo_set.require_trainable()
        return self._go_on(UnfinishedRun.begin(out, plan, photo_set, split), plan, 0, report, cancel)

    def resume(self, run: Path, report: Report, cancel: CancelToken) -> RunSummary:
        self._raise_problem()
        self.resumed.append(run)
        unfinished = UnfinishedRun.open(run)
        return self._go_on(unfinished, unfinished.plan(), unfinished.progress.epoch, report, cancel, resumed=True)

    def continue_run(self, run: Path, epochs: int, out: Path, report: Report, cancel: CancelToken) -> RunSummary:
        self._raise_problem()
        self.continued.append((run, epochs))
        opened = RunFolder.open(run)
        plan = replace(opened.plan(), epochs=opened.plan().epochs + epochs)
        photo_set, split = read_photos(plan, lambda done, total, what: None, cancel)
        before = len(opened.history())
        return self._go_on(UnfinishedRun.begin(out, plan, photo_set, split), plan, before, report, cancel)

    def _go_on(
        self,
        run: UnfinishedRun,
        plan: Plan,
        before: int,
        report: Report,
        cancel: CancelToken,
        *,
        resumed: bool = False,
    ) -> RunSummary:
        try:
            with run.held():
                history, summary = self._learn(run, plan, before, report, cancel, resumed=resumed)
        except Suspended:
            raise
        except Cancelled:
            run.discard()
            raise
        except TooLargeError:  # as the real one: what was interrupted before is kept
            if not resumed:
                run.discard()
            raise
        run.finish(frozenset((PLAN, CLASSES, SPLIT, HISTORY, MODEL, METRICS)))
        best = history[-1]
        took = 2.0 + len(history)
        report(RunFinished(run.out, best.phase, best.epoch, best.validation_accuracy, cancel.is_stopping, took))
        return summary

    def _learn(
        self, run: UnfinishedRun, plan: Plan, before: int, report: Report, cancel: CancelToken, *, resumed: bool
    ) -> tuple[list[EpochDone], RunSummary]:
        photo_set, split = run.photos()
        report(
            RunStarted(
                run.out, plan.backbone, plan.mode, photo_set.classes, split.counts(), 0.0, self.predicted, resumed
            )
        )
        report(PhaseStarted(Phase.FEATURES, 0, 0.1))
        report(FeaturesDone(len(photo_set.photos), len(photo_set.photos), 0.2))
        history = self._epochs(run, plan, before, report, cancel)
        report(PhaseStarted(Phase.SAVING, 0, 1.0 + len(history)))
        best = history[-1]
        summary = RunSummary(
            run=run.out.name,
            classes=photo_set.classes,
            counts=split.counts(),
            backbone=plan.backbone,
            mode=plan.mode.value,
            epochs=len(history),
            best_epoch=best.epoch,
            best_phase=best.phase.value,
            validation_accuracy=best.validation_accuracy,
            validation_loss=best.validation_loss,
            stopped_early=cancel.is_stopping,
            seconds={"features": 0.1, "training": float(len(history)), "total": 1.0 + len(history)},
            image_size=160,
            features=768,
            notes=self.notes,
            versions={"hubstudio": "0.1.0"},
            cost=RunCost(self.predicted, Cost(1.0 + len(history), 600_000_000, 5_000_000)),
        )
        write_records(run.folder, plan, photo_set, split, history)
        write_summary(run.folder, summary)
        (run.folder / MODEL).write_bytes(b"not a model")
        return history, summary

    def _epochs(
        self, run: UnfinishedRun, plan: Plan, before: int, report: Report, cancel: CancelToken
    ) -> list[EpochDone]:
        phase = Phase.HEAD if plan.mode is Mode.EXTRACT else Phase.FINE_TUNE
        report(PhaseStarted(phase, plan.epochs, 0.5))
        history = [_epoch(phase, epoch, plan) for epoch in range(1, before + 1)]
        for known in history:
            report(known)
        for epoch in range(before + 1, plan.epochs + 1):
            report(BatchDone(phase, epoch, 1, 1, 1.0 / epoch, float(epoch), photos=20, of_photos=20))
            history.append(_epoch(phase, epoch, plan))
            report(history[-1])
            run.tell(RunProgress(phase.value, epoch, plan.epochs, float(epoch)))
            report(CheckpointKept(phase, epoch, float(epoch)))
            self._stand_still(cancel)
            if cancel.is_stopping:
                break
        why = PhaseEnd.STOPPED if cancel.is_stopping else PhaseEnd.ALL_EPOCHS
        report(PhaseEnded(phase, why, history[-1].epoch, 0.5 + len(history)))
        return history

    def _stand_still(self, cancel: CancelToken) -> None:
        """Wait while held, as between two batches: whoever asks to end or to pause is heard."""
        while not self.hold.wait(0.01):
            if cancel.is_paused:
                self.standing.set()
            cancel.check()
            self.standing.clear()
            if cancel.is_stopping:
                return
            self._raise_problem()
        cancel.check()

    def tensorboard_log(self, folder: Path) -> AbstractContextManager[Report]:
        raise NotImplementedError(folder)

    def write_tensorboard(self, run: Path, folder: Path) -> None:
        self._raise_problem()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "events").write_text(run.name)

    def evaluate(self, run: Path, photos: Path | None, report: Report, cancel: CancelToken) -> Evaluation:
        self._raise_problem()
        cancel.check()
        opened = RunFolder.open(run)
        classes = opened.classes()
        tested = opened.photos_of(Part.TEST)
        report(Progress(len(tested), len(tested)))
        index = {name: place for place, name in enumerate(classes)}
        matrix = [[0] * len(classes) for _ in classes]
        for number, photo in enumerate(tested):
            place = index[photo.class_name]
            matrix[place][(place + 1) % len(classes) if number % 7 == 6 else place] += 1
        return Evaluation(classes, tuple(map(tuple, matrix)))

    def predict(self, run: Path, files: Sequence[Path], report: Report, cancel: CancelToken) -> list[Prediction]:
        self._raise_problem()
        classes = RunFolder.open(run).classes()
        answers: list[Prediction] = []
        for number, file in enumerate(files):
            cancel.check()
            report(Progress(number + 1, len(files)))
            if file.suffix.casefold() not in (".jpg", ".jpeg", ".png"):
                answers.append(Prediction(file, {}, "it is not a photo in a format that is known here"))
                continue
            weights = [2.0 ** -((place - number) % len(classes)) for place in range(len(classes))]
            answers.append(Prediction(file, {n: w / sum(weights) for n, w in zip(classes, weights, strict=True)}))
        return answers

    def export(
        self, run: Path, formats: Sequence[str], out: Path, report: Report, cancel: CancelToken
    ) -> list[ExportedFile]:
        self._raise_problem()
        names = {"keras": "model.keras", "savedmodel": "saved_model", "tflite": "model.tflite"}
        out.mkdir(parents=True, exist_ok=True)
        files: list[ExportedFile] = []
        wanted = require_formats(formats)
        for number, name in enumerate(wanted, 1):
            cancel.check()
            path = out / names[name]
            path.write_bytes(b"not a model")
            report(Progress(number, len(wanted), "formats"))
            files.append(ExportedFile(name, path, 9_400_000, 8, 2.4e-7))
        return files

    def _raise_problem(self) -> None:
        if problem := self.problem:
            self.problem = None
            raise problem


def _epoch(phase: Phase, epoch: int, plan: Plan) -> EpochDone:
    return EpochDone(
        phase=phase,
        epoch=epoch,
        epochs=plan.epochs,
        loss=1.5 / epoch,
        accuracy=1 - 0.6 / epoch,
        validation_loss=1.6 / epoch,
        validation_accuracy=1 - 0.7 / epoch,
        learning_rate=plan.learning_rate,
        is_best=True,
        elapsed=0.5 + epoch,
    )
