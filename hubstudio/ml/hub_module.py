"""A hub module, found, loaded and understood: how to call it, what it takes, what it gives, what can be trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_hub as hub

from hubstudio.core.backbones import BackboneInfo, Block, ModuleFormat, bundled_folder, bundled_names, display_name
from hubstudio.core.errors import BackboneError, did_you_mean
from hubstudio.ml.blocks import VariableBlock, find_blocks
from hubstudio.ml.module_graph import FrozenGraph, freeze, variable_actions

ANY_SIZE_DEFAULT = 224
"""Side in pixels for modules that take any size, unless the plan says otherwise."""
CLASSIFIER_LENGTHS = (1000, 1001, 21841, 21843)
"""Lengths of the outputs of ImageNet classifiers, with and without a background class."""
_WAY_OUT = "Use a 'feature vector' module for images, such as the bundled 'studio-mini'."

Tensor = Any
Forward = Callable[[Tensor, bool], Tensor]
"""Takes float32 RGB ``[batch, height, width, 3]`` in [0, 1] and ``training``; gives ``[batch, features]``."""


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
    path = Path(text).expanduser()
    if path.exists():
        return str(path.absolute()), path.absolute()
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
    is_tf1 = (folder / "tfhub_module.pb").is_file() or not _has_call(loaded)
    call = _SignatureCall(loaded, handle) if is_tf1 else _ReusableCall(loaded, handle)
    return _understood(handle, folder, loaded, call)


class _ReusableCall:
    """Calls a TF2 module in the reusable format, whatever arguments beside the photos it takes."""

    def __init__(self, loaded: Any, handle: str) -> None:
        self.loaded = loaded
        self.format = ModuleFormat.TF2
        self.spec = _image_spec(_specs(loaded), handle)
        self.variables: tuple[tf.Variable, ...] = tuple(getattr(loaded, "variables", ()))
        listed = getattr(loaded, "trainable_variables", ())
        self.trainable_ids = frozenset(id(variable) for variable in listed)
        self._style = self._find_style(handle)

    def __call__(self, photos: Tensor, training: bool) -> Tensor:
        return _pooled(self._style(photos, training))

    def _find_style(self, handle: str) -> Forward:
        photos = tf.TensorSpec([None, *(self.spec.shape[1:] if self.spec.shape.rank else [None, None, 3])], tf.float32)
        failure: Exception | None = None
        for style in (self._with_keyword, self._with_tensor, self._plain):
            try:
                tf.function(lambda x, style=style: style(x, False)).get_concrete_function(photos)
            except (TypeError, ValueError) as error:
                failure = failure or error
            else:
                return style
        raise BackboneError(
            f"'{display_name(handle)}' cannot be called on photos.", found=_first_line(failure), next_step=_WAY_OUT
        )

    def _with_keyword(self, photos: Tensor, training: bool) -> Tensor:
        return self.loaded(photos, training=training)

    def _with_tensor(self, photos: Tensor, training: bool) -> Tensor:
        return self.loaded(photos, training=tf.constant(training))

    def _plain(self, photos: Tensor, training: bool) -> Tensor:
        del training
        return self.loaded(photos)


class _SignatureCall:
    """Calls a module through a signature: TF1 hub format, or a SavedModel made for serving. It cannot be trained."""

    def __init__(self, loaded: Any, handle: str) -> None:
        name = next((n for n in ("default", "image_feature_vector", "serving_default") if n in loaded.signatures), None)
        if name is None:
            raise BackboneError(
                f"'{display_name(handle)}' offers nothing that can be called on photos.",
                found=f"Signatures: {', '.join(loaded.signatures) or 'none'}.",
                next_step=_WAY_OUT,
            )
        self._signature = loaded.signatures[name]
        (self._argument, self.spec), *others = self._signature.structured_input_signature[1].items()
        if others:
            raise _takes_no_photos(handle, f"It takes {1 + len(others)} inputs.")
        self.spec = _image_spec([self.spec], handle)
        self.format = ModuleFormat.TF1 if name != "serving_default" else ModuleFormat.TF2
        self.variables: tuple[tf.Variable, ...] = tuple(self._signature.variables)
        if self.format is ModuleFormat.TF1:
            self._signature = _with_values_inside(self._signature)
        self.trainable_ids: frozenset[int] = frozenset()

    def __call__(self, photos: Tensor, training: bool) -> Tensor:
        del training
        outputs = self._signature(**{self._argument: photos})
        return _pooled(outputs["default"] if "default" in outputs else next(iter(outputs.values())))


def _with_values_inside(signature: Any) -> Any:
    """Return a TF1 signature with its variables' values as constants.

    TF1 variables live in the graph itself, where neither freezing nor exporting finds them.
    """
    graph = signature.graph
    definition = graph.as_graph_def()
    with graph.as_default():  # a reference cannot leave a function, its value can
        references = [op for op in graph.get_operations() if op.type in ("VariableV2", "Variable")]
        readings = {op.name: tf.identity(op.outputs[0]) for op in references}
    values = signature.prune([], readings)() if readings else {}
    for node in definition.node:
        if node.name in values:
            node.op = "Const"
            node.attr.clear()
            value = values[node.name]
            node.attr["dtype"].type = value.dtype.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value.numpy()))
    argument = next(iter(signature.structured_input_signature[1]))
    inner, output = graph.inputs[0].name, signature.structured_outputs
    name, tensor = ("default", output["default"]) if "default" in output else next(iter(output.items()))

    def call(photos: Tensor) -> dict[str, Tensor]:
        (result,) = tf.graph_util.import_graph_def(definition, {inner: photos}, [tensor.name], name="")
        return {name: result}

    spec = signature.structured_input_signature[1][argument]
    wrapped = tf.compat.v1.wrap_function(call, [tf.TensorSpec(spec.shape, spec.dtype)])
    return lambda **photos: wrapped(photos[argument])


def _understood(handle: str, folder: Path, loaded: Any, call: _ReusableCall | _SignatureCall) -> HubModule:
    input_size = _input_size(call.spec, handle)
    size = input_size or ANY_SIZE_DEFAULT
    try:
        features = _feature_count(call(tf.zeros([1, size, size, 3]), False), handle)
        graph = freeze(lambda x: call(x, False), _photo_spec(size), call.variables)
    except (TypeError, ValueError, tf.errors.OpError) as error:
        raise _takes_no_photos(handle, _first_line(error)) from error
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
            found=f"{_first_line(error)}",
            next_step="Fetch or copy it again, whole: saved_model.pb and the folder 'variables'.",
        ) from error


def _fetched(handle: str) -> Path:
    try:
        return Path(hub.resolve(handle))
    except Exception as error:  # network, archive, file system: each has its own exceptions
        raise BackboneError(
            f"The module '{handle}' could not be fetched.",
            found=_first_line(error),
            next_step="Check the handle and the network, or give the folder of a module that is on this computer.",
        ) from error


def _has_call(loaded: Any) -> bool:
    return callable(loaded) and bool(list(_specs(loaded)))


def _specs(loaded: Any) -> Iterator[tf.TensorSpec]:
    """Yield the first argument of every way in which the module can be called."""
    for function in getattr(getattr(loaded, "__call__", None), "concrete_functions", ()):  # noqa: B004
        arguments = tf.nest.flatten(function.structured_input_signature)
        specs = [argument for argument in arguments if isinstance(argument, tf.TensorSpec)]
        if specs:
            yield specs[0]


def _image_spec(specs: Sequence[tf.TensorSpec] | Iterator[tf.TensorSpec], handle: str) -> tf.TensorSpec:
    specs = list(specs)
    for spec in specs:
        axes: list[int | None] = spec.shape.as_list() if spec.shape.rank else [None] * 4
        if spec.dtype == tf.float32 and len(axes) == 4 and axes[3] in (3, None):
            return spec
    kinds = ", ".join(sorted({f"{spec.dtype.name} {spec.shape}" for spec in specs}))
    if any(spec.dtype == tf.string for spec in specs):
        raise _takes_no_photos(handle, f"It takes text ({kinds}).")
    raise _takes_no_photos(handle, f"It takes {kinds}.")


def _input_size(spec: tf.TensorSpec, handle: str) -> int | None:
    sides: list[int | None] = spec.shape.as_list()[1:3] if spec.shape.rank else [None]
    if None in sides:
        return None
    height, width = (side or 0 for side in sides)
    if height != width:
        raise BackboneError(
            f"'{display_name(handle)}' takes photos of {width} × {height} px.",
            found="Only backbones for square photos are supported.",
            next_step=_WAY_OUT,
        )
    return height


def _feature_count(output: Tensor, handle: str) -> int:
    shape = output.shape
    if shape.rank != 2:
        raise BackboneError(
            f"'{display_name(handle)}' gives no feature vector.",
            found=f"It gives values of shape {tuple(shape)} for one photo.",
            next_step=_WAY_OUT,
        )
    count: int = shape.as_list()[1]
    if count in CLASSIFIER_LENGTHS:
        raise BackboneError(
            f"'{display_name(handle)}' is a classification module, not a feature vector.",
            found=f"Its {count} outputs are scores for the {count} classes of ImageNet, not features.",
            next_step="Use the module of the same network whose handle says 'feature_vector'.",
        )
    return count


def _pooled(output: Tensor) -> Tensor:
    """Return the features of a call's output; a feature map is averaged over the photo."""
    if isinstance(output, dict):
        output = output.get("default", output)
    if isinstance(output, dict | list | tuple):
        raise TypeError(f"gives {len(output)} outputs instead of one feature vector")
    return tf.reduce_mean(output, axis=[1, 2]) if output.shape.rank == 4 else output


def _takes_no_photos(handle: str, found: str) -> BackboneError:
    return BackboneError(f"'{display_name(handle)}' is not for photos.", found=found, next_step=_WAY_OUT)


def _photo_spec(size: int) -> tf.TensorSpec:
    return tf.TensorSpec([None, size, size, 3], tf.float32)


def _count(variable: tf.Variable) -> int:
    return int(variable.shape.num_elements() or 0)


def _first_line(error: Exception | None) -> str:
    text = str(error).strip().splitlines()[0] if error and str(error).strip() else type(error).__name__
    return text[:300] + ("" if text.endswith(".") else ".")
