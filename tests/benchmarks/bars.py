"""What the default settings must reach on the shared photos: trains, measures, and prints each bar with its verdict.

    python tests/benchmarks/bars.py [SHARED] [--bars extract all-blocks last-blocks] [--photos NAME...] [--seeds 1 2 3]
                                    [--set NAME=VALUE...]

Every seed divides the photos anew, by our own split. `extract`: MobileNetV2's head against logistic regression on the
same features, which may be one point better. `all-blocks`: the small MobileNetV1, all of it fine-tuned, is three points
above its own extract on `sign_digits`, elsewhere not below. `last-blocks`: MobileNetV2 with the default number of
blocks is not below its extract. Differences are those on the locked test part, in points, mean ± standard deviation
over the seeds; validation stands beside. Within the spread means: below the bar, by less than that deviation.
`--set` overrides fields of the plan in all trainings (`--set layer_decay=0.8`), to compare other defaults.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hubstudio.ml.environment import prepare_environment

prepare_environment()

import numpy as np  # noqa: E402 - the environment must be set before TensorFlow loads
import tensorflow as tf  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from hubstudio import api  # noqa: E402
from hubstudio.core.parts import Part  # noqa: E402
from hubstudio.ml.hub_module import load_module  # noqa: E402
from hubstudio.ml.photo_batches import read_batches  # noqa: E402

SETS = ("sign_digits", "clothing10", "grocery_produce")
LARGE, SMALL = "mobilenet_v2_100_224", "mobilenet_v1_025_224"


class Accuracy(NamedTuple):
    """Shares of right answers on the two parts that no gradient comes from."""

    validation: float
    test: float


@dataclass(frozen=True)
class Bar:
    """What is compared, and by how many points the first must be above the second."""

    name: str
    backbone: str
    wanted: Mapping[str, float]
    changes: Mapping[str, object] | None = None
    """What fine-tuning says beside its defaults; None for extract against logistic regression."""


BARS = (
    Bar("extract", LARGE, dict.fromkeys(SETS, -1.0)),
    Bar("all-blocks", SMALL, {**dict.fromkeys(SETS, 0.0), "sign_digits": 3.0}, {"unfreeze": "all"}),
    Bar("last-blocks", LARGE, dict.fromkeys(SETS, 0.0), {}),
)


class Bench:
    """Trains each plan once, and sends each photo through a frozen backbone once."""

    def __init__(self, shared: Path, changes: Mapping[str, object]) -> None:
        self._shared = shared
        self._changes = changes
        self._engine = api.make_engine()
        self.trained = cache(self._train)
        self._features = cache(self._extract)

    def plan(self, bar: Bar, photos: str, seed: int, changes: Mapping[str, object] | None) -> api.Plan:
        """Return the plan of one training: extract if no changes are given."""
        mode = api.Mode.EXTRACT if changes is None else api.Mode.FINE_TUNE
        folder = str(self._shared / "datasets" / photos)
        usual = api.Plan(folder, backbone=str(self._shared / "backbones" / bar.backbone), seed=seed).with_mode(mode)
        return api.Plan.from_table({**usual.to_table(), **(changes or {}), **self._changes})

    def logistic_regression(self, plan: api.Plan) -> Accuracy:
        """Fit one on the features of the plan's training photos and measure it on the others."""
        _, split = api.read_photos(plan, lambda *_: None, api.CancelToken())
        features = self._features(plan.backbone, plan.photos)
        sets = {
            part: (np.stack([features[photo.path] for photo in photos]), [photo.class_name for photo in photos])
            for part in (Part.TRAINING, Part.VALIDATION, Part.TEST)
            if (photos := split.part(part))
        }
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
        model.fit(*sets[Part.TRAINING])
        return Accuracy(model.score(*sets[Part.VALIDATION]), model.score(*sets[Part.TEST]))

    def _train(self, plan: api.Plan) -> Accuracy:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            summary = self._engine.train(plan, Path(folder) / "run", api.ignore, api.CancelToken())
            found = self._engine.evaluate(Path(folder) / "run", None, api.ignore, api.CancelToken())
        print(
            f"  {Path(plan.photos).name:16}{Path(plan.backbone).name:22}{plan.mode:10} seed {plan.seed}  validation "
            f"{summary.validation_accuracy:.3f}  test {found.accuracy:.3f}  kept {summary.best_phase} "
            f"{summary.best_epoch}  {time.monotonic() - began:.0f} s",
            flush=True,
        )
        return Accuracy(summary.validation_accuracy, found.accuracy)

    def _extract(self, backbone: str, photos: str) -> dict[Path, NDArray[np.float32]]:
        module, cancel = load_module(backbone), api.CancelToken()
        photo_set, _ = api.read_photos(api.Plan(photos), lambda *_: None, cancel)
        paths = [photo.path for photo in photo_set.photos]
        found: dict[Path, NDArray[np.float32]] = {}
        for batch in read_batches(paths, module.size(), 8, cancel):
            rows = module.forward(tf.constant(batch.photos * np.float32(1 / 255)), False).numpy()
            found |= {paths[place]: row for place, row in zip(batch.places, rows, strict=True)}
        return found


