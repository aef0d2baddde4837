"""Picks a face: a known command goes to the command line, anything else is a project for the window."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubstudio.cli import main as command_line
from hubstudio.cli.console import Console
from hubstudio.core import path_kinds
from hubstudio.core.errors import ProjectError, StudioError, did_you_mean

if TYPE_CHECKING:
    from hubstudio.core.engine import Engine


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments and return its exit code."""
    multiprocessing.freeze_support()
    _open_closed_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and (arguments[0] in command_line.COMMANDS or arguments[0].startswith("-")):
        return command_line.run(arguments, make_engine, _window_opener())
    mistake = _usage_mistake(arguments)
    if mistake:
        Console().error(StudioError(mistake, next_step="'hubstudio --help' lists the commands."))
        return command_line.USAGE
    return open_window(Path(arguments[0]) if arguments else None)


def make_engine() -> Engine:
    """Return the engine; TensorFlow loads here, not before."""
    from hubstudio.ml.loading import make_engine as make

    return make(own_process=True)


def open_window(project: Path | None) -> int:
    """Show the window and return its exit code; say so and return 1 where there can be none."""
    from hubstudio.screen import require_window

    try:
        folder = _project_folder(project) if project else None
        require_window()
        from hubstudio.gui.application import run

        return run(folder, make_engine)
    except StudioError as error:
        Console().error(error)
        return command_line.MISTAKE


def _open_closed_streams() -> None:
    """Put a silent stream where a standard one was closed: else the next file that is opened takes its place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the system hands out the lowest free number


def _window_opener() -> command_line.OpenWindow | None:
    from hubstudio.screen import has_screen

    return open_window if has_screen() else None


def _usage_mistake(arguments: list[str]) -> str:
    if not arguments or path_kinds.exists(Path(arguments[0])):
        return _one_too_many(arguments)
    nearest = did_you_mean(arguments[0], command_line.COMMANDS)
    return f"'{arguments[0]}' is neither a command nor a project. {nearest}" if nearest else _one_too_many(arguments)


def _one_too_many(arguments: list[str]) -> str:
    return f"'{arguments[1]}' is one argument too many: the window opens one project." if len(arguments) > 1 else ""


def _project_folder(project: Path) -> Path:
    folder = path_kinds.absolute(project)
    if folder.name == "project.toml" and path_kinds.is_file(folder):
        return folder.parent
    if path_kinds.is_file(folder):
        raise ProjectError(
            f"'{project}' is not a project.",
            found="It is a single file.",
            next_step="Give a project's folder; 'hubstudio predict' classifies photos.",
        )
    return folder


if __name__ == "__main__":
    sys.exit(main())
