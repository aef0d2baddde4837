"""One export format: whether it is wanted, what it is for, and what was written."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from hubstudio.core.engine import ExportedFile
from hubstudio.core.photos import count_of
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import size_text

_TITLES = {"keras": "Keras", "savedmodel": "SavedModel", "tflite": "TFLite"}


class FormatRow(QWidget):
    """A check box named after the format; its result appears below once it is exported."""

    def __init__(self, name: str, description: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.format = name
        self.check = QCheckBox(_TITLES.get(name, name))
        self.check.setObjectName(f"format_{name}")
        self.check.setAccessibleName(_TITLES.get(name, name))
        self.check.setAccessibleDescription(description)
        self.check.setMinimumWidth(130)
        about = QLabel(description)
        about.setProperty("role", "muted")
        self.result = WrappedLabel("", "good", f"result_{name}")
        self.path = WrappedLabel("", "muted", f"path_{name}")
        first = QHBoxLayout()
        first.setSpacing(12)
        first.addWidget(self.check)
        first.addWidget(about, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(first)
        for label in (self.result, self.path):
            label.setIndent(30)
            column.addWidget(label)
        self.show_file(None)

    def show_file(self, file: ExportedFile | None) -> None:
        """Show what was written, or nothing."""
        self.result.setVisible(file is not None)
        self.path.setVisible(file is not None)
        if file:
            self.result.say(f"{size_text(file.bytes)} · {agreement_text(file)}")
            self.path.say(str(file.path))


def agreement_text(file: ExportedFile) -> str:
    """Return how well the file's answers agree with the app's own; the engine hands over none that does not."""
    if not file.checked_photos:
        return "not checked against the app"
    photos = count_of(file.checked_photos, "photo")
    return f"agrees with the app: same answers on {photos}, within {_rounded_up(file.largest_difference)}"


def _rounded_up(difference: float) -> str:
    """Return a bound of one digit that holds: 0.0004 for 0.00034, and never less than 0.00001."""
    if difference <= 1e-5:
        return "0.00001"
    places = -math.floor(math.log10(difference))
    return f"{math.ceil(difference * 10**places - 1e-9) / 10**places:.{places}f}"