@dataclass(frozen=True)
class Row:
    """One bar on one photo set, over all seeds."""

    bar: Bar
    photos: str
    pairs: Sequence[tuple[Accuracy, Accuracy]]
    """Ours, and what it is compared with."""

    @property
    def differences(self) -> list[float]:
        """Points on the test part."""
        return [100 * (ours.test - other.test) for ours, other in self.pairs]

    @property
    def spread(self) -> float:
        """Standard deviation of the differences over the seeds."""
        return statistics.stdev(self.differences) if len(self.pairs) > 1 else 0.0

    @property
    def verdict(self) -> str:
        """Whether the bar is met."""
        missing = self.bar.wanted[self.photos] - statistics.mean(self.differences)
        if missing <= 0:
            return "met"
        return f"within the spread ({missing:.1f} below)" if missing < self.spread else f"NOT MET ({missing:.1f} below)"

    def __str__(self) -> str:
        ours, other = zip(*self.pairs, strict=True)
        cells = "".join(
            f"{_said([getattr(a, part) for a in side])}" for part in Accuracy._fields for side in (ours, other)
        )
        difference = f"{statistics.mean(self.differences):+6.1f} ± {self.spread:3.1f}"
        wanted = f"{self.bar.wanted[self.photos]:+6.0f}"
        return f"{self.bar.name:12}{self.photos:16}{cells}{difference:>14}{wanted}  {self.verdict}"


_COLUMNS = "".join(f"{name:>14}" for name in ("validation", "other", "test", "other", "difference"))
HEAD = f"{'bar':12}{'photos':16}{_COLUMNS}{'bar':>6}  verdict"


def _said(shares: Sequence[float]) -> str:
    """Return mean and standard deviation in percent."""
    points = [100 * share for share in shares]
    deviation = statistics.stdev(points) if len(points) > 1 else 0.0
    return f"{f'{statistics.mean(points):.1f} ± {deviation:.1f}':>14}"


def measure(bench: Bench, bar: Bar, photos: str, seeds: Sequence[int]) -> Row:
    """Train what a bar compares, on every seed's split."""
    pairs: list[tuple[Accuracy, Accuracy]] = []
    for seed in seeds:
        extract = bench.plan(bar, photos, seed, None)
        if bar.changes is None:
            pairs.append((bench.trained(extract), bench.logistic_regression(extract)))
        else:
            pairs.append((bench.trained(bench.plan(bar, photos, seed, bar.changes)), bench.trained(extract)))
    return Row(bar, photos, pairs)


def _change(text: str) -> tuple[str, Any]:
    """Read ``name=value`` as a line of a plan; what is no TOML value is a text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE.")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


def main() -> None:
    """Print each training as it is done, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(__file__).resolve().parents[3] / "shared"
    parser.add_argument(
        "shared", type=Path, nargs="?", default=shared, help="holds datasets and backbones (%(default)s)"
    )
    parser.add_argument("--bars", nargs="+", choices=[bar.name for bar in BARS], default=[bar.name for bar in BARS])
    parser.add_argument("--photos", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--set", nargs="+", type=_change, default=[], metavar="NAME=VALUE", dest="changes")
    arguments = parser.parse_args()
    bench = Bench(arguments.shared.resolve(), dict(arguments.changes))
    rows = [
        measure(bench, bar, photos, arguments.seeds)
        for bar in BARS
        if bar.name in arguments.bars
        for photos in arguments.photos
    ]
    print(HEAD, *rows, sep="\n")


if __name__ == "__main__":
    main()
