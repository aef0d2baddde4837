"""Where projects and settings are kept, following each system's custom."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "HUBSTUDIO_HOME"


def home() -> Path:
    """Return the folder for everything the program keeps; ``HUBSTUDIO_HOME`` moves it."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("hubstudio", appauthor=False)


def projects_folder() -> Path:
    """Return the folder where the window puts new projects."""
    return home() / "projects"


def settings_file() -> Path:
    """Return the settings file."""
    return home() / "settings.toml"


def recent_file() -> Path:
    """Return the list of projects opened lately."""
    return home() / "recent.json"


def crash_log() -> Path:
    """Return the file for what a crash leaves where there is no stderr."""
    return home() / "crash.log"


def cache_folder() -> Path:
    """Return the folder for what can be computed again."""
    return home() / "cache"


def modules_folder() -> Path:
    """Return the folder where fetched modules are kept unless ``TFHUB_CACHE_DIR`` names another."""
    return home() / "modules"


def photo_index_file() -> Path:
    """Return the index of photos that were read before."""
    return cache_folder() / "photos.sqlite"
