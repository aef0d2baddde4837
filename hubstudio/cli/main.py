"""The command line's entry: arguments in, exit code out. The one place where its errors end."""

from __future__ import annotations

import traceback
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from hubstudio.cli import backbones, check, compare, demo, evaluate, export, features, predict, train
from hubstudio.cli.arguments import Parser, UsageError, json_option
from hubstudio.cli.console import Console
from hubstudio.cli.context import Context, EngineMaker, interruptible
from hubstudio.core.errors import Cancelled, StudioError
from hubstudio.core.settings import load_settings
from hubstudio.core.unfinished_runs import UnfinishedRun

DONE, MISTAKE, USAGE, INTERRUPTED = 0, 1, 2, 130
OpenWindow = Callable[[Path | None], int]

_EPILOG = """\
Without a command, the window opens: hubstudio [PROJECT]
Every command answers --help, and takes --json for one JSON document on stdout.
Exit codes: 0 done, 1 a mistake of input, 2 wrong usage, 130 interrupted.
"""


class Command(Protocol):
    """What the module of a command offers."""

    @property
    def HELP(self) -> str:  # noqa: N802 - a constant of the module
        """What the command does, in a clause."""
        ...

    def define(self, parser: Parser) -> None:
        """Add the command's arguments."""
        ...

    def run(self, args: Namespace, context: Context) -> int:
        """Do it, print the result and return the exit code."""
        ...


COMMANDS: dict[str, Command] = {
    "demo": demo,
    "check": check,
    "backbones": backbones,
    "compare": compare,
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "export": export,
    "features": features,
}


def run(argv: Sequence[str], make_engine: EngineMaker, open_window: OpenWindow | None = None) -> int:
    """Run one command and return its exit code. ``open_window`` is None where there is no screen."""
    console = Console(as_json="--json" in argv)
    try:
        args = _parse(argv)
    except UsageError as error:
        return _refuse(console, error)
    except SystemExit:  # --help and --version are done
        return DONE
    if problem := load_settings().problem:
        console.message(f"{problem} Correct the file, or delete it.")
    context = Context(make_engine, console, has_screen=open_window is not None)
    code = _guarded(args, context)
    if code == DONE and context.project_to_open and open_window:
        return open_window(context.project_to_open)
    return code


def _parse(argv: Sequence[str]) -> Namespace:
    from hubstudio import __version__

    parser = Parser("hubstudio", description="Train a photo classifier from folders of photos.", epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"Hub Studio {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    parsers: dict[str, Parser] = {}
    for name, command in COMMANDS.items():
        parsers[name] = commands.add_parser(name, help=command.HELP, description=command.HELP)
        command.define(parsers[name])
        json_option(parsers[name])
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        parsers[args.command].refuse_unknown(unknown[0])
    return args


def _refuse(console: Console, error: UsageError) -> int:
    if not console.as_json:
        console.message(error.usage)
    console.error(error)
    return USAGE


def _guarded(args: Namespace, context: Context) -> int:
    """Run the command; every way it can end becomes an exit code."""
    with context.console.own_stdout():
        try:
            with interruptible(context.cancel):
                return COMMANDS[args.command].run(args, context)
        except (KeyboardInterrupt, Exception) as error:
            return _ended_by(error, context, args.command)


def _ended_by(error: BaseException, context: Context, command: str) -> int:
    # Ctrl+C reaches the processes of an export too: how their end looks from here is no mistake of the person.
    if context.cancel.is_cancelled or isinstance(error, Cancelled | KeyboardInterrupt):
        context.console.error(_interrupted(command, context.training))
        return INTERRUPTED
    if isinstance(error, UsageError):
        return _refuse(context.console, error)
    context.console.error(_explained(error))
    return MISTAKE


def _interrupted(command: str, training: Path | None) -> StudioError:
    if run := _unfinished(training):
        return StudioError(
            f"Interrupted; the training is laid aside ({run.progress}) and can go on.",
            next_step=f"hubstudio train --resume '{run.out}'",
        )
    kept = "What was downloaded so far is kept, and goes on from there." if command == "backbones" else ""
    return StudioError("Interrupted; nothing half-written is left.", found=kept)


def _unfinished(out: Path | None) -> UnfinishedRun | None:
    """Return what there is of a training that was to become ``out``; None if it had not begun.

    The disk is asked, not the error: whoever interrupts twice does not wait for the engine's word.
    """
    try:
        return UnfinishedRun.open(out) if out else None
    except StudioError:
        return None


def _explained(error: BaseException) -> StudioError:
    if isinstance(error, StudioError):
        return error
    if isinstance(error, OSError):
        return _refused_by_system(error)
    if isinstance(error, MemoryError):
        return StudioError("The memory ran out.", next_step="Close other programs, or use a smaller batch.")
    return StudioError("Hub Studio has a fault.", found=traceback.format_exc().strip())


def _refused_by_system(error: OSError) -> StudioError:
    file = f" '{error.filename}'" if error.filename else ""
    return StudioError(
        f"The system refused to read or write{file}.",
        found=f"{error.strerror or error}.",
        next_step="Check that it is there, that you may use it, and that the disk is not full.",
    )
