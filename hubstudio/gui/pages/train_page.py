"""The third step: how to train, watching it learn, and the runs so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from hubstudio.core.augmentation import Augmentation
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Phase
from hubstudio.core.memory import available_memory, doubt_text, refusal_text
from hubstudio.core.parts import Part
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.project import Project
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.run_state import RunState, Status, percent
from hubstudio.gui.learning_curves import LearningCurves, RunCurves, curves_of, curves_of_run
from hubstudio.gui.pages.page import Page
from hubstudio.gui.runs_on_page import RunsOnPage
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.training_questions import ask_to_start_large
from hubstudio.gui.widgets.augmentation_card import AugmentationCard
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.plan_card import PlanCard
from hubstudio.gui.widgets.run_card import RunCard
from hubstudio.gui.widgets.runs_card import RunsCard, predicted_and_taken
from hubstudio.gui.widgets.scroll_column import ScrollColumn, Stretching
from hubstudio.gui.wording import best_text

if TYPE_CHECKING:
    from hubstudio.gui.widgets.chart_card import ChartCard
    from hubstudio.gui.widgets.training_charts import TrainingCharts

_SUBTITLE = "The photos are divided into three parts: to learn from, to choose the best epoch by, and to test on."
_FOOTER = "The test photos stay locked until you open Review."
_MILLISECONDS_BETWEEN_LOOKS = 120
_MILLISECONDS_BEFORE_SAVING = 300
_MILLISECONDS_BEFORE_CHARTS = 30  # the page is seen first
_CHARTS_PLACE = 2


class TrainPage(Page):
    """Starts and stops trainings. Draws at most eight times a second, however fast the events come."""

    step = "train"

    def __init__(self, session: Session, thumbnails: Thumbnails) -> None:
        super().__init__(session, "Train", _SUBTITLE)
        self._folder = session.project.folder
        self._drawn = RunState()
        self._summary = ""
        self._told: tuple[Path, tuple[float, float] | None] | None = None
        """The finished run, and what it was to take and took."""
        self._draw_soon = _single_shot(self, _MILLISECONDS_BETWEEN_LOOKS, self._draw)
        self._laid_over: tuple[list[RunCurves], str] = [], ""
        """Runs in the charts beside the own one, and what that is called."""
        self._unsaved: Plan | None = None
        """What was changed here and is not in the project yet."""
        self._save_soon = _single_shot(self, _MILLISECONDS_BEFORE_SAVING, self._save_choices)
        self.run_card = RunCard()
        self.run_card.hide()
        self.plan_card = PlanCard()
        self.form, self.start = self.plan_card.form, self.plan_card.start
        self.augmentation = AugmentationCard(thumbnails)
        self.charts: TrainingCharts | None = None
        """Made shortly after the page is first shown."""
        self._chart_cards: list[ChartCard] = []
        self._charts_soon = _single_shot(self, _MILLISECONDS_BEFORE_CHARTS, self._make_charts)
        self._chart_frame: Stretching | None = None
        self.runs_card = RunsCard()
        self.runs_problem = ErrorCard()
        self.runs = RunsOnPage(session, self.runs_card)
        self._lay_out()
        self._connect()
        self._show_plan(session.plan)

    def missing(self) -> str:
        """A run is needed for all that follows."""
        if self.session.project.run:
            return ""
        if not self.session.is_training:
            return "Train once first"
        return "Training is paused" if self.session.run_state.status is Status.PAUSED else "Training is running"

    def summary(self) -> str:
        """The epoch while training, the accuracy afterwards."""
        state = self.session.run_state
        if state.is_active and state.epochs and state.run:
            paused = "paused, " if state.status is Status.PAUSED else ""
            return f"{paused}epoch {max(state.epoch, 1)} of {state.epochs}".capitalize()
        if state.is_active:
            return "saving" if state.phase is Phase.SAVING else "reading photos"
        if state.status is Status.FINISHED and state.run and state.run.name == self.session.project.run:
            return f"{percent(state.validation_accuracy)} on validation"
        return self.session.project.run

    def entered(self) -> None:
        """Read the runs and the plan again."""
        if self.charts is None:
            self._charts_soon.start()
        self._show_plan(self.session.plan)
        self._show_photos()
        self.runs.show_runs()
        self.session.runs.read()
        self._draw()
        self._draw_curves()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep what was typed."""
        super().hideEvent(event)
        self._save_choices()

    def _lay_out(self) -> None:
        content = QWidget()
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(14)
        footer = QLabel(_FOOTER)
        footer.setProperty("role", "muted")
        self.scroller = ScrollColumn(content, uncut=True)
        self.body.addWidget(self.scroller, 1)
        self.body.addWidget(footer)
        # What was chosen once stays below what came of it.
        for widget in (self.run_card, self.plan_card, self.runs_problem, self.runs_card, self.augmentation):
            self.column.addWidget(widget)
        self.column.addStretch(1)

    def _connect(self) -> None:
        session = self.session
        session.run_state_changed.connect(self._on_run_state_changed)
        session.project_changed.connect(self._on_project_changed)
        session.photos_changed.connect(self._on_photos_changed)
        session.split_changed.connect(self._show_photos)
        session.speeds.changed.connect(self._show_estimate)
        session.failed.connect(self._on_failed)
        session.runs.changed.connect(self._on_runs_changed)
        self.form.plan_changed.connect(self._on_form_changed)
        self.augmentation.augmentation_changed.connect(self._on_augmentation_changed)
        self.start.clicked.connect(self._on_start_clicked)
        self.run_card.stop_requested.connect(session.training.stop)
        self.run_card.pause_requested.connect(session.training.pause)
        self.run_card.resume_requested.connect(session.training.go_on)
        self.runs.overlay_changed.connect(self._draw_curves)

    def _make_charts(self) -> None:
        """Make one chart, soon the other one, then what holds them: all at once would hold the window up."""
        from hubstudio.gui.widgets.chart_card import ChartCard
        from hubstudio.gui.widgets.training_charts import MEASURES, TrainingCharts

        if len(self._chart_cards) < len(MEASURES):
            card = ChartCard(MEASURES[len(self._chart_cards)], self)  # the page's, lest it outlive it
            self._chart_cards.append(card)
            self._charts_soon.start()
            return
        self.charts = TrainingCharts(self._chart_cards)
        self.charts.failed.connect(self.runs_problem.show_error)
        self._chart_frame = Stretching(self.charts)
        self._chart_frame.hide()
        self.column.insertWidget(_CHARTS_PLACE, self._chart_frame, 10)
        self._draw_curves()

    def _on_start_clicked(self) -> None:
        self.form.commit()
        self._save_choices()
        if reason := self._reason_against():
            ask_to_start_large(self.window(), reason, self.session.start_training)
        else:
            self.session.start_training()

    def _reason_against(self) -> str:
        """Return why the memory may not do for the plan; empty if it does, or if nobody can tell."""
        plan, speeds = self.session.plan, self.session.speeds
        if plan is None:
            return ""
        if cost := speeds.cost(plan):
            return refusal_text(cost, available_memory())
        return doubt_text(
            speeds.guessed_memory(), available_memory(),
            fine_tunes=plan.mode is Mode.FINE_TUNE, can_wait=not speeds.is_settled(plan),
        )  # fmt: skip

    def _on_form_changed(self, plan: Plan) -> None:
        if shown := self._unsaved or self.session.plan:
            self._change(replace(plan, augmentation=shown.augmentation))

    def _on_augmentation_changed(self, augmentation: Augmentation) -> None:
        if shown := self._unsaved or self.session.plan:
            self._change(replace(shown, augmentation=augmentation))

    def _change(self, plan: Plan) -> None:
        self._unsaved = plan
        self._describe(plan)
        self._save_soon.start()

    def _save_choices(self) -> None:
        self._save_soon.stop()
        changed, self._unsaved = self._unsaved, None
        if changed and self.session.plan:
            plan = replace(self.form.applied_to(self.session.plan), augmentation=changed.augmentation)
            self.session.change_plan(plan)

    def _on_project_changed(self, project: Project) -> None:
        if self._unsaved and project.folder == self._folder:
            self._save_choices()  # else what was just typed would be overwritten; this comes back here
            return
        self._unsaved = None
        self._folder = project.folder
        self._show_plan(project.plan)
        if self.isVisible():
            self.runs.show_runs()
            self._draw_curves()
        self.done_changed.emit()

    def _on_photos_changed(self) -> None:
        self._show_plan(self.session.plan)
        self._show_photos()

    def _on_runs_changed(self) -> None:
        if self.isVisible():
            self._draw_curves()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == "runs":
            self.runs_problem.show_error(error)

    def _on_run_state_changed(self, state: RunState) -> None:
        if _differs_much(state, self._drawn):
            self._draw()
        elif not self._draw_soon.isActive():
            self._draw_soon.start()

    def _draw(self) -> None:
        self._draw_soon.stop()
        drawn = self._drawn
        state = self._drawn = self.session.training.state
        self._show_cards(state, was_active=drawn.is_active)
        self.subtitle.setText(best_text(state) or _SUBTITLE)
        if len(state.history) != len(drawn.history) or state.is_active != drawn.is_active or not state.is_active:
            self._draw_curves()
        if state.status is not drawn.status:
            self.runs.show_runs()
        if self.summary() != self._summary or state.is_active != drawn.is_active:
            self._summary = self.summary()
            self.done_changed.emit()

    def _show_cards(self, state: RunState, *, was_active: bool) -> None:
        """Show what a training will go by, or how far it is; the focus goes to what takes the place of what had it.

        Qt would hand it on to what comes next, and scroll there, away from what has just begun or ended.
        """
        run, choices = self.run_card, (self.plan_card, self.augmentation)
        run.setVisible(state.status is not Status.IDLE)
        if not state.is_active:
            for card in choices:
                card.show()
            if was_active and _holds_focus(run):
                self.start.setFocus()
        run.show_state(state, self.session.training.plan, self._predicted_and_taken(state), self.session.training.wish)
        if state.is_active:
            if any(map(_holds_focus, choices)):
                run.pause.setFocus()
            for card in choices:
                card.hide()
        if state.is_active and not was_active:
            self.scroller.verticalScrollBar().setValue(0)

    def _predicted_and_taken(self, state: RunState) -> tuple[float, float] | None:
        """Return how many seconds a finished run was to take and took, as its metrics have it."""
        if state.status is not Status.FINISHED or state.run is None:
            return None
        if self._told is None or self._told[0] != state.run:
            self._told = state.run, predicted_and_taken(RunFolder(state.run))
        return self._told[1]

    def _draw_curves(self) -> None:
        """Show the training that goes on, else the run in use, and the ticked runs over it.

        A run in use that is not ticked steps back: only what was asked for is compared.
        """
        if self.charts is None or self._chart_frame is None:
            return
        training, ticked = self.session.training, self.runs.overlay
        is_training = training.is_active and training.out is not None
        own = training.out.name if is_training and training.out else self.session.project.run
        is_shown = is_training or not ticked or own in [run.name for run in ticked]
        curves = self._curves() if is_shown else LearningCurves()
        self._chart_frame.setVisible(bool(curves.loss.training or ticked) or self.session.is_training)
        others = [run for run in ticked if run.name != own]
        if (others, own) != self._laid_over:
            self._laid_over = others, own
            self.charts.show_runs(others, own)
        self.charts.show_curves(curves)

    def _curves(self) -> LearningCurves:
        training, run = self.session.training, self.session.project.run_path
        if training.is_active and training.plan:
            return curves_of(training.state.history, _with_epochs(training.plan, training.state))
        try:
            return curves_of_run(RunFolder(run)) if run else LearningCurves()
        except StudioError:
            return LearningCurves()

    def _show_plan(self, plan: Plan | None) -> None:
        self.plan_card.show_plan(plan)
        self.augmentation.setEnabled(plan is not None)
        if plan:
            self.augmentation.show_augmentation(plan.augmentation, plan.mode)
            self._describe(plan)
        self._say_reason(plan)

    def _show_photos(self) -> None:
        """Vary photos to learn from in the preview: no other will be."""
        if self.isVisible():
            split = self.session.split
            self.augmentation.show_photos([photo.path for photo in split.part(Part.TRAINING)] if split else [])

    def _describe(self, plan: Plan) -> None:
        self.plan_card.describe(plan, self.session.backbones.shelf.name_of(plan.backbone), self.session.photo_set)
        self._show_estimate(plan)

    def _show_estimate(self, plan: Plan | None = None) -> None:
        """Say what the training will take, also while numbers are typed that are not saved yet."""
        self.plan_card.show_cost(self.session.speeds.cost(plan or self._unsaved))

    def _say_reason(self, plan: Plan | None) -> None:
        photos = self.session.photo_set
        blocking = [problem.message for problem in photos.problems if problem.blocks_training] if photos else []
        self.plan_card.show_reason(" ".join(blocking) if plan else "Choose photos first.")


def _with_epochs(plan: Plan, state: RunState) -> Plan:
    """Return the plan with the epochs that its last phase really has: a run that is continued has more."""
    last = Phase.FINE_TUNE if plan.mode is Mode.FINE_TUNE else Phase.HEAD
    return replace(plan, epochs=state.epochs) if state.phase is last and state.epochs else plan


def _differs_much(state: RunState, drawn: RunState) -> bool:
    """Whether a person should see the change at once, rather than with the next look.

    An epoch is none of these: those of a head come twenty a second, and each would draw both charts.
    """
    return state.status is not drawn.status or state.phase is not drawn.phase or len(state.notes) != len(drawn.notes)


def _holds_focus(widget: QWidget) -> bool:
    focused = QApplication.focusWidget()
    return focused is not None and (widget is focused or widget.isAncestorOf(focused))


def _single_shot(page: TrainPage, milliseconds: int, call: Callable[[], None]) -> QTimer:
    timer = QTimer(page)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(call)
    return timer
