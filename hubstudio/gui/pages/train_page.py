"""The third step: how long to train, watching it learn, and the runs so far."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.errors import StudioError
from hubstudio.core.events import Phase
from hubstudio.core.plan import Plan
from hubstudio.core.project import Project
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.run_state import RunState, Status, percent
from hubstudio.gui.backbone_words import estimate_text
from hubstudio.gui.learning_curves import LearningCurves, curves_of, curves_of_run
from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.plan_form import PlanForm
from hubstudio.gui.widgets.run_card import RunCard
from hubstudio.gui.widgets.runs_card import RunsCard, predicted_and_taken, run_lines
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import best_text, plan_line, plan_title, way_explained

if TYPE_CHECKING:
    from hubstudio.gui.widgets.training_charts import TrainingCharts

_SUBTITLE = "The photos are divided into three parts: to learn from, to choose the best epoch by, and to test on."
_FOOTER = "The test photos stay locked until you open Review."
_MILLISECONDS_BETWEEN_LOOKS = 120
_MILLISECONDS_BEFORE_SAVING = 300


class TrainPage(Page):
    """Starts and stops trainings. Draws at most eight times a second, however fast the events come."""

    step = "train"

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Train", _SUBTITLE)
        self._folder = session.project.folder
        self._drawn = RunState()
        self._training_plan = session.plan  # choices may change while a training goes on; what it was started with not
        self._summary = ""
        self._told: tuple[Path, tuple[float, float] | None] | None = None
        """The finished run, and what it was to take and took."""
        self._draw_soon = _single_shot(self, _MILLISECONDS_BETWEEN_LOOKS, self._draw)
        self._has_unsaved_choices = False
        self._save_soon = _single_shot(self, _MILLISECONDS_BEFORE_SAVING, self._save_choices)
        self.run_card = RunCard()
        self.run_card.hide()
        self.form = PlanForm()
        self.start = QPushButton("Start training")
        self.plan_line = WrappedLabel("", "", "plan_line")
        self.explained = WrappedLabel("", "muted", "way_explained")
        self.estimate = WrappedLabel("", "muted", "train_estimate")
        self.reason = WrappedLabel("", "warning", "start_reason")
        self.plan_card = self._make_plan_card()
        self.charts: TrainingCharts | None = None  # made when the page is first shown: that takes a moment
        self.runs_card = RunsCard()
        self._lay_out()
        self._connect()
        self._show_plan(session.plan)

    def missing(self) -> str:
        """A run is needed for all that follows."""
        if self.session.project.run:
            return ""
        return "Training is running" if self.session.is_training else "Train once first"

    def summary(self) -> str:
        """The epoch while training, the accuracy afterwards."""
        state = self.session.run_state
        if state.status in (Status.RUNNING, Status.STOPPING) and state.epochs:
            return f"Epoch {max(state.epoch, 1)} of {state.epochs}"
        if state.is_active:
            return "saving" if state.phase is Phase.SAVING else "reading photos"
        if state.status is Status.FINISHED and state.run and state.run.name == self.session.project.run:
            return f"{percent(state.validation_accuracy)} on validation"
        return self.session.project.run

    def entered(self) -> None:
        """Read the runs and the plan again."""
        self._make_charts()
        self._show_plan(self.session.plan)
        self._read_runs()
        self._draw()
        self._draw_curves()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep what was typed."""
        super().hideEvent(event)
        self._save_choices()

    def _make_plan_card(self) -> Card:
        self.start.setObjectName("start_training")
        self.start.setAccessibleName("Start training")
        self.start.setProperty("role", "primary")
        card = Card("Nothing chosen yet")
        card.header.addWidget(self.start)
        for widget in (self.plan_line, self.explained, self.estimate, self.reason, self.form):
            card.body.addWidget(widget)
        return card

    def _lay_out(self) -> None:
        content = QWidget()
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(14)
        for widget in (self.run_card, self.plan_card, self.runs_card):
            self.column.addWidget(widget)
        self.column.addStretch(1)
        footer = QLabel(_FOOTER)
        footer.setProperty("role", "muted")
        self.body.addWidget(ScrollColumn(content), 1)
        self.body.addWidget(footer)

    def _connect(self) -> None:
        session = self.session
        session.run_state_changed.connect(self._on_run_state_changed)
        session.project_changed.connect(self._on_project_changed)
        session.photos_changed.connect(self._on_photos_changed)
        session.speeds.changed.connect(self._show_estimate)
        self.form.plan_changed.connect(self._on_form_changed)
        self.start.clicked.connect(self._on_start_clicked)
        self.run_card.stop_requested.connect(session.stop_training)
        self.runs_card.run_chosen.connect(session.use_run)

    def _make_charts(self) -> None:
        if self.charts is None:
            from hubstudio.gui.widgets.training_charts import TrainingCharts

            self.charts = TrainingCharts()
            self.column.insertWidget(2, self.charts, 10)

    def _on_start_clicked(self) -> None:
        self.form.commit()
        self._save_choices()
        self.session.start_training()

    def _on_form_changed(self, plan: Plan) -> None:
        self._describe(plan)
        self._has_unsaved_choices = True
        self._save_soon.start()

    def _save_choices(self) -> None:
        self._save_soon.stop()
        if self._has_unsaved_choices and self.session.plan:
            self._has_unsaved_choices = False
            self.session.change_plan(self.form.applied_to(self.session.plan))

    def _on_project_changed(self, project: Project) -> None:
        if self._has_unsaved_choices and project.folder == self._folder:
            self._save_choices()  # else what was just typed would be overwritten; this comes back here
            return
        self._has_unsaved_choices = False
        self._folder = project.folder
        self._show_plan(project.plan)
        if self.isVisible():
            self._read_runs()
            self._draw_curves()
        self.done_changed.emit()

    def _on_photos_changed(self, _: object) -> None:
        self._show_plan(self.session.plan)

    def _on_run_state_changed(self, state: RunState) -> None:
        if state.status is Status.PREPARING:
            self._training_plan = self.session.plan
        if _differs_much(state, self._drawn):
            self._draw()
        elif not self._draw_soon.isActive():
            self._draw_soon.start()

    def _draw(self) -> None:
        self._draw_soon.stop()
        state, drawn = self.session.run_state, self._drawn
        self._drawn = state
        self.run_card.setVisible(state.status is not Status.IDLE)
        self.run_card.show_state(state, self._training_plan, self._predicted_and_taken(state))
        self.plan_card.setVisible(not state.is_active)
        self.subtitle.setText(best_text(state) or _SUBTITLE)
        if len(state.history) != len(drawn.history) or state.is_active != drawn.is_active or not state.is_active:
            self._draw_curves()
        if self.summary() != self._summary or state.is_active != drawn.is_active:
            self._summary = self.summary()
            self.done_changed.emit()

    def _predicted_and_taken(self, state: RunState) -> tuple[float, float] | None:
        """Return how many seconds a finished run was to take and took, as its metrics have it."""
        if state.status is not Status.FINISHED or state.run is None:
            return None
        if self._told is None or self._told[0] != state.run:
            self._told = state.run, predicted_and_taken(RunFolder(state.run))
        return self._told[1]

    def _draw_curves(self) -> None:
        if self.charts is not None:
            curves = self._curves()
            self.charts.setVisible(bool(curves.loss.training) or self.session.is_training)
            self.charts.show_curves(curves)

    def _curves(self) -> LearningCurves:
        state, run = self.session.run_state, self.session.project.run_path
        if state.is_active and self._training_plan:
            return curves_of(state.history, self._training_plan)
        try:
            return curves_of_run(RunFolder(run)) if run else LearningCurves()
        except StudioError:
            return LearningCurves()

    def _show_plan(self, plan: Plan | None) -> None:
        self.form.setVisible(plan is not None)
        if plan:
            self.form.show_plan(plan)
            self._describe(plan)
        self._say_reason(plan)

    def _describe(self, plan: Plan) -> None:
        self.plan_card.title.setText(plan_title(plan, self.session.backbones.shelf.name_of(plan.backbone)))
        self.plan_line.say(plan_line(plan, self.session.photo_set))
        self.explained.say(way_explained(plan))
        self._show_estimate(plan)

    def _show_estimate(self, plan: Plan | None = None) -> None:
        """Say what the training will take, also while numbers are typed that are not saved yet."""
        cost = self.session.speeds.cost(plan)
        self.estimate.say(estimate_text(cost) if cost else "")
        self.estimate.setVisible(cost is not None)

    def _say_reason(self, plan: Plan | None) -> None:
        photos = self.session.photo_set
        blocking = [problem.message for problem in photos.problems if problem.blocks_training] if photos else []
        reason = " ".join(blocking) if plan else "Choose photos first."
        self.start.setEnabled(not reason)
        self.reason.say(reason)
        self.reason.setVisible(bool(reason))

    def _read_runs(self) -> None:
        project = self.session.project
        self.runs_card.show_runs(
            run_lines(project.runs(), self.session.backbones.shelf.name_of) if project.folder.name else [], project.run
        )


def _differs_much(state: RunState, drawn: RunState) -> bool:
    """Whether a person should see the change at once, rather than with the next look."""
    return (
        state.status is not drawn.status
        or state.phase is not drawn.phase
        or len(state.history) != len(drawn.history)
        or len(state.notes) != len(drawn.notes)
    )


def _single_shot(page: TrainPage, milliseconds: int, call: Callable[[], None]) -> QTimer:
    timer = QTimer(page)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(call)
    return timer
