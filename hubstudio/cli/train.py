"""``hubstudio train PHOTOS --out RUN``: train by a plan and write a run folder."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubstudio.cli import plan_options
from hubstudio.cli.arguments import Parser
from hubstudio.cli.bringing import brought
from hubstudio.cli.console import Console
from hubstudio.cli.context import Context, Reporter
from hubstudio.core import speeds
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.engine import Engine
from hubstudio.core.errors import StudioError, TrainingError
from hubstudio.core.events import Event, Report, RunStarted
from hubstudio.core.memory import available_memory, refusal_text
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder, RunSummary, require_free
from hubstudio.core.run_state import percent
from hubstudio.core.unfinished_runs import UnfinishedRun, require_no_unfinished

_MANY_PHOTOS = 2000

HELP = "train a classifier and write a run folder"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "photos", nargs="*", metavar="PHOTOS",
        help="folder of class folders, or a table (path,label[,split]); several count together (default: the plan's)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="RUN", type=Path, help="new folder for the run")
    parser.add_argument("--plan", metavar="FILE", type=Path, help="repeat the plan.toml of another run")
    going_on = parser.add_mutually_exclusive_group()
    going_on.add_argument(
        "--resume", metavar="RUN", type=Path,
        help="go on with a training that was interrupted, to the same result as if nothing had happened",
    )  # fmt: skip
    going_on.add_argument(
        "--continue", metavar="RUN", type=Path, dest="continued",
        help="train a finished run for --epochs more, into the new folder --out",
    )  # fmt: skip
    parser.add_argument(
        "--tensorboard", metavar="FOLDER", type=Path, help="also write logs that TensorBoard shows, as it goes"
    )
    parser.add_argument(
        "--despite-memory", action="store_true", help="train although it is predicted to need more memory than is free"
    )
    plan_options.define(parser)
    parser.set_defaults(parser=parser)


def run(args: Namespace, context: Context) -> int:
    """Train and print what it came to."""
    if args.resume:
        return _resume(args, context)
    if not args.out:
        args.parser.error("give --out, the new folder for the run")
    if args.continued:
        return _continue(args, context)
    if not args.photos and not args.plan:
        args.parser.error("give PHOTOS, the folder of class folders, or a --plan that names it")
    return _begin(args, context)


def _begin(args: Namespace, context: Context) -> int:
    plan = plan_options.plan_from(args)
    out = require_free(args.out)
    require_no_unfinished(out)
    photos = list_photos(plan.selection, context.cancel)
    photos.require_trainable()  # said at once, not after TensorFlow has loaded
    engine = context.engine()
    plan = replace(plan, backbone=brought(plan.backbone, engine, context))
    if _is_worth_measuring(plan, len(photos.photos)):
        _measure(engine, plan, context)
    with _reporting(args, engine, context, asks=not args.despite_memory) as report:
        summary = engine.train(plan, out, report, context.cancel)
    return _tell(summary, out, context)


def _resume(args: Namespace, context: Context) -> int:
    if args.photos or args.out or args.plan:
        args.parser.error("--resume goes on by the plan it began with: give nothing but the run")
    run = UnfinishedRun.open(args.resume)
    context.console.message(f"Going on with '{run.out}': {run.progress}.")
    engine = context.engine()
    with _reporting(args, engine, context) as report:
        summary = engine.resume(run.folder, report, context.cancel)
    return _tell(summary, run.out, context)


def _continue(args: Namespace, context: Context) -> int:
    if args.photos or args.plan or not args.epochs:
        args.parser.error("--continue goes on by the plan of that run: give --epochs, how many more, and --out")
    out = require_free(args.out)
    run = RunFolder.open(args.continued).path
    engine = context.engine()
    with _reporting(args, engine, context) as report:
        summary = engine.continue_run(run, args.epochs, out, report, context.cancel)
    return _tell(summary, out, context)


@contextlib.contextmanager
def _reporting(args: Namespace, engine: Engine, context: Context, *, asks: bool = False) -> Generator[Report]:
    """Give a taker of events: the console, and TensorBoard's logs if they are wanted."""
    console = _ForetellingReporter(context.console, asks=asks)
    if not args.tensorboard:
        yield console
        return
    with engine.tensorboard_log(args.tensorboard) as log:

        def both(event: Event) -> None:
            console(event)
            log(event)

        yield both


def _tell(summary: RunSummary, out: Path, context: Context) -> int:
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
    """Also says what the run will take, as soon as that is known, and refuses what does not fit into memory."""

    def __init__(self, console: Console, *, asks: bool = False) -> None:
        super().__init__(console)
        self._asks = asks

    def __call__(self, event: Event) -> None:
        """Take one event. Raises ``TrainingError`` for a run that is too big, unless the person says yes."""
        super().__call__(event)
        if isinstance(event, RunStarted) and event.cost:
            self._console.message(f"Predicted: {event.cost}.")
            why = refusal_text(event.cost, available_memory()) if self._asks else ""
            if why and not self._console.agrees(f"{why} Train all the same?"):
                raise TrainingError(why, next_step="Or give --despite-memory to train all the same.")


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
