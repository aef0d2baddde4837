"""What is well with the photos and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from hubstudio.core.events import Progress
from hubstudio.core.photos import PhotoSet, Problem, count_of
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.share_bar import ShareBar
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_MOST_PROBLEMS, _MOST_FILES = 12, 500
_LOPSIDED = 4.0  # from there on a class is so rare that the accuracy alone says little about it


class HealthCheck(Card):
    """A line for each finding; files are listed on demand."""

    def __init__(self) -> None:
        super().__init__("Health check")
        self.progress = ShareBar(height=8)  # a QProgressBar repaints within setValue, which costs a busy window a turn
        self.readable = HealthLine()
        self.readable.setObjectName("readable_photos")
        self._findings = QVBoxLayout()
        self._findings.setSpacing(8)
        self.lines: list[HealthLine] = []
        self.body.addWidget(self.readable)
        self.body.addWidget(self.progress)
        self.body.addLayout(self._findings)
        self.body.addStretch(1)

    def show_progress(self, progress: Progress) -> None:
        """Show how many photos were read so far."""
        self.progress.show_parts([(progress.done / max(1, progress.total), "accent")])
        self.progress.show()
        self.readable.say("…", "muted", f"Checking: {progress.done:,} of {progress.total:,} photos read")

    def show_photos(self, photo_set: PhotoSet, *, checked: bool) -> None:
        """Show what is known of a set; ``checked`` once every photo was read."""
        self.progress.setVisible(not checked)
        photos = len(photo_set.photos)
        if checked:
            self.readable.say("✓", "good", f"{count_of(photos, 'photo')} readable")
        else:
            self.show_progress(Progress(0, photos))
        self._show_findings(photo_set)

    def _show_findings(self, photo_set: PhotoSet) -> None:
        while self.lines:
            line = self.lines.pop()
            self._findings.removeWidget(line)
            line.hide()
            line.deleteLater()
        for problem in photo_set.problems[:_MOST_PROBLEMS]:
            self._add(HealthLine.of_problem(problem, photo_set.root))
        hidden = len(photo_set.problems) - _MOST_PROBLEMS
        if hidden > 0:
            self._add(HealthLine("!", "warning", f"{count_of(hidden, 'more finding')} like these."))
        self._add(_balance(photo_set))

    def _add(self, line: HealthLine) -> None:
        self.lines.append(line)
        self._findings.addWidget(line)


class HealthLine(QWidget):
    """A mark, a sentence, and perhaps files to show."""

    def __init__(self, mark: str = "", role: str = "", sentence: str = "", files: Sequence[str] = ()) -> None:
        super().__init__()
        self.mark = QLabel(mark)
        self.mark.setFixedWidth(16)
        self.sentence = WrappedLabel(sentence)
        self.show_files = QPushButton("Show")
        self.show_files.setVisible(bool(files))
        self.files = QPlainTextEdit()
        self.files.hide()
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.show_files, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.files)
        self.say(mark, role, sentence)
        self._prepare_files(files)

    @classmethod
    def of_problem(cls, problem: Problem, root: Path) -> HealthLine:
        """Return the line for a problem."""
        role = "bad" if problem.blocks_training else "warning"
        return cls("!", role, problem.message, [_relative(path, root) for path in problem.files[:_MOST_FILES]])

    def say(self, mark: str, role: str, sentence: str) -> None:
        """Say something else."""
        self.mark.setText(mark)
        if self.mark.property("role") != role:
            self.mark.setProperty("role", role)
            self.mark.style().unpolish(self.mark)
            self.mark.style().polish(self.mark)
        self.sentence.say(sentence)

    def _prepare_files(self, files: Sequence[str]) -> None:
        self.show_files.setObjectName("show_files")
        self.show_files.setAccessibleName(f"Show files: {self.sentence.said()}")
        self.show_files.setProperty("role", "quiet")
        self.show_files.setCheckable(True)
        self.show_files.toggled.connect(self._on_toggled)
        self.files.setPlainText("\n".join(files))
        self.files.setObjectName("problem_files")
        self.files.setAccessibleName("Files")
        self.files.setReadOnly(True)
        self.files.setTabChangesFocus(True)
        self.files.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.files.setFixedHeight(min(160, 40 + 18 * len(files)))

    def _on_toggled(self, shown: bool) -> None:
        self.show_files.setText("Hide" if shown else "Show")
        self.files.setVisible(shown)


def _balance(photo_set: PhotoSet) -> HealthLine:
    counts = [count for count in photo_set.counts.values() if count]
    if len(counts) < 2:
        return HealthLine("–", "muted", "Balance: nothing to compare yet")
    ratio = max(counts) / min(counts)
    if ratio < _LOPSIDED:
        return HealthLine("✓", "good", f"Classes balanced (1 : {ratio:.1f})")
    smallest = min(photo_set.counts, key=lambda name: photo_set.counts[name] or max(counts))
    return HealthLine(
        "!", "warning", f"Classes lopsided (1 : {ratio:.1f}); more photos of '{smallest}' would help most."
    )


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
