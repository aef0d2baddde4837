"""``saved_model.pb`` as a value: the graphs of a module, read without loading, let alone running, anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from hubstudio.core.errors import BackboneError, DamagedModuleError

LARGEST_DEFINITION = 1 << 30
"""Bytes; protocol buffers end at twice as much, and the graphs of the largest image networks take 1 % of it."""


def read_definition(folder: Path) -> Any:
    """Return the ``SavedModel`` that TensorFlow would load from ``folder``. Raises ``BackboneError``."""
    file = folder / "saved_model.pb"
    try:
        if not file.is_file():  # the order of TensorFlow's loader
            file = folder / "saved_model.pbtxt"
        if file.stat().st_size > LARGEST_DEFINITION:
            raise _damaged(folder, f"{file.name} is larger than a gigabyte.")
        return _parsed(file)
    except (OSError, DecodeError, text_format.ParseError, ValueError) as error:
        raise _damaged(folder, f"{file.name} is not readable as a SavedModel.") from error


def producer(definition: Any) -> str:
    """Return the version of TensorFlow that wrote the module; '' if it does not say."""
    versions = (str(graph.meta_info_def.tensorflow_version) for graph in definition.meta_graphs)
    return next(filter(None, versions), "")


def _parsed(file: Path) -> Any:
    definition = saved_model_pb2.SavedModel()
    if file.suffix == ".pbtxt":
        return text_format.Parse(file.read_text("utf-8"), definition)
    definition.ParseFromString(file.read_bytes())
    return definition


def _damaged(folder: Path, found: str) -> BackboneError:
    return DamagedModuleError(
        f"The module in '{folder}' could not be loaded; it seems to be damaged or incomplete.",
        found=found,
        next_step="Fetch or copy it again, whole: saved_model.pb and the folder 'variables'.",
    )
