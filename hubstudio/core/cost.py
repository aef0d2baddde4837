"""What a training will cost on this computer: time, memory and disk, known before it starts.

A ``Speed`` is measured once for a backbone; ``predict`` goes through a run's stretches (loading, features, head,
blocks, saving) as the training does, and adds up what each takes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.hyper_parameters import CHECK_BATCH, FRONT_PASSES, FRONT_SHARE, PIXEL_BYTES, VALIDATION_BATCH
from hubstudio.core.parts import Part
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.split import Split

USUAL_MEGAPIXELS = 2.0
"""Of a photo of which nothing is known yet."""
_SAVES = 3.0
"""Saving makes the graph flat, writes it in Keras's layers, and loads and runs the file: so many times the first."""
_STEP_STARTS, _VALIDATION_STARTS = 5.0, 2.0
"""Preparing a step through backbone and loss, or its validation, in times of preparing the forward pass alone."""
_VARIABLE_START = 0.08
"""Preparing one more variable that moves (gradient, clipping, Adam), in times of preparing a head's step."""
_SAVE_BYTES = 60_000_000
"""What writing the graph in Keras's layers takes, beside parameters and photos."""
_ALL_LAYERS = 8
"""What all layers make of a photo, in times of what is in memory at once on its way through the backbone."""
_VARIABLE_BYTES = 1_000_000
"""The graph of a step, for each variable that moves."""
_COPIES_BYTES = 12
"""For each parameter: the best epoch's, and Adam's two moments or the second model's."""
_CUT_STARTS = 3.0
"""Finding where the frozen part ends, and proving it, in times of preparing the forward pass."""
_USUAL_PROGRAM = 1_100_000_000
"""What the process holds once it has sent photos through a backbone, where that was not measured."""
_USUAL_PIXEL = 1700
"""Bytes that all layers make of one pixel of a photo and keep for the backward pass, where that was not measured.

For MobileNetV2 they are 1,820, half as wide 1,100; for MobileNetV1 at a quarter of its width 270.
"""
_BACKWARD = 2.0
"""A backward pass through everything in times of a forward pass, where no step was measured."""


@dataclass(frozen=True)
class StepSpeed:
    """How long one step of fine-tuning takes while some of the last blocks move."""

    blocks: int
    batch_seconds: float
    """For the step itself, however many photos are in it."""
    photo_seconds: float
    """For every photo in it, forward and backward."""
    photo_bytes: int
    """Memory that every photo in it takes until the backward pass is done."""

    def seconds(self, photos: int) -> float:
        """Return how long one step with this many photos takes."""
        return self.batch_seconds + photos * self.photo_seconds


@dataclass(frozen=True)
class HeadSpeed:
    """How long the head's steps take; they do not depend on the backbone but for the number of features."""

    start_seconds: float
    """Preparing its training and validation steps, once."""
    batch_seconds: float
    """For any step."""
    product_seconds: float
    """For each product of a feature and a weight in a step."""


@dataclass(frozen=True)
class DecodeSpeed:
    """How long photos take from file to pixels of the size that is wanted, all threads working."""

    photo_seconds: float
    megapixel_seconds: float
    """For every megapixel of the photo as it is on disk, beside ``photo_seconds``."""

    def seconds(self, megapixels: float) -> float:
        """Return how long one photo takes."""
        return self.photo_seconds + megapixels * self.megapixel_seconds


