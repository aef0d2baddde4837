"""The settings a person can change in the window, as one table that the dialog follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Kind(Enum):
    """How a setting is shown."""

    CHOICE = auto()
    SWITCH = auto()
    TEXT = auto()


@dataclass(frozen=True)
class SettingRow:
    """One setting: the field of ``Settings``, what it is called and what it does."""

    name: str
    kind: Kind
    label: str
    help: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """For a choice: what is kept, and what is shown for it."""
    placeholder: str = ""


SETTINGS: tuple[SettingRow, ...] = (
    SettingRow(
        "theme", Kind.CHOICE, "Theme", "Colours of the window.",
        {"system": "As the system", "light": "Light", "dark": "Dark"}),
    SettingRow(
        "offline", Kind.SWITCH, "Offline",
        "Nothing is downloaded and no request is made to any network. Everything that is on this computer works."),
    SettingRow(
        "proxy", Kind.TEXT, "Proxy",
        "Where downloads go through, such as http://proxy.example.org:3128. Empty: as the system and the environment "
        "say.", placeholder="As the system says"),
)  # fmt: skip
