"""Ways to point at photos: before there are any, and when others are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from hubstudio.core import path_kinds
from hubstudio.core.errors import PhotosError
from hubstudio.gui.widgets.drop_zone import DropZone
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

ZONE_NAME = "Photo drop zone"


class PhotoZone(DropZone):
    """Takes one folder; says what to do when something else is dropped."""

    folder_chosen = Signal(object)  # Path
    refused = Signal(object)  # StudioError

    def __init__(self, prompt: str) -> None:
        super().__init__(ZONE_NAME, prompt)
        self.choose = button("Choose folder")
        self.choose.clicked.connect(self._on_choose_clicked)
        self.dropped.connect(self._on_dropped)

    def _on_choose_clicked(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose the folder that holds one folder per class")
        if folder:
            self.folder_chosen.emit(Path(folder))

    def _on_dropped(self, paths: list[Path]) -> None:
        if len(paths) == 1 and paths[0].is_dir():
            self.folder_chosen.emit(paths[0])
        else:
            self.refused.emit(refusal_of(paths))


class FirstPhotos(PhotoZone):
    """The whole page before there are photos: drop, choose, type, try, or go on where one was."""

    project_wanted = Signal(object)  # Path
    samples_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("Drop a folder of class folders here")
        self.prompt.setProperty("role", "heading")
        self.prompt.setWordWrap(True)
        self.busy = WrappedLabel("", "muted", "reading_photos")
        self.busy.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.folder = QLineEdit()
        self.folder.setAcceptDrops(False)  # a drop on it is meant for the zone around it
        self.use = button("Use this folder")
        self.samples = button("Try the sample photos")
        self.recent = QVBoxLayout()
        self.recent.setSpacing(6)
        self.recent_title = QLabel("Go on where you were")
        self.recent_title.setProperty("role", "muted")
        self._lay_out()
        self.use.clicked.connect(self._on_folder_typed)
        self.folder.returnPressed.connect(self._on_folder_typed)
        self.samples.clicked.connect(self.samples_wanted)

    def show_busy(self, folder: str) -> None:
        """Say which folder is being read, or nothing."""
        self.busy.say(f"Reading the folders in '{folder}'" if folder else "")
        self.busy.setVisible(bool(folder))

    def show_recent(self, projects: Sequence[Path]) -> None:
        """Offer projects to go on with."""
        while item := self.recent.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        for folder in projects:
            self.recent.addWidget(self._recent_button(folder), 0, Qt.AlignmentFlag.AlignHCenter)
        self.recent_title.setVisible(bool(projects))

    def _recent_button(self, folder: Path) -> QPushButton:
        name = folder.name if len(folder.name) <= 40 else f"{folder.name[:39]}…"
        going_on = button(f"Continue {name}", "quiet")
        going_on.setObjectName("continue_project")
        going_on.setToolTip(str(folder))
        going_on.clicked.connect(lambda: self.project_wanted.emit(folder))
        return going_on

    def _on_folder_typed(self) -> None:
        if text := self.folder.text().strip():
            self.folder_chosen.emit(path_kinds.absolute(Path(text)))

    def _lay_out(self) -> None:
        self.folder.setObjectName("photo_folder")
        self.folder.setAccessibleName("Photo folder")
        self.folder.setPlaceholderText("Or type the folder's path")
        explanation = WrappedLabel("One folder per class, named as the class, with at least 3 photos in each.", "muted")
        explanation.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.choose.setProperty("role", "primary")
        typed = _row(self.folder, self.use, stretch_at=0)
        column = QVBoxLayout()
        column.setSpacing(12)
        for widget in (explanation, self.busy):
            column.addWidget(widget)
        column.addLayout(_centred(self.choose, self.samples))
        column.addLayout(typed)
        column.addSpacing(10)
        column.addWidget(self.recent_title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self.recent)
        inner = QWidget()
        inner.setMaximumWidth(560)
        inner.setLayout(column)
        self.body.insertStretch(0, 2)
        self.body.addLayout(_row(inner, stretch_at=0))
        self.body.addStretch(3)
        self.show_busy("")
        self.show_recent([])


class OtherPhotos(PhotoZone):
    """One line below the classes: drop or choose another folder instead."""

    def __init__(self) -> None:
        super().__init__("Drop another folder here to use it instead")
        self.prompt.setProperty("role", "muted")
        self.prompt.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.body.removeWidget(self.prompt)
        self.body.setContentsMargins(14, 8, 8, 8)
        self.body.addLayout(_row(self.prompt, self.choose, stretch_at=0))


def refusal_of(paths: Sequence[Path]) -> PhotosError:
    """Return what to tell somebody who dropped something else than one folder."""
    folders = [path for path in paths if path.is_dir()]
    above = {path.parent for path in paths}
    where = f"'{above.pop()}'" if len(above) == 1 else "the folder above them"
    if len(folders) > 1:
        return PhotosError(
            f"{len(folders)} folders were dropped; one is needed.",
            found="They look like the classes themselves.",
            next_step=f"Drop the folder that holds them: {where}.",
        )
    return PhotosError(
        f"'{paths[0].name}' is not a folder.",
        found="It is a single file." if len(paths) == 1 else f"{len(paths)} files were dropped.",
        next_step="Drop the folder that holds one folder per class.",
    )


def button(text: str, role: str = "") -> QPushButton:
    """Return a button whose accessible name is its text."""
    made = QPushButton(text.replace("&", "&&"))
    made.setObjectName(text.casefold().replace(" ", "_"))
    made.setAccessibleName(text)
    made.setProperty("role", role)
    return made


def _row(*widgets: QWidget, stretch_at: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place == stretch_at else 0)
    return row


def _centred(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
