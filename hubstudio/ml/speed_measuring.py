"""A few seconds' measurement of how fast a backbone runs and learns on this computer.

It takes the ways that a training takes, on generated photos: ``FrozenBackbone`` for features, ``train_phase`` for the
head. Only a step through moving blocks is made by hand, since Keras prepares one for ten seconds where this takes one.
All of it runs in a process of its own: it can be stopped at any moment, its peak of memory is its own, and neither the
window nor a training is held up or changed by what it leaves behind.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from hubstudio.core import speeds
from hubstudio.core.cancel import CancelToken
from hubstudio.core.cost import DecodeSpeed, HeadSpeed, Speed, StepSpeed
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import EpochDone, Event, Phase
from hubstudio.core.memory import memory_in_use
from hubstudio.core.peak_memory import peak_memory
from hubstudio.core.plan import Mode, Plan
from hubstudio.ml.child_process import ChildFailed, ChildProcess
from hubstudio.ml.feature_runtimes import FEATURE_BATCH
from hubstudio.ml.feature_source import FrozenBackbone
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.model_factory import FeatureStatistics, build_classifier
from hubstudio.ml.phase_parts import PhasePlan, Surroundings
from hubstudio.ml.photo_batches import read_batches
from hubstudio.ml.training_data import Examples
from hubstudio.ml.training_loop import train_phase

_FORWARD_SECONDS = 1.0
_MOST_BATCHES = 200
_SMALL, _LARGE = (320, 240), (1280, 960)
_DRAWN, _DECODED = 3, 12
_HEAD_CLASSES, _HEAD_BATCH, _HEAD_STEPS, _HEAD_HIDDEN = 10, 32, 64, 512
_STEP_BATCH = 8
_FEWEST_LAPS, _LAPS_SECONDS = 3, 0.3
_MOST_SECONDS = 2.0
"""A slow backbone is measured on fewer photos rather than for long."""
_LARGE_STEP_BYTES = 1_500_000_000


def measure(plan: Plan, cancel: CancelToken) -> Speed:
    """Measure the plan's backbone, with steps of fine-tuning if the plan takes any, and keep what was found.

    Raises ``BackboneError`` if it cannot be loaded or run, and ``Cancelled`` a moment after it was asked for.
    """
    cancel.check()
    with_steps = plan.mode is Mode.FINE_TUNE
    try:
        # The photos' folder is this process's: a child that is stopped would leave it behind.
        with tempfile.TemporaryDirectory(prefix="hubstudio-", ignore_cleanup_errors=True) as photos, \
                ChildProcess() as child:  # fmt: skip
            folder, features, speed = child.run(measured_here, plan, Path(photos), cancel=cancel)
            if with_steps:
                speed = replace(speed, steps=_steps_or_none(child, plan, speed, cancel))
    except ChildFailed as error:
        raise BackboneError(
            "The backbone's speed could not be measured.",
            found=f"{error}.",
            next_step="Train without knowing the time, or choose a smaller backbone.",
        ) from error
    speeds.keep(folder, features, speed)
    return speed


def measured_here(plan: Plan, photos: Path) -> tuple[Path, str, Speed]:
    """Load the backbone and measure in this process, on photos that are drawn into the folder ``photos``.

    Return the module's folder, its endpoint, and the speed without any steps.
    """
    clock = _Stopwatch()
    module = load_module(plan.backbone, plan.features)
    load_seconds = clock.lap()
    loaded = memory_in_use()
    size = module.size(plan.image_size)
    small, large = (_generated(photos, *side) for side in (_SMALL, _LARGE))
    decode = _decode_speed(small, large, size)
    start_seconds, each = _through_backbone(small, module, size)
    memory = peak_memory()
    beside = bool(tf.config.list_physical_devices("GPU"))
    own = each if beside else max(each - decode.seconds(_megapixels(_SMALL)), 0.1 * each)
    forward = _forward(module, size)
    clock.lap()
    module.frozen(size)
    speed = Speed(
        photos_per_second=1 / forward.photo_seconds,
        features_per_second=1 / own,
        image_size=size,
        load_seconds=load_seconds,
        start_seconds=forward.start_seconds,
        features_start_seconds=start_seconds,
        freeze_seconds=clock.lap(),
        memory_bytes=memory,
        photo_bytes=forward.photo_bytes,
        head=_head_speed(plan, module),
        decode=decode,
        decodes_beside=beside,
        loaded_bytes=loaded,
    )
    return module.folder, module.features_name, speed


def steps_here(plan: Plan, speed: Speed) -> tuple[StepSpeed, ...]:
    """Measure steps with half of the blocks moving and with all, in this process; none if the module cannot learn."""
    module = load_module(plan.backbone, plan.features)
    if not module.trainable or not module.blocks:
        return ()
    forward = 1 / speed.photos_per_second
    whole = _step_speed(module, len(module.blocks), speed.image_size)
    depth = len(module.blocks) // 2
    if not depth:
        return (whole,)
    half = _step_speed(module, depth, speed.image_size)
    half = replace(half, photo_seconds=min(half.photo_seconds, whole.photo_seconds))
    # What a smaller step takes no longer shows in the peak: memory goes with the time of the backward pass.
    share = min(max((half.photo_seconds - forward) / max(whole.photo_seconds - forward, 1e-9), 0.0), 1.0)
    between = round(speed.photo_bytes + share * max(whole.photo_bytes - speed.photo_bytes, 0))
    return (replace(half, photo_bytes=between), whole)


def _steps_or_none(child: ChildProcess, plan: Plan, speed: Speed, cancel: CancelToken) -> tuple[StepSpeed, ...]:
    try:
        return child.run(steps_here, plan, speed, cancel=cancel)
    except ChildFailed:  # too little memory, most likely: what is known of the frozen backbone counts all the same
        return ()


class _Stopwatch:
    """Tells the seconds since it was last asked."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last call."""
        now = time.perf_counter()
        seconds, self._began = now - self._began, now
        return seconds


