"""The last step: the trained model as files for other programs, each checked before it is handed over."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hubstudio.core import path_kinds
from hubstudio.core.engine import EXPORT_FORMATS, ExportedFile
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Progress
from hubstudio.core.project import Project
from hubstudio.gui.pages.page import Page
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.card import Card
from hubstudio.gui.widgets.error_card import ErrorCard
from hubstudio.gui.widgets.format_row import FormatRow
from hubstudio.gui.widgets.scroll_column import ScrollColumn
from hubstudio.gui.widgets.wrapped_label import WrappedLabel
from hubstudio.gui.wording import progress_text

_FIRST_CHOICE = ("keras", "tflite")
_COMES_WITH_IT = "labels.txt, the classes in the order of the answers · README.md, how to load each file"


class ExportPage(Page):
    """Writes the chosen formats into a folder that can be typed."""

    step = "export"

    def __init__(self, session: Session) -> None:
        super().__init__(
            session, "Export the trained model", "Every file is run again on photos before it is handed over."
        )
        self._suggested = ""
        self._target: Path | None = None
        self._exported_to: Path | None = None
        self._was_cancelled = False
        self.rows = {name: FormatRow(name, about) for name, about in EXPORT_FORMATS.items()}
        for name in _FIRST_CHOICE:
            self.rows[name].check.setChecked(True)
        self.folder = QLineEdit()
        self.browse = _button("Browse…", "Browse for export folder")
        self.export = _button("Export trained model", "Export trained model")
        self.export.setProperty("role", "primary")
        self.cancel = _button("Cancel", "Cancel export")
        self.open_folder = _button("Open folder", "Open folder")
        self.status = WrappedLabel("", "", "export_status")
        self.bar = QProgressBar()
        self.error = ErrorCard()
        self._lay_out()
        self._connect()
        self._suggest_folder()
        self._refresh()

    def missing(self) -> str:
        """Nothing has to be done here; only a run has to be there."""
        return "" if self.session.project.run else "Train once first"

    def summary(self) -> str:
        """The folder's name, once there is something in it."""
        return self._exported_to.name if self._exported_to else ""

    def entered(self) -> None:
        """Suggest a folder for the chosen run."""
        self._suggest_folder()
        self._refresh()

    def wanted(self) -> list[str]:
        """Return the chosen formats."""
        return [name for name, row in self.rows.items() if row.check.isChecked()]

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        for card in (self._formats_card(), self._folder_card(), self.error, self._extras_card()):
            column.addWidget(card)
        column.addStretch(1)
        self.body.addWidget(ScrollColumn(content), 1)

    def _formats_card(self) -> Card:
        card = Card("Formats")
        for row in self.rows.values():
            card.body.addWidget(row)
        return card

    def _folder_card(self) -> Card:
        self.folder.setObjectName("export_folder")
        self.folder.setAccessibleName("Export folder")
        label = QLabel("Folder")  # not the field's own accessible name: that would be found twice
        label.setBuddy(self.folder)
        self.bar.setObjectName("export_progress")
        self.bar.setAccessibleName("Export progress")
        self.bar.setTextVisible(False)
        card = Card()
        card.setAccessibleName("Where to")
        card.body.addLayout(_row(label, self.folder, self.browse))
        card.body.addLayout(_row(self.status, self.open_folder, self.cancel, self.export))
        card.body.addWidget(self.bar)
        return card

    def _extras_card(self) -> Card:
        card = Card("Comes with it")
        card.body.addWidget(WrappedLabel(_COMES_WITH_IT, "muted"))
        return card

    def _connect(self) -> None:
        session = self.session
        session.exports_ready.connect(self._on_exports_ready)
        session.busy_changed.connect(self._on_busy_changed)
        session.failed.connect(self._on_failed)
        session.project_changed.connect(self._on_project_changed)
        for row in self.rows.values():
            row.check.toggled.connect(self._refresh)
        self.folder.textChanged.connect(self._refresh)
        self.browse.clicked.connect(self._on_browse_clicked)
        self.export.clicked.connect(self._on_export_clicked)
        self.cancel.clicked.connect(self._on_cancel_clicked)
        self.open_folder.clicked.connect(self._on_open_folder_clicked)

    def _on_browse_clicked(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, "Export folder", self.folder.text()):
            self.folder.setText(chosen)

    def _on_export_clicked(self) -> None:
        self.error.show_error(None)
        self._was_cancelled = False
        self._show_files([])
        self._exported_to = None
        self._target = path_kinds.absolute(Path(self.folder.text().strip()))
        self.session.export(self.wanted(), self._target)
        self._refresh()
        self.done_changed.emit()

    def _on_cancel_clicked(self) -> None:
        self._was_cancelled = True
        self.session.cancel("export")

    def _on_open_folder_clicked(self) -> None:
        if self._exported_to:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._exported_to)))

    def _on_exports_ready(self, files: list[ExportedFile]) -> None:
        self._exported_to = self._target
        self._show_files(files)
        self.status.say(f"Exported to {self._exported_to}")
        self.open_folder.show()
        self.done_changed.emit()

    def _on_busy_changed(self, kind: str, progress: Progress | None) -> None:
        if kind != "export":
            return
        if progress is None:
            self.status.say("Export cancelled. Nothing was handed over." if self._was_cancelled else "")
            self._refresh()
            return
        counted = progress_text(progress)
        waits = self.session.is_training and not counted
        self.status.say("Waiting until the training is done" if waits else f"Exporting and checking {counted}".strip())
        self.bar.setMaximum(progress.total)
        self.bar.setValue(progress.done)

    def _on_failed(self, kind: str, error: StudioError) -> None:
        if kind == "export":
            self.error.show_error(error)
            self._refresh()

    def _on_project_changed(self, _: Project) -> None:
        self._suggest_folder()
        self._refresh()
        self.done_changed.emit()

    def _suggest_folder(self) -> None:
        """Follow the chosen run, unless another folder was typed."""
        project = self.session.project
        suggestion = str(project.exports_folder / project.run) if project.run else ""
        if suggestion != self._suggested:
            self._exported_to = None
            self._show_files([])
            if not self.session.is_busy("export"):
                self.status.say("")
            if self.folder.text() in ("", self._suggested):
                self.folder.setText(suggestion)
            self._suggested = suggestion

    def _show_files(self, files: list[ExportedFile]) -> None:
        by_format = {file.format: file for file in files}
        for name, row in self.rows.items():
            row.show_file(by_format.get(name))
        self.open_folder.setVisible(bool(files))

    def _refresh(self) -> None:
        is_busy = self.session.is_busy("export")
        reason = self._why_not()
        self.export.setEnabled(not reason and not is_busy)
        self.export.setAccessibleDescription(reason)
        self.bar.setVisible(is_busy)
        self.cancel.setVisible(is_busy)
        if not is_busy and (reason or self.status.said() in _REASONS):
            self.status.say(reason)

    def _why_not(self) -> str:
        if not self.session.project.run:
            return _REASONS[0]
        if not self.wanted():
            return _REASONS[1]
        return "" if self.folder.text().strip() else _REASONS[2]


_REASONS = ("There is no trained model yet. Train once first.", "Choose at least one format.", "Name an export folder.")


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(first, 1 if isinstance(first, WrappedLabel) else 0)
    for widget in others:
        row.addWidget(widget, 1 if isinstance(widget, QLineEdit) else 0)
    return row


def _button(text: str, name: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name.casefold().replace(" ", "_"))
    button.setAccessibleName(name)
    return button
