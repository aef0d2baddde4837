"""``hubstudio train PHOTOS --out RUN``: train by a plan and write a run folder."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from hubstudio.cli import plan_options
from hubstudio.cli.arguments import Parser
from hubstudio.cli.context import Context, Reporter
from hubstudio.core.backbones import display_name
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.run_folder import RunSummary, require_free
from hubstudio.core.run_state import percent

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
    list_photos(plan.selection, context.cancel).require_trainable()  # said at once, not after TensorFlow has loaded
    summary = context.engine().train(plan, out, Reporter(context.console), context.cancel)
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
        f"{display_name(summary.backbone)} ({summary.mode}) in {seconds.get('total', 0.0):.1f} s "
        f"(features {seconds.get('features', 0.0):.1f} s, training {seconds.get('training', 0.0):.1f} s).",
        f"{percent(summary.validation_accuracy)} on {measured:,} validation photos, {_best(summary)}.",
        f"Run: {out}",
    ]


def _best(summary: RunSummary) -> str:
    how = ", stopped early" if summary.stopped_early else ""
    if summary.best_epoch == 0:
        return f"from the head alone: none of {summary.epochs} epochs of fine-tuning was better{how}"
    return f"in epoch {summary.best_epoch} of {summary.epochs}{how}"
