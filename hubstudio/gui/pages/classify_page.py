"""The fifth step: photos in, answers out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QProgressBar, QPushButton

from hubstudio.core import path_kinds
from hubstudio.core.engine import Prediction
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Progress
from hubstudio.core.photos import PHOTO_SUFFIXES, count_of
from hubstudio.core.project import Project
from hubstudio.gui.pages.page import Page
from hubstudio.gui.photo_folders import offer_to_classify
from hubstudio.gui.predictions_file import save_predictions
from hubstudio.gui.session import Session
from hubstudio.gui.thumbnails import Thumbnails
from hubstudio.gui.widgets.drop_zone import DropZone
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.prediction_grid import MOST_CARDS, PredictionGrid
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import milliseconds_text, progress_text

_OTHER_WORK = ("warm up", "probe", "train", "evaluate", "export")


class ClassifyPage(Page):
    """Classifies what is dropped; more may be dropped meanwhile, it queues."""

    step = "classify"

    def __init__(self, session: Session, thumbnails: Thumbnails) -> None:
        super().__init__(session, "Classify", "Try it on anything.")
        self._run = session.project.run_path
        self._queue: list[list[Path]] = []
        self._began: float | None = None
        self._milliseconds_each: float | None = None
        self.predictions: list[Prediction] = []
        self.drop_zone = DropZone("Classify drop zone", "Drop photos or a folder here")
        self.drop_zone.offer_for = offer_to_classify
        self.typed = QLineEdit()
        self.typed.setAcceptDrops(False)  # a drop on it is meant for the zone around it
        self.classify_typed = _button("Classify this path", "Classify this path")
        self.choose = _button("Choose…", "Choose photos")
        self.status = WrappedLabel("", "muted", "classify_status")
        self.bar = QProgressBar()
        self.cancel = _button("Cancel", "Cancel classifying")
        self.clear = _button("Clear", "Clear")
        self.save = _button("Save as CSV…", "Save as CSV")
        self.error = ErrorCard()
        self.grid = PredictionGrid(thumbnails)
        self._lay_out()
        self._connect()
        self._refresh()

    def missing(self) -> str:
        """Nothing has to be done here; only a run has to be there."""
        return "" if self.session.project.run else "Train once first"

    def summary(self) -> str:
        """How many photos were classified."""
        return count_of(len(self.predictions), "photo") if self.predictions else ""

    def entered(self) -> None:
        """Say what can be done."""
        self._refresh()

    def classify(self, paths: Sequence[Path]) -> None:
        """Classify photos and folders, after those that are being classified."""
        self.error.show_error(None)
        self._queue.append(list(paths))
        self._go_on()

    def save_csv(self, path: Path) -> None:
        """Write all answers, also those without a card."""
        try:
            save_predictions(path, self.predictions)
        except StudioError as error:
            self.error.show_error(error)
        else:
            self.status.say(f"Saved to {path}")

    def _lay_out(self) -> None:
        self.typed.setObjectName("photo_file_or_folder")
        self.typed.setAccessibleName("Photo file or folder")
        self.typed.setPlaceholderText("or type a photo file or folder")
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.typed, 4)
        row.addWidget(self.classify_typed)
        row.addWidget(self.choose)
        row.addStretch(1)
        self.drop_zone.prompt.setProperty("role", "heading")
        self.drop_zone.body.addLayout(row)
        self.bar.setObjectName("classify_progress")
        self.bar.setAccessibleName("Classifying progress")
        self.bar.setTextVisible(False)
        actions = QHBoxLayout()
        actions.setSpacing(8)
        actions.addWidget(self.status, 1)
        for button in (self.cancel, self.clear, self.save):
            actions.addWidget(button)
        self.body.addWidget(self.drop_zone)
        self.body.addWidget(self.error)
        self.body.addLayout(actions)
        self.body.addWidget(self.bar)
        self.body.addWidget(ScrollColumn(self.grid), 1)

    def _connect(self) -> None:
        session = self.session
        session.predictions_ready.connect(self._on_predictions_ready)
        session.busy_changed.connect(self._on_busy_changed)
        session.failed.connect(self._on_failed)
        session.project_changed.connect(self._on_project_changed)
        self.drop_zone.dropped.connect(self.classify)
        self.typed.returnPressed.connect(self._on_typed)
        self.classify_typed.clicked.connect(self._on_typed)
        self.choose.clicked.connect(self._on_choose_clicked)
        self.cancel.clicked.connect(self._on_cancel_clicked)
        self.clear.clicked.connect(self._on_clear_clicked)
        self.save.clicked.connect(self._on_save_clicked)

    def _on_typed(self) -> None:
        text = self.typed.text().strip().strip("\"'")
        if text:
            self.classify([path_kinds.absolute(Path(text))])

    def _on_choose_clicked(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(PHOTO_SUFFIXES))
        names, _ = QFileDialog.getOpenFileNames(self, "Choose photos", "", f"Photos ({kinds});;All files (*)")
        if names:
            self.classify([Path(name) for name in names])

    def _on_save_clicked(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save as CSV", "predictions.csv", "CSV (*.csv)")
        if name:
            self.save_csv(Path(name))

    def _on_cancel_clicked(self) -> None:
        self._queue.clear()
        self.session.cancel("classify")

    def _on_clear_clicked(self) -> None:
        self.predictions.clear()
        self._milliseconds_each = None
        self.grid.clear()
        self._refresh()
        self.done_changed.emit()

    def _go_on(self) -> None:
        if self._queue and not self.session.is_busy("classify"):
            is_alone = not any(self.session.is_busy(kind) for kind in _OTHER_WORK)
            self._began = time.monotonic() if is_alone else None
            self.session.classify(self._queue.pop(0))
        self._refresh()

    def _on_predictions_ready(self, predictions: list[Prediction]) -> None:
        if self._began is not None and predictions:
            self._milliseconds_each = (time.monotonic() - self._began) * 1000 / len(predictions)
        else:
            self._milliseconds_each = None
        self.predictions[:0] = predictions
        self.grid.add(predictions)
        self._refresh()
        self.done_changed.emit()

    def _on_busy_changed(self, kind: str, progress: Progress | None) -> None:
        if kind != "classify":
            return
        if progress is None:
            QTimer.singleShot(0, self, self._go_on)  # after the answers, which follow this signal
            self._refresh()
        else:
            self._show_progress(progress)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == "classify":
            self.error.show_error(error)
            self._refresh()

    def _on_project_changed(self, project: Project) -> None:
        if project.run_path != self._run:  # answers of another model would not fit beside these
            self._run = project.run_path
            self._began = None  # photos without an answer begin anew: the session asks the other model
            self._on_clear_clicked()
        self._refresh()

    def _show_progress(self, progress: Progress) -> None:
        counted = progress_text(progress)
        waits = self.session.is_training and not counted
        self.status.say(f"Classifying: {counted}" if counted else _waiting_text(waits))
        self.bar.setMaximum(progress.total)
        self.bar.setValue(progress.done)

    def _refresh(self) -> None:
        is_busy = self.session.is_busy("classify")
        has_run = bool(self.session.project.run)
        self.drop_zone.setEnabled(has_run)
        self.bar.setVisible(is_busy)
        self.cancel.setVisible(is_busy)
        self.clear.setEnabled(bool(self.predictions))
        self.save.setEnabled(bool(self.predictions))
        if not is_busy:
            self.status.say(self._summary_line() if has_run else "There is no trained model yet. Train once first.")

    def _summary_line(self) -> str:
        if not self.predictions:
            return "No photo classified yet."
        parts = [count_of(len(self.predictions), "photo")]
        if self._milliseconds_each is not None:
            parts.append(f"{milliseconds_text(self._milliseconds_each)} each")
        if bad := sum(1 for prediction in self.predictions if prediction.error):
            parts.append(f"{bad:,} could not be read")
        if len(self.predictions) > MOST_CARDS:
            parts.append(f"the newest {MOST_CARDS} are shown, the CSV holds all")
        return " · ".join(parts)


def _waiting_text(waits: bool) -> str:
    return "Waiting until the training is done" if waits else "Classifying"


def _button(text: str, name: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name.casefold().replace(" ", "_"))
    button.setAccessibleName(name)
    return button
