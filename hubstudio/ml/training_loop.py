"""One phase of training: epochs of batches, validated, the best epoch's weights kept; ends and goes on at any batch."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from hubstudio.core.errors import TrainingError
from hubstudio.core.events import BatchDone, EpochDone, Note, Phase, PhaseEnd, PhaseEnded, PhaseStarted
from hubstudio.core.hyper_parameters import VALIDATION_BATCH
from hubstudio.ml.feature_runtimes import NOT_ENOUGH_MEMORY
from hubstudio.ml.mixed_precision import FASTER, TRIAL_STEPS, can_mix, gain
from hubstudio.ml.phase_parts import PhasePlan, PhaseResult, Place, Score, Snapshot, Surroundings
from hubstudio.ml.training_data import Examples, Rows
from hubstudio.ml.training_state import (
    assign,
    moving_variables,
    named,
    of_name,
    optimizer_variables,
    values,
)
from hubstudio.ml.training_steps import MOST_TOGETHER, Batch, Stepped, TrainingSteps

_SECONDS_TOGETHER = 0.03
"""Steps that go in one call take so long, or are a single one: whoever wants to pause or stop shall not wait."""
_TRIALS_WORTH = 10
"""As many times the steps of a trial a phase must have for one."""


def train_phase(
    model: keras.Model,
    training: Examples,
    validation: Examples,
    plan: PhasePlan,
    to_beat: Score | None,
    around: Surroundings,
    begin_at: Snapshot | None = None,
) -> PhaseResult:
    """Train a compiled model that gives logits, and leave it with the weights of its best epoch that beats ``to_beat``.

    If none does, it is left as it was. ``cancel.stop`` ends it after the current batch, or a few, with the best so far;
    a part of an epoch does not count. ``begin_at`` is a snapshot of this phase to go on from. A batch that does not fit
    into memory is halved, and all after it. If the loss is no number any more, or not even one photo fits, the phase
    ends with a note and the best so far. Raises ``Cancelled`` within a batch; where there is nothing to keep yet,
    ``TrainingError`` or ``MemoryError``.
    """
    return _PhaseLoop(model, training, validation, plan, to_beat, around, begin_at).run()


class _StoppedError(Exception):
    """A person wants the training to end while a trial runs."""


class _PhaseLoop:
    def __init__(
        self,
        model: keras.Model,
        training: Examples,
        validation: Examples,
        plan: PhasePlan,
        to_beat: Score | None,
        around: Surroundings,
        begin_at: Snapshot | None,
    ) -> None:
        self.model, self.training, self.validation, self.plan, self.around = model, training, validation, plan, around
        self.moving = moving_variables(model, batch_norm=plan.follows_batch_norm)
        self.place = Place(batch_size=plan.batch_size, best=to_beat)
        self.best_weights = values(self.moving)
        self._together = 1
        self._validated_together = VALIDATION_BATCH
        is_head = plan.phase is Phase.HEAD
        self._most_together = MOST_TOGETHER if is_head else 1
        self._steps = TrainingSteps(model, self._batch(np.arange(1)), together=is_head)
        if not is_head and not plan.follows_batch_norm and can_mix():
            self._steps.get_ready_to_mix()
        if begin_at:
            self._restore(begin_at)

    def run(self) -> PhaseResult:
        """Run the epochs that are left."""
        plan, around = self.plan, self.around
        around.report(PhaseStarted(plan.phase, plan.epochs, around.clock()))
        self._settle_precision()
        why = PhaseEnd.ALL_EPOCHS
        while self.place.epoch <= plan.epochs:
            if self._is_hopeless():
                why = PhaseEnd.NO_BETTER
                break
            if end := self._run_epoch():
                why = end
                break
        place = self.place
        best = place.best if place.best_epoch else None
        result = PhaseResult(best, place.best_epoch, place.epochs_done, why, bool(place.mixed))
        around.report(PhaseEnded(plan.phase, why, place.best_epoch, around.clock()))
        around.ended(plan.phase, self.snapshot(), result)
        assign(self.moving, self.best_weights)
        return result

    def _settle_precision(self) -> None:
        """Let steps compute in mixed precision where they can and a trial says that it pays."""
        if not self._steps.scaling_variables:
            self.place = replace(self.place, mixed=False)
        elif self.place.mixed is None:
            self._try_mixing()
        self._steps.mixed = bool(self.place.mixed)

    def _try_mixing(self) -> None:
        begin, photos = self.place, len(self.training)
        self.place = replace(begin, mixed=False)
        is_begun = begin.row or begin.epoch > 1  # with a program that did not know of it
        if is_begun or self.plan.epochs * photos < _TRIALS_WORTH * TRIAL_STEPS * begin.batch_size:
            return
        self._keep_now()  # a trial that takes the whole program with it shall not come again
        try:
            gained = self._gain_of_mixing()
        except _StoppedError:
            self.place = begin
            return
        self.place = replace(begin, mixed=gained >= FASTER)
        self._keep_now()
        if self.place.mixed:
            self._note(f"Steps compute partly in float16: that is {gained:.1f} times as fast here.")

    def _gain_of_mixing(self) -> float:
        begin, order = self.snapshot(), self._order()
        batch = self._batch(order[: begin.place.batch_size])

        def step(mixed: bool) -> None:
            self.around.cancel.check()
            if self.around.cancel.is_stopping:
                raise _StoppedError
            self._steps.mixed = mixed
            self._steps.train(batch, [self._rate_at(0, len(order))], begin.place.batch_size)

        try:
            return gain(step, lambda: values(self.model.trainable_variables), lambda: self._restore(begin))
        except (tf.errors.OpError, MemoryError):  # what float32 raises too comes again at its first step
            return 0.0

    def _leave_mixed(self) -> None:
        self._steps.mixed = False
        self.place = replace(self.place, mixed=False)
        self._note(f"Numbers left the range of float16 in epoch {self.place.epoch}; it goes on in float32.")

    def _is_hopeless(self) -> bool:
        waited = self.place.epochs_done - max(self.place.best_epoch, self.place.patient_from)
        return 0 < self.plan.patience <= waited

    def _run_epoch(self) -> PhaseEnd | None:
        """Finish the present epoch, or return why the phase ends within it."""
        order = self._order()
        while self.place.row < len(order):
            if self._must_stop():
                return PhaseEnd.STOPPED
            if not self._step(order):
                return PhaseEnd.BROKEN_OFF
            self._offer_snapshot()
        try:
            score = self._validate()
        except NOT_ENOUGH_MEMORY:
            if self.place.best is None:
                raise
            self._note(_NO_MEMORY)
            return PhaseEnd.BROKEN_OFF
        if score is None:
            return PhaseEnd.STOPPED
        self._close_epoch(score)
        return None

    def _order(self) -> Rows:
        """Return the training rows in the order of the present epoch."""
        return np.random.default_rng((self.plan.seed, self.place.epoch)).permutation(len(self.training))

    def _must_stop(self) -> bool:
        if self.around.cancel.is_paused:
            self._offer_snapshot()
        self.around.cancel.check()
        return self.around.cancel.is_stopping

    def _step(self, order: Rows) -> bool:
        """Train on the next photos; False if that cannot be done and what was reached is kept."""
        place, plan = self.place, self.plan
        rows = order[place.row : place.row + place.batch_size * self._together]
        rates = [self._rate_at(place.row + first, len(order)) for first in range(0, len(rows), place.batch_size)]
        began = time.perf_counter()
        try:
            stepped = self._steps.train(self._batch(rows), rates, place.batch_size)
        except NOT_ENOUGH_MEMORY:
            return self._go_on_with_less()
        self._fit_together(time.perf_counter() - began, stepped, len(rates))
        place = _after(place, stepped, len(rows))
        if not math.isfinite(place.loss_sum):
            if self._steps.mixed:
                self._leave_mixed()  # nothing has moved: the same photos come again
                return True
            if place.best is None:
                raise _diverged(plan, place.epoch)
            self._note(f"The loss was no number any more in epoch {place.epoch}: a lower learning rate goes further.")
            return False
        self.place = place
        if self._steps.is_out_of_range:
            self._leave_mixed()
        self._tell_batch(len(order))
        return True

    def _rate_at(self, row: int, photos: int) -> float:
        done = (self.place.epoch - 1 + row / photos) / self.plan.epochs
        return self.plan.learning_rate * rate_factor(done, self.plan.warm_up)

    def _fit_together(self, seconds: float, stepped: Stepped, wanted: int) -> None:
        """Choose how many steps go in the next call; that changes nothing of what they compute."""
        steps = len(stepped.accuracy)
        if steps < wanted:
            self._most_together = 1
        self._together = max(1, min(self._most_together, int(_SECONDS_TOGETHER * steps / seconds)))

    def _batch(self, rows: Rows) -> Batch:
        return (*self.training.batch(rows, self.place.epoch), self.training.weights(rows))

    def _go_on_with_less(self) -> bool:
        """Go on with single steps, then with half as many photos in one, after a call that has moved no weight.

        False at a single photo.
        """
        if self._together > 1:
            self._together = self._most_together = 1
            return True
        half = self.place.batch_size // 2
        if half:
            self._note(f"{self.place.batch_size} photos in a batch did not fit into memory; it goes on with {half}.")
            self.place = replace(self.place, batch_size=half)
            return True
        if self.place.best is None:
            raise MemoryError
        self._note(_NO_MEMORY)
        return False

    def _note(self, text: str) -> None:
        self.around.report(Note(text, self.around.clock()))

    def _tell_batch(self, photos: int) -> None:
        place, around = self.place, self.around
        batches = place.batch + math.ceil((photos - place.row) / place.batch_size)
        mean = place.loss_sum / place.row
        done = (place.batch, batches, mean, around.clock(), place.row, photos)
        around.report(BatchDone(self.plan.phase, place.epoch, *done))

    def _validate(self) -> Score | None:
        """Return the score on all validation rows, or None if asked to stop."""
        loss, right, begin = 0.0, 0, 0
        while begin < len(self.validation):
            if self._must_stop():
                return None
            rows = np.arange(begin, min(begin + self._validated_together, len(self.validation)))
            try:
                logs = self.model.test_on_batch(*self.validation.batch(rows, 0), return_dict=True)
            except NOT_ENOUGH_MEMORY:
                if len(rows) == 1:
                    raise
                self._validated_together = len(rows) // 2
                together = f"{len(rows)} validation photos at once did not fit into memory"
                self._note(f"{together}; it goes on with {self._validated_together}.")
                continue
            begin += len(rows)
            loss += float(logs["cross_entropy"]) * len(rows)
            right += round(float(logs["accuracy"]) * len(rows))
        return Score(right / len(self.validation), loss / len(self.validation))

    def _close_epoch(self, score: Score) -> None:
        place, plan, around = self.place, self.plan, self.around
        is_best = math.isfinite(score.loss) and score.beats(place.best)
        if is_best:
            self.best_weights = values(self.moving)
            self.place = replace(place, best=score, best_epoch=place.epoch)
        photos = len(self.training)
        rate = plan.learning_rate * rate_factor((place.epoch - 1) / plan.epochs, plan.warm_up)
        around.report(
            EpochDone(
                plan.phase, place.epoch, plan.epochs, place.loss_sum / photos, place.right / photos,
                score.loss, score.accuracy, rate, is_best, around.clock(),
            )
        )  # fmt: skip
        self.place = replace(
            self.place, epoch=place.epoch + 1, row=0, batch=0, loss_sum=0.0, right=0, epochs_done=place.epoch
        )
        self._offer_snapshot()

    def _keep_now(self) -> None:
        self.around.keep_now(self.plan.phase, self.place.epochs_done, self.snapshot())

    def _offer_snapshot(self) -> None:
        self.around.keep(self.plan.phase, self.place.epochs_done, self.snapshot)

    def snapshot(self) -> Snapshot:
        """Return all that is needed to go on from here."""
        arrays = {
            **named("weight", values(self.moving)),
            **named("best", self.best_weights),
            **named("optimizer", values(optimizer_variables(self.model))),
            **named("scaling", values(self._steps.scaling_variables)),
        }
        return Snapshot(self.place, arrays, self.plan.epochs)

    def _restore(self, begin_at: Snapshot) -> None:
        self.place = begin_at.place
        self.best_weights = of_name("best", begin_at.arrays)
        assign(self.moving, of_name("weight", begin_at.arrays))
        assign(optimizer_variables(self.model), of_name("optimizer", begin_at.arrays))
        own, kept = self._steps.scaling_variables, of_name("scaling", begin_at.arrays)
        if own and kept:  # a run may go on where a GPU has gone or come
            assign(own, kept)


def _after(place: Place, stepped: Stepped, rows: int) -> Place:
    """Return the place after some steps on so many rows, or on fewer if the steps do not reach that far."""
    for entropy, accuracy in zip(stepped.cross_entropy, stepped.accuracy, strict=True):
        count = min(rows, place.batch_size)
        right = round(accuracy * count)  # a count: the float32 is off a little
        place = replace(
            place,
            row=place.row + count,
            batch=place.batch + 1,
            loss_sum=place.loss_sum + entropy * count,
            right=place.right + right,
        )
        rows -= count
    return place


def rate_factor(done: float, warm_up: float = 0.05) -> float:
    """Return the share of the learning rate to use once ``done`` (0 to 1) of a phase is over.

    A linear warm-up, then half a cosine down to a hundredth (Loshchilov and Hutter, SGDR, ICLR 2017).
    """
    if done < warm_up:
        return max(done / warm_up, 0.05)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up))) / 2


def put_back(model: keras.Model, snapshot: Snapshot, *, batch_norm: bool) -> None:
    """Give a compiled model the best weights that a snapshot of its phase holds."""
    assign(moving_variables(model, batch_norm=batch_norm), of_name("best", snapshot.arrays))


_NO_MEMORY = (
    "Memory ran out with a single photo in a batch, so it ended there: fewer blocks, a smaller image size or a smaller "
    "backbone take less."
)


def _diverged(plan: PhasePlan, epoch: int) -> TrainingError:
    return TrainingError(
        "The training went astray: the loss is no number any more.",
        found=f"It happened in epoch {epoch} at a learning rate of {plan.learning_rate:g}.",
        next_step=f"Train again with a lower learning rate, such as {plan.learning_rate / 10:g}.",
    )
