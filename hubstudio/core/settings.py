"""The program's settings: one table that dialog and file follow. The file holds only what differs.

Where it is not certain that requests are allowed, they are not: a file that cannot be understood counts as offline.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from typing import Any

import tomli_w

from hubstudio.core import path_kinds, paths, whole_files
from hubstudio.core.errors import SettingsError, did_you_mean

THEMES = ("system", "light", "dark")
OFFLINE_VARIABLE = "HUBSTUDIO_OFFLINE"
_ONLINE = ("", "0", "false", "no", "off")
_KINDS = {str: "text in quotes", bool: "true or false", int: "a whole number"}
LARGEST_FEATURE_LIMIT = 10_000
"""In gigabytes."""


@dataclass(frozen=True)
class Settings:
    """What a person has chosen for all projects."""

    theme: str = "system"
    offline: bool = False
    """Never make a request to any network."""
    proxy: str = ""
    """Address of the proxy for downloads; empty for what the system and the environment say."""
    feature_limit_gb: int = 5
    """How much disk the features may take that are kept between trainings; 0 keeps none."""
    problem: str = field(default="", compare=False)
    """What is wrong with the file that these were read from, in a sentence; no setting, so it is never written."""

    @property
    def is_offline(self) -> bool:
        """Whether requests are forbidden, by the setting or by ``HUBSTUDIO_OFFLINE`` with any word but a no."""
        return self.offline or os.environ.get(OFFLINE_VARIABLE, "").strip().casefold() not in _ONLINE

    @property
    def feature_limit_bytes(self) -> int:
        """How many bytes kept features may take."""
        return self.feature_limit_gb * 1_000_000_000

    def save(self) -> None:
        """Write what differs from the defaults, over a file that could not be read too.

        Raises ``SettingsError`` if the disk refuses; the file is then as it was.
        """
        differing = {name: getattr(self, name) for name in SETTING_NAMES if getattr(self, name) != _default(name)}
        try:
            whole_files.write_text(paths.settings_file(), tomli_w.dumps(differing))
        except OSError as error:
            raise SettingsError(
                "The settings could not be saved, so they stay as they were.",
                found=f"{path_kinds.reason(error)}: {error.filename or paths.settings_file()}.",
                next_step="Check that you may write there and that the disk is not full.",
            ) from error


SETTING_NAMES = tuple(field.name for field in fields(Settings) if field.compare)
"""What the file may hold."""


def load_settings() -> Settings:
    """Read the settings; what is missing keeps its default, and what is wrong is told in ``problem``.

    A file that is there but cannot be read gives ``offline``, as do a value of ``offline`` that is neither true nor
    false and a name that must have been meant for it.
    """
    path = paths.settings_file()
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        found = path_kinds.reason(error)
        return Settings(offline=True, problem=f"The settings in '{path}' cannot be read, {_SAFE}: {found}.")
    return _understood(table)


_SAFE = "so Hub Studio works offline"


def _understood(table: dict[str, Any]) -> Settings:
    """Return what a file says, and the first thing that is wrong with it as its problem."""
    wrong = {name: why for name, value in table.items() if (why := _why_wrong(name, value))}
    settings = Settings(**{name: value for name, value in table.items() if name not in wrong})
    if not wrong:
        return settings
    is_offline = settings.offline or any(_is_meant_for_offline(name) for name in wrong)
    name = next(iter(sorted(wrong, key=_is_meant_for_offline, reverse=True)))
    safely = f", {_SAFE}" if _is_meant_for_offline(name) else ""
    problem = f"In '{paths.settings_file()}', {wrong[name]}{safely}."
    return replace(settings, offline=is_offline, problem=problem)


def _why_wrong(name: str, value: object) -> str:
    """Return in a clause why this cannot be a setting; nothing if it can."""
    if name not in SETTING_NAMES:
        nearest = did_you_mean(name, SETTING_NAMES).removeprefix("Did you mean ").rstrip("?")
        return f"'{name}' is no setting" + (f", {nearest} is" if nearest else "")
    if type(value) is not type(_default(name)):
        return f"'{name}' must be {_KINDS[type(_default(name))]} and is {value!r}"
    if name == "theme" and value not in THEMES:
        return f"'theme' must be one of {', '.join(THEMES)} and is {value!r}"
    if isinstance(value, int) and name == "feature_limit_gb" and not 0 <= value <= LARGEST_FEATURE_LIMIT:
        return f"'{name}' must be 0 to {LARGEST_FEATURE_LIMIT:,} and is {value:,}"
    return ""


def _is_meant_for_offline(name: str) -> bool:
    return bool(did_you_mean(name, ["offline"]))


def _default(name: str) -> Any:
    return getattr(Settings(), name)
