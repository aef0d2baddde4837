"""The two phases of learning: the head on features that were computed once, then the backbone's last blocks with it.

The better of both by validation is what remains.
"""

from __future__ import annotations

from pathlib import Path

import keras

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.core.events import Phase, PhaseEnd
from hubstudio.core.plan import Mode, Plan
from hubstudio.ml.checkpoints import Checkpoint
from hubstudio.ml.fine_tuning_ways import Ways
from hubstudio.ml.model_factory import Classifier
from hubstudio.ml.phase_parts import PhasePlan, PhaseResult, Score, Snapshot, Surroundings
from hubstudio.ml.run_log import RunLog, snapshot_of
from hubstudio.ml.training_data import Data, Examples
from hubstudio.ml.training_loop import put_back, train_phase

_STOPPED_BEFORE_BLOCKS = "Stopped before an epoch of fine-tuning was done; the head on the frozen backbone is kept."
_KEPT_HEAD = (
    "Fine-tuning never did better on the validation photos than the head alone; the weights from before it are kept."
)

VERDICTS = frozenset((_STOPPED_BEFORE_BLOCKS, _KEPT_HEAD))
"""Notes on what a training came to: none of one that goes on from it."""


class Phases:
    """Trains a classifier on the data of one run, from its beginning or from a checkpoint."""

    def __init__(
        self, plan: Plan, classifier: Classifier, data: Data, folder: Path, log: RunLog, cancel: CancelToken
    ) -> None:
        self.plan, self.classifier, self.data, self.folder = plan, classifier, data, folder
        self.log, self.cancel = log, cancel
        self._last: Checkpoint | None = None

    @property
    def last(self) -> Checkpoint:
        """What more epochs begin with, once all is trained."""
        assert self._last is not None
        return self._last

    def train(self, checkpoint: Checkpoint | None) -> tuple[PhaseResult, PhaseResult | None]:
        """Return what the head's phase and, when fine-tuning, the blocks' came to; the model keeps the better one."""
        head = self._head(checkpoint)
        if head.best is None:
            raise Cancelled  # stopped before the first epoch was done: there is nothing to keep
        if self.plan.mode is Mode.EXTRACT:
            return head, None
        if head.stopped and not _leads_to_blocks(checkpoint):
            self.log.note(_STOPPED_BEFORE_BLOCKS)
            return head, None
        blocks = self._blocks(head.best, checkpoint)
        if not blocks.best_epoch:
            self.log.note(_KEPT_HEAD if blocks.epochs_done else _STOPPED_BEFORE_BLOCKS)
        return head, blocks

    def _head(self, checkpoint: Checkpoint | None) -> PhaseResult:
        if checkpoint and self.log.head and (checkpoint.state["is_over"] or not _is_in(Phase.HEAD, checkpoint)):
            if _is_in(Phase.HEAD, checkpoint):
                put_back(self.classifier.head, snapshot_of(checkpoint), batch_norm=False)
                self._last = checkpoint
            return self.log.head
        training = self.data.varied_features(self.plan.seed)
        validation = self.data.features(self.data.validation)
        return self._run(self.classifier.head, training, validation, self._head_plan(), None, checkpoint)

    def _head_plan(self) -> PhasePlan:
        plan = self.plan
        epochs = plan.head_epochs if plan.mode is Mode.FINE_TUNE else plan.epochs
        rate = self.classifier.rate(Phase.HEAD)
        return PhasePlan(Phase.HEAD, epochs, plan.batch_size, rate, plan.seed, plan.warm_up, plan.patience)

    def _blocks(self, to_beat: Score, checkpoint: Checkpoint | None) -> PhaseResult:
        plan = self.plan
        begin = checkpoint if checkpoint and _is_in(Phase.FINE_TUNE, checkpoint) else None
        ways = Ways(plan, self.classifier, self.data, self.folder, self.log, self.cancel)
        way = ways.find(begin.state["from_border"] if begin else None)
        if way is None:
            if begin:
                raise Cancelled  # what the blocks have learned lies in a checkpoint, and stays there
            return PhaseResult(None, 0, 0, PhaseEnd.STOPPED)
        self.log.from_border = way.from_border
        if begin and self.log.blocks and begin.state["is_over"]:
            put_back(way.model, snapshot_of(begin), batch_norm=plan.train_batch_norm)
            self._last = begin
            return self.log.blocks
        phase = PhasePlan(
            Phase.FINE_TUNE, plan.epochs, plan.batch_size, self.classifier.rate(Phase.FINE_TUNE), plan.seed,
            plan.warm_up, plan.patience, plan.train_batch_norm,
        )  # fmt: skip
        return self._run(way.model, way.training, way.validation, phase, to_beat, begin)

    def _run(
        self,
        model: keras.Model,
        training: Examples,
        validation: Examples,
        plan: PhasePlan,
        to_beat: Score | None,
        checkpoint: Checkpoint | None,
    ) -> PhaseResult:
        around = Surroundings(
            self.log.report, self.cancel, self.log.clock, self.log.keep, self.log.keep_now, self._ended
        )
        begin = snapshot_of(checkpoint) if checkpoint else None
        return train_phase(model, training, validation, plan, to_beat, around, begin)

    def _ended(self, phase: Phase, snapshot: Snapshot, result: PhaseResult) -> None:
        if phase is Phase.HEAD:
            self.log.head = result
        else:
            self.log.blocks = result
        self._last = self.log.keep_now(phase, result.epochs_done, snapshot, is_over=True)


def _leads_to_blocks(checkpoint: Checkpoint | None) -> bool:
    """Whether the blocks learn next although a person had stopped the head: a run that goes on for more epochs."""
    return bool(checkpoint and (checkpoint.state.get("leads_to_blocks") or _is_in(Phase.FINE_TUNE, checkpoint)))


def _is_in(phase: Phase, checkpoint: Checkpoint) -> bool:
    return checkpoint.state["phase"] == phase.value