@dataclass(frozen=True)
class Speed:
    """What a short measurement on this computer found for one backbone, endpoint and image size."""

    photos_per_second: float
    """Forward through TensorFlow, as validation does while blocks move; decoding not included."""
    features_per_second: float
    """Photos through the frozen backbone by the runtime that extracts features; decoding not included."""
    image_size: int
    load_seconds: float
    start_seconds: float
    """Preparing TensorFlow's forward pass, once."""
    features_start_seconds: float
    """Preparing the runtime that extracts features, once."""
    freeze_seconds: float
    """Making one flat graph of it, as saving does."""
    memory_bytes: int
    """Peak of a process that has only loaded the backbone and sent a few photos through it."""
    photo_bytes: int
    """Memory for every further photo that goes through it in one batch."""
    head: HeadSpeed
    decode: DecodeSpeed
    steps: tuple[StepSpeed, ...] = ()
    """By rising number of blocks, the last one with all; empty if fine-tuning was not measured or is not possible."""
    decodes_beside: bool = False
    """Whether decoding and backbone work at the same time instead of sharing the same cores, as with a GPU."""
    loaded_bytes: int = 0
    """What that process held when the backbone was loaded; 0 if nobody knows."""

    def extract_seconds(self, megapixels: float) -> float:
        """Return how long a photo takes from file to features.

        Photos are decoded ahead, by all cores: beside the backbone only where that runs elsewhere.
        """
        through, decoded = 1 / self.features_per_second, self.decode.seconds(megapixels)
        return max(through, decoded) if self.decodes_beside else through + decoded

    def covers(self, plan: Plan) -> bool:
        """Whether all that the plan does was measured; else ``predict`` has to guess the steps of fine-tuning."""
        return plan.mode is Mode.EXTRACT or bool(self.steps)

    def step(self, blocks: int, of: int) -> StepSpeed:
        """Return the step with the last ``blocks`` of ``of`` moving, between measured ones; guessed if there are none.

        With no block moving, a step is a forward pass.
        """
        known = (StepSpeed(0, 0.0, 1 / self.photos_per_second, self.photo_bytes), *self.steps)
        if not self.steps:
            return self._guessed(blocks, of)
        above = next((step for step in known if step.blocks >= blocks), known[-1])
        below = next(step for step in reversed(known) if step.blocks <= blocks)
        return above if above.blocks <= below.blocks else _between(below, above, blocks)

    def _guessed(self, blocks: int, of: int) -> StepSpeed:
        share = min(blocks / max(of, 1), 1.0)
        kept = _kept_for_backward(share, self.photo_bytes)
        return StepSpeed(blocks, 0.0, (1 + _BACKWARD * share) / self.photos_per_second, kept)

    def to_table(self) -> dict[str, Any]:
        """Return plain values that ``from_table`` reads back."""
        return asdict(self)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Speed:
        """Build a speed from plain values. Raises ``TypeError``, ``KeyError`` or ``ValueError`` if they are wrong."""
        values: dict[str, Any] = {
            **table,
            "head": HeadSpeed(**table["head"]),
            "decode": DecodeSpeed(**table["decode"]),
            "steps": tuple(StepSpeed(**step) for step in table["steps"]),
        }
        speed = cls(**values)
        if not _numbers_are_right(speed.to_table()) or min(speed.photos_per_second, speed.features_per_second) <= 0:
            raise ValueError("a speed holds something that is no number")
        return speed


@dataclass(frozen=True)
class PhotoAmount:
    """How many photos a training reads, and how large they are."""

    training: int
    validation: int
    classes: int = 2
    megapixels: float = USUAL_MEGAPIXELS
    """Of the mean photo."""

    @classmethod
    def of(cls, photo_set: PhotoSet, split: Split) -> PhotoAmount:
        """Count the photos of a split; their sizes are known once they were checked."""
        photos = [*split.part(Part.TRAINING), *split.part(Part.VALIDATION)]
        known = [photo_set.facts[photo.path] for photo in photos if photo.path in photo_set.facts]
        pixels = sum(facts.width * facts.height for facts in known)
        megapixels = pixels / len(known) / 1e6 if known else USUAL_MEGAPIXELS
        return cls(len(split.part(Part.TRAINING)), len(split.part(Part.VALIDATION)), len(photo_set.classes), megapixels)

    @property
    def all(self) -> int:
        """Photos that go through the backbone."""
        return self.training + self.validation


@dataclass(frozen=True)
class Cost:
    """What a plan takes, predicted or as it was. ``str()`` is the clause for the person."""

    seconds: float
    """From the photos being known, and the backbone being here, to the finished run folder."""
    memory_bytes: int
    """Peak of the whole process."""
    disk_bytes: int
    """Written at most at the same time, beside what is kept."""
    stretches: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds by stretch: ``loading``, ``features``, ``head``, ``fine-tune``, ``saving``."""

    def __str__(self) -> str:
        memory, disk = bytes_text(self.memory_bytes), bytes_text(self.disk_bytes)
        return f"{time_text(self.seconds)}, {memory} of memory, {disk} of disk"

    def to_table(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class RunCost:
    """Prediction and truth of one run. A run that was stopped early takes less than its plan."""

    predicted: Cost | None
    """None if the backbone's speed was not measured before."""
    actual: Cost


