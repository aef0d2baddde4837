"""Ways to point at photos: before there are any, and when more or others are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from hubstudio.core import path_kinds
from hubstudio.core.project import Project
from hubstudio.core.selection import TABLE_SUFFIXES
from hubstudio.gui.photo_folders import Offer, offer_to_add, offer_to_use
from hubstudio.gui.widgets.drop_zone import DropZone
from hubstudio.gui.widgets.wrapped_label import WrappedLabel

_HEIGHT_OF_A_TILE = 90
ZONE_NAME = "Photo drop zone"
_FOLDER_TITLE = "Choose the folder that holds one folder per class"
_ADD_TITLE = "Add a folder of class folders, or one class folder"
_TABLE_TITLE = "Choose a table with a path and a label in each line"
_TABLE_FILTER = f"Tables ({' '.join(f'*{suffix}' for suffix in sorted(TABLE_SUFFIXES))});;All files (*)"


class SourceButtons(QWidget):
    """A button that asks for a folder, and one that asks for a table."""

    chosen = Signal(object)  # list[Path]

    def __init__(self, verb: str, folder_title: str, *, quiet: bool = False) -> None:
        super().__init__()
        self._title = folder_title
        role = "quiet" if quiet else ""
        self.folder = button(f"{verb} folder", role)
        self.table = button(f"{verb} table", role)
        self.table.setToolTip("A CSV file with a path, a label and perhaps a part of the split in each line")
        self.folder.clicked.connect(self._on_folder_clicked)
        self.table.clicked.connect(self._on_table_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4 if quiet else 8)
        for widget in (self.folder, self.table):
            row.addWidget(widget)

    def _on_folder_clicked(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, self._title):
            self.chosen.emit([Path(folder)])

    def _on_table_clicked(self) -> None:
        if tables := ask_for_table(self):
            self.chosen.emit(tables)


class OtherPhotos(SourceButtons):
    """Beside the photos' folder: choose another instead. For tables there is the menu: the line is narrow."""

    def __init__(self) -> None:
        super().__init__("Choose", _FOLDER_TITLE, quiet=True)
        self.table.hide()


class FirstPhotos(DropZone):
    """The whole page before there are photos: drop, choose, type, try, or go on where one was."""

    chosen = Signal(object)  # list[Path]
    project_wanted = Signal(object)  # Path
    samples_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(ZONE_NAME, "Drop a folder of class folders here")
        self.offer_for = offer_to_use
        self.prompt.setProperty("role", "heading")
        self.busy = WrappedLabel("", "muted", "reading_photos")
        self.busy.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.buttons = SourceButtons("Choose", _FOLDER_TITLE)
        self.folder = QLineEdit()
        self.folder.setAcceptDrops(False)  # a drop on it is meant for the zone around it
        self.use = button("Use this folder")
        self.samples = button("Try the sample photos")
        self.recent = QVBoxLayout()
        self.recent.setSpacing(6)
        self.recent_title = QLabel("Go on where you were")
        self.recent_title.setProperty("role", "muted")
        self._lay_out()
        self.dropped.connect(self.chosen)
        self.buttons.chosen.connect(self.chosen)
        self.use.clicked.connect(self._on_folder_typed)
        self.folder.returnPressed.connect(self._on_folder_typed)
        self.samples.clicked.connect(self.samples_wanted)

    def show_busy(self, sentence: str) -> None:
        """Say what is being read, or nothing."""
        self.busy.say(sentence)
        self.busy.setVisible(bool(sentence))

    def show_recent(self, projects: Sequence[Project]) -> None:
        """Offer projects to go on with."""
        while item := self.recent.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        for project in projects:
            self.recent.addWidget(self._recent_button(project), 0, Qt.AlignmentFlag.AlignHCenter)
        self.recent_title.setVisible(bool(projects))

    def _recent_button(self, project: Project) -> QPushButton:
        folder = project.folder
        name = folder.name if len(folder.name) <= 40 else f"{folder.name[:39]}…"
        waiting = " – a training waits there" if project.has_unfinished else ""
        going_on = button(f"Continue {name}{waiting}", "quiet")
        going_on.setObjectName("continue_project")
        going_on.setToolTip(str(folder))
        going_on.clicked.connect(lambda: self.project_wanted.emit(folder))
        return going_on

    def _on_folder_typed(self) -> None:
        if text := self.folder.text().strip():
            self.chosen.emit([path_kinds.absolute(Path(text))])

    def _lay_out(self) -> None:
        self.folder.setObjectName("photo_folder")
        self.folder.setAccessibleName("Photo folder")
        self.folder.setPlaceholderText("Or type the path of a folder or table")
        explanation = WrappedLabel(
            "One folder per class, named as the class, with at least 3 photos in each; or several class folders "
            "together; or a table (.csv) with a path and a label in each line.",
            "muted",
        )
        explanation.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.buttons.folder.setProperty("role", "primary")
        typed = _row(self.folder, self.use, stretch_at=0)
        column = QVBoxLayout()
        column.setSpacing(12)
        for widget in (explanation, self.busy):
            column.addWidget(widget)
        column.addLayout(_centred(self.buttons, self.samples))
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


class MorePhotos(DropZone):
    """Behind the classes: drop or choose further folders."""

    chosen = Signal(object)  # list[Path]

    def __init__(self) -> None:
        super().__init__(ZONE_NAME, "+  Drop another folder")
        self._sources: Sequence[Path] = ()
        self._classes: Sequence[str] = ()
        self.offer_for = self._offer_to_add
        self.buttons = SourceButtons("Add", _ADD_TITLE, quiet=True)
        self.prompt.setProperty("role", "muted")
        self.prompt.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.body.setContentsMargins(14, 6, 8, 6)
        self.body.setSpacing(4)
        self.body.insertStretch(0, 0)
        self.body.addWidget(self.buttons, 0, Qt.AlignmentFlag.AlignCenter)
        self.body.addStretch(0)
        self.body.setDirection(QBoxLayout.Direction.LeftToRight)
        self.dropped.connect(self.chosen)
        self.buttons.chosen.connect(self.chosen)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be a line where there is room for a line, and a tile where there is room for a tile."""
        super().resizeEvent(event)
        is_tile = event.size().height() >= _HEIGHT_OF_A_TILE
        way = QBoxLayout.Direction.TopToBottom if is_tile else QBoxLayout.Direction.LeftToRight
        if way is not self.body.direction():
            self.body.setDirection(way)
            for place in (0, self.body.count() - 1):
                self.body.setStretch(place, int(is_tile))
            self.prompt.setAlignment(Qt.AlignmentFlag.AlignCenter if is_tile else Qt.AlignmentFlag.AlignVCenter)

    def show_present(self, sources: Sequence[Path], classes: Sequence[str]) -> None:
        """Note what is there already: what a drop would do depends on it."""
        self._sources, self._classes = sources, classes

    def _offer_to_add(self, paths: Sequence[Path]) -> Offer:
        return offer_to_add(paths, self._sources, self._classes)


def ask_for_table(parent: QWidget) -> list[Path]:
    """Return the table that the person chooses; none if they change their mind."""
    file, _ = QFileDialog.getOpenFileName(parent, _TABLE_TITLE, "", _TABLE_FILTER)
    return [Path(file)] if file else []


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
