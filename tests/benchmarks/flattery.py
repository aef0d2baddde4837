"""How much a plain random split flatters: `python tests/benchmarks/flattery.py BACKBONE PHOTOS...` prints a table.

Every photo goes through the frozen backbone once. A logistic regression on the features is then trained and tested on
many splits of two kinds, with the same shares: one that shuffles the photos of each class, and ours, which keeps exact
copies, look-alikes and series on one side. Test accuracy is the mean over the seeds; its standard error stands beside.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hubstudio.core.cancel import CancelToken
from hubstudio.core.events import ignore
from hubstudio.core.intake import read_photos
from hubstudio.core.parts import Part
from hubstudio.core.photos import PhotoFacts, PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.split import Shares, split_photos
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.photo_store import store_photos

Features = npt.NDArray[np.float32]


def shuffled(photo_set: PhotoSet, seed: int) -> PhotoSet:
    """Return the set as a split sees it that knows nothing of looks and contents: every photo is drawn by itself."""
    draw = np.random.default_rng(seed)
    facts = {photo.path: PhotoFacts(draw.bytes(16), 0, 0, number) for number, photo in enumerate(photo_set.photos)}
    return replace(photo_set, facts=facts)


def accuracy(photo_set: PhotoSet, features: dict[Path, Features], seed: int) -> float:
    """Train on one split and return the share of right answers on its test part."""
    split = split_photos(photo_set, seed, Shares())
    parts = {}
    for part in (Part.TRAINING, Part.TEST):
        photos = split.part(part)
        parts[part] = np.stack([features[photo.path] for photo in photos]), [photo.class_name for photo in photos]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    model.fit(*parts[Part.TRAINING])
    return float(model.score(*parts[Part.TEST]))


def said(values: list[float]) -> str:
    """Return mean and standard error in percent."""
    return f"{100 * np.mean(values):6.2f} ± {100 * np.std(values, ddof=1) / len(values) ** 0.5:4.2f}"


def main() -> None:
    """Measure every photo set given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("backbone")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    module = load_module(args.backbone)
    print(
        f"{'photo set':<18}{'photos':>8}{'in groups':>11}{'largest':>9}{'random split':>16}{'ours':>16}{'flattery':>10}"
    )
    for name in args.photos:
        photo_set, _ = read_photos(Plan(name).absolute(), lambda *_: None, CancelToken())
        paths = [photo.path for photo in photo_set.photos]
        digests = [photo_set.facts[path].digest for path in paths]
        stored = store_photos(paths, digests, module, module.size(0), None, ignore, CancelToken(), lambda: 0.0)
        features = {paths[place]: row for place, row in zip(stored.places, stored.features, strict=True)}
        sizes = np.bincount([facts.group for facts in photo_set.facts.values()])
        random = [accuracy(shuffled(photo_set, 1000 + seed), features, seed) for seed in range(args.seeds)]
        ours = [accuracy(photo_set, features, seed) for seed in range(args.seeds)]
        line = f"{Path(name).name:<18}{len(paths):>8,}{sizes[sizes > 1].sum():>11,}{sizes.max():>9,}"
        flattery = 100 * (np.mean(random) - np.mean(ours))
        print(f"{line}{said(random):>16}{said(ours):>16}{flattery:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