def predict(plan: Plan, info: BackboneInfo, speed: Speed, photos: PhotoAmount, held: int = 0) -> Cost:
    """Return what the plan will take with this backbone on a computer of this speed, all epochs run to the end.

    ``held`` is how many bytes the process has in memory that will train: a window, and what former trainings left,
    come on top of what a process takes that does nothing else.
    """
    fine_tunes = plan.mode is Mode.FINE_TUNE
    stretches = {
        "loading": speed.load_seconds,
        "features": _features_seconds(plan, info, speed, photos),
        "head": _head_seconds(plan, info, speed, photos),
        **({"fine-tune": _blocks_seconds(plan, info, speed, photos)} if fine_tunes else {}),
        "saving": speed.freeze_seconds * _SAVES,
    }
    pixels = photos.all * speed.image_size**2 * 3 * PIXEL_BYTES if fine_tunes else 0
    learning_bytes = speed.step(moved_blocks(plan, info), len(info.blocks)).photo_bytes
    memory = _memory(plan, info, photos, speed.memory_bytes, speed.photo_bytes, learning_bytes)
    memory += pixels  # pages of that file count until the system wants them back
    memory += max(held - speed.loaded_bytes, 0) if speed.loaded_bytes else 0
    disk = pixels + _run_bytes(info, photos) + _checkpoint_bytes(plan, info, photos)
    return Cost(sum(stretches.values()), memory, disk, stretches)


def guess_memory(plan: Plan, info: BackboneInfo, size: int, photos: PhotoAmount, held: int = 0) -> int:
    """Return about how many bytes the plan takes with a backbone that was never measured, at this image size in pixels.

    Off by a factor of two or so: what a layer makes of a photo is taken as that of a usual network.
    """
    photo_bytes = size**2 * _USUAL_PIXEL // _ALL_LAYERS
    share = moved_blocks(plan, info) / max(len(info.blocks), 1)
    started = max(held, _USUAL_PROGRAM)
    return _memory(plan, info, photos, started, photo_bytes, _kept_for_backward(share, photo_bytes))


def time_text(seconds: float) -> str:
    """Return 'about 40 s', 'about 3 min' or 'about 2.5 h': as exact as a prediction is."""
    if seconds < 90:
        return f"about {max(round(seconds, -1 if seconds >= 20 else 0), 1):.0f} s"
    minutes = seconds / 60
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"


def bytes_text(count: int) -> str:
    """Return '150 MB' or '1.2 GB'; never less than 1 MB."""
    megabytes = float(f"{max(count / 1e6, 1):.2g}")
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.{1 if megabytes < 10_000 else 0}f} GB"


def moved_blocks(plan: Plan, info: BackboneInfo) -> int:
    """Return how many of the last blocks the plan moves; all of them at most."""
    return len(info.blocks) if plan.unfreeze == "all" else min(plan.unfreeze, len(info.blocks))


def _moved_variables(plan: Plan, info: BackboneInfo) -> int:
    return sum(block.variables for block in info.blocks[len(info.blocks) - moved_blocks(plan, info) :])


def _features_seconds(plan: Plan, info: BackboneInfo, speed: Speed, photos: PhotoAmount) -> float:
    """Every photo once and its varied views; once more through the frozen part, if fine-tuning begins behind it."""
    seconds = speed.features_start_seconds + photos.all * speed.extract_seconds(photos.megapixels)
    if plan.mode is Mode.EXTRACT:
        return seconds + photos.training * views_of(plan) / speed.features_per_second
    front = _front_seconds(plan, info, speed, photos)
    return seconds + (photos.all * front + _CUT_STARTS * speed.start_seconds if front else 0.0)


def views_of(plan: Plan) -> int:
    """Varied views of each training photo that are computed and held, where the backbone stays as it is."""
    return 0 if plan.augmentation.is_none else plan.augmentation.views


def _front_seconds(plan: Plan, info: BackboneInfo, speed: Speed, photos: PhotoAmount) -> float:
    """Return how long a photo takes through the part before the moving blocks, if that runs once; else 0.

    A backward pass takes twice a forward pass through the same part, so what a step takes beyond the forward pass tells
    how much of that the moving part is.
    """
    if plan.train_batch_norm or not plan.augmentation.is_none or photos.all * plan.epochs < FRONT_PASSES:
        return 0.0
    forward = 1 / speed.photos_per_second
    step = speed.step(moved_blocks(plan, info), len(info.blocks))
    behind = min(max((step.photo_seconds - forward) / _BACKWARD, 0.0), forward)
    return forward - behind if forward - behind >= FRONT_SHARE * forward else 0.0


