"""Predict what trainings will take, train, and print prediction against truth.

    python tests/benchmarks/cost.py PHOTOS... --backbones NAME|FOLDER... [--plans extract 3 all] [--repeat 2]

A plan is ``extract``, or how many of the last blocks are fine-tuned, or ``all``. Every training is a ``hubstudio
train`` of its own, measured (again) right before it, so that both see the computer as busy as it is just then; ``load``
is the number of programs that wanted a core meanwhile. Ratios are predicted over actual; memory is the peak of the
training's process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hubstudio.core import paths
from hubstudio.core.backbones import display_name
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.plan import Mode, Plan
from hubstudio.ml.loading import make_engine

WITHIN = 0.35


def main() -> None:
    """Print a row for every run as soon as it is done, and how many predictions were near."""
    arguments = _parse()
    engine = make_engine()
    print(
        f"{'photos':17}{'backbone':22}{'plan':>8}{'load':>6}"
        f"{'predicted':>11}{'actual s':>10}{'ratio':>7}{'predicted':>11}{'actual MB':>11}{'ratio':>7}"
    )
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        os.environ[paths.HOME_VARIABLE] = home
        for _ in range(arguments.repeat):
            for backbone in arguments.backbones:
                for wanted in arguments.plans:
                    for photos in arguments.photos:
                        ratios.append(_print_row(engine, photos, backbone, wanted, arguments.stretches))
    near = sum(1 - WITHIN <= ratio <= 1 + WITHIN for ratio in ratios)
    print(f"{near} of {len(ratios)} predictions of time within {WITHIN:.0%}")


def _print_row(engine: Engine, photos: Path, backbone: str, wanted: str, stretches: bool) -> float:
    mode = Mode.EXTRACT if wanted == "extract" else Mode.FINE_TUNE
    engine.measure(Plan(str(photos), backbone=backbone).with_mode(mode), CancelToken())
    cost = _trained(photos, backbone, mode, wanted)
    predicted, actual = cost["predicted"], cost["actual"]
    seconds, memory = (predicted[name] / actual[name] for name in ("seconds", "memory_bytes"))
    print(
        f"{photos.name:17}{display_name(backbone):22}{wanted:>8}{os.getloadavg()[0]:6.1f}"
        f"{predicted['seconds']:11.1f}{actual['seconds']:10.1f}{seconds:7.2f}"
        f"{predicted['memory_bytes'] / 1e6:11.0f}{actual['memory_bytes'] / 1e6:11.0f}{memory:7.2f}",
        flush=True,
    )
    if stretches:
        both = [f"{name} {predicted['stretches'][name]:.1f}/{took:.1f}" for name, took in actual["stretches"].items()]
        disk = f"disk {predicted['disk_bytes'] / 1e6:.1f}/{actual['disk_bytes'] / 1e6:.1f} MB"
        print(f"    {', '.join(both)} s, {disk}", flush=True)
    return seconds


def _trained(photos: Path, backbone: str, mode: Mode, wanted: str) -> dict[str, Any]:
    """Train as a person at the command line would, and return prediction and truth."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hubstudio", "train", photos, "--out", Path(folder) / "run", "--json"]
        options = ["--backbone", backbone, "--mode", mode.value]
        options += ["--unfreeze", wanted] if mode is Mode.FINE_TUNE else []
        done = subprocess.run([*map(str, command), *options], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["cost"]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--backbones", nargs="+", default=["studio-mini"])
    parser.add_argument("--plans", nargs="+", default=["extract", "3"], metavar="extract|N|all")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--stretches", action="store_true", help="also print each stretch, predicted/actual")
    return parser.parse_args()


if __name__ == "__main__":
    main()
