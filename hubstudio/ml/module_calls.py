"""The ways in which hub modules are called: the reusable TF2 format, TF1's signatures, and plain serving signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from hubstudio.core.backbones import ModuleFormat, display_name
from hubstudio.core.errors import BackboneError

_ENDPOINTS = "return_endpoints"
_SIGNATURES = ("image_feature_vector", "default", "serving_default")
"""By preference: of TF1 modules, the first of these is the one that offers intermediate maps beside the vector."""
WAY_OUT = "Use a 'feature vector' module for images, such as the bundled 'studio-mini'."

Tensor = Any
Forward = Callable[[Tensor, bool], Tensor]
"""Takes float32 RGB ``[batch, height, width, 3]`` in [0, 1] and ``training``; gives ``[batch, features]``."""
DEFAULT = "default"
"""What the module's own output is called among all outputs."""


class ReusableCall:
    """Calls a TF2 module in the reusable format, whatever arguments beside the photos it takes."""

    def __init__(self, loaded: Any, handle: str) -> None:
        self.loaded = loaded
        self.format = ModuleFormat.TF2
        self.spec = _image_spec(_specs(loaded), handle)
        self.variables: tuple[tf.Variable, ...] = tuple(getattr(loaded, "variables", ()))
        listed = getattr(loaded, "trainable_variables", ())
        self.trainable_ids = frozenset(id(variable) for variable in listed)
        self._style = self._find_style(handle)
        self._more = {_ENDPOINTS: True} if self._takes_endpoints() else {}

    def __call__(self, photos: Tensor, training: bool) -> Tensor:
        """Return the features ``[batch, features]``."""
        return pooled(_own_output(self._style(photos, training)))

    def outputs(self, photos: Tensor, training: bool) -> dict[str, Tensor]:
        """Return everything that the module offers, by name, the features as they come as ``DEFAULT``."""
        outputs = self._style(photos, training, **self._more)
        return {**(outputs if isinstance(outputs, dict) else {}), DEFAULT: _own_output(outputs)}

    def _takes_endpoints(self) -> bool:
        """Whether the call has the argument for intermediate maps, and it works."""
        arguments = getattr(getattr(self.loaded.__call__, "function_spec", None), "fullargspec", None)
        if arguments is None or _ENDPOINTS not in (*arguments.args, *arguments.kwonlyargs):
            return False
        try:
            asked = tf.function(lambda x: self._style(x, False, **{_ENDPOINTS: True}), autograph=False)
            return isinstance(asked.get_concrete_function(self._photos()).structured_outputs, dict)
        except (TypeError, ValueError):
            return False

    def _photos(self) -> tf.TensorSpec:
        axes = self.spec.shape[1:] if self.spec.shape.rank else [None, None, 3]
        return tf.TensorSpec([None, *axes], tf.float32)

    def _find_style(self, handle: str) -> Callable[..., Any]:
        photos = self._photos()
        failure: Exception | None = None
        for style in (self._with_keyword, self._with_tensor, self._plain):
            try:
                called = tf.function(lambda x, style=style: style(x, False), autograph=False)
                called.get_concrete_function(photos)
            except (TypeError, ValueError) as error:
                failure = failure or error
            else:
                return style
        raise BackboneError(
            f"'{display_name(handle)}' cannot be called on photos.", found=first_line(failure), next_step=WAY_OUT
        )

    def _with_keyword(self, photos: Tensor, training: bool, **more: bool) -> Any:
        return self.loaded(photos, training=training, **more)

    def _with_tensor(self, photos: Tensor, training: bool, **more: bool) -> Any:
        return self.loaded(photos, training=tf.constant(training), **more)

    def _plain(self, photos: Tensor, training: bool, **more: bool) -> Any:
        del training
        return self.loaded(photos, **more)


