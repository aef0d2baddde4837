"""How far the training is: a sentence, its phases, a bar, the time left, and the ways to pause and to stop."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.core.events import Phase, PhaseEnd
from hubstudio.core.memory import memory_in_use
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_state import RunState, Status
from hubstudio.gui.backbone_words import truth_text
from hubstudio.gui.training_desk import Wish
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.phase_stepper import PhaseStepper
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import duration_text, ending_text, run_detail, size_text, time_left_text

_BAR_STEPS = 1000
_MILLISECONDS_BETWEEN_LOOKS = 1000
_STOPS = {
    True: ("Stop, keep best", "Ends the training after this batch and keeps the best epoch so far"),
    False: ("Cancel", "Ends the training after this batch; there is no epoch yet that could be kept"),
}
_WISHES = {
    Wish.SUSPEND: "Laying the training aside after this batch, so that it can go on later",
    Wish.CANCEL: "Cancelling after this batch",
}


class RunCard(Card):
    """Shows a ``RunState``; sets only what differs, so that it can be fed often."""

    stop_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName("Training")
        self.status = WrappedLabel("", "heading", "training_status")
        self.detail = WrappedLabel("", "muted", "training_detail")
        self.time_left = _quiet_label("time_left")
        self.memory = _quiet_label("memory_in_use")
        self.memory.setToolTip("What this program has in memory now")
        self.pause = _button("Pause", "pause_training", "Stands still after this batch; nothing is lost")
        self.stop = _button("", "stop_and_keep_best", "")
        self.phases = PhaseStepper()
        self.bar = QProgressBar()
        self.bar.setObjectName("training_progress")
        self.bar.setAccessibleName("Training progress")
        self.bar.setTextVisible(False)
        self.sentence = WrappedLabel("", "", "training_sentence")
        self.notes = WrappedLabel("", "muted", "training_notes")
        self.problem = ErrorCard()
        self._error: StudioError | None = None
        self._is_paused = False
        self._is_active = False
        self._looks = QTimer(self)
        self._looks.setInterval(_MILLISECONDS_BETWEEN_LOOKS)
        self._looks.timeout.connect(self._show_memory)
        self.stop.clicked.connect(self.stop_requested)
        self.pause.clicked.connect(self._on_pause_clicked)
        self._lay_out()

    def show_state(
        self, state: RunState, plan: Plan | None, told: tuple[float, float] | None = None, wish: Wish = Wish.NONE
    ) -> None:
        """Show how far a training is; ``told`` is how many seconds it was to take and took, for its end."""
        failed, is_ending = state.status is Status.FAILED, state.status is Status.STOPPING
        wished = _WISHES.get(wish, "") if is_ending else ""
        self.status.say("Training failed" if failed else wished or str(state))
        self._say(self.detail, run_detail(state))
        _set_text(self.time_left, time_left_text(state.seconds_left))
        self.phases.setVisible(state.is_active)
        self.phases.show_phase(_phases_of(plan), state.phase)
        self.bar.setVisible(state.is_active)
        self._show_fraction(state)
        self._show_buttons(state)
        self._say(self.sentence, _ending(state, told) or state.sentence)
        self._say(self.notes, "\n".join(f"• {note}" for note in state.notes))
        self._show_error(state.error if failed else None)
        self._is_active = state.is_active
        self._follow_memory()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the memory again."""
        super().showEvent(event)
        self._follow_memory()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody sees it: look no more."""
        super().hideEvent(event)
        self._looks.stop()

    def _follow_memory(self) -> None:
        self.memory.setVisible(self._is_active)
        if not (self._is_active and self.isVisible()):
            self._looks.stop()
        elif not self._looks.isActive():
            self._show_memory()
            self._looks.start()

    def _show_memory(self) -> None:
        taken = memory_in_use()
        _set_text(self.memory, f"{size_text(taken)} of memory" if taken else "")

    def _show_buttons(self, state: RunState) -> None:
        self._is_paused = state.status is Status.PAUSED
        may_ask = state.status is not Status.STOPPING
        if not may_ask and (self.pause.hasFocus() or self.stop.hasFocus()):
            self.setFocus()  # else it would leave the card with the buttons, for wherever Tab leads
        for button in (self.pause, self.stop):
            button.setVisible(state.is_active)
            button.setEnabled(may_ask)
        has_something = state.best is not None or state.resumed
        text, tip = _STOPS[has_something]
        if self.stop.text() != text:
            self.stop.setText(text)
            self.stop.setToolTip(tip)
            self.stop.setAccessibleName("Stop and keep best" if has_something else "Cancel the training")
        if self.pause.text() != (text := "Resume" if self._is_paused else "Pause"):
            self.pause.setText(text)
            self.pause.setAccessibleName(f"{text} training")

    def _on_pause_clicked(self) -> None:
        (self.resume_requested if self._is_paused else self.pause_requested).emit()

    def _show_error(self, error: StudioError | None) -> None:
        if error is not self._error:  # else a dismissed one would come back
            self._error = error
            self.problem.show_error(error)

    def _lay_out(self) -> None:
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self.status)
        text.addWidget(self.detail)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addLayout(text, 1)
        for widget in (self.time_left, self.pause, self.stop):
            row.addWidget(widget)
        below = QHBoxLayout()
        below.addWidget(self.phases, 1)
        below.addWidget(self.memory)
        for item in (self.sentence, self.notes, self.problem):
            self.body.addWidget(item)
        self.body.insertLayout(0, row)
        self.body.insertLayout(1, below)
        self.body.insertWidget(2, self.bar)

    def _say(self, label: WrappedLabel, text: str) -> None:
        label.say(text)
        label.setVisible(bool(text))

    def _show_fraction(self, state: RunState) -> None:
        is_unknown = state.status is Status.PREPARING or (state.is_active and not state.epochs and not state.total)
        is_unknown = is_unknown and state.status is not Status.PAUSED  # nothing shall seem to move
        self.bar.setMaximum(0 if is_unknown else _BAR_STEPS)
        if not is_unknown:
            self.bar.setValue(round(state.fraction * _BAR_STEPS))


def _phases_of(plan: Plan | None) -> list[Phase]:
    moves = plan is None or plan.mode is Mode.FINE_TUNE
    return [phase for phase in Phase if moves or phase is not Phase.FINE_TUNE]


def _ending(state: RunState, told: tuple[float, float] | None) -> str:
    if state.status is not Status.FINISHED:
        return ""
    is_as_planned = state.phase_end is None or state.phase_end.why is PhaseEnd.ALL_EPOCHS
    if told and is_as_planned and not state.stopped_early:  # what was predicted is all epochs
        took = truth_text(*told)
    else:
        took = f"It took {duration_text(state.elapsed)}."
    return f"{ending_text(state)} {took}".strip()


def _quiet_label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setProperty("role", "muted")
    return label


def _button(text: str, name: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(f"{text} training")
    button.setToolTip(tip)
    return button


def _set_text(label: QLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)
