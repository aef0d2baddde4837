"""A question with two answers, of which the harmless one is at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


@dataclass(frozen=True)
class Question:
    """The words of a question; ``no`` is what Enter and Escape answer."""

    name: str
    title: str
    text: str
    more: str
    yes: str
    no: str
    is_destructive: bool = False


def ask(parent: QWidget, question: Question, act: Callable[[], None]) -> QMessageBox:
    """Show a question that is open till it is answered, while the window goes on; ``act`` is called on yes."""
    box = QMessageBox(parent)
    box.setObjectName(question.name)
    box.setWindowTitle(question.title)
    box.setIcon(QMessageBox.Icon.Question)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question.text)
    box.setInformativeText(question.more)
    role = QMessageBox.ButtonRole.DestructiveRole if question.is_destructive else QMessageBox.ButtonRole.AcceptRole
    yes = box.addButton(question.yes, role)
    no = box.addButton(question.no, QMessageBox.ButtonRole.RejectRole)
    for button in (yes, no):
        button.setObjectName(button.text().casefold().replace(" ", "_"))
        button.setAccessibleName(button.text())
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.buttonClicked.connect(lambda: act() if box.clickedButton() is yes else None)
    box.open()
    return box
