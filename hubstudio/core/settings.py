"""The program's settings: one table that dialog and file follow. The file holds only what differs."""

from __future__ import annotations

import os
import tomllib
from dataclasses import asdict, dataclass, fields

import tomli_w

from hubstudio.core import paths, whole_files

THEMES = ("system", "light", "dark")
OFFLINE_VARIABLE = "HUBSTUDIO_OFFLINE"


@dataclass(frozen=True)
class Settings:
    """What a person has chosen for all projects."""

    theme: str = "system"
    offline: bool = False
    """Never make a request to any network."""
    proxy: str = ""
    """Address of the proxy for downloads; empty for what the system and the environment say."""

    @property
    def is_offline(self) -> bool:
        """Whether requests are forbidden, by the setting or by ``HUBSTUDIO_OFFLINE``."""
        return self.offline or os.environ.get(OFFLINE_VARIABLE, "").strip().casefold() in ("1", "true", "yes", "on")

    def save(self) -> None:
        """Write what differs from the defaults; a disk that refuses costs only the choice."""
        standard = asdict(Settings())
        differing = {name: value for name, value in asdict(self).items() if value != standard[name]}
        try:
            whole_files.write_text(paths.settings_file(), tomli_w.dumps(differing))
        except OSError:
            return


def load_settings() -> Settings:
    """Read the settings; what is missing or cannot be read keeps its default."""
    try:
        table = tomllib.loads(paths.settings_file().read_text("utf-8"))
    except (OSError, ValueError):
        return Settings()
    usable = {
        field.name: table[field.name]
        for field in fields(Settings)
        if type(table.get(field.name)) is type(field.default)
    }
    if usable.get("theme", "system") not in THEMES:
        del usable["theme"]
    return Settings(**usable)
