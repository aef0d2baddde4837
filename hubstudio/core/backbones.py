"""What is known of a backbone: how it is named, and what a look inside has shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hubstudio.core import resources


class ModuleFormat(StrEnum):
    """Which of TF Hub's formats a module is in."""

    TF2 = "TF2 SavedModel"
    TF1 = "TF1 hub format"


@dataclass(frozen=True)
class Block:
    """A stretch of layers that is frozen or fine-tuned as one."""

    name: str
    variables: int
    parameters: int


@dataclass(frozen=True)
class BackboneInfo:
    """What a module itself says: nothing here is guessed from its name."""

    name: str
    handle: str
    folder: Path
    input_size: int | None
    """Side in pixels; None if it takes any size."""
    features: int
    parameters: int
    trainable: bool
    """Whether it can be fine-tuned."""
    blocks: tuple[Block, ...]
    """In depth order, from the pixels to the features."""
    format: ModuleFormat
    bytes: int

    @property
    def size_text(self) -> str:
        """Return '224 px' or 'any size'."""
        return f"{self.input_size} px" if self.input_size else "any size"


def bundled_names() -> tuple[str, ...]:
    """Return the names of the backbones that come with the program."""
    folder = resources.bundled_backbones_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if (path / "saved_model.pb").is_file()))


def bundled_folder(name: str) -> Path | None:
    """Return the folder of the bundled backbone of that name (any case), or None."""
    for known in bundled_names():
        if known.casefold() == name.strip().casefold():
            return resources.bundled_backbones_folder() / known
    return None


def display_name(handle: str) -> str:
    """Return a short name for lists: a bundled name as words, else the telling end of a handle or path."""
    if bundled_folder(handle):
        return handle.strip().replace("-", " ").title()
    if "://" not in handle:
        return Path(handle).name or handle
    parts = [part for part in handle.split("?", maxsplit=1)[0].rstrip("/").split("/") if part]
    telling = [part for part in parts[2:] if not part.isdecimal() and part not in ("feature_vector", "feature-vector")]
    return telling[-1] if telling else parts[-1]