class SignatureCall:
    """Calls a module through a signature: TF1 hub format, or a SavedModel made for serving. It cannot be trained."""

    def __init__(self, loaded: Any, handle: str) -> None:
        name = next((n for n in _SIGNATURES if n in loaded.signatures), None)
        if name is None:
            raise BackboneError(
                f"'{display_name(handle)}' offers nothing that can be called on photos.",
                found=f"Signatures: {', '.join(loaded.signatures) or 'none'}.",
                next_step=WAY_OUT,
            )
        self._signature = loaded.signatures[name]
        (self._argument, self.spec), *others = self._signature.structured_input_signature[1].items()
        if others:
            raise takes_no_photos(handle, f"It takes {1 + len(others)} inputs.")
        self.spec = _image_spec([self.spec], handle)
        self.format = ModuleFormat.TF1 if name != "serving_default" else ModuleFormat.TF2
        self.variables: tuple[tf.Variable, ...] = tuple(self._signature.variables)
        if self.format is ModuleFormat.TF1:
            self._signature = _with_values_inside(self._signature)
        self.trainable_ids: frozenset[int] = frozenset()

    def __call__(self, photos: Tensor, training: bool) -> Tensor:
        """Return the features ``[batch, features]``; there is no other way to call it for training."""
        return pooled(self.outputs(photos, training)[DEFAULT])

    def outputs(self, photos: Tensor, training: bool) -> dict[str, Tensor]:
        """Return everything that the signature gives, by name, the features as they come as ``DEFAULT``."""
        del training
        outputs = self._signature(**{self._argument: photos})
        return {**outputs, DEFAULT: outputs[DEFAULT] if DEFAULT in outputs else next(iter(outputs.values()))}


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
    inner, outputs = graph.inputs[0].name, signature.structured_outputs
    names = [tensor.name for tensor in outputs.values()]

    def call(photos: Tensor) -> dict[str, Tensor]:
        results = tf.graph_util.import_graph_def(definition, {inner: photos}, names, name="")
        return dict(zip(outputs, results, strict=True))

    spec = signature.structured_input_signature[1][argument]
    wrapped = tf.compat.v1.wrap_function(call, [tf.TensorSpec(spec.shape, spec.dtype)])
    return lambda **photos: wrapped(photos[argument])


def has_call(loaded: Any) -> bool:
    """Whether a loaded module can be called as the reusable format has it."""
    return callable(loaded) and bool(list(_specs(loaded)))


def _specs(loaded: Any) -> Iterator[tf.TensorSpec]:
    """Yield the first argument of every way in which the module can be called."""
    for function in getattr(getattr(loaded, "__call__", None), "concrete_functions", ()):  # noqa: B004
        arguments = tf.nest.flatten(function.structured_input_signature)
        specs = [argument for argument in arguments if isinstance(argument, tf.TensorSpec)]
        if specs:
            yield specs[0]


def _image_spec(specs: Sequence[tf.TensorSpec] | Iterator[tf.TensorSpec], handle: str) -> tf.TensorSpec:
    # A way of calling that leaves the batch open comes first.
    specs = sorted(specs, key=lambda spec: bool(spec.shape.rank and spec.shape[0] is not None))
    for spec in specs:
        axes: list[int | None] = spec.shape.as_list() if spec.shape.rank else [None] * 4
        if spec.dtype == tf.float32 and len(axes) == 4 and axes[3] in (3, None):
            return spec
    kinds = ", ".join(sorted({f"{spec.dtype.name} {spec.shape}" for spec in specs}))
    if any(spec.dtype == tf.string for spec in specs):
        raise takes_no_photos(handle, f"It takes text ({kinds}).")
    raise takes_no_photos(handle, f"It takes {kinds}.")


def pooled(output: Tensor) -> Tensor:
    """Return an output as features; a map is averaged over the photo."""
    return tf.reduce_mean(output, axis=[1, 2]) if output.shape.rank == 4 else output


def _own_output(output: Any) -> Tensor:
    """Return the features among what a call gives."""
    if isinstance(output, dict):
        output = output.get(DEFAULT, output)
    if isinstance(output, dict | list | tuple):
        raise TypeError(f"gives {len(output)} outputs instead of one feature vector")
    return output


def takes_no_photos(handle: str, found: str) -> BackboneError:
    """Return the error for a module that was made for something else."""
    return BackboneError(f"'{display_name(handle)}' is not for photos.", found=found, next_step=WAY_OUT)


def first_line(error: Exception | None) -> str:
    """Return an error's first line as a sentence of bounded length."""
    text = str(error).strip().splitlines()[0] if error and str(error).strip() else type(error).__name__
    return text[:300] + ("" if text.endswith(".") else ".")