def _generated(folder: Path, width: int, height: int) -> list[Path]:
    """Draw JPEG photos as detailed as real ones are, clouds of several sizes and some noise; each is listed often."""
    random = np.random.default_rng(7)
    files = [folder / f"{width}-{number}.jpg" for number in range(_DRAWN)]
    noise = np.tile(random.normal(0, 4, (80, 80, 3)), (height // 80, width // 80, 1)).astype(np.float32)
    for file in files:
        clouds = np.zeros((height, width, 3), np.float32)
        for grain in (4, 16, 64):
            coarse = random.integers(0, 256, (grain, grain, 3), dtype=np.uint8)
            clouds += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float32)
        Image.fromarray((clouds / 3 + noise).clip(0, 255).astype(np.uint8)).save(file, quality=88)
    return list(itertools.islice(itertools.cycle(files), _DECODED))


def _megapixels(side: tuple[int, int]) -> float:
    return side[0] * side[1] / 1e6


def _decode_speed(small: Sequence[Path], large: Sequence[Path], size: int) -> DecodeSpeed:
    little, much = (_decode_seconds(files, size) for files in (small, large))
    slope = max(much - little, 0.0) / (_megapixels(_LARGE) - _megapixels(_SMALL))
    return DecodeSpeed(max(little - slope * _megapixels(_SMALL), 0.0), slope)


def _decode_seconds(files: Sequence[Path], size: int) -> float:
    """Return the seconds a photo takes with all threads reading."""

    def read() -> None:
        for _ in read_batches(files, size, FEATURE_BATCH, CancelToken()):
            pass

    read()
    return _usual_seconds(read) / len(files)


def _through_backbone(files: Sequence[Path], module: HubModule, size: int) -> tuple[float, float]:
    """Return the seconds until the first photos are through decoder and backbone, and those for each one after them.

    Nothing is kept: which runtime a training takes is for its own photos to decide.
    """
    cancel = CancelToken()
    backbone = FrozenBackbone(module, size, cancel, remembers=False)
    laps: list[float] = []
    paths = [files[number % len(files)] for number in range(_MOST_BATCHES * FEATURE_BATCH)]
    began = time.perf_counter()
    with closing(read_batches(paths, size, FEATURE_BATCH, cancel)) as batches:
        for batch in batches:
            backbone(batch.photos)
            laps.append(time.perf_counter() - began)
            spent = laps[-1] - laps[0]
            if spent > _MOST_SECONDS or (spent > _FORWARD_SECONDS and len(laps) > _FEWEST_LAPS):
                break
    each = (laps[-1] - laps[0]) / (len(laps) - 1) / FEATURE_BATCH
    return max(laps[0] - each * FEATURE_BATCH, 0.0), each


def _head_speed(plan: Plan, module: HubModule) -> HeadSpeed:
    """Train two heads on random features for a moment, one of many more weights, and tell their steps apart."""
    start, little = _head_seconds(replace(plan, hidden_units=0), module)
    _, much = _head_seconds(replace(plan, hidden_units=_HEAD_HIDDEN), module)
    more = _HEAD_HIDDEN * (module.features + _HEAD_CLASSES) - module.features * _HEAD_CLASSES
    product = max(much - little, 0.0) / (more * _HEAD_BATCH)
    batch = little - product * module.features * _HEAD_CLASSES * _HEAD_BATCH
    return HeadSpeed(start, max(batch, 0.1 * little), product)


def _head_seconds(plan: Plan, module: HubModule) -> tuple[float, float]:
    """Return the seconds to prepare a head's steps and those of a training step."""
    random = np.random.default_rng(3)
    rows = _HEAD_STEPS * _HEAD_BATCH
    features = random.normal(size=(rows, module.features)).astype(np.float32)
    labels = random.integers(0, _HEAD_CLASSES, rows).astype(np.int32)
    plan = replace(plan, mode=Mode.EXTRACT, output=Plan("").output)
    classifier = build_classifier(plan, module, _HEAD_CLASSES, FeatureStatistics.of(features))
    ends: list[float] = []

    def on_event(event: Event) -> None:
        if isinstance(event, EpochDone):
            ends.append(event.elapsed)

    began = time.perf_counter()
    phase = PhasePlan(Phase.HEAD, 4, _HEAD_BATCH, 1e-3, 1)
    examples = Examples.of(features, labels)
    validation = Examples.of(features[:_HEAD_BATCH], labels[:_HEAD_BATCH])
    around = Surroundings(on_event, CancelToken(), lambda: time.perf_counter() - began)
    train_phase(classifier.head, examples, validation, phase, None, around)
    epoch = statistics.median(np.diff(ends).tolist())
    return max(ends[0] - epoch, 0.0), epoch / (_HEAD_STEPS + 1)  # the last one validates


def _usual_seconds(run: Callable[[], Any]) -> float:
    """Return the median of some laps: one that was held up does not count, a computer that is always busy does."""
    clock = _Stopwatch()
    laps: list[float] = []
    while not laps or (sum(laps) < _MOST_SECONDS and (len(laps) < _FEWEST_LAPS or sum(laps) < _LAPS_SECONDS)):
        run()
        laps.append(clock.lap())
    return statistics.median(laps)


@dataclass(frozen=True)
class _Tried:
    """A step that was run: how long it takes, and the process's peak of memory after it."""

    seconds: float
    peak: int


def _tried(step: Callable[[NDArray[np.float32]], Any], photos: int, size: int) -> _Tried:
    """Run a step some times on noise, after once to prepare it."""
    noise = np.random.default_rng(5).uniform(0, 1, (photos, size, size, 3)).astype(np.float32)
    step(noise)
    return _Tried(_usual_seconds(lambda: step(noise)), peak_memory())


@dataclass(frozen=True)
class _Forward:
    """The forward pass through TensorFlow, as it validates while blocks move."""

    start_seconds: float
    photo_seconds: float
    photo_bytes: int
    """Memory that each further photo of a batch needs on its way."""


def _forward(module: HubModule, size: int) -> _Forward:
    spec = tf.TensorSpec([None, size, size, 3], tf.float32)
    forward = tf.function(lambda photos: module.forward(photos, False), input_signature=[spec])
    few, many = (tf.zeros([count, size, size, 3]) for count in (FEATURE_BATCH, 4 * FEATURE_BATCH))
    clock = _Stopwatch()
    forward(few).numpy()
    first = clock.lap()
    seconds = _usual_seconds(lambda: forward(few).numpy())
    before = peak_memory()
    forward(many).numpy()
    photo_bytes = max(peak_memory() - before, 0) // (3 * FEATURE_BATCH)
    return _Forward(max(first - seconds, 0.0), seconds / FEATURE_BATCH, photo_bytes)


def _step_speed(module: HubModule, blocks: int, size: int) -> StepSpeed:
    """Measure gradients of the last blocks at two batch sizes; a heavy backbone at one only."""
    step = _gradient_step(module, blocks, size)
    before = peak_memory()
    few = _tried(step, _STEP_BATCH, size)
    if few.seconds > _MOST_SECONDS or few.peak - before > _LARGE_STEP_BYTES:
        return StepSpeed(blocks, 0.0, few.seconds / _STEP_BATCH, (few.peak - before) // _STEP_BATCH)
    many = _tried(step, 2 * _STEP_BATCH, size)
    each = max((many.seconds - few.seconds) / _STEP_BATCH, 0.5 * many.seconds / (2 * _STEP_BATCH))
    rest = max(many.seconds - 2 * _STEP_BATCH * each, 0.0)
    return StepSpeed(blocks, rest, each, max(many.peak - few.peak, 0) // _STEP_BATCH)


def _gradient_step(module: HubModule, blocks: int, size: int) -> Callable[[NDArray[np.float32]], Any]:
    """Return a function that computes features and what every variable of the last blocks has to do with them."""
    places = [place for block in module.blocks[-blocks:] for place in block.places if place in module.trainable]
    variables = [module.variables[place] for place in places]

    def step(photos: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            loss = tf.reduce_sum(tf.square(module.forward(photos, False)))
        gradients: list[Any] = tape.gradient(loss, variables)
        return tf.add_n([tf.reduce_sum(tf.convert_to_tensor(found)) for found in gradients if found is not None])

    traced = tf.function(step, input_signature=[tf.TensorSpec([None, size, size, 3], tf.float32)])
    return lambda photos: traced(photos).numpy()
