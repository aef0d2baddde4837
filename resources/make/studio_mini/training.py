"""Training in pieces: each call goes on where the last one stopped, and gives the same weights as one long call."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np

from . import augment, checkpoints, network
from .augment import Batch
from .pool import Pool
from .recipe import Recipe

WARM_UP = 0.04
_WEIGHT_DECAY = 0.02
_LABEL_SMOOTHING = 0.1
_REPORT_STEPS = 100
_SAVE_SECONDS = 120


def rate(recipe: Recipe, step: int) -> float:
    """Return the learning rate of a step: in each cycle a straight warm-up, then half a cosine down to nothing."""
    highest, place, steps = recipe.cycle_at(step)
    warm = max(1, round(WARM_UP * steps))
    if place < warm:
        return highest * (place + 1) / warm
    return highest * 0.5 * (1 + math.cos(math.pi * (place - warm) / max(1, steps - warm)))


def prepare_backend(recipe: Recipe) -> None:
    """Set the precision; on a CPU, TensorFlow may compute convolutions in bfloat16 where the processor can."""
    keras.config.set_dtype_policy(recipe.precision)
    if keras.backend.backend() == "tensorflow" and recipe.name == "cpu":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"auto_mixed_precision_onednn_bfloat16": True})
        tf.config.threading.set_intra_op_parallelism_threads(2)


def compiled(recipe: Recipe) -> keras.Model:
    """Return the network ready to be trained."""
    model = network.build(recipe)
    optimizer = keras.optimizers.AdamW(rate(recipe, 0), weight_decay=_WEIGHT_DECAY, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimizer.build(model.trainable_variables)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_LABEL_SMOOTHING)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def train(recipe: Recipe, pool: Pool, folder: Path, minutes: float, workers: int) -> int:
    """Train for ``minutes`` or to the end, whichever comes first, leave a checkpoint in ``folder``, return the step."""
    prepare_backend(recipe)
    model = compiled(recipe)
    checkpoint = folder / "checkpoint"
    done, spent = _resume(model, checkpoint, recipe)
    started = saved = time.monotonic()
    for step, (crops, labels) in _batches(pool, recipe, done, workers):
        model.optimizer.learning_rate = rate(recipe, step)
        results = model.train_on_batch(crops, np.eye(len(recipe.programs), dtype=np.float32)[labels], return_dict=True)
        done, now = step + 1, time.monotonic()
        if step % _REPORT_STEPS == 0:
            _report(recipe, step, results, spent + now - started)
        if now - started > minutes * 60:
            break
        if now - saved > _SAVE_SECONDS:
            _save(model, recipe, checkpoint, done, spent + now - started)
            saved = now
    _save(model, recipe, checkpoint, done, spent + time.monotonic() - started)
    return done


def _batches(pool: Pool, recipe: Recipe, first: int, workers: int) -> Iterator[tuple[int, Batch]]:
    """Yield steps with their batches, a few of them made ahead in threads (OpenCV lets go of the GIL)."""
    with ThreadPoolExecutor(workers) as makers:
        ahead: deque[Future[Batch]] = deque()
        for step in range(first, recipe.steps):
            while len(ahead) <= workers and step + len(ahead) < recipe.steps:
                ahead.append(makers.submit(augment.batch, pool, recipe, step + len(ahead)))
            yield step, ahead.popleft().result()


def _resume(model: keras.Model, checkpoint: Path, recipe: Recipe) -> tuple[int, float]:
    if not checkpoint.exists():
        return 0, 0.0
    arrays, facts = checkpoints.read(checkpoint)
    if facts["recipe"] != recipe.name:
        raise SystemExit(f"The checkpoint in {checkpoint} is of the recipe '{facts['recipe']}'. Choose another folder.")
    for name, variable in _state(model).items():
        variable.assign(arrays[name])
    return facts["step"], facts["seconds"]


def _save(model: keras.Model, recipe: Recipe, checkpoint: Path, step: int, seconds: float) -> None:
    arrays = {name: np.asarray(keras.ops.convert_to_numpy(value)) for name, value in _state(model).items()}
    checkpoints.write(checkpoint, arrays, {"recipe": recipe.name, "step": step, "seconds": round(seconds)})


def _state(model: keras.Model) -> dict[str, Any]:
    """Return every variable that decides how training goes on, by a name of its own."""
    weights = {f"model/{variable.path}": variable for variable in model.variables}
    return weights | {f"optimizer/{number}": variable for number, variable in enumerate(model.optimizer.variables)}


def _report(recipe: Recipe, step: int, results: dict[str, float], seconds: float) -> None:
    stage = recipe.stage_at(step)
    loss, accuracy = results["loss"], results["accuracy"]
    print(
        f"step {step} of {recipe.steps}, {stage.side} px, {seconds / 60:.1f} min: "
        f"loss {loss:.3f}, accuracy {accuracy:.3f}, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