def _head_seconds(plan: Plan, info: BackboneInfo, speed: Speed, photos: PhotoAmount) -> float:
    """A photo passes thrice in an epoch (forward, backward for weights and for values), or once to validate."""
    epochs = plan.head_epochs if plan.mode is Mode.FINE_TUNE else plan.epochs
    products = _head_numbers(plan, info, photos) * (photos.training + photos.validation / 3)
    steps = _steps(photos.training, plan.batch_size) + _steps(photos.validation, VALIDATION_BATCH)
    each = steps * speed.head.batch_seconds + products * speed.head.product_seconds
    return speed.head.start_seconds * _shapes(photos.training, plan.batch_size) + epochs * each


def _blocks_seconds(plan: Plan, info: BackboneInfo, speed: Speed, photos: PhotoAmount) -> float:
    step = speed.step(moved_blocks(plan, info), len(info.blocks))
    preparing = _STEP_STARTS * speed.start_seconds
    preparing += _VARIABLE_START * speed.head.start_seconds * _moved_variables(plan, info)
    starts = preparing * _shapes(photos.training, plan.batch_size)
    starts += _VALIDATION_STARTS * speed.start_seconds * _shapes(photos.validation, VALIDATION_BATCH)
    front = _front_seconds(plan, info, speed, photos)
    steps = _steps(photos.training, plan.batch_size)
    training = steps * step.batch_seconds + photos.training * max(step.photo_seconds - front, 0.0)
    return starts + plan.epochs * (training + photos.validation * (1 / speed.photos_per_second - front))


def _shapes(photos: int, batch_size: int) -> int:
    """Batches of how many lengths there are: each length is prepared once."""
    return 1 if photos <= batch_size or photos % batch_size == 0 else 2


def _steps(photos: int, batch_size: int) -> int:
    return math.ceil(photos / batch_size)


def _head_numbers(plan: Plan, info: BackboneInfo, photos: PhotoAmount) -> int:
    """Weights of the head's layers."""
    if plan.hidden_units:
        return plan.hidden_units * (info.features + photos.classes)
    return info.features * photos.classes


def _memory(
    plan: Plan, info: BackboneInfo, photos: PhotoAmount, started: int, photo_bytes: int, learning_bytes: int
) -> int:
    """The fullest moment: a step through moving blocks, a batch to validate, or the second model while saving.

    ``started`` is what the process holds with the backbone loaded; the other two are for each photo on its way through
    the backbone, and in a step of fine-tuning.
    """
    running = started + photos.all * info.features * 4
    checked = min(CHECK_BATCH, photos.validation) * photo_bytes * _ALL_LAYERS
    saving = _SAVE_BYTES + checked + info.parameters * _COPIES_BYTES
    if plan.mode is Mode.EXTRACT:
        return running + views_of(plan) * photos.training * info.features * 4 + saving
    learning = learning_bytes * min(plan.batch_size, photos.training) + info.parameters * _COPIES_BYTES
    learning += _moved_variables(plan, info) * _VARIABLE_BYTES
    validating = photo_bytes * min(VALIDATION_BATCH, photos.validation)
    return running + max(learning, validating, saving)


def _kept_for_backward(share: float, photo_bytes: int) -> int:
    """Return what a photo takes in a step that moves this share of the blocks, none of which was measured."""
    return round(photo_bytes * max(_ALL_LAYERS * share, 1))


def _run_bytes(info: BackboneInfo, photos: PhotoAmount) -> int:
    """The saved model, and a line for every photo in the split."""
    return info.parameters * 4 + photos.all * 150 + 500_000


def _checkpoint_bytes(plan: Plan, info: BackboneInfo, photos: PhotoAmount) -> int:
    """Two checkpoints and what is kept for more epochs: weights, the best ones, and Adam's two moments in each."""
    moving = _head_numbers(plan, info, photos)
    if plan.mode is Mode.FINE_TUNE:
        moving += sum(block.trainable for block in info.blocks[len(info.blocks) - moved_blocks(plan, info) :])
    return 3 * 4 * 4 * moving


def _between(below: StepSpeed, above: StepSpeed, blocks: int) -> StepSpeed:
    share = (blocks - below.blocks) / (above.blocks - below.blocks)

    def mix(low: float, high: float) -> float:
        return low + share * (high - low)

    return StepSpeed(
        blocks,
        mix(below.batch_seconds, above.batch_seconds),
        mix(below.photo_seconds, above.photo_seconds),
        round(mix(below.photo_bytes, above.photo_bytes)),
    )


def _numbers_are_right(value: object) -> bool:
    """Whether everything in nested plain values is a number that a measurement can give."""
    if isinstance(value, Mapping):
        return all(map(_numbers_are_right, cast("Mapping[str, object]", value).values()))
    if isinstance(value, list | tuple):
        return all(map(_numbers_are_right, cast("Sequence[object]", value)))
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0
