"""How many photos train, choose the best epoch, and test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.parts import Part
from hubstudio.core.plan import Plan
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.elided_label import ElidedLabel
from hubstudio.gui.widgets.number_field import WholeField
from hubstudio.gui.widgets.share_bar import ShareBar
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_PARTS = (
    (Part.TRAINING, "accent", "train", "The model learns from these."),
    (Part.VALIDATION, "good", "validation", "They choose the best epoch."),
    (Part.TEST, "warning", "test, locked", "Seen by nothing until Review."),
)
_OPEN, _CLOSED = "▾", "▸"
_LEAST_TRAINING = 10  # per cent
_MILLISECONDS_OF_REST = 300  # after the last press of an arrow: dividing 100,000 photos takes seconds
_SPLIT_FILTER = "Split files (*.csv);;All files (*)"


class SplitCard(Card):
    """A bar in three parts and the numbers to it; what can be changed is folded away."""

    shares_wanted = Signal(float, float)  # validation, test
    export_wanted = Signal(object)  # Path
    use_wanted = Signal(object)  # Path
    forget_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("How the photos are used")
        self._plan: Plan | None = None
        self._tell_later = QTimer(self)
        self._tell_later.setSingleShot(True)
        self._tell_later.setInterval(_MILLISECONDS_OF_REST)
        self._tell_later.timeout.connect(self._tell_shares)
        self.bar = ShareBar(height=10, gap=3)
        self.body.addWidget(self.bar)
        self.lines = {part: _PartLine(colour, why) for part, colour, _, why in _PARTS}
        for line in self.lines.values():
            self.body.addWidget(line)
        self.adjust = quiet_button(f"{_CLOSED} Adjust", "adjust_split", "Adjust the split")
        self.adjust.setCheckable(True)
        self.origin = _quiet_line("split_origin")
        self.validation = _share_field("validation_share", "Validation share")
        self.test = _share_field("test_share", "Test share")
        self.export = quiet_button("Export split…", "export_split", "Export split")
        self.use = quiet_button("Use a split…", "use_split", "Use a split")
        self.forget = quiet_button("Divide by content", "forget_split", "Divide by content")
        self.done = _quiet_line("split_exported")
        self.fold = self._make_fold()
        header = QHBoxLayout()
        header.addWidget(self.adjust)
        header.addStretch(1)
        self.body.addLayout(header)
        self.body.addWidget(self.fold)
        self._connect()

    def show_split(self, counts: Mapping[str, int], plan: Plan, *, is_current: bool) -> None:
        """Show the numbers of a split; none while it is not known. It is not current while an edit is checked."""
        total = max(1, sum(counts.values()))
        self.bar.show_parts([(counts.get(part.value, 0) / total, colour) for part, colour, _, _ in _PARTS])
        for part, _, words, _ in _PARTS:
            self.lines[part].number.say(f"{counts[part.value]:,} {words}" if counts else f"… {words}")
        self.export.setEnabled(is_current)
        why_not = "" if is_current else "Once the photos are checked"
        self.export.setToolTip(why_not)
        self.export.setAccessibleDescription(why_not)
        self.use.setEnabled(bool(counts))
        if plan != self._plan:
            self._show_plan(plan)

    def show_exported(self, file: Path) -> None:
        """Say that the split was written."""
        self.done.setText(f"Written to {file}")
        self.done.show()

    def hideEvent(self, event: QHideEvent) -> None:
        """Lose no share that was chosen a moment ago."""
        if self._tell_later.isActive():
            self._tell_shares()
        super().hideEvent(event)

    def _show_plan(self, plan: Plan) -> None:
        former, self._plan = self._plan, None  # so that setting the fields is not taken for typing
        if former is None or former.photos != plan.photos:
            self._tell_later.stop()
        if not self._tell_later.isActive():
            self._show_shares(round(plan.validation_share * 100), round(plan.test_share * 100))
        self._plan = plan
        self.forget.setVisible(bool(plan.split_file))
        name = Path(plan.split_file).name
        self.origin.setText(f"The split of '{name}' is kept." if name else f"Drawn by content, seed {plan.seed}.")

    def _connect(self) -> None:
        self.adjust.toggled.connect(self._on_folded)
        for field in (self.validation, self.test):
            field.valueChanged.connect(self._on_share_changed)
        self.export.clicked.connect(self._on_export_clicked)
        self.use.clicked.connect(self._on_use_clicked)
        self.forget.clicked.connect(self.forget_wanted)

    def _on_folded(self, is_open: bool) -> None:
        self.adjust.setText(f"{_OPEN if is_open else _CLOSED} Adjust")
        self.fold.setVisible(is_open)
        self.done.hide()

    def _show_shares(self, validation: int, test: int) -> None:
        for field, share, other in ((self.validation, validation, test), (self.test, test, validation)):
            field.setMaximum(100 - _LEAST_TRAINING - other)
            field.setValue(share)

    def _on_share_changed(self) -> None:
        if self._plan:
            plan, self._plan = self._plan, None
            self._show_shares(self.validation.value(), self.test.value())
            self._plan = plan
            self._tell_later.start()

    def _tell_shares(self) -> None:
        self._tell_later.stop()
        self.shares_wanted.emit(self.validation.value() / 100, self.test.value() / 100)

    def _on_export_clicked(self) -> None:
        file, _ = QFileDialog.getSaveFileName(self, "Export split", "split.csv", _SPLIT_FILTER)
        if file:
            self.export_wanted.emit(Path(file))

    def _on_use_clicked(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Use the split of a file", "", _SPLIT_FILTER)
        if file:
            self.use_wanted.emit(Path(file))

    def _make_fold(self) -> QWidget:
        fold = QWidget()
        column = QVBoxLayout(fold)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for place, (text, field) in enumerate((("Validation", self.validation), ("Test", self.test))):
            grid.addWidget(QLabel(text), place, 0)
            grid.addWidget(field, place, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        for button in (self.export, self.use):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addWidget(self.origin)
        column.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(grid)
        column.addLayout(buttons)
        column.addWidget(self.done)
        fold.hide()
        self.done.hide()
        self.forget.hide()
        return fold


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


def _quiet_line(name: str) -> ElidedLabel:
    """Return a line that never wraps: rows whose height follows their width were squeezed into each other here."""
    line = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
    line.setObjectName(name)
    line.setProperty("role", "muted")
    return line


def _share_field(name: str, accessible_name: str) -> WholeField:
    field = WholeField()
    field.setObjectName(name)
    field.setAccessibleName(accessible_name)
    field.setRange(1, 100)
    field.setSuffix(" %")
    field.setMinimumWidth(96)
    field.setKeyboardTracking(False)
    return field
