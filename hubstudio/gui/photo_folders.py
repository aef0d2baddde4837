"""Tells a folder of photos from a project, so that no project is ever written beside the photos."""

from __future__ import annotations

import itertools
from pathlib import Path

from hubstudio.core.photos import PHOTO_SUFFIXES
from hubstudio.core.project import PROJECT_FILE

_LOOKED_AT = 200  # files of a folder


def holds_class_folders(folder: Path) -> bool:
    """Whether a folder is no project but holds folders with photos in them; reads names only, and few of them."""
    try:
        if (folder / PROJECT_FILE).exists():
            return False
        inner = (path for path in itertools.islice(folder.iterdir(), _LOOKED_AT) if path.is_dir())
        return any(
            file.suffix.casefold() in PHOTO_SUFFIXES
            for path in inner
            for file in itertools.islice(path.iterdir(), _LOOKED_AT)
        )
    except OSError:
        return False
