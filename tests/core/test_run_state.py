from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from hubstudio.core.cost import Cost
from hubstudio.core.errors import StudioError
from hubstudio.core.events import (
    BatchDone,
    CheckpointKept,
    EpochDone,
    Event,
    FeaturesDone,
    Note,
    Phase,
    PhaseEnd,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunStarted,
)
from hubstudio.core.plan import Mode
from hubstudio.core.run_state import RunState, Status, advance, pausing, percent, resuming, stopping

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
    assert str(state) == "Photo 25 of 100 prepared"
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
    assert str(after(*HEAD, RunCancelled(11.0))) == "Training cancelled; nothing of it is kept"


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


def test_pausing_shows_at_once_and_ends_where_it_was() -> None:
    paused = pausing(after(*HEAD))
    assert paused.status is Status.PAUSED
    assert paused.is_active
    assert str(paused) == "Paused in epoch 1 of 3"
    assert paused.seconds_left is None
    assert advance(paused, BatchDone(Phase.HEAD, 1, 2, 2, 0.8, 10.7)).status is Status.PAUSED  # a last batch
    assert resuming(paused).status is Status.RUNNING
    assert stopping(paused).status is Status.STOPPING
    assert pausing(after(*FINISHED)) == after(*FINISHED)
    assert resuming(after(*HEAD)) == after(*HEAD)


def test_photos_per_second_follow_what_is_going_on() -> None:
    state = after(STARTED, PhaseStarted(Phase.FEATURES, 0, 2.0), FeaturesDone(0, 4000, 2.0))
    assert state.photos_per_second is None
    for second in range(1, 21):  # 100 in a second at first, 10 from the tenth on
        done = 100 * second if second <= 10 else 1000 + 10 * (second - 10)
        state = advance(state, FeaturesDone(done, 4000, 2.0 + second))
        if second == 10:
            assert state.photos_per_second == pytest.approx(100)
    assert state.photos_per_second == pytest.approx(10)
    assert advance(state, PhaseStarted(Phase.HEAD, 3, 23.0)).photos_per_second is None


def test_photos_per_second_go_on_over_epochs() -> None:
    state = after(STARTED, PhaseStarted(Phase.FINE_TUNE, 3, 2.0))
    for number in range(8):
        epoch_number, batch = divmod(number, 2)
        state = advance(
            state, BatchDone(Phase.FINE_TUNE, epoch_number + 1, batch + 1, 2, 0.5, 3.0 + number, (batch + 1) * 50, 100)
        )
    assert state.photos_per_second == pytest.approx(50)
    assert (state.photos, state.of_photos) == (100, 100)


def test_the_time_left_is_that_of_the_whole_run() -> None:
    cost = Cost(100.0, 1, 1, {"loading": 1.0, "features": 20.0, "head": 30.0, "saving": 10.0})
    started = RunStarted(RUN, "mini", Mode.EXTRACT, ("a", "b"), {"train": 8}, 1.0, cost)
    state = after(started, PhaseStarted(Phase.FEATURES, 0, 2.0), FeaturesDone(50, 100, 22.0))  # takes twice as long
    assert state.seconds_left == pytest.approx(20 + 2 * (30 + 10))
    without = after(STARTED, PhaseStarted(Phase.FEATURES, 0, 2.0), FeaturesDone(50, 100, 22.0))
    assert without.seconds_left == pytest.approx(20)


def test_features_that_were_known_do_not_count_for_the_time_that_is_left() -> None:
    state = after(STARTED, PhaseStarted(Phase.FEATURES, 0, 2.0), FeaturesDone(9000, 10_000, 2.0))
    for second in range(1, 5):
        state = advance(state, FeaturesDone(9000 + 25 * second, 10_000, 2.0 + second))
    assert state.seconds_left == pytest.approx(900 / 25)


def test_a_phase_that_is_over_is_not_to_come_again() -> None:
    cost = Cost(100.0, 1, 1, {"features": 20.0, "head": 30.0, "fine-tune": 40.0})
    started = RunStarted(RUN, "mini", Mode.FINE_TUNE, ("a", "b"), {"train": 8}, 1.0, cost)
    border = (PhaseStarted(Phase.FEATURES, 0, 50.0), FeaturesDone(0, 100, 50.0), FeaturesDone(50, 100, 60.0))
    state = after(started, PhaseStarted(Phase.HEAD, 1, 20.0), epoch(1, best=True), *border)
    assert state.seconds_left == pytest.approx(10 + 40)


