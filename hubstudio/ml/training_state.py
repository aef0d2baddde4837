"""What a phase changes of a compiled model: its variables, and their values under names that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def moving_variables(model: keras.Model, *, batch_norm: bool) -> list[Any]:
    """Return the weights that learn and the state of random numbers; with ``batch_norm``, its statistics too."""
    learning = {id(variable) for variable in model.trainable_variables}
    metrics = {id(variable) for variable in model.metrics_variables}
    others = [variable for variable in model.variables if id(variable) not in learning | metrics]
    own = {id(variable) for variable in (model.optimizer.variables if model.optimizer else ())}
    kept = [variable for variable in others if id(variable) not in own and (batch_norm or not _is_float(variable))]
    return [*model.trainable_variables, *kept]


def optimizer_variables(model: keras.Model) -> list[Any]:
    """Return the state of what moves the weights."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return list(model.optimizer.variables)


def values(variables: Sequence[Any]) -> list[NDArray[Any]]:
    """Return the present value of each variable, copied."""
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: Sequence[Any], new: Sequence[NDArray[Any]]) -> None:
    """Give each variable its value. Raises ``ValueError`` if there are not as many."""
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)


def named(prefix: str, arrays: Sequence[NDArray[Any]]) -> Arrays:
    """Return arrays under names that begin with ``prefix`` and tell their order."""
    return {f"{prefix}.{number}": array for number, array in enumerate(arrays)}


def of_name(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the arrays that ``named`` put under ``prefix``, in their order."""
    count = sum(name.startswith(f"{prefix}.") for name in arrays)
    return [arrays[f"{prefix}.{number}"] for number in range(count)]


def _is_float(variable: Any) -> bool:
    return np.issubdtype(np.dtype(keras.backend.standardize_dtype(variable.dtype)), np.floating)
