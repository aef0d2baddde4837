"""``hubstudio train PHOTOS --out RUN``: train by a plan and write a run folder."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubstudio.cli import plan_options
from hubstudio.cli.arguments import Parser
from hubstudio.cli.bringing import brought
from hubstudio.cli.context import Context, Reporter
from hubstudio.core import speeds
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.engine import Engine
from hubstudio.core.errors import StudioError
from hubstudio.core.events import Event, RunStarted
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunSummary, require_free
from hubstudio.core.run_state import percent

_MANY_PHOTOS = 2000

HELP = "train a classifier and write a run folder"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "photos", nargs="*", metavar="PHOTOS",
        help="folder of class folders, or a table (path,label[,split]); several count together (default: the plan's)",
    )  # fmt: skip
    parser.add_argument("--out", required=True, metavar="RUN", type=Path, help="new folder for the run")
    parser.add_argument("--plan", metavar="FILE", type=Path, help="repeat the plan.toml of another run")
    plan_options.define(parser)
    parser.set_defaults(parser=parser)


def run(args: Namespace, context: Context) -> int:
    """Train and print what it came to."""
    if not args.photos and not args.plan:
        args.parser.error("give PHOTOS, the folder of class folders, or a --plan that names it")
    plan = plan_options.plan_from(args)
    out = require_free(args.out)
    photos = list_photos(plan.selection, context.cancel)
    photos.require_trainable()  # said at once, not after TensorFlow has loaded
    engine = context.engine()
    plan = replace(plan, backbone=brought(plan.backbone, engine, context))
    if _is_worth_measuring(plan, len(photos.photos)):
        _measure(engine, plan, context)
    summary = engine.train(plan, out, _ForetellingReporter(context.console), context.cancel)
    context.console.result(document(summary, out), lines(summary, out))
    return 0


def document(summary: RunSummary, out: Path) -> dict[str, Any]:
    """Return the summary as plain values for JSON, with the run's whole path."""
    return {**summary.to_table(), "run": str(out)}


def lines(summary: RunSummary, out: Path) -> list[str]:
    """Return a summary of the run in words."""
    counts, seconds = summary.counts, summary.seconds
    measured = counts.get("validation", 0)
    return [
        f"Trained {len(summary.classes)} classes on {counts.get('train', 0):,} photos with "
        f"{backbone_name(summary.backbone)} ({summary.mode}) in {seconds.get('total', 0.0):.1f} s "
        f"(features {seconds.get('features', 0.0):.1f} s, training {seconds.get('training', 0.0):.1f} s).",
        f"{percent(summary.validation_accuracy)} on {measured:,} validation photos, {_best(summary)}.",
        *_truth(summary),
        f"Run: {out}",
    ]


class _ForetellingReporter(Reporter):
    """Also says what the run will take, as soon as that is known."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        super().__call__(event)
        if isinstance(event, RunStarted) and event.cost:
            self._console.message(f"Predicted: {event.cost}.")


def _is_worth_measuring(plan: Plan, photos: int) -> bool:
    """Whether knowing the time is worth the seconds that a measurement takes: not where all is done in seconds."""
    return plan.mode is Mode.FINE_TUNE or photos > _MANY_PHOTOS


def _measure(engine: Engine, plan: Plan, context: Context) -> None:
    """Measure the backbone unless that was done before; that it cannot be measured is no reason not to train."""
    with contextlib.suppress(StudioError):
        info = engine.probe(plan.backbone, plan.features)
        known = speeds.kept_for(plan, info)
        if known and known.covers(plan):
            return
        context.console.message(f"Measuring how fast {info.name} is on this computer; once, some seconds.")
        engine.measure(plan, context.cancel)


def _truth(summary: RunSummary) -> list[str]:
    """Return what it took beside what was predicted; nothing of a run that was not predicted, or ended early."""
    if not summary.cost or not summary.cost.predicted or summary.stopped_early:
        return []
    return [f"It took {summary.cost.actual}; predicted were {summary.cost.predicted}.".replace("about ", "")]


def _best(summary: RunSummary) -> str:
    how = ", stopped early" if summary.stopped_early else ""
    if summary.best_epoch == 0:
        return f"from the head alone: none of {summary.epochs} epochs of fine-tuning was better{how}"
    return f"in epoch {summary.best_epoch} of {summary.epochs}{how}"
