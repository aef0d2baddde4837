"""What is well with the photos and what is not."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.events import Progress
from hubstudio.core.photo_check import COMPARING
from hubstudio.core.photos import PhotoSet, Problem, count_of
from hubstudio.gui.widgets.buttons import quiet_button
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.share_bar import ShareBar
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_MOST_PROBLEMS = 40
_ROOM_FOR_FINDINGS = 120  # pixels, at least
_MARKS = {"bad": "✕", "warning": "!", "muted": "•", "good": "✓"}
LOPSIDED, LEFT_OUT = "lopsided", "left_out"


class HealthCheck(Card):
    """A line for each finding, what prevents training first; many of them scroll."""

    show_wanted = Signal(object)  # Problem
    put_back_wanted = Signal(object)  # Problem: of the photos left out
    class_weights_wanted = Signal(bool)
    pause_wanted = Signal()
    resume_wanted = Signal()
    cancel_wanted = Signal()
    check_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("Health check")
        self._progress = Progress(0, 0)
        self._is_going_on = self._is_paused = False
        self._has_class_weights = False
        self._shown: tuple[Problem, ...] | None = None
        self.progress = ShareBar(height=8)  # a QProgressBar repaints within setValue, which costs a busy window a turn
        self.readable = HealthLine()
        self.readable.setObjectName("readable_photos")
        self.pause = quiet_button("Pause", "pause_check", "Pause the check")
        self.cancel = quiet_button("Cancel", "cancel_check", "Cancel the check")
        self.again = quiet_button("Check again", "check_again", "Check again")
        self.lines: list[HealthLine] = []
        self._findings = QVBoxLayout()
        self._lay_out()
        self.pause.clicked.connect(self._on_pause_clicked)
        self.cancel.clicked.connect(self.cancel_wanted)
        self.again.clicked.connect(self.check_wanted)

    def hasHeightForWidth(self) -> bool:
        """Be content with less height: the findings scroll. A box layout takes a height for a width as the least."""
        return False

    def show_progress(self, progress: Progress) -> None:
        """Show how many photos were read or compared so far."""
        self._progress = progress
        if not self._is_going_on:
            return
        self.progress.show_parts([(progress.done / max(1, progress.total), "accent")])
        if progress.what == COMPARING:
            counted, verb = f"{progress.done:,} of {progress.total:,} photos", "Comparing"
        else:
            counted, verb = f"{progress.done:,} of {progress.total:,} photos read", "Checking"
        self.readable.say("…", "muted", f"{'Paused' if self._is_paused else verb}: {counted}")

    def show_checking(self, *, is_going_on: bool, is_paused: bool, photo_set: PhotoSet | None, checked: bool) -> None:
        """Show whether a check goes on, and else what the last one found."""
        self._is_going_on, self._is_paused = is_going_on, is_paused
        self.pause.setText("Resume" if is_paused else "Pause")
        self.pause.setAccessibleName("Resume the check" if is_paused else "Pause the check")
        for widget in (self.progress, self.pause, self.cancel):
            widget.setVisible(is_going_on)
        self.again.setVisible(not is_going_on and not checked and photo_set is not None)
        if is_going_on:
            self.show_progress(self._progress)
        elif photo_set is not None:
            self._progress = Progress(0, 0)
            self._say_readable(photo_set, checked)

    def show_photos(self, photo_set: PhotoSet, *, has_class_weights: bool) -> None:
        """Show what is known of a set."""
        if photo_set.problems is not self._shown or has_class_weights != self._has_class_weights:
            self._shown, self._has_class_weights = photo_set.problems, has_class_weights
            self._show_findings(photo_set)

    def _say_readable(self, photo_set: PhotoSet, checked: bool) -> None:
        photos = len(photo_set.photos)
        if checked:
            self.readable.say("✓", "good", f"{count_of(photos, 'photo')} readable")
        else:
            self.readable.say("!", "warning", f"{count_of(photos, 'photo')} not checked yet")

    def _show_findings(self, photo_set: PhotoSet) -> None:
        while self.lines:
            line = self.lines.pop()
            self._findings.removeWidget(line)
            line.hide()
            line.deleteLater()
        problems = sorted(photo_set.problems, key=_calmness)
        for problem in problems[:_MOST_PROBLEMS]:
            self._add(self._line_of(problem))
        hidden = len(problems) - _MOST_PROBLEMS
        if hidden > 0:
            self._add(HealthLine("!", "warning", f"{count_of(hidden, 'more finding')} like these."))
        if balance := _balance(photo_set):
            self._add(balance)
        self._put_in_tab_order()

    def _put_in_tab_order(self) -> None:
        """Let the lines follow the buttons above them, though they were made later than everything below."""
        former: QWidget = self.again
        for line in self.lines:
            for control in line.controls():
                QWidget.setTabOrder(former, control)
                former = control

    def _line_of(self, problem: Problem) -> HealthLine:
        role = role_of(problem)
        line = HealthLine(_MARKS[role], role, problem.message)
        if problem.files:
            show = line.addquiet_button("Show", "show_files", f"Show files: {problem.message}")
            show.clicked.connect(lambda: self.show_wanted.emit(problem))
        if problem.kind == LEFT_OUT:
            back = line.addquiet_button("Put back", "put_all_back", "Put all photos back")
            back.clicked.connect(lambda: self.put_back_wanted.emit(problem))
        if problem.kind == LOPSIDED:
            weights = line.add_check_box("Class weights", "class_weights")
            weights.setToolTip("<qt>Every class counts alike in the loss, however many photos it has.</qt>")
            weights.setChecked(self._has_class_weights)
            weights.toggled.connect(self._on_class_weights_toggled)
        return line

    def _on_class_weights_toggled(self, wanted: bool) -> None:
        self._has_class_weights = wanted  # so that its echo does not build the lines anew
        self.class_weights_wanted.emit(wanted)

    def _on_pause_clicked(self) -> None:
        (self.resume_wanted if self._is_paused else self.pause_wanted).emit()

    def _add(self, line: HealthLine) -> None:
        self.lines.append(line)
        self._findings.addWidget(line)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for button in (self.pause, self.cancel, self.again):
            buttons.addWidget(button)
            button.hide()
        buttons.addStretch(1)
        found = QWidget()
        column = QVBoxLayout(found)
        column.setContentsMargins(0, 0, 0, 0)
        self._findings.setSpacing(8)
        column.addLayout(self._findings)
        column.addStretch(1)
        scrolled = ScrollColumn(found)
        scrolled.setMinimumHeight(_ROOM_FOR_FINDINGS)
        self.body.addWidget(self.readable)
        self.body.addWidget(self.progress)
        self.body.addLayout(buttons)
        self.body.addWidget(scrolled, 1)


class HealthLine(QWidget):
    """A mark, a sentence, and perhaps something to do about it."""

    def __init__(self, mark: str = "", role: str = "", sentence: str = "") -> None:
        super().__init__()
        self.mark = QLabel(mark)
        self.mark.setFixedWidth(16)
        self.sentence = WrappedLabel()
        self.buttons: list[QPushButton] = []
        self.check_box: QCheckBox | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self._words = QVBoxLayout()
        self._words.setSpacing(2)
        self._words.addWidget(self.sentence)
        self._words.addStretch(1)  # beside two buttons the sentence stays with its mark
        self._side = QVBoxLayout()
        self._side.setSpacing(2)
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._words, 1)
        row.addLayout(self._side)
        self.say(mark, role, sentence)

    def say(self, mark: str, role: str, sentence: str) -> None:
        """Say something else."""
        if self.mark.text() != mark:
            self.mark.setText(mark)
        if self.mark.property("role") != role:
            self.mark.setProperty("role", role)
            self.sentence.setProperty("role", role if role in ("bad", "muted") else "")
            for label in (self.mark, self.sentence):
                label.style().unpolish(label)
                label.style().polish(label)
            self.sentence.say(sentence)
        else:
            self.sentence.say_in_place(sentence)

    def addquiet_button(self, text: str, name: str, accessible_name: str) -> QPushButton:
        """Offer something at the right."""
        button = quiet_button(text, name, accessible_name)
        self.buttons.append(button)
        self._side.addWidget(button, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        if len(self.buttons) == 1:
            self._side.addStretch(1)
        else:
            self._side.insertWidget(len(self.buttons) - 1, button)
        return button

    def add_check_box(self, text: str, name: str) -> QCheckBox:
        """Offer a choice below the sentence."""
        self.check_box = QCheckBox(text)
        self.check_box.setObjectName(name)
        self.check_box.setAccessibleName(text)
        self._words.insertWidget(1, self.check_box)
        return self.check_box

    def controls(self) -> list[QWidget]:
        """Return what can be done about it."""
        return [*self.buttons, *([self.check_box] if self.check_box else [])]


def role_of(problem: Problem) -> str:
    """Return the role a problem is shown in: bad where nothing can be trained, muted where it is only told."""
    if problem.blocks_training:
        return "bad"
    return "muted" if problem.is_note else "warning"


def _calmness(problem: Problem) -> int:
    return 0 if problem.blocks_training else 2 if problem.is_note else 1


def _balance(photo_set: PhotoSet) -> HealthLine | None:
    """Return the line on how alike the classes are in number, unless a problem says it."""
    counts = [count for count in photo_set.counts.values() if count]
    if any(problem.kind == LOPSIDED for problem in photo_set.problems):
        return None
    if len(counts) < 2:
        return HealthLine("–", "muted", "Balance: nothing to compare yet")
    return HealthLine("✓", "good", f"Classes balanced (1 : {max(counts) / min(counts):.1f})")
