"""``hubstudio train PHOTOS --out RUN``: train by a plan and write a run folder."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubstudio.cli import plan_options
from hubstudio.cli.arguments import Parser
from hubstudio.cli.bringing import brought
from hubstudio.cli.console import Console
from hubstudio.cli.context import Context, Reporter
from hubstudio.cli.measuring_first import measure_if_worth_it
from hubstudio.core import path_kinds
from hubstudio.core.catalogue import backbone_name
from hubstudio.core.cost import Cost
from hubstudio.core.engine import Engine
from hubstudio.core.errors import RunError
from hubstudio.core.events import Event, Note, Phase, PhaseEnd, Report, RunStarted, ignore
from hubstudio.core.memory import TooLargeError, available_memory, refusal_text
from hubstudio.core.phase_comparison import phase_comparison
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.photos import count_of
from hubstudio.core.plan import Mode
from hubstudio.core.run_folder import RunFolder, RunSummary, require_free
from hubstudio.core.run_state import ending_sentence, percent
from hubstudio.core.unfinished_runs import UnfinishedRun, require_no_unfinished

_BESIDE_A_PLAN = ("--tensorboard", "--despite-memory", "--json")
"""Options that are no part of what a run is."""

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
        "--despite-memory", action="store_true",
        help="train, or go on, although that is predicted to need more memory than is free",
    )  # fmt: skip
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
    for option, why in plan_options.without_effect(args, plan):
        context.console.message(f"{option} changes nothing {why}.")
    out = require_free(args.out)
    require_no_unfinished(out)
    photos = list_photos(plan.selection, context.cancel)
    photos.require_trainable()  # said at once, not after TensorFlow has loaded
    plan.require_output_for(len(photos.classes))
    engine = context.engine()
    plan = replace(plan, backbone=brought(plan.backbone, engine, context))
    measure_if_worth_it(engine, plan, len(photos.photos), context.console.message, context.cancel)
    return _run(args, engine, out, context, lambda report: engine.train(plan, out, report, context.cancel))


def _resume(args: Namespace, context: Context) -> int:
    _refuse_another_plan(args, "--resume goes on by the plan it began with", "--resume")
    run = UnfinishedRun.open(args.resume)
    context.training = run.out  # it stays, however early this is interrupted
    plan, (photos, _) = run.plan(), run.photos()
    context.console.message(f"Going on with '{run.out}': {run.progress}.")
    engine = context.engine()
    measure_if_worth_it(engine, plan, len(photos.photos), context.console.message, context.cancel)
    return _run(args, engine, run.out, context, lambda report: engine.resume(run.folder, report, context.cancel))


def _continue(args: Namespace, context: Context) -> int:
    if args.epochs is None or args.epochs < 1:
        args.parser.error("--continue trains a run for more epochs: --epochs says how many more, 1 or more")
    _refuse_another_plan(args, "--continue goes on by the plan of that run", "--continue", "--epochs", "--out")
    out = require_free(args.out)
    run = _finished(args.continued)
    plan, photos = run.plan(), len(run.split())
    engine = context.engine()
    measure_if_worth_it(engine, plan, photos, context.console.message, context.cancel)
    return _run(
        args, engine, out, context,
        lambda report: engine.continue_run(run.path, args.epochs, out, report, context.cancel),
    )  # fmt: skip


def _refuse_another_plan(args: Namespace, rule: str, *needed: str) -> None:
    """Refuse what would be passed over in silence, since the training goes on by a plan of its own."""
    others = [option for option in args.parser.given(args) if option not in (*needed, *_BESIDE_A_PLAN)]
    if args.photos:
        others.insert(0, "PHOTOS")
    if others:
        args.parser.error(f"{rule}: leave out {', '.join(others)}")


def _finished(path: Path) -> RunFolder:
    """Open a finished run; of one that was interrupted, say how it goes on."""
    if not path_kinds.is_taken(path):
        require_no_unfinished(path_kinds.absolute(path))
    return RunFolder.open(path)


def _run(args: Namespace, engine: Engine, out: Path, context: Context, train: Callable[[Report], RunSummary]) -> int:
    """Let ``train`` make the run ``out``, and print what it came to."""
    context.training = out
    with _reporting(args, engine, context) as report:
        summary = train(report)
    return _tell(summary, out, context)


@contextlib.contextmanager
def _reporting(args: Namespace, engine: Engine, context: Context) -> Generator[Report]:
    """Give a taker of events: the console, and TensorBoard's logs if they are wanted."""
    console = _ForetellingReporter(
        context.console, asks=not args.despite_memory, plan_is_fixed=bool(args.resume or args.continued)
    )
    if not args.tensorboard:
        yield console
        return
    with engine.tensorboard_log(args.tensorboard) as log:
        yield _Both(console, log)


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
        f"(features {seconds.get('features', 0.0):.1f} s, training {seconds.get('training', 0.0):.1f} s"
        f"{', the epochs before included' if summary.continued_from else ''}).",
        f"{percent(summary.validation_accuracy)} on {measured:,} validation photos, {_best(summary)}.",
        *_comparison(summary, out),
        *_ending(summary),
        *_truth(summary),
        f"Run: {out}",
    ]


