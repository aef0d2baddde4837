"""The program's settings: one table that dialog and file follow. The file holds only what differs."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass

import tomli_w

from hubstudio.core import paths, whole_files

THEMES = ("system", "light", "dark")


@dataclass(frozen=True)
class Settings:
    """What a person has chosen for all projects."""

    theme: str = "system"

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
    theme = table.get("theme")
    return Settings(theme=theme) if theme in THEMES else Settings()
