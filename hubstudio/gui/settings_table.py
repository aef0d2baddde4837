"""The settings a person can change in the window, as one table that the dialog follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from hubstudio.core.settings import LARGEST_FEATURE_LIMIT


class Kind(Enum):
    """How a setting is shown."""

    CHOICE = auto()
    SWITCH = auto()
    TEXT = auto()
    NUMBER = auto()


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
    maximum: int = 0
    """For a number, which begins at 0."""
    unit: str = ""


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
    SettingRow(
        "feature_limit_gb", Kind.NUMBER, "Kept features",
        "What a backbone has found in a photo is kept, so that the next training need not compute it again. Beyond "
        "this limit, what was not used for longest goes.", maximum=LARGEST_FEATURE_LIMIT, unit=" GB"),
)  # fmt: skip
