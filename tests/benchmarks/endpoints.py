"""Which layer serves a task best: `python tests/benchmarks/endpoints.py BACKBONE PHOTOS` prints a table.

Every photo is decoded once and goes through the frozen backbone once; the one pass gives all endpoints, averaged over
the photo. A logistic regression on each is then trained and tested on the same random stratified 80/20 splits.
Accuracy is the mean over the splits; the difference from the module's own vector has its standard error beside it.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hubstudio.core.cancel import CancelToken
from hubstudio.ml.feature_runtimes import FEATURE_BATCH
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.module_calls import DEFAULT, pooled
from hubstudio.ml.photo_batches import read_batches

Features = npt.NDArray[np.float32]


def all_features(module: HubModule, names: list[str], paths: list[Path]) -> dict[str, Features]:
    """Return the features of every photo at every endpoint, from one pass."""
    size = module.size()

    @tf.function(input_signature=[tf.TensorSpec([None, size, size, 3], tf.float32)])
    def forward(photos: Any) -> list[Any]:
        outputs = module.forward.outputs(photos * (1 / 255), False)  # type: ignore[attr-defined]
        return [pooled(outputs[name]) for name in names]

    batches = read_batches(paths, size, FEATURE_BATCH, CancelToken())
    found = [[value.numpy() for value in forward(tf.constant(batch.photos))] for batch in batches]
    return {name: np.concatenate(parts) for name, parts in zip(names, zip(*found, strict=True), strict=True)}


def accuracies(features: Features, labels: list[str], seeds: int) -> npt.NDArray[np.float64]:
    """Return the share of right answers on each split."""
    scores: list[float] = []
    for seed in range(seeds):
        parts = train_test_split(features, labels, test_size=0.2, stratify=labels, random_state=seed)
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
        scores.append(float(model.fit(parts[0], parts[2]).score(parts[1], parts[3])))
    return np.array(scores)


def main() -> None:
    """Measure one backbone on one photo set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backbone")
    parser.add_argument("photos", type=Path)
    parser.add_argument("--only", default="", help="regular expression that an endpoint's name has to match")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    module = load_module(args.backbone)
    shapes = {e.name: e.shape for e in module.endpoints if re.search(args.only, e.name)} | {DEFAULT: (module.features,)}
    paths = sorted(path for path in args.photos.glob("*/*") if path.is_file())
    began = time.monotonic()
    features = all_features(module, list(shapes), paths)
    print(f"{len(paths)} photos, {len(shapes)} endpoints, one pass: {time.monotonic() - began:.1f} s")
    labels = [path.parent.name for path in paths]
    print(f"| {'endpoint':44} | {'shape':>14} | accuracy | against the last |\n|---|---|---|---|", flush=True)
    last = accuracies(features[DEFAULT], labels, args.seeds)
    for name, values in features.items():
        scores = accuracies(values, labels, args.seeds)
        error = np.std(scores - last, ddof=1) / args.seeds**0.5
        shape = " × ".join(map(str, shapes[name]))
        against = f"{100 * (scores - last).mean():+.2f} ± {100 * error:.2f}"
        print(f"| {name:44} | {shape:>14} | {scores.mean():.4f} | {against} |", flush=True)


if __name__ == "__main__":
    main()
