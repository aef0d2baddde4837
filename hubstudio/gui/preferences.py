"""The settings as the window holds them: changed in one place, saved at once, told to all."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from hubstudio.core.settings import Settings, load_settings


class Preferences(QObject):
    """Holds the settings. Every change is written before it is told, so that a lane reads the same."""

    changed = Signal(object)  # Settings

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings: Settings = load_settings()

    @property
    def is_offline(self) -> bool:
        """Whether nothing may be downloaded."""
        return self.settings.is_offline

    def change(self, name: str, value: object) -> None:
        """Choose a value for one setting."""
        settings = replace(self.settings, **{name: value})  # type: ignore[arg-type]  # the table keeps the kinds
        if settings != self.settings:
            self.settings = settings
            settings.save()
            self.changed.emit(settings)
