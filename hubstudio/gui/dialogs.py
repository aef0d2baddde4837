"""The few questions the window asks. None of them blocks: the answer comes by a call."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from hubstudio import __version__
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.settings_dialog import SettingsDialog


def show_settings(parent: QWidget, session: Session) -> SettingsDialog:
    """Show the settings; each choice counts at once."""
    dialog = SettingsDialog(session.preferences.settings, parent)
    dialog.changed.connect(session.preferences.change)
    session.preferences.changed.connect(dialog.show_settings)
    session.preferences.failed.connect(dialog.show_problem)
    session.backbones.modules_counted.connect(dialog.show_count)
    session.backbones.features_counted.connect(dialog.show_features)
    dialog.empty_features_asked.connect(session.backbones.empty_features)
    session.backbones.count_modules()
    session.backbones.count_features()
    dialog.open()
    return dialog


def show_about(parent: QWidget) -> QMessageBox:
    """Say what the program is, and which version."""
    box = QMessageBox(parent)
    box.setObjectName("about")
    box.setWindowTitle("About Hub Studio")
    box.setText(f"Hub Studio {__version__}")
    box.setInformativeText(
        "Trains a photo classifier from folders of photos and a TensorFlow Hub backbone.\n"
        "Runs on this computer. No photo leaves it.\n\nApache License 2.0"
    )
    close = box.addButton("Close", QMessageBox.ButtonRole.RejectRole)
    close.setAccessibleName("Close")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
