"""What is asked about a training: whether it may start, and what becomes of it when its window closes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox, QSpinBox, QWidget

from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.run_state import RunState, Status
from hubstudio.gui.training_desk import TrainingDesk
from hubstudio.gui.widgets.question import Answer, Question, ask, ask_which

_CLOSING = "running_training_question"


def ask_about_running(parent: QWidget, to_do: str, training: TrainingDesk, go_on: Callable[[], None]) -> None:
    """Ask what becomes of the running training before ``to_do`` something ('close').

    ``go_on`` is called once the training has ended in the way that was chosen; never if it fails meanwhile, since
    somebody has to read why.
    """
    if box := parent.findChild(QMessageBox, _CLOSING):  # asked already
        box.raise_()
        return

    def end(how: Callable[[], None]) -> Callable[[], None]:
        return lambda: _after(training, how, go_on)

    question = Question(
        _CLOSING,
        "Training is running",
        f"Training is running. What shall become of it before you {to_do}?",
        "Kept for later, it goes on where it is now when you come back. Stopped, its best epoch becomes a run. "
        "Cancelled, nothing of it is left.",
        "",
        "Keep training",
    )
    answers = [
        Answer("Keep for later", end(training.suspend)),
        Answer("Stop and keep best", end(training.stop)),
        Answer("Cancel training", end(training.cancel), is_destructive=True),
    ]
    box = ask_which(parent, question, answers)
    training.ended.connect(box.reject)  # there is nothing to ask any more


def ask_to_start_large(parent: QWidget, reason: str, start: Callable[[], None]) -> QMessageBox:
    """Ask whether a training shall start that may not fit into memory."""
    question = Question(
        "memory_question",
        "This training may not fit",
        "This training may need more memory than is free.",
        reason,
        "Train anyway",
        "Change the plan",
        is_destructive=True,
    )
    return ask(parent, question, start)


def ask_to_go_on_large(parent: QWidget, reason: str, go_on: Callable[[], None]) -> QMessageBox:
    """Ask whether an interrupted training, or a run with more epochs, shall go on that may not fit into memory."""
    question = Question(
        "memory_question",
        "This training may not fit",
        "To go on may need more memory than is free.",
        f"{reason} What it has learned so far is safe.",
        "Go on anyway",
        "Not now",
        is_destructive=True,
    )
    return ask(parent, question, go_on)


def ask_for_epochs(parent: QWidget, run: str, epochs: int, go_on: Callable[[int], None]) -> QInputDialog:
    """Ask for how many more epochs a run shall be trained."""
    limits = next(row for row in HYPER_PARAMETERS if row.name == "epochs")
    dialog = QInputDialog(parent)
    dialog.setObjectName("continue_question")
    dialog.setWindowTitle(f"Continue {run}")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setLabelText(f"What {run} has learned goes on in a new run; {run} stays as it is.\nMore epochs:")
    dialog.setIntRange(int(limits.minimum), int(limits.maximum))
    dialog.setIntValue(epochs)
    dialog.setOkButtonText("Continue training")
    dialog.setCancelButtonText("Cancel")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.intValueSelected.connect(go_on)
    dialog.open()
    for field in dialog.findChildren(QSpinBox):
        field.setObjectName("more_epochs")
        field.setAccessibleName("More epochs")
    return dialog


def _after(training: TrainingDesk, how: Callable[[], None], go_on: Callable[[], None]) -> None:
    """End the training and go on once it has; at once if it has ended while the question was open."""

    def on_ended(state: RunState) -> None:
        training.ended.disconnect(on_ended)
        if state.status is not Status.FAILED:
            go_on()

    if not training.is_active:
        go_on()
        return
    training.ended.connect(on_ended, Qt.ConnectionType.QueuedConnection)  # all else has heard of it by then
    how()
