"""What nobody foresaw: say so, and give a report that can be copied."""

from __future__ import annotations

import platform

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from hubstudio import __version__


class CrashDialog(QDialog):
    """Shows a report; more of them join the first while it is open."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("crash_dialog")
        self.setWindowTitle("Hub Studio met an error of its own")
        self.resize(680, 460)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        words = QLabel(
            "Something happened that the program does not know how to handle. Your photos and finished runs are as "
            "they were. You can go on working; if it happens again, close the window and start anew."
        )
        words.setWordWrap(True)
        ask = QLabel("Please send this report to the developers. It holds names of files and folders, no photos.")
        ask.setWordWrap(True)
        ask.setProperty("role", "muted")
        self.report = QPlainTextEdit(f"{_versions()}\n\n{report.strip()}\n")
        self.report.setObjectName("report")
        self.report.setAccessibleName("Report")
        self.report.setReadOnly(True)
        self.report.setTabChangesFocus(True)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        for widget in (words, self.report, ask):
            layout.addWidget(widget)
        layout.addLayout(self._buttons())

    def add_report(self, report: str) -> None:
        """Put another report below the first."""
        self.report.appendPlainText(f"\n{report.strip()}\n")

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        copy, close = QPushButton("Copy report"), QPushButton("Close")
        copy.clicked.connect(self._on_copy_clicked)
        close.clicked.connect(self.accept)
        close.setDefault(True)
        for button in (copy, close):
            button.setObjectName(button.text().casefold().replace(" ", "_"))
            button.setAccessibleName(button.text())
            row.addWidget(button)
        return row

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())


def _versions() -> str:
    return (
        f"Hub Studio {__version__}, Python {platform.python_version()}, PySide6 {pyside_version}, "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )
