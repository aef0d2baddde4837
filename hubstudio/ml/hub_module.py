"""A hub module, found, loaded and understood: how to call it, what it takes, what it gives, what can be trained."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from hubstudio.core.backbones import (
    BackboneInfo,
    Block,
    Endpoint,
    ModuleFormat,
    display_name,
    photo_size,
)
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.errors import BackboneError, DamagedModuleError
from hubstudio.core.trusted_modules import module_digest
from hubstudio.ml.blocks import VariableBlock, find_blocks
from hubstudio.ml.carried_module import carried_digest, model_file
from hubstudio.ml.endpoints import EndpointForward, Outputs, find_outputs, photo_spec
from hubstudio.ml.environment import importing_quietly
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
from hubstudio.ml.module_files import files_digest
from hubstudio.ml.module_folders import find_folder
from hubstudio.ml.module_graph import FrozenGraph, freeze, variable_actions
from hubstudio.ml.module_safety import require_safe, trust
from hubstudio.ml.narrow_places import stages
from hubstudio.ml.saved_model_definition import producer, read_definition
from hubstudio.ml.value_range import value_range

ANY_SIZE_DEFAULT = 224
"""Side in pixels for modules that take any size and name none of their own, unless the plan says otherwise."""
CLASSIFIER_LENGTHS = (1000, 1001, 21841, 21843)
"""Lengths of the outputs of ImageNet classifiers, with and without a background class."""
_KEPT_BYTES = 64_000_000
"""Of variables: a frozen graph of more is made anew rather than kept in memory."""


@dataclass(frozen=True)
class HubModule:
    """A loaded image feature module."""

    handle: str
    folder: Path
    digest: str
    """Of its files, when it was loaded: they may be gone or others by now."""
    format: ModuleFormat
    forward: Forward
    input_size: int | None
    default_size: int
    """Side of the photos where nobody asks for another."""
    features: int
    features_name: str
    """Endpoint whose features they are; '' for the module's own vector."""
    endpoints: tuple[Endpoint, ...]
    """Where it can be left early, in depth order."""
    variables: tuple[tf.Variable, ...]
    trainable: frozenset[int]
    """Places in ``variables`` of those that the module lets train; empty if it cannot be fine-tuned."""
    blocks: tuple[VariableBlock, ...]
    """Those that lead to the features, in depth order."""
    regularization_losses: tuple[Callable[[], Tensor], ...]
    parameters: int
    """How many numbers lead to the features."""
    value_range: str
    producer: str
    loaded: Any
    """Kept, since functions of a SavedModel do not keep their variables alive."""
    _frozen: dict[tuple[int, bytes], FrozenGraph] = field(default_factory=dict, compare=False, repr=False)

    def size(self, wanted: int = 0) -> int:
        """Return the side of the photos it is run on. Raises ``BackboneError`` if it does not take ``wanted``."""
        return photo_size(self.input_size, self.default_size, wanted)

    def whole(self) -> HubModule:
        """Return the module itself."""
        return self

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
        """Return the forward pass for photos of ``size`` pixels with the variables' present values.

        Of a small module, the last one is kept for as long as no variable moves: a training asks for it twice.
        """
        if self._bytes() > _KEPT_BYTES:
            return self._freeze(size)
        state = (size, self._numbers())
        if state not in self._frozen:
            self._frozen.clear()
            self._frozen[state] = self._freeze(size)
        return self._frozen[state]

    def _freeze(self, size: int) -> FrozenGraph:
        return freeze(lambda x: self.forward(x, False), photo_spec(size, size), self.variables)

    def _bytes(self) -> int:
        return sum(_count(variable) * variable.dtype.size for variable in self.variables)

    def _numbers(self) -> bytes:
        """Return a digest of all variables' present values."""
        digest = hashlib.blake2b(digest_size=16)
        for variable in self.variables:
            digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
        return digest.digest()

    def info(self) -> BackboneInfo:
        """Return what is known of the module as a plain value."""
        blocks = tuple(map(self._block, self.blocks))
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return BackboneInfo(
            name=backbone_name(self.handle),
            handle=self.handle,
            folder=self.folder,
            input_size=self.input_size,
            features=self.features,
            parameters=self.parameters,
            trainable=bool(self.trainable),
            blocks=blocks,
            format=self.format,
            bytes=size,
            features_name=self.features_name,
            endpoints=self.endpoints,
            default_size=self.default_size,
            value_range=self.value_range,
            producer=self.producer,
        )

    def _block(self, block: VariableBlock) -> Block:
        counts = {place: _count(self.variables[place]) for place in block.places}
        trainable = sum(count for place, count in counts.items() if place in self.trainable)
        return Block(block.name, len(counts), sum(counts.values()), trainable)


def load_module(text: str, features: str = "") -> HubModule:
    """Find, load and understand a module; ``features`` names the endpoint to use instead of its own vector.

    Raises ``BackboneError`` with a reason and a way out, and ``UnsafeModuleError`` before anything of a module is
    loaded whose graphs could do more than look at photos.
    """
    return load_folder(*find_folder(text), features)


def load_folder(handle: str, folder: Path, features: str = "") -> HubModule:
    """Load and understand the module of ``handle`` from ``folder``. Raises as ``load_module`` does."""
    _require_saved_model(folder)
    definition = read_definition(folder)
    require_safe(handle, folder, definition)
    digest, loaded = _load(folder)
    is_tf1 = (folder / "tfhub_module.pb").is_file() or not has_call(loaded)
    call = SignatureCall(loaded, handle) if is_tf1 else ReusableCall(loaded, handle)
    return _understood(handle, folder, digest, loaded, call, features, producer(definition))


