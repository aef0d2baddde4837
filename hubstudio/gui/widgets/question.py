"""A question with two answers or more, of which the harmless one is at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget

_Act = Callable[[], None]


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


@dataclass(frozen=True)
class Answer:
    """What a button says, and does."""

    text: str
    act: _Act
    is_destructive: bool = False


def ask(parent: QWidget, question: Question, act: _Act) -> QMessageBox:
    """Show a question that is open till it is answered, while the window goes on; ``act`` is called on yes."""
    return ask_which(parent, question, [Answer(question.yes, act, question.is_destructive)])


def ask_which(parent: QWidget, question: Question, answers: Sequence[Answer]) -> QMessageBox:
    """Show a question with several answers beside ``no``; that of the button that is pressed is acted on."""
    box = QMessageBox(parent)
    box.setObjectName(question.name)
    box.setWindowTitle(question.title)
    box.setIcon(QMessageBox.Icon.Question)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question.text)
    box.setInformativeText(question.more)
    acts: dict[QAbstractButton, _Act] = {_button(box, answer.text, _role(answer)): answer.act for answer in answers}
    no = _button(box, question.no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def on_clicked(button: QAbstractButton) -> None:
        acts.get(button, _nothing)()

    box.buttonClicked.connect(on_clicked)
    box.open()
    return box


def _button(box: QMessageBox, text: str, role: QMessageBox.ButtonRole) -> QPushButton:
    button = box.addButton(text, role)
    button.setObjectName(text.casefold().replace(" ", "_"))
    button.setAccessibleName(text)
    return button


def _role(answer: Answer) -> QMessageBox.ButtonRole:
    return QMessageBox.ButtonRole.DestructiveRole if answer.is_destructive else QMessageBox.ButtonRole.AcceptRole


def _nothing() -> None:
    """What follows from no."""
