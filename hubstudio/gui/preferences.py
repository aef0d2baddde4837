"""The settings as the window holds them: changed in one place, saved at once, told to all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from hubstudio.core.errors import SettingsError
from hubstudio.core.settings import Settings, load_settings


class Preferences(QObject):
    """Holds the settings. Every change is written before it is told, so that a lane reads the same."""

    changed = Signal(object)  # Settings
    failed = Signal(object)  # SettingsError: a choice could not be written, so that it does not count

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings: Settings = load_settings()

    @property
    def is_offline(self) -> bool:
        """Whether nothing may be downloaded."""
        return self.settings.is_offline

    def change(self, name: str, value: object) -> None:
        """Choose a value for one setting."""
        chosen: dict[str, Any] = {name: value, "problem": ""}  # what is written can be read again
        settings = replace(self.settings, **chosen)
        if settings == self.settings:
            return
        try:
            settings.save()
        except SettingsError as error:
            self.changed.emit(self.settings)  # the views go back to what counts
            self.failed.emit(error)
            return
        self.settings = settings
        self.changed.emit(settings)


def problem_of(settings: Settings) -> SettingsError | None:
    """Return what is wrong with the file of the settings, and the way on; None if nothing is."""
    if not settings.problem:
        return None
    return SettingsError(
        settings.problem,
        next_step="Mend the file and start again, or change a setting under Edit > Settings: that writes it anew.",
    )
