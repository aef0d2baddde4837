"""The training that goes on: begun, gone on with, paused, stopped or laid aside; and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.errors import PhotosError, StudioError, Suspended
from hubstudio.core.events import Event, Progress, Report, RunCancelled, RunFailed, RunStarted
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.memory import TooLargeError, available_memory, refusal_text
from hubstudio.core.plan import Plan
from hubstudio.core.run_state import RunState, Status, advance, pausing, resuming, stopping
from hubstudio.gui.engine_work import EngineCall, EngineWork
from hubstudio.gui.jobs import Jobs

KIND = "train"
_MOST_EPOCHS = next(int(row.maximum) for row in HYPER_PARAMETERS if row.name == "epochs")


class Wish(Enum):
    """How the person wants the training to end."""

    NONE = auto()
    STOP = auto()
    SUSPEND = auto()
    CANCEL = auto()


@dataclass(frozen=True)
class _LaidAside:
    """What a training comes to that was suspended: no run yet."""


@dataclass(frozen=True)
class _TooLarge:
    """What a training comes to that may not fit into memory: nothing was begun or changed."""

    why: str
    train_anyway: Callable[[], None]


@dataclass(frozen=True)
class _Before:
    """What was shown before a training was asked for."""

    state: RunState
    plan: Plan | None
    out: Path | None


class TrainingDesk(QObject):
    """Holds the state of the one training at a time. What it was started with does not change while choices do."""

    state_changed = Signal(object)  # RunState
    trained = Signal(str)  # name of the run that is there now
    ended = Signal(object)  # RunState, however it ended
    failed = Signal(str, object)  # job kind, StudioError
    found_too_large = Signal(str, object)  # why it was not gone on with, and a callable that trains all the same

    def __init__(self, jobs: Jobs, work: EngineWork, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._work = jobs, work
        self.state = RunState()
        self.plan: Plan | None = None
        """What the training follows that goes on, or went on last."""
        self.out: Path | None = None
        """The run that it is to become."""
        self.wish = Wish.NONE
        self._before = _Before(self.state, self.plan, self.out)
        jobs.reported.connect(self._on_reported)
        jobs.finished.connect(self._on_finished)
        jobs.failed.connect(self._on_failed)
        jobs.cancelled.connect(self._on_cancelled)
        jobs.crashed.connect(self._on_crashed)

    @property
    def is_active(self) -> bool:
        """Whether a training goes on, be it paused."""
        return self.state.is_active

    def start(self, plan: Plan, out: Path, classes: Sequence[str] = ()) -> None:
        """Train by ``plan``; it is refused if one of ``classes`` is gone by then. Ask before if it is too large."""
        self._begin(
            plan, out, lambda engine, report, cancel: engine.train(plan, out, _with_all(classes, report), cancel)
        )

    def resume(self, out: Path, plan: Plan | None) -> None:
        """Go on with the interrupted training that is to become the run ``out``; may end in ``found_too_large``."""
        self._begin_if_it_fits(plan, out, lambda engine, report, cancel: engine.resume(out, report, cancel))

    def continue_run(self, run: Path, plan: Plan, epochs: int, out: Path) -> None:
        """Train a finished run for more epochs, into a new run ``out``; may end in ``found_too_large``."""
        self._begin_if_it_fits(
            replace(plan, epochs=min(plan.epochs + epochs, _MOST_EPOCHS)),
            out,
            lambda engine, report, cancel: engine.continue_run(run, epochs, out, report, cancel),
        )

    def pause(self) -> None:
        """Let the training stand still after its batch."""
        if (token := self._token) and not token.is_stopping:
            token.pause()
            self._set_state(pausing(self.state))

    def go_on(self) -> None:
        """Let a paused training go on."""
        if token := self._token:
            token.resume()
            self._set_state(resuming(self.state))

    def stop(self) -> None:
        """Ask the training to end and keep its best epoch; without one it ends as cancelled."""
        self._end(Wish.STOP, CancelToken.stop)

    def suspend(self) -> None:
        """Ask the training to end so that it can go on later; one that is being cancelled stays so."""
        if self.wish is not Wish.CANCEL:
            self._end(Wish.SUSPEND, CancelToken.suspend)

    def cancel(self) -> None:
        """Ask the training to end and to leave nothing behind."""
        self._end(Wish.CANCEL, CancelToken.cancel)

    def clear(self) -> None:
        """Forget the training: another project begins."""
        self.plan, self.out, self.wish = None, None, Wish.NONE
        self._set_state(RunState())

    @property
    def _token(self) -> CancelToken | None:
        job = self._jobs.current(KIND)
        return job.cancel if job else None

    def _begin_if_it_fits(self, plan: Plan | None, out: Path, call: EngineCall) -> None:
        """Begin what goes on by a plan of its own: what that costs is known only once the engine has looked."""

        def fitting(engine: Engine, report: Report, cancel: CancelToken) -> object:
            try:
                return call(engine, _fitting(report, cancel), cancel)
            except TooLargeError as error:
                return _TooLarge(str(error), lambda: self._begin(plan, out, call))

        self._begin(plan, out, fitting)

    def _begin(self, plan: Plan | None, out: Path, call: EngineCall) -> None:
        if self.is_active:
            return

        def work(engine: Engine, report: Report, cancel: CancelToken) -> object:
            try:
                return call(engine, report, cancel)
            except Suspended:
                return _LaidAside()

        self._before = _Before(self.state, self.plan, self.out)
        self.plan, self.out, self.wish = plan, out, Wish.NONE
        self._set_state(RunState(status=Status.PREPARING))
        self._work.ask(KIND, work)

    def _end(self, wish: Wish, how: Callable[[CancelToken], None]) -> None:
        if token := self._token:
            self.wish = wish
            how(token)
            self._set_state(stopping(self.state))

    def _on_reported(self, kind: str, event: Event) -> None:
        if kind == KIND and not isinstance(event, Progress | RunFailed | RunCancelled):  # its end the job itself tells
            self._set_state(advance(self.state, event))

    def _on_finished(self, kind: str, result: object) -> None:
        if kind != KIND:
            return
        if isinstance(result, _TooLarge):
            self._step_back(result)
            return
        if isinstance(result, _LaidAside):
            self._set_state(advance(self.state, RunCancelled(self.state.elapsed, can_go_on=True)))
        elif self.state.run:
            self.trained.emit(self.state.run.name)
        self.ended.emit(self.state)

    def _step_back(self, found: _TooLarge) -> None:
        """Show what was shown before: nothing has happened, and whoever did not ask to end it meanwhile is asked."""
        self.plan, self.out = self._before.plan, self._before.out
        self._set_state(self._before.state)
        self.ended.emit(self.state)
        if self.wish is Wish.NONE:
            self.found_too_large.emit(found.why, found.train_anyway)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == KIND:
            self._fail(error)
            self.failed.emit(kind, error)

    def _on_cancelled(self, kind: str) -> None:
        if kind == KIND:
            self._set_state(advance(self.state, RunCancelled(self.state.elapsed)))
            self.ended.emit(self.state)

    def _on_crashed(self, kind: str, _report: str, was_wanted: bool) -> None:
        if was_wanted and kind == KIND:
            self._fail(
                StudioError("The training ended in an error of the program.", next_step="Please send the report.")
            )

    def _fail(self, error: StudioError) -> None:
        self._set_state(advance(self.state, RunFailed(error, self.state.elapsed)))
        self.ended.emit(self.state)

    def _set_state(self, state: RunState) -> None:
        self.state = state
        self.state_changed.emit(state)


def _with_all(classes: Sequence[str], report: Report) -> Report:
    """Return ``report`` that refuses a run without a class that was shown: its folder may be gone by now."""

    def checked(event: Event) -> None:
        if isinstance(event, RunStarted):
            gone = [name for name in classes if name not in event.classes]
            if gone:
                raise PhotosError(
                    f"The class '{gone[0]}' has no photo any more.",
                    next_step="Put its folder back, or choose the photos again to go on without it.",
                )
        report(event)

    return checked


def _fitting(report: Report, cancel: CancelToken) -> Report:
    """Return ``report`` that refuses a run which may not fit into memory; one that is to end does so by itself."""

    def checked(event: Event) -> None:
        is_to_end = cancel.is_cancelled or cancel.is_stopping
        cost = event.cost if isinstance(event, RunStarted) and not is_to_end else None
        if why := refusal_text(cost, available_memory() if cost else None, plan_is_fixed=True):
            raise TooLargeError(why)
        report(event)

    return checked
