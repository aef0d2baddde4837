from functools import reduce
from pathlib import Path

import pytest

from hubstudio.core.errors import StudioError
from hubstudio.core.events import (
    BatchDone,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseStarted,
    Progress,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunStarted,
)
from hubstudio.core.plan import Mode
from hubstudio.core.run_state import RunState, Status, advance, percent, stopping

RUN = Path("run")


def epoch(number: int, *, best: bool) -> EpochDone:
    return EpochDone(Phase.HEAD, number, 3, 0.5, 0.8, 0.4, 0.7 + number / 10, 1e-3, best, 10.0 + number)


STARTED = RunStarted(RUN, "mini", Mode.EXTRACT, ("a", "b"), {"train": 8}, 1.0)
FEATURES = (STARTED, PhaseStarted(Phase.FEATURES, 0, 2.0), FeaturesDone(25, 100, 4.0))
HEAD = (*FEATURES, PhaseStarted(Phase.HEAD, 3, 10.0), BatchDone(Phase.HEAD, 1, 1, 2, 0.9, 10.5))
TRAINED = (*HEAD, epoch(1, best=True), epoch(2, best=True), epoch(3, best=False))
FINISHED = (*TRAINED, PhaseStarted(Phase.SAVING, 0, 14.0), RunFinished(RUN, Phase.HEAD, 2, 0.9, False, 15.0))


def after(*events: Event) -> RunState:
    return reduce(advance, events, RunState())


def test_nothing_has_happened_yet() -> None:
    assert str(RunState()) == "Ready to train"
    assert not RunState().is_active


def test_before_the_first_phase_it_is_preparing() -> None:
    assert str(after(STARTED)).startswith("Preparing: ")


@pytest.mark.parametrize(
    ("stopped", "how"),
    [
        (False, "head only kept: fine-tuning did no better"),
        (True, "stopped early, head only kept: fine-tuning was no better yet"),
    ],
)
def test_the_head_alone_kept_is_said(stopped: bool, how: str) -> None:
    state = after(*TRAINED, RunFinished(RUN, Phase.HEAD, 0, 0.8333, stopped, 15.0))
    assert str(state) == f"Training finished ({how}, 83.3 % on validation)"


def test_features_are_counted_in_photos() -> None:
    state = after(*FEATURES)
    assert str(state) == "Photo 25 of 100 through the backbone"
    assert state.fraction == 0.25
    assert state.seconds_left == 6.0


def test_epochs_and_batches_are_counted() -> None:
    state = after(*HEAD)
    assert str(state) == "Epoch 1 of 3"
    assert state.fraction == 0.5 / 3


def test_the_history_grows_and_the_best_epoch_is_known() -> None:
    state = after(*TRAINED)
    assert [done.epoch for done in state.history] == [1, 2, 3]
    assert state.best is not None
    assert state.best.epoch == 2
    assert state.fraction == 1.0


def test_a_new_phase_counts_from_nothing() -> None:
    state = after(*TRAINED, PhaseStarted(Phase.FINE_TUNE, 10, 14.0))
    assert (state.fraction, state.seconds_left, str(state)) == (0.0, None, "Epoch 1 of 10")


def test_saving_is_said() -> None:
    assert str(after(*FINISHED[:-1])) == "Saving the trained model"


def test_the_end_says_what_was_kept() -> None:
    state = after(*FINISHED)
    assert str(state) == "Training finished (best kept: epoch 2, 90.0 % on validation)"
    assert (state.status, state.fraction, state.run, state.elapsed) == (Status.FINISHED, 1.0, RUN, 15.0)


def test_an_early_stop_is_said() -> None:
    state = after(*TRAINED, RunFinished(RUN, Phase.HEAD, 2, 0.9, True, 15.0))
    assert str(state) == "Training finished (stopped early, best kept: epoch 2, 90.0 % on validation)"


def test_a_cancelled_run_says_that_nothing_is_kept() -> None:
    assert str(after(*HEAD, RunCancelled(11.0))) == "Training stopped before there was anything to keep"


def test_a_failed_run_says_its_error() -> None:
    state = after(*HEAD, RunFailed(StudioError("The disk is full.", next_step="Make room."), 11.0))
    assert str(state) == "The disk is full. Make room."
    assert not state.is_active


def test_notes_are_kept() -> None:
    assert after(STARTED, Note("One photo was left out.", 2.0)).notes == ("One photo was left out.",)


def test_a_wish_to_stop_outlasts_what_begins_next() -> None:
    state = reduce(advance, HEAD, stopping(RunState(status=Status.PREPARING)))
    assert state.status is Status.STOPPING
    assert str(state) == "Stopping after this batch, keeping the best so far"


def test_what_is_over_cannot_be_stopped() -> None:
    assert stopping(after(*FINISHED)).status is Status.FINISHED


def test_other_jobs_progress_does_not_touch_a_training() -> None:
    state = after(*HEAD)
    assert advance(state, Progress(1, 2)) is state


def test_time_never_runs_backwards() -> None:
    assert after(*HEAD, Note("late", 3.0)).elapsed == 10.5


def test_shares_are_said_in_percent() -> None:
    assert (percent(0.9523), percent(None)) == ("95.2 %", "–")
