"""``hubstudio demo``: the main job on the bundled samples and backbone, from photos to an exported model."""

from __future__ import annotations

import shutil
import time
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hubstudio.cli import evaluate, export, train
from hubstudio.cli.arguments import Parser
from hubstudio.cli.context import Context, Reporter
from hubstudio.core.engine import EXPORT_FORMATS
from hubstudio.core.plan import Plan
from hubstudio.core.project import Project
from hubstudio.core.resources import samples_folder
from hubstudio.core.run_folder import require_free

HELP = "train, evaluate and export on the bundled samples, then open the window on the result"
_DEFAULT_NAME = "hubstudio-demo"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"new project folder (default: {_DEFAULT_NAME}, here)")
    parser.add_argument("--no-window", action="store_true", help="do not open the window at the end")


def run(args: Namespace, context: Context) -> int:
    """Do the whole job, say what came out, and leave a project that the window opens."""
    folder = require_free(args.out) if args.out else _free_folder()
    plan = Plan(photos=str(samples_folder()))
    with _gone_unless_done(folder):
        document, lines = _whole_job(Project(folder, plan, step="review", run="run-001"), plan, context)
    context.console.result(document, lines)
    if context.has_screen and not args.no_window and not args.json:
        context.project_to_open = folder
    return 0


def _whole_job(project: Project, plan: Plan, context: Context) -> tuple[dict[str, Any], list[str]]:
    began = time.monotonic()
    report, cancel, run_path = Reporter(context.console), context.cancel, project.runs_folder / project.run
    engine = context.engine()
    context.console.message(f"Training on the sample photos in '{plan.photos}' ...")
    summary = engine.train(plan, run_path, report, cancel)
    context.console.message("Measuring on the photos that took no part in training ...")
    evaluation = engine.evaluate(run_path, None, report, cancel)
    context.console.message("Exporting, and checking each file against the app's own answers ...")
    files = engine.export(run_path, tuple(EXPORT_FORMATS), project.exports_folder, report, cancel)
    cancel.check()
    project.save()
    seconds = time.monotonic() - began
    document = {
        "project": str(project.folder),
        "seconds": seconds,
        "train": train.document(summary, run_path),
        "evaluate": evaluate.document(evaluation),
        "export": export.document(files),
    }
    parts = (train.lines(summary, run_path), [evaluate.headline(evaluation)], export.lines(files))
    whole = f"Done in {seconds:.1f} s. Project: {project.folder}"
    return document, [*parts[0], "", *parts[1], "", *parts[2], "", whole]


def _free_folder() -> Path:
    base = Path.cwd() / _DEFAULT_NAME
    folder, number = base, 2
    while folder.exists():
        folder = base.with_name(f"{_DEFAULT_NAME}-{number}")
        number += 1
    return folder


@contextmanager
def _gone_unless_done(folder: Path) -> Generator[None]:
    """Leave nothing of the folder if the work in it does not end well; it was empty or absent before."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
