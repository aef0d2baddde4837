"""Train on photo sets with backbones in both modes and print one table.

    python tests/benchmarks/accuracy.py PHOTOS... --backbones NAME|FOLDER... [--modes extract fine-tune] [--seeds 1 2 3]

Accuracy is on each run's locked test part, with default settings; seconds are those of the whole run.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from hubstudio.core.backbones import display_name
from hubstudio.core.cancel import CancelToken
from hubstudio.core.engine import Engine
from hubstudio.core.events import ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.ml.loading import make_engine


def main() -> None:
    """Print a row for every run as soon as it is done."""
    arguments = _parse()
    engine = make_engine()
    columns = f"{'photos':18}{'backbone':24}{'mode':11}{'seed':>5}{'validation':>11}{'test':>8}{'95 %':>14}"
    print(f"{columns}{'kept':>14}{'seconds':>9}")
    for photos in arguments.photos:
        for backbone in arguments.backbones:
            for mode in arguments.modes:
                for seed in arguments.seeds:
                    plan = replace(Plan(str(photos), backbone=backbone, seed=seed).with_mode(Mode(mode)))
                    print(_row(engine, plan), flush=True)


def _row(engine: Engine, plan: Plan) -> str:
    with tempfile.TemporaryDirectory() as folder:
        summary = engine.train(plan, Path(folder) / "run", ignore, CancelToken())
        found = engine.evaluate(Path(folder) / "run", None, ignore, CancelToken())
    low, high = found.interval
    kept = f"{summary.best_phase} {summary.best_epoch}"
    return (
        f"{Path(plan.photos).name:18}{display_name(plan.backbone):24}{plan.mode:11}{plan.seed:5}"
        f"{summary.validation_accuracy:11.3f}{found.accuracy:8.3f}{f'{low:.3f}-{high:.3f}':>14}{kept:>14}"
        f"{summary.seconds['total']:9.1f}"
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--backbones", nargs="+", default=["studio-mini"])
    parser.add_argument("--modes", nargs="+", default=["extract", "fine-tune"], choices=[mode.value for mode in Mode])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    return parser.parse_args()


if __name__ == "__main__":
    main()
