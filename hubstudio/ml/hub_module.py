"""A hub module, found, loaded and understood: how to call it, what it takes, what it gives, what can be trained."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_hub as hub

from hubstudio.core import path_kinds
from hubstudio.core.backbones import BackboneInfo, Block, ModuleFormat, bundled_folder, bundled_names, display_name
from hubstudio.core.errors import BackboneError, did_you_mean
from hubstudio.ml.blocks import VariableBlock, find_blocks
from hubstudio.ml.module_calls import (
    WAY_OUT,
    Forward,
    ReusableCall,
    SignatureCall,
    Tensor,
    first_line,
    has_call,
    takes_no_photos,
)
from hubstudio.ml.module_graph import FrozenGraph, freeze, variable_actions

ANY_SIZE_DEFAULT = 224
"""Side in pixels for modules that take any size, unless the plan says otherwise."""
_NETWORK_SECONDS = 30.0
CLASSIFIER_LENGTHS = (1000, 1001, 21841, 21843)
"""Lengths of the outputs of ImageNet classifiers, with and without a background class."""


@dataclass(frozen=True)
class HubModule:
    """A loaded image feature module."""

    handle: str
    folder: Path
    format: ModuleFormat
    forward: Forward
    input_size: int | None
    features: int
    variables: tuple[tf.Variable, ...]
    trainable: frozenset[int]
    """Places in ``variables`` of those that the module lets train; empty if it cannot be fine-tuned."""
    blocks: tuple[VariableBlock, ...]
    regularization_losses: tuple[Callable[[], Tensor], ...]
    parameters: int
    loaded: Any
    """Kept, since functions of a SavedModel do not keep their variables alive."""

    def size(self, wanted: int = 0) -> int:
        """Return the side of the photos it is run on. Raises ``BackboneError`` if it does not take ``wanted``."""
        if wanted and self.input_size and wanted != self.input_size:
            raise BackboneError(
                f"The backbone takes photos of {self.input_size} px only.",
                found=f"An image size of {wanted} px was asked for.",
                next_step="Leave the image size at 0, or choose a backbone that takes any size.",
            )
        return self.input_size or wanted or ANY_SIZE_DEFAULT

    def require_fine_tuning(self) -> None:
        """Raise ``BackboneError`` if no variable of it can be trained."""
        if self.trainable:
            return
        reason = (
            "It is in the TF1 hub format, whose variables cannot be trained in TensorFlow 2."
            if self.format is ModuleFormat.TF1
            else "It names no trainable variables."
        )
        raise BackboneError(
            f"'{display_name(self.handle)}' cannot be fine-tuned.",
            found=reason,
            next_step="Extract features with it instead, or choose a TF2 module for fine-tuning.",
        )

    def frozen(self, size: int) -> FrozenGraph:
        """Return the forward pass for photos of ``size`` pixels with the variables' present values."""
        return freeze(lambda x: self.forward(x, False), _photo_spec(size), self.variables)

    def info(self) -> BackboneInfo:
        """Return what is known of the module as a plain value."""
        blocks = tuple(
            Block(block.name, len(block.places), sum(_count(self.variables[place]) for place in block.places))
            for block in self.blocks
        )
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return BackboneInfo(
            name=display_name(self.handle),
            handle=self.handle,
            folder=self.folder,
            input_size=self.input_size,
            features=self.features,
            parameters=self.parameters,
            trainable=bool(self.trainable),
            blocks=blocks,
            format=self.format,
            bytes=size,
        )


def find_folder(text: str) -> tuple[str, Path]:
    """Return the full handle and the folder for a bundled name, a folder or a hub handle (fetched if need be)."""
    text = text.strip()
    if not text:
        raise BackboneError("No backbone was named.", next_step=f"Name one: {', '.join(bundled_names())}.")
    if folder := bundled_folder(text):
        return text.casefold(), folder
    path = path_kinds.absolute(Path(text))
    if path_kinds.exists(path):
        return str(path), path
    if "://" in text:
        return text, _fetched(text)
    raise BackboneError(
        f"There is no backbone '{text}'.",
        found=did_you_mean(text, bundled_names()) or "It is no bundled name, no folder and no handle with https://.",
        next_step=f"Bundled: {', '.join(bundled_names())}. Or give a module's folder, or its full handle.",
    )


def load_module(text: str) -> HubModule:
    """Find, load and understand a module. Raises ``BackboneError`` with a reason and a way out."""
    handle, folder = find_folder(text)
    _require_saved_model(folder)
    loaded = _load(folder)
    is_tf1 = (folder / "tfhub_module.pb").is_file() or not has_call(loaded)
    call = SignatureCall(loaded, handle) if is_tf1 else ReusableCall(loaded, handle)
    return _understood(handle, folder, loaded, call)


