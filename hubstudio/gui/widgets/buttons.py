"""Buttons with the names that tests and screen readers find them by."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton


def quiet_button(text: str, name: str, accessible_name: str = "") -> QPushButton:
    """Return a button without a frame, for what is offered beside something else."""
    button = _named(text, name, accessible_name)
    button.setProperty("role", "quiet")
    return button


def inline_button(text: str, name: str, accessible_name: str = "") -> QPushButton:
    """Return a button that stands in a line of small text; Enter presses it, too."""
    button = _named(text, name, accessible_name)
    button.setProperty("role", "inline")
    button.setAutoDefault(True)
    return button


def dialog_button(text: str, name: str) -> QPushButton:
    """Return a button of a dialog that Enter does not press by itself."""
    button = _named(text, name)
    button.setAutoDefault(False)
    return button


def _named(text: str, name: str, accessible_name: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(accessible_name or text)
    return button