def test_blocks_that_go_on_learning_are_still_to_come_while_their_features_are_brought_back() -> None:
    cost = Cost(100.0, 1, 1, {"features": 20.0, "head": 30.0, "fine-tune": 40.0})
    started = RunStarted(RUN, "mini", Mode.FINE_TUNE, ("a", "b"), {"train": 8}, 1.0, cost, resumed=True)
    told = (epoch(1, best=True), replace(epoch(1, best=True), phase=Phase.FINE_TUNE))
    border = (PhaseStarted(Phase.FEATURES, 0, 50.0), FeaturesDone(0, 100, 50.0), FeaturesDone(50, 100, 60.0))
    assert after(started, *told, *border).seconds_left == pytest.approx(10 + 40)


def fine_tuning(*ends: float, epochs: int = 10, batch_ended: float) -> RunState:
    """A phase that began at 100 s and whose epochs ended so many seconds later, and half of another one."""
    cost = Cost(100.0, 1, 1, {"features": 20.0, "head": 30.0, "fine-tune": 40.0, "saving": 10.0})
    events: list[Event] = [
        RunStarted(RUN, "mini", Mode.FINE_TUNE, ("a", "b"), {"train": 8}, 1.0, cost),
        PhaseStarted(Phase.FINE_TUNE, epochs, 100.0),
    ]
    for number, end in enumerate(ends, 1):
        done = replace(epoch(number, best=False), phase=Phase.FINE_TUNE, elapsed=100.0 + end)
        events += [BatchDone(Phase.FINE_TUNE, number, 2, 2, 0.5, done.elapsed, 8, 8), done]
    return after(*events, BatchDone(Phase.FINE_TUNE, len(ends) + 1, 1, 2, 0.5, 100.0 + batch_ended, 4, 8))


def test_what_the_first_epoch_prepares_is_not_taken_for_the_pace() -> None:
    just_begun = fine_tuning(batch_ended=9.0)
    assert just_begun.seconds_left == pytest.approx(40 * 0.95 + 10 * (9 + 38) / 40)
    under_way = fine_tuning(12.0, 14.0, 15.0, batch_ended=15.5)
    assert under_way.seconds_left == pytest.approx(1.5 * 6.5 + 10 * (15.5 + 9.75) / 40)


@pytest.mark.parametrize("why", [PhaseEnd.ALL_EPOCHS, PhaseEnd.NO_BETTER])
def test_a_run_with_more_epochs_says_if_none_of_them_was_better(why: PhaseEnd) -> None:
    continued = replace(STARTED, epochs_before=2)
    done = after(continued, *TRAINED[1:], PhaseEnded(Phase.HEAD, why, 2, 14.0), FINISHED[-1])
    assert done.sentence == "None of the new epochs was better; epoch 2, from the run before, is kept."


def test_what_goes_on_is_said_plainly() -> None:
    assert "computed once" in after(*FEATURES).sentence
    assert "head learns" in after(*HEAD).sentence
    assert after(*TRAINED).sentence == "Best so far: 90.0 % on validation, epoch 2."
    waiting = after(*TRAINED, *(epoch(number, best=False) for number in (4, 5)))
    assert waiting.sentence == "Best so far: 90.0 % on validation, epoch 2; no better for 3 epochs."
    tuning = after(
        *TRAINED, PhaseStarted(Phase.FINE_TUNE, 3, 20.0), replace(epoch(1, best=False), phase=Phase.FINE_TUNE)
    )
    assert tuning.sentence == "No epoch of this phase was better than the head alone yet, 90.0 %."


@pytest.mark.parametrize(
    ("why", "best", "sentence"),
    [
        (PhaseEnd.ALL_EPOCHS, 2, ""),
        (PhaseEnd.NO_BETTER, 12, "Validation stopped improving at epoch 12; keeping that one."),
        (PhaseEnd.NO_BETTER, 0, "Validation did not get better than with the head alone; keeping that."),
        (PhaseEnd.STOPPED, 2, "Stopped as you asked; the best so far is kept."),
        (PhaseEnd.BROKEN_OFF, 2, "It could not go on to the end; the best so far is kept. A note says why."),
    ],
)
def test_why_it_ended_is_said_plainly(why: PhaseEnd, best: int, sentence: str) -> None:
    finished = RunFinished(RUN, Phase.HEAD, best, 0.9, why is PhaseEnd.STOPPED, 15.0)
    assert after(*TRAINED, PhaseEnded(Phase.HEAD, why, best, 14.0), finished).sentence == sentence


def test_what_is_on_disk_is_known() -> None:
    assert after(*TRAINED, CheckpointKept(Phase.HEAD, 3, 13.5)).saved_epoch == 3
    assert after(*TRAINED, RunCancelled(14.0, can_go_on=True)).status is Status.SUSPENDED