def _understood(handle: str, folder: Path, loaded: Any, call: ReusableCall | SignatureCall) -> HubModule:
    input_size = _input_size(call.spec, handle)
    size = input_size or ANY_SIZE_DEFAULT
    try:
        features = _feature_count(call(tf.zeros([2, size, size, 3]), False), handle)
        graph = freeze(lambda x: call(x, False), _photo_spec(size), call.variables)
    except (TypeError, ValueError, tf.errors.OpError) as error:
        raise takes_no_photos(handle, first_line(error)) from error
    names = [variable.name for variable in call.variables]
    ranks = [variable.shape.rank or 0 for variable in call.variables]
    kernels = {place for place, rank in enumerate(ranks) if rank > 1}
    blocks = tuple(find_blocks(names, ranks, variable_actions(graph, kernels)))
    return HubModule(
        handle=handle,
        folder=folder,
        format=call.format,
        forward=call,
        input_size=input_size,
        features=features,
        variables=call.variables,
        trainable=frozenset(place for place, v in enumerate(call.variables) if id(v) in call.trainable_ids),
        blocks=blocks,
        regularization_losses=tuple(getattr(loaded, "regularization_losses", ())),
        parameters=sum(map(_count, call.variables)) or graph.constant_numbers(),
        loaded=loaded,
    )


def _require_saved_model(folder: Path) -> None:
    if not folder.is_dir():
        raise BackboneError(
            f"'{folder.name}' is not a module folder.",
            found="It is a single file.",
            next_step="Give the folder that holds saved_model.pb.",
        )
    if (folder / "saved_model.pb").is_file() or (folder / "saved_model.pbtxt").is_file():
        return
    inner = next((path.parent for path in sorted(folder.glob("*/saved_model.pb"))), None)
    inside = sorted(path.name for path in folder.iterdir())[:5]
    raise BackboneError(
        f"'{folder}' is no SavedModel: it has no file saved_model.pb.",
        found=f"Found: {', '.join(inside) or 'an empty folder'}.",
        next_step=f"Did you mean '{inner}'?" if inner else "Give the folder that holds saved_model.pb.",
    )


def _load(folder: Path) -> Any:
    try:
        return hub.load(str(folder))
    except Exception as error:  # whatever a damaged protocol buffer or table of variables provokes
        raise BackboneError(
            f"The module in '{folder}' could not be loaded; it seems to be damaged or incomplete.",
            found=f"{first_line(error)}",
            next_step="Fetch or copy it again, whole: saved_model.pb and the folder 'variables'.",
        ) from error


def _fetched(handle: str) -> Path:
    former = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_NETWORK_SECONDS)  # tensorflow_hub sets none: a dead network would hang here for good
    try:
        return Path(hub.resolve(handle))
    except Exception as error:  # network, archive, file system: each has its own exceptions
        raise BackboneError(
            f"The module '{handle}' could not be fetched.",
            found=first_line(error),
            next_step="Check the handle and the network, or give the folder of a module that is on this computer.",
        ) from error
    finally:
        socket.setdefaulttimeout(former)


def _input_size(spec: tf.TensorSpec, handle: str) -> int | None:
    batch: int | None = spec.shape.as_list()[0] if spec.shape.rank else None
    if batch is not None:
        raise BackboneError(
            f"'{display_name(handle)}' takes batches of exactly {batch}.",
            found="Training sends photos through it in batches of several sizes.",
            next_step=WAY_OUT,
        )
    sides: list[int | None] = spec.shape.as_list()[1:3] if spec.shape.rank else [None]
    if None in sides:
        return None
    height, width = (side or 0 for side in sides)
    if height != width:
        raise BackboneError(
            f"'{display_name(handle)}' takes photos of {width} × {height} px.",
            found="Only backbones for square photos are supported.",
            next_step=WAY_OUT,
        )
    return height


def _feature_count(output: Tensor, handle: str) -> int:
    shape = output.shape
    if shape.rank != 2 or shape[0] != 2:
        raise BackboneError(
            f"'{display_name(handle)}' gives no feature vector.",
            found=f"It gives values of shape {tuple(shape)} for two photos.",
            next_step=WAY_OUT,
        )
    count: int = shape.as_list()[1]
    if count in CLASSIFIER_LENGTHS:
        raise BackboneError(
            f"'{display_name(handle)}' is a classification module, not a feature vector.",
            found=f"Its {count} outputs are scores for the {count} classes of ImageNet, not features.",
            next_step="Use the module of the same network whose handle says 'feature_vector'.",
        )
    return count


def _photo_spec(size: int) -> tf.TensorSpec:
    return tf.TensorSpec([None, size, size, 3], tf.float32)


def _count(variable: tf.Variable) -> int:
    return int(variable.shape.num_elements() or 0)