class _Both:
    """Tells two takers of events; the logs are given up once they fail: no training is to end for their sake."""

    def __init__(self, console: Reporter, log: Report) -> None:
        self._console = console
        self._log: Report = log

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._console(event)
        try:
            self._log(event)
        except RunError as error:
            self._console(Note(f"{error} The training goes on without them.", 0.0))
            self._log = ignore


class _ForetellingReporter(Reporter):
    """Also says what the run will take, as soon as that is known, and refuses what does not fit into memory."""

    def __init__(self, console: Console, *, asks: bool, plan_is_fixed: bool) -> None:
        super().__init__(console)
        self._asks, self._plan_is_fixed = asks, plan_is_fixed

    def __call__(self, event: Event) -> None:
        """Take one event. Raises ``TooLargeError`` for a run that is too big, unless the person says yes."""
        super().__call__(event)
        if isinstance(event, RunStarted) and event.cost:
            self._console.message(f"Predicted: {event.cost}.")
            if self._asks:
                self._require_room(event.cost)

    def _require_room(self, cost: Cost) -> None:
        why = refusal_text(cost, available_memory(), plan_is_fixed=self._plan_is_fixed)
        if why and not self._console.agrees(f"{why} Train all the same?"):
            raise TooLargeError(why, next_step="Or give --despite-memory to train all the same.")


def _truth(summary: RunSummary) -> list[str]:
    """Return what it took beside what was predicted, which is all epochs; nothing of a run that did not do them all."""
    is_as_planned = all(end == PhaseEnd.ALL_EPOCHS for end in summary.ended.values())
    if not summary.cost or not summary.cost.predicted or summary.stopped_early or not is_as_planned:
        return []
    return [f"It took {summary.cost.actual}; predicted were {summary.cost.predicted}.".replace("about ", "")]


def _ending(summary: RunSummary) -> list[str]:
    """Return why the training ended before all its epochs, as the window says it."""
    why, before = summary.last_end, summary.continued_from.epochs if summary.continued_from else 0
    sentence = ending_sentence(why, summary.best_epoch, before) if why else ""
    return [sentence] if sentence else []


def _comparison(summary: RunSummary, out: Path) -> list[str]:
    """Return which phase of a fine-tuning was better, as the window says it."""
    accuracies: dict[str, list[float]] = {phase.value: [] for phase in Phase}
    if summary.mode == Mode.FINE_TUNE.value:
        for row in RunFolder.open(out).history():
            accuracies[row["phase"]].append(float(row["validation_accuracy"]))
    head, blocks = accuracies[Phase.HEAD.value], accuracies[Phase.FINE_TUNE.value]
    sentence = phase_comparison(head, blocks, Phase(summary.best_phase))
    return [sentence] if sentence else []


def _best(summary: RunSummary) -> str:
    if summary.best_epoch == 0:
        return f"from the head alone: none of {count_of(summary.epochs, 'epoch')} of fine-tuning was better"
    return f"in epoch {summary.best_epoch} of {summary.epochs}"
