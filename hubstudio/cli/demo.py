"""``hubstudio demo``: the main job on the bundled samples and backbone, from photos to an exported model."""

from __future__ import annotations

import shutil
import time
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hubstudio.cli import evaluate, export, train
from hubstudio.cli.arguments import Parser
from hubstudio.cli.context import Context, Reporter
from hubstudio.core.engine import EXPORT_FORMATS
from hubstudio.core.errors import RunError
from hubstudio.core.plan import Plan
from hubstudio.core.project import PROJECT_FILE, Project
from hubstudio.core.resources import samples_folder
from hubstudio.core.run_folder import require_free

HELP = "train, evaluate and export on the bundled samples, then open the window on the result"
_DEFAULT_NAME = "hubstudio-demo"
_WHY_TWO_NUMBERS = (
    "New photos will fare like these: the model was chosen by the validation photos, whose number may be too rosy."
)


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"new project folder (default: {_DEFAULT_NAME}, here)")
    parser.add_argument("--no-window", action="store_true", help="do not open the window at the end")


def run(args: Namespace, context: Context) -> int:
    """Do the whole job, say what came out, and leave a project that the window opens."""
    plan = Plan(photos=str(samples_folder()))
    with _own_folder(args.out) as folder:
        document, lines = _whole_job(Project(folder, plan, step="review", run="run-001"), plan, context)
    context.console.result(document, lines)
    if not context.has_screen and not args.no_window and not args.json:
        context.console.message(f"There is no screen to open the window on. Later: hubstudio '{folder}'")
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
    measured = [evaluate.headline(evaluation), _WHY_TWO_NUMBERS]
    parts = (train.lines(summary, run_path), measured, export.lines(files))
    whole = f"Done in {seconds:.1f} s. Project: {project.folder}"
    return document, [*parts[0], "", *parts[1], "", *parts[2], "", whole]


@contextmanager
def _own_folder(out: Path | None) -> Generator[Path]:
    """Give a folder that no other demo has; if the work in it does not end well, what was made in it goes."""
    folder, is_made = _made_or_taken(require_free(out)) if out else (_made_by_number(), True)
    _claim(folder)
    try:
        yield folder
    except BaseException:
        for name in ("runs", "exports"):
            shutil.rmtree(folder / name, ignore_errors=True)
        with suppress(OSError):
            (folder / PROJECT_FILE).unlink(missing_ok=True)
            if is_made:
                folder.rmdir()  # fails, as it should, where somebody else has put something
        raise


def _claim(folder: Path) -> None:
    """Make ``runs`` in an empty folder: whoever makes it has the folder."""
    try:
        (folder / "runs").mkdir()
    except FileExistsError as error:
        raise RunError(f"'{folder}' exists already.", next_step="Give a new name; nothing is overwritten.") from error


def _made_or_taken(folder: Path) -> tuple[Path, bool]:
    """Make the folder, or take the empty one that is there; return it, and whether it was made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder, _is_made(folder)


def _made_by_number() -> Path:
    """Make the first of hubstudio-demo, hubstudio-demo-2, ... that is not there yet."""
    base = Path.cwd() / _DEFAULT_NAME
    folder, number = base, 2
    while not _is_made(folder):
        folder = base.with_name(f"{_DEFAULT_NAME}-{number}")
        number += 1
    return folder


def _is_made(folder: Path) -> bool:
    """Make the folder unless it is there: asking first would let two demos take the same one."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
