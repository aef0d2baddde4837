"""The runs of a project, newest first; one of them is what Review, Classify and Export work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLabel, QRadioButton, QSizePolicy, QWidget

from hubstudio.core.backbones import display_name
from hubstudio.core.errors import StudioError
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.run_state import percent
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.wording import duration_text, plan_title


@dataclass(frozen=True)
class RunLine:
    """What the list says of one run."""

    name: str
    title: str
    validation: str
    took: str

    @property
    def sentence(self) -> str:
        """The line for a screen reader."""
        parts = (self.name, self.title, f"{self.validation} on validation", self.took)
        return ", ".join(part for part in parts if part)


def run_lines(runs: Sequence[RunFolder], name_of: Callable[[str], str] = display_name) -> list[RunLine]:
    """Read what the list says of each run; a run that cannot be read is listed with a dash."""
    return [_line(run, name_of) for run in runs]


class RunsCard(Card):
    """Hidden while there is no run."""

    run_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Runs", parent)
        hint = ElidedLabel("Review, Classify and Export use the chosen one")
        hint.setProperty("role", "muted")
        self.header.addWidget(hint)
        self._lines: list[RunLine] = []
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._on_clicked)
        self._rows = QWidget()
        self.body.addWidget(self._rows)
        self.hide()

    def show_runs(self, lines: Sequence[RunLine], chosen: str) -> None:
        """Show these runs, one of them chosen."""
        if list(lines) != self._lines:
            self._rebuild(list(lines))
        for place, line in enumerate(self._lines):
            self.radio(place).setChecked(line.name == chosen)
        self.setVisible(bool(self._lines))

    def radio(self, place: int) -> QRadioButton:
        """Return the button of one line."""
        button = self._group.button(place)
        assert isinstance(button, QRadioButton)
        return button

    def count(self) -> int:
        """Return the number of lines."""
        return len(self._lines)

    def _on_clicked(self, place: int) -> None:
        self.run_chosen.emit(self._lines[place].name)

    def _rebuild(self, lines: list[RunLine]) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
        self._lines = lines
        former, self._rows = self._rows, QWidget()
        self.body.replaceWidget(former, self._rows)
        former.hide()
        former.deleteLater()
        grid = QGridLayout(self._rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        grid.setHorizontalSpacing(12)
        grid.setColumnStretch(1, 1)
        for place, line in enumerate(lines):
            self._add(grid, place, line)

    def _add(self, grid: QGridLayout, place: int, line: RunLine) -> None:
        radio = QRadioButton(line.name)
        radio.setObjectName(line.name)
        radio.setAccessibleName(line.sentence)
        self._group.addButton(radio, place)
        title = ElidedLabel(line.title)
        title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        validation, took = QLabel(line.validation), QLabel(line.took)
        validation.setToolTip("Share of validation photos it answers rightly, at its best epoch")
        took.setProperty("role", "muted")
        for column, widget in enumerate((radio, title, validation, took)):
            grid.addWidget(widget, place, column)
        for label in (validation, took):
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


def _line(run: RunFolder, name_of: Callable[[str], str]) -> RunLine:
    try:
        metrics, plan = run.metrics(), run.plan()
    except StudioError:
        return RunLine(run.path.name, "could not be read", "–", "")
    accuracy = metrics.get("validation_accuracy")
    shown = percent(accuracy) if isinstance(accuracy, int | float) else "–"
    return RunLine(run.path.name, plan_title(plan, name_of(plan.backbone)), shown, _took(metrics))


def _took(metrics: dict[str, Any]) -> str:
    try:
        return duration_text(float(metrics["seconds"]["total"]))
    except (KeyError, TypeError, ValueError):
        return ""


def predicted_and_taken(run: RunFolder) -> tuple[float, float] | None:
    """Return how many seconds a run was to take and took, both from when its photos were known.

    None if nothing was measured before it, or the run cannot be read.
    """
    try:
        cost = run.metrics()["cost"]
        return float(cost["predicted"]["seconds"]), float(cost["actual"]["seconds"])
    except (KeyError, TypeError, ValueError, StudioError):
        return None
