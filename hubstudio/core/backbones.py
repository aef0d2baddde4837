"""What is known of a backbone: how it is named, and what a look inside has shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from hubstudio.core import path_kinds, resources
from hubstudio.core.addresses import FEATURE_TASKS
from hubstudio.core.errors import BackboneError
from hubstudio.core.plan import DEFAULT_BACKBONE


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
    trainable: int = 0
    """How many of its parameters can be fine-tuned: statistics and fixed kernels cannot."""


@dataclass(frozen=True)
class Endpoint:
    """A place inside a module where it can be left early: an intermediate map, averaged over the photo, or a vector."""

    name: str
    shape: tuple[int | None, ...]
    """Without the batch: ``(height, width, channels)`` or ``(features,)``; None where the photo's size decides."""

    @property
    def features(self) -> int:
        """Length of the feature vector that it gives."""
        return self.shape[-1] or 0


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
    features_name: str = ""
    """Endpoint whose features are used; empty for the module's own vector."""
    endpoints: tuple[Endpoint, ...] = ()
    """In depth order; empty if the module offers none."""
    default_size: int = 0
    """Side in pixels that is used unless another is asked for."""
    value_range: str = ""
    """Which pixel values it takes, in words."""
    producer: str = ""
    """Version of TensorFlow that wrote it; empty if it does not say."""

    @property
    def size_text(self) -> str:
        """Return '224 px' or 'any size'."""
        return f"{self.input_size} px" if self.input_size else "any size"

    def to_table(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> BackboneInfo:
        """Return what ``to_table`` was made from. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        values: dict[str, Any] = {**table, "folder": Path(table["folder"]), "format": ModuleFormat(table["format"])}
        values["blocks"] = tuple(Block(**block) for block in table["blocks"])
        values["endpoints"] = tuple(Endpoint(end["name"], tuple(end["shape"])) for end in table["endpoints"])
        return cls(**values)


def photo_size(input_size: int | None, default_size: int, wanted: int) -> int:
    """Return the side of the photos a module is run on. Raises ``BackboneError`` if it does not take ``wanted``."""
    if wanted and input_size and wanted != input_size:
        raise BackboneError(
            f"The backbone takes photos of {input_size} px only.",
            found=f"An image size of {wanted} px was asked for.",
            next_step="Leave the image size at 0, or choose a backbone that takes any size.",
        )
    return wanted or default_size


def bundled_names() -> tuple[str, ...]:
    """Return the names of the backbones that come with the program."""
    folder = resources.bundled_backbones_folder()
    return tuple(name for name in path_kinds.names_in(folder) if path_kinds.is_file(folder / name / "saved_model.pb"))


def bundled_folder(name: str) -> Path | None:
    """Return the folder of the bundled backbone of that name (any case), or None."""
    for known in bundled_names():
        if known.casefold() == name.strip().casefold():
            return resources.bundled_backbones_folder() / known
    return None


def is_bundled(name: str) -> bool:
    """Whether a name is that of a module that comes with the program, in any case; also if its files are missing."""
    return name.strip().casefold() == DEFAULT_BACKBONE or bundled_folder(name) is not None


def display_name(handle: str) -> str:
    """Return a short name for lists: a bundled name as words, else the telling end of a handle or path."""
    if bundled_folder(handle):
        return handle.strip().replace("-", " ").title()
    if "://" not in handle:
        return Path(handle).name or handle
    parts = [part for part in re.split(r"[?#]", handle, maxsplit=1)[0].split("/") if part]
    if parts[2:3] == ["models"] and len(parts) > 4:
        return _kaggle_name(parts[4:])
    telling = [part for part in parts[2:] if not part.isdecimal() and part not in FEATURE_TASKS]
    if len(telling) > 2 and len(telling[-1]) <= _SHORT:
        return f"{telling[-2]} {telling[-1]}"
    return telling[-1] if telling else parts[-1]


_SHORT = 4
"""A word this short, such as 'b0', tells nothing without the one before it."""


def _kaggle_name(parts: list[str]) -> str:
    """Return 'mobilenet-v2 100-224' for model, framework, variation, version, Kaggle's words between or not."""
    model, *rest = (part for part in parts if part not in ("frameworks", "variations", "versions"))
    variation = re.sub(r"(^|[-_])feature[-_]vector$", "", rest[1]) if len(rest) > 1 else ""
    return f"{model} {variation}".rstrip()
