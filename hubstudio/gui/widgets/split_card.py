"""How the photos are used: which part trains, chooses, and tests."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.split import Part, part_counts
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.share_bar import ShareBar
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_PARTS = (
    (Part.TRAINING, "accent", "train", "The model learns from these."),
    (Part.VALIDATION, "good", "validation", "They choose the best epoch."),
    (Part.TEST, "warning", "test, locked", "Seen by nothing until Review."),
)


class SplitCard(Card):
    """A bar in three parts and the numbers to it."""

    def __init__(self) -> None:
        super().__init__("How the photos are used")
        self.bar = ShareBar(height=10, gap=3)
        self.body.addWidget(self.bar)
        self.lines = {part: _PartLine(colour, why) for part, colour, _, why in _PARTS}
        for line in self.lines.values():
            self.body.addWidget(line)

    def show_split(self, photo_set: PhotoSet, plan: Plan) -> None:
        """Show the parts of a set."""
        counts = part_counts(photo_set.counts.values(), plan.shares)
        total = max(1, sum(counts.values()))
        self.bar.show_parts([(counts[part] / total, colour) for part, colour, _, _ in _PARTS])
        for part, _, words, _ in _PARTS:
            self.lines[part].number.say(f"{counts[part]:,} {words}")


class _PartLine(QWidget):
    """A dot in the part's colour, its number, and what it is for."""

    def __init__(self, colour: str, why: str) -> None:
        super().__init__()
        dot = ShareBar(height=10)
        dot.setFixedWidth(10)
        dot.show_parts([(1.0, colour)])
        self.number = WrappedLabel()
        reason = QLabel(why)
        reason.setProperty("role", "muted")
        reason.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.number)
        words.addWidget(reason)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        column = QVBoxLayout()
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(dot, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column)
        row.addLayout(words, 1)
