"""The few questions the window asks. None of them blocks: the answer comes by a call."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from hubstudio import __version__
from hubstudio.gui.session import Session
from hubstudio.gui.widgets.question import Question, ask
from hubstudio.gui.widgets.settings_dialog import SettingsDialog


def ask_to_stop_training(parent: QWidget, to_do: str, stop: Callable[[], None]) -> QMessageBox:
    """Ask whether a running training may be stopped ``to_do`` something ('close'); ``stop`` is called if so."""
    question = Question(
        "stop_training_question",
        "Training is running",
        f"Training is running. Stop it and {to_do}?",
        "Its epochs so far are not kept. To keep the best one, use “Stop and keep best” first.",
        f"Stop and {to_do}",
        "Keep training",
        is_destructive=True,
    )
    return ask(parent, question, stop)


def show_settings(parent: QWidget, session: Session) -> SettingsDialog:
    """Show the settings; each choice counts at once."""
    dialog = SettingsDialog(session.preferences.settings, parent)
    dialog.changed.connect(session.preferences.change)
    session.preferences.changed.connect(dialog.show_settings)
    session.preferences.failed.connect(dialog.show_problem)
    session.backbones.modules_counted.connect(dialog.show_count)
    session.backbones.count_modules()
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
