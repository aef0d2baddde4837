"""Probe a backbone: how well a linear classifier on its features tells photos apart, and how fast it runs.

`python tests/benchmarks/backbone_probe.py MODULE_FOLDER PHOTOS...` takes any TF Hub feature-vector module in the
SavedModel format (float32 RGB in [0, 1] to one row of features per image) and folders of photos with one folder
per class.  Photos are squashed to the module's input size.  The classifier is a logistic regression on
standardised features; accuracy is the mean of three random stratified 80/20 splits.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image, ImageOps, UnidentifiedImageError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEEDS = (0, 1, 2)
Module = Any  # a loaded SavedModel has no type of its own
Labels = npt.NDArray[np.int64]
Photos = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """The figures of one photo set."""

    name: str
    photos: int
    classes: int
    accuracies: list[float]
    features: int
    photos_per_second: float


def input_size(module: Module) -> int | None:
    """Return the side of the square images that the module's call or, failing that, its serving signature states."""
    functions = [*getattr(module.__call__, "concrete_functions", []), *dict(module.signatures).values()]
    for function in functions:
        for spec in tf.nest.flatten(function.structured_input_signature):
            if isinstance(spec, tf.TensorSpec) and spec.shape.rank == 4 and spec.shape[1]:
                return spec.shape.as_list()[1]
    return None


def read_photo(path: Path, size: int) -> Photos | None:
    """Decode one photo upright and squash it to size x size; None if it is no photo."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((size, size), Image.Resampling.BILINEAR), np.uint8)
    except (UnidentifiedImageError, OSError):
        return None


def read_photos(folder: Path, size: int) -> tuple[Photos, Labels, int]:
    """Read a folder with one folder per class; return photos, labels and the number of classes."""
    classes = sorted(child for child in folder.iterdir() if child.is_dir())
    photos: list[Photos] = []
    labels: list[int] = []
    for label, path in ((label, path) for label, child in enumerate(classes) for path in sorted(child.iterdir())):
        photo = read_photo(path, size)
        if photo is not None:
            photos.append(photo)
            labels.append(label)
    return np.stack(photos), np.array(labels, np.int64), len(set(labels))


def batches(photos: Photos, batch: int) -> Iterator[tf.Tensor]:
    """Give the photos as float batches in [0, 1]."""
    for start in range(0, len(photos), batch):
        yield tf.constant(photos[start : start + batch].astype(np.float32) / 255)


def extract(module: Module, photos: Photos, batch: int) -> tuple[Features, float]:
    """Return the features of all photos and the photos per second, after one batch to warm up."""
    module(next(batches(photos, batch)))
    start = time.perf_counter()
    rows = [np.asarray(module(images), np.float32) for images in batches(photos, batch)]
    return np.concatenate(rows), len(photos) / (time.perf_counter() - start)


def accuracy(features: Features, labels: Labels, seed: int) -> float:
    """Return the accuracy of a linear classifier on one random stratified 80/20 split."""
    train, test = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(features, labels))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    classifier.fit(features[train], labels[train])
    return float(classifier.score(features[test], labels[test]))


def probe(module: Module, folder: Path, size: int, batch: int) -> Result:
    """Measure one photo set."""
    photos, labels, classes = read_photos(folder, size)
    features, speed = extract(module, photos, batch)
    accuracies = [accuracy(features, labels, seed) for seed in SEEDS]
    return Result(folder.name, len(photos), classes, accuracies, features.shape[1], speed)


def row(result: Result) -> str:
    """Return one line of the table."""
    splits = " ".join(f"{value:.3f}" for value in result.accuracies)
    return (
        f"{result.name:24} {result.photos:>7} {result.classes:>8} {result.features:>9} {splits:>18} "
        f"{np.mean(result.accuracies):>7.3f} {result.photos_per_second:>9.0f}"
    )


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Probe the features of a TF Hub feature-vector module.")
    parser.add_argument("module", type=Path, help="folder of the SavedModel")
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photos, one folder per class in each")
    parser.add_argument("--size", type=int, help="side of the input images, where the module does not state it")
    parser.add_argument("--batch", type=int, default=32, help="photos per call (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    """Probe every photo set and print the table."""
    arguments = parse_arguments()
    module = tf.saved_model.load(str(arguments.module))
    size = arguments.size or input_size(module)
    if size is None:
        raise SystemExit("The module accepts any size: say which one with --size.")
    heads = ("photos", "classes", "features", "splits", "mean", "photos/s")
    print(f"{'set':24} {heads[0]:>7} {heads[1]:>8} {heads[2]:>9} {heads[3]:>18} {heads[4]:>6} {heads[5]:>9}")
    for folder in arguments.photos:
        print(row(probe(module, folder, size, arguments.batch)), flush=True)


if __name__ == "__main__":
    main()
