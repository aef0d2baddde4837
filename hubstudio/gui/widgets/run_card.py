"""How far the training is: a sentence, a bar, the time left, and the way to stop."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.core.plan import Plan
from hubstudio.core.run_state import RunState, Status
from hubstudio.gui.backbone_words import truth_text
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import duration_text, run_detail, time_left_text

_BAR_STEPS = 1000


class RunCard(Card):
    """Shows a ``RunState``; sets only what differs, so that it can be fed often."""

    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName("Training")
        self.status = WrappedLabel("", "heading", "training_status")
        self.detail = WrappedLabel("", "muted", "training_detail")
        self.time_left = QLabel()
        self.time_left.setObjectName("time_left")
        self.time_left.setProperty("role", "muted")
        self.stop = QPushButton("Stop and keep best")
        self.stop.setObjectName("stop_and_keep_best")
        self.stop.setAccessibleName("Stop and keep best")
        self.stop.setToolTip("Ends the training after this batch and keeps the best epoch so far")
        self.stop.clicked.connect(self.stop_requested)
        self.bar = QProgressBar()
        self.bar.setObjectName("training_progress")
        self.bar.setAccessibleName("Training progress")
        self.bar.setTextVisible(False)
        self.notes = WrappedLabel("", "muted", "training_notes")
        self.problem = ErrorCard()
        self._error: StudioError | None = None
        self._lay_out()

    def show_state(self, state: RunState, plan: Plan | None, told: tuple[float, float] | None = None) -> None:
        """Show how far a training is; ``told`` is how many seconds it was to take and took, for its end."""
        failed = state.status is Status.FAILED
        self.status.say("Training failed" if failed else str(state))
        self._say(self.detail, _ending(state, told) or run_detail(state, plan))
        self._show_time_left(time_left_text(state.seconds_left))
        self.bar.setVisible(state.is_active)
        self._show_fraction(state)
        self.stop.setVisible(state.is_active)
        self.stop.setEnabled(state.status is not Status.STOPPING)
        self._say(self.notes, "\n".join(f"• {note}" for note in state.notes))
        self._show_error(state.error if failed else None)

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
        row.addWidget(self.time_left)
        row.addWidget(self.stop)
        for item in (self.bar, self.notes, self.problem):
            self.body.addWidget(item)
        self.body.insertLayout(0, row)

    def _say(self, label: WrappedLabel, text: str) -> None:
        label.say(text)
        label.setVisible(bool(text))

    def _show_time_left(self, text: str) -> None:
        if text != self.time_left.text():
            self.time_left.setText(text)

    def _show_fraction(self, state: RunState) -> None:
        is_unknown = state.status is Status.PREPARING or (state.is_active and not state.epochs and not state.total)
        self.bar.setMaximum(0 if is_unknown else _BAR_STEPS)
        if not is_unknown:
            self.bar.setValue(round(state.fraction * _BAR_STEPS))


def _ending(state: RunState, told: tuple[float, float] | None) -> str:
    if state.status is not Status.FINISHED:
        return ""
    if told is None or state.stopped_early:
        return f"It took {duration_text(state.elapsed)}."
    return truth_text(*told)
