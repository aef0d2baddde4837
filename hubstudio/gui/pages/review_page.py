"""The fourth step: how good the model is on photos it never saw, and where it goes wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget

from hubstudio.core import review_looks
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Progress
from hubstudio.core.measures import Evaluation
from hubstudio.core.run_state import percent
from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.accuracy_card import AccuracyCard
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.matrix_card import MatrixCard
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.side_by_side import SideBySide
from hubstudio.gui.widgets.table_twin import TableTwin
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import progress_text

_NARROW = 620
_CLASS_COLUMNS = ("Class", "Photos", "Precision", "Recall", "F1")


class ReviewPage(Page):
    """Opens the test photos: measures the chosen run once, and shows what came out."""

    step = "review"

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Review", "How good is it, really, and where does it go wrong?")
        self.status = WrappedLabel("", "", "review_status")
        self.bar = QProgressBar()
        self.bar.setObjectName("review_progress")
        self.bar.setAccessibleName("Measuring progress")
        self.bar.setTextVisible(False)
        self.again = QPushButton("Measure again")
        self.again.setObjectName("measure_again")
        self.again.setAccessibleName("Measure again")
        self.waiting = self._make_waiting_card()
        self.error = ErrorCard()
        self.accuracy = AccuracyCard()
        self.matrix = MatrixCard()
        self.classes = TableTwin("Measures of each class")
        self.looks = WrappedLabel("", "muted", "test_looks")
        self.flattery = WrappedLabel("", "", "flattery")
        self.flattery_card = self._make_flattery_card()
        self.results = self._make_results()
        self._lay_out()
        self._connect()
        self._on_evaluation_changed(session.evaluation)

    def missing(self) -> str:
        """Nothing has to be done here; only a run has to be there."""
        return "" if self.session.project.run else "Train once first"

    def summary(self) -> str:
        """The accuracy and on how many photos."""
        evaluation = self.session.evaluation
        return f"{percent(evaluation.accuracy)} on {evaluation.photos:,} held-out" if evaluation else ""

    def entered(self) -> None:
        """Measure, unless that was done or goes on; count the look at a result that is there."""
        self._measure_if_needed()
        self._refresh()
        self._count_look()

    def _make_waiting_card(self) -> Card:
        card = Card()
        card.setAccessibleName("Measuring")
        for widget in (self.status, self.bar):
            card.body.addWidget(widget)
        card.body.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _make_results(self) -> QWidget:
        per_class = Card("By class")
        per_class.header.addStrut(self.matrix.toggle.sizeHint().height())
        per_class.body.addWidget(self.classes, 1)
        self.classes.setMinimumHeight(180)
        results = QWidget()
        column = QVBoxLayout(results)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(self.accuracy)
        column.addWidget(self.looks)
        column.addWidget(self.flattery_card)
        column.addWidget(SideBySide(self.matrix, per_class, _NARROW), 1)
        return results

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(self.error)
        column.addWidget(self.waiting)
        column.addWidget(self.results, 1)
        column.addStretch(0)
        self.body.addWidget(ScrollColumn(content), 1)

    def _connect(self) -> None:
        session = self.session
        session.evaluation_changed.connect(self._on_evaluation_changed)
        session.busy_changed.connect(self._on_busy_changed)
        session.failed.connect(self._on_failed)
        session.project_changed.connect(self.done_changed)
        self.again.clicked.connect(self._on_again_clicked)

    def _measure_if_needed(self) -> None:
        session = self.session
        waits = session.is_busy("train") or session.is_busy("evaluate")
        if session.project.run and session.evaluation is None and not waits:
            self.error.show_error(None)
            session.evaluate()

    def _on_again_clicked(self) -> None:
        self._measure_if_needed()
        self._refresh()

    def _on_evaluation_changed(self, evaluation: Evaluation | None) -> None:
        if evaluation:
            self.accuracy.show_evaluation(evaluation)
            self.matrix.show_evaluation(evaluation)
            self.classes.show_rows(_CLASS_COLUMNS, class_rows(evaluation))
        self._refresh()
        self._count_look()
        self.done_changed.emit()

    def _count_look(self) -> None:
        """Note that the result on the test photos is being looked at: once for each time the page is opened."""
        run, evaluation = self.session.project.run_path, self.session.evaluation
        is_of_test = evaluation is not None and evaluation.source == "test"
        if run and is_of_test and self.isVisible():
            review_looks.record_look(run)
        self._show_looks(review_looks.looks_at_test_photos(run) if run and is_of_test else 0)

    def _show_looks(self, count: int) -> None:
        self.looks.say(review_looks.looks_text(count))
        self.looks.setVisible(count > 0)
        self.flattery.say(review_looks.flattery_text(count))
        self.flattery_card.setVisible(bool(review_looks.flattery_text(count)))

    def _make_flattery_card(self) -> Card:
        card = Card("The number flatters more with every look")
        card.body.addWidget(self.flattery)
        card.hide()
        return card

    def _on_busy_changed(self, kind: str, progress: Progress | None) -> None:
        if kind == "evaluate" and progress:
            self._show_progress(progress)
        elif kind == "train" and progress is None and self.isVisible():
            self._refresh()

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == "evaluate":
            self.error.show_error(error)
            self._refresh()

    def _show_progress(self, progress: Progress) -> None:
        counted = progress_text(progress)
        self.status.say(f"Measuring on the test photos: {counted}" if counted else "Measuring on the test photos")
        self.bar.setMaximum(progress.total)
        self.bar.setValue(progress.done)

    def _refresh(self) -> None:
        session = self.session
        is_measuring = session.is_busy("evaluate")
        self.results.setVisible(session.evaluation is not None)
        self.waiting.setVisible(session.evaluation is None)
        self.bar.setVisible(is_measuring)
        self.again.setVisible(bool(session.project.run) and not is_measuring and not session.is_training)
        if not is_measuring:
            self.status.say(self._why_nothing())

    def _why_nothing(self) -> str:
        if self.session.is_training:
            return "The test waits until the training is done."
        return "Not measured yet." if self.session.project.run else "There is no trained model yet. Train once first."


def class_rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """Return the rows of the table by class; a dash stands for what could not be measured."""
    return [
        (name, f"{own.photos:,}", _whole(own.precision), _whole(own.recall), _whole(own.f1))
        for name, own in evaluation.per_class.items()
    ]


def _whole(share: float | None) -> str:
    """Return a percentage without decimals: of some tens of photos more would be noise."""
    return "–" if share is None else f"{share * 100:.0f} %"
