"""The module inside a trained model's file: brought out far enough to say which one it is, without loading anything."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.errors import BackboneError
from hubstudio.core.run_folder import MODEL
from hubstudio.core.trusted_modules import module_digest

MODULE_FOLDER = "module"
"""Name of the module's folder among the assets of a ``.keras`` file."""
_DEFINITIONS = (f"/{MODULE_FOLDER}/saved_model.pb", f"/{MODULE_FOLDER}/saved_model.pbtxt")


def model_file(text: str) -> Path | None:
    """Return the model's file that ``text`` means, itself or as a run folder; None if it means neither."""
    path = path_kinds.absolute(Path(text))
    for file in (path, path / MODEL):
        if file.suffix == ".keras" and path_kinds.is_file(file):
            return file
    return None


def carried_digest(file: Path) -> str:
    """Return the digest of the module that a ``.keras`` file carries. Raises ``BackboneError`` if it carries none."""
    try:
        with zipfile.ZipFile(file) as archive, tempfile.TemporaryDirectory() as place:
            names = archive.namelist()
            definition = next((name for name in names if name.endswith(_DEFINITIONS)), None)
            if definition is None:
                raise BackboneError(f"'{file}' carries no module.", next_step="Name a module, or a run that has one.")
            inside = definition.rpartition("/")[0] + "/"
            wanted = [name for name in names if name == definition or name.startswith(f"{inside}assets/")]
            archive.extractall(place, wanted)
            return module_digest(Path(place) / inside)
    except (OSError, zipfile.BadZipFile) as error:
        raise BackboneError(
            f"'{file}' could not be read.", found=f"{error}.", next_step="Restore it from a copy."
        ) from error
