"""What can be done with one backbone, as a menu at its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QMenu, QWidget

from hubstudio.gui.widgets.question import Question
from hubstudio.gui.wording import size_text

Entry = tuple[str, str, Callable[[], None]]
"""Text, object name, what it does."""


def backbone_menu(parent: QWidget, entries: Sequence[Entry]) -> QMenu:
    """Return the menu; it goes when it is closed."""
    menu = QMenu(parent)
    menu.setObjectName("backbone_menu")
    menu.setAccessibleName("What to do with this backbone")
    for text, name, act in entries:
        action = menu.addAction(text)
        action.setObjectName(name)
        action.triggered.connect(act)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def removal_question(name: str, size: int, *, is_used: bool) -> Question:
    """Return what is asked before a module is removed from the cache."""
    used = " This project is built on it: to train again, choose another or download it again." if is_used else ""
    return Question(
        "remove_backbone_question",
        "Remove from this computer",
        f"Remove '{name}' from this computer?",
        f"{size_text(size)} are freed.{used} Trained runs keep working.",
        "Remove",
        "Keep",
        is_destructive=True,
    )
