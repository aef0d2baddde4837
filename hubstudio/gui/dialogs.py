"""The few questions the window asks. None of them blocks: the answer comes by a call."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from hubstudio import __version__


def ask_to_stop_training(parent: QWidget, to_do: str, stop: Callable[[], None]) -> QMessageBox:
    """Ask whether a running training may be stopped ``to_do`` something ('close'); ``stop`` is called if so."""
    box = QMessageBox(parent)
    box.setObjectName("stop_training_question")
    box.setWindowTitle("Training is running")
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(f"Training is running. Stop it and {to_do}?")
    box.setInformativeText("Its epochs so far are not kept. To keep the best one, use “Stop and keep best” first.")
    yes = box.addButton(f"Stop and {to_do}", QMessageBox.ButtonRole.DestructiveRole)
    no = box.addButton("Keep training", QMessageBox.ButtonRole.RejectRole)
    for button in (yes, no):
        button.setObjectName(button.text().casefold().replace(" ", "_"))
        button.setAccessibleName(button.text())
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.buttonClicked.connect(lambda: stop() if box.clickedButton() is yes else None)
    box.open()
    return box


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
