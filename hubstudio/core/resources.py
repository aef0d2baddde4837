"""Where the files that come with the program are: the bundled backbone, the samples, the icons."""

from __future__ import annotations

from pathlib import Path

from hubstudio.core import path_kinds

_PACKAGE = Path(__file__).resolve().parent.parent


def resource(name: str) -> Path:
    """Return the path of a bundled file or folder, installed or in a checkout."""
    installed = _PACKAGE / "resources" / name
    return installed if path_kinds.exists(installed) else _PACKAGE.parent / "resources" / name


def samples_folder() -> Path:
    """Return the folder of the bundled sample photos, one folder per class."""
    return resource("samples")


def bundled_backbones_folder() -> Path:
    """Return the folder that holds one folder for each bundled backbone."""
    return resource("backbones")