def trust_module(text: str) -> None:
    """Remember that a module, as it is now, may be used whatever its graphs hold. Raises ``BackboneError``.

    A run folder or a trained model's file stands for the module inside.
    """
    if file := model_file(text):
        trust(text, carried_digest(file))
        return
    handle, folder = find_folder(text)
    _require_saved_model(folder)
    trust(handle, module_digest(folder))


def _understood(
    handle: str, folder: Path, digest: str, loaded: Any, call: ReusableCall | SignatureCall, wanted: str, version: str
) -> HubModule:
    input_size = _input_size(call.spec, handle)
    size = input_size or _served_size(loaded) or ANY_SIZE_DEFAULT
    try:
        outputs = find_outputs(call, size, any_size=input_size is None)
        name = outputs.named(wanted, handle)
        features = outputs.feature_count(name) if name else _own_features(call, size, handle, outputs)
    except (TypeError, ValueError, tf.errors.OpError) as error:
        raise takes_no_photos(handle, first_line(error)) from error
    graph = outputs.graph_of(name)
    blocks, used = _blocks(graph, call.variables)
    beyond = [variable for place, variable in enumerate(call.variables) if place not in used]
    trainable = frozenset(place for place in used if id(call.variables[place]) in call.trainable_ids)
    if trainable:  # a block of fixed kernels is no step of a depth
        blocks = tuple(block for block in blocks if not trainable.isdisjoint(block.places))
    return HubModule(
        handle=handle,
        folder=folder,
        digest=digest,
        format=call.format,
        forward=EndpointForward(call, name, beyond) if name else call,
        input_size=input_size,
        default_size=size,
        features=features,
        features_name=name,
        endpoints=outputs.listed,
        variables=call.variables,
        trainable=trainable,
        blocks=blocks,
        regularization_losses=_losses(loaded, beyond),
        parameters=sum(_count(call.variables[place]) for place in used) or graph.constant_numbers(),
        value_range=value_range(graph),
        producer=version,
        loaded=loaded,
    )


def _blocks(graph: FrozenGraph, variables: Sequence[tf.Variable]) -> tuple[tuple[VariableBlock, ...], frozenset[int]]:
    """Return the blocks of variables that lead to the graph's output, and the places of all of these."""
    names = [variable.name for variable in variables]
    ranks = [variable.shape.rank or 0 for variable in variables]
    actions = variable_actions(graph, {place for place, rank in enumerate(ranks) if rank > 1})
    found = find_blocks(names, ranks, actions, stages(graph, actions))
    acting = (VariableBlock(block.name, tuple(p for p in block.places if p in actions)) for block in found)
    return tuple(acting), frozenset(actions)


def _losses(loaded: Any, beyond: Sequence[tf.Variable]) -> tuple[Callable[[], Tensor], ...]:
    """Return the penalties of the module, without those that are only on variables beyond the features."""
    ends = {id(variable.handle) for variable in beyond}
    losses = tuple(getattr(loaded, "regularization_losses", ()))
    return tuple(loss for loss in losses if not _captured(loss) or _captured(loss) - ends)


def _captured(function: Any) -> set[int]:
    concrete = getattr(function, "concrete_functions", ())
    return {id(value) for function in concrete for value in function.captured_inputs}


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


def _load(folder: Path) -> tuple[str, Any]:
    """Return the digest of a module's files, and what is in them."""
    load = _loader()
    try:
        return files_digest(folder), load(str(folder))
    except Exception as error:  # whatever a damaged protocol buffer or table of variables provokes
        raise DamagedModuleError(
            f"The module in '{folder}' could not be loaded; it seems to be damaged or incomplete.",
            found=f"{first_line(error)}",
            next_step="Fetch or copy it again, whole: saved_model.pb and the folder 'variables'.",
        ) from error


def _loader() -> Callable[[str], Any]:
    """Return TF Hub's loader. Only here, since it brings tf_keras, which a training on known features never needs."""
    with nullcontext() if "tensorflow_hub" in sys.modules else importing_quietly():
        import tensorflow_hub as hub
    return hub.load


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


def _served_size(loaded: Any) -> int | None:
    """Return the side of the photos of ``serving_default``: where a module that takes any size names its own."""
    signature = getattr(loaded, "signatures", {}).get("serving_default")
    specs = tf.nest.flatten(signature.structured_input_signature) if signature is not None else []
    if len(specs) != 1 or specs[0].shape.rank != 4:
        return None
    _, height, width, _ = specs[0].shape.as_list()
    return height if height == width else None


def _own_features(call: Forward, size: int, handle: str, outputs: Outputs) -> int:
    shape = call(tf.zeros([2, size, size, 3]), False).shape
    last = next(reversed(outputs.listed), None)
    instead = f" Or use one of its endpoints as features, such as '{last.name}'." if last else ""
    if shape.rank != 2 or shape[0] != 2:
        raise BackboneError(
            f"'{display_name(handle)}' gives no feature vector.",
            found=f"It gives values of shape {tuple(shape)} for two photos.",
            next_step=f"{WAY_OUT}{instead}",
        )
    count: int = shape.as_list()[1]
    if count in CLASSIFIER_LENGTHS:
        raise BackboneError(
            f"'{display_name(handle)}' is a classification module, not a feature vector.",
            found=f"Its {count} outputs are scores for the {count} classes of ImageNet, not features.",
            next_step=f"Use the module of the same network whose handle says 'feature_vector'.{instead}",
        )
    return count


def _count(variable: tf.Variable) -> int:
    return int(variable.shape.num_elements() or 0)
