"""The result in large: accuracy with what it was measured on and its bounds, and the weakest class."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.measures import Evaluation
from hubstudio.core.photos import count_of
from hubstudio.core.run_state import percent
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.wrapped_label import WrappedLabel


class AccuracyCard(Card):
    """Shows one evaluation in a few words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName("Accuracy")
        self.figure = QLabel()
        self.figure.setObjectName("test_accuracy")
        self.figure.setProperty("role", "figure")
        self.photos = WrappedLabel("", "muted", "test_photos")
        self.interval = WrappedLabel("", "muted", "test_interval")
        self.interval.setToolTip("Wilson interval: where the accuracy on many more such photos would lie")
        self.weakest = ElidedLabel()
        self.weakest.setObjectName("weakest_class")
        self.weakest.setProperty("role", "heading")
        self.weakest_found = QLabel()
        self.weakest_found.setObjectName("weakest_found")
        self.weakest_found.setProperty("role", "muted")
        self.unreadable = WrappedLabel("", "warning", "unreadable_photos")
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(_column(self.figure, self.photos, self.interval), 3)
        row.addLayout(_column(self.weakest, _muted("weakest class"), self.weakest_found), 1)
        self.body.addLayout(row)
        self.body.addWidget(self.unreadable)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        """Show another result."""
        measured = evaluation.photos > 0
        self.figure.setText(percent(evaluation.accuracy) if measured else "–")
        self.photos.say(photos_text(evaluation))
        self.interval.say(interval_text(evaluation) if measured else "")
        weakest = weakest_class(evaluation)
        self.weakest.setText(weakest[0] if weakest else "–")
        self.weakest_found.setText(f"{weakest[1] * 100:.0f} % found" if weakest else "nothing to tell yet")
        self.unreadable.say(unreadable_text(evaluation))
        self.unreadable.setVisible(bool(evaluation.unreadable))


def photos_text(evaluation: Evaluation) -> str:
    """Return what it was measured on."""
    if not evaluation.photos:
        return "There was no photo to measure on."
    photos = count_of(evaluation.photos, "photo")
    return f"of {photos} it never saw" if evaluation.source == "test" else f"of {photos} in {evaluation.source}"


def interval_text(evaluation: Evaluation) -> str:
    """Return the bounds of the accuracy."""
    low, high = evaluation.interval
    return f"95 % sure it lies between {low * 100:.1f} and {high * 100:.1f}"


def weakest_class(evaluation: Evaluation) -> tuple[str, float] | None:
    """Return the class least often found and its recall, or None where nothing was measured."""
    known = [(name, own.recall) for name, own in evaluation.per_class.items() if own.recall is not None]
    return min(known, key=lambda item: item[1], default=None)


def unreadable_text(evaluation: Evaluation) -> str:
    """Return which photos were not counted."""
    names = evaluation.unreadable
    if not names:
        return ""
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"{count_of(len(names), 'photo')} could not be read and not counted: {', '.join(names[:3])}{more}."


def _column(*widgets: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    return column


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label
