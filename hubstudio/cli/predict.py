"""``hubstudio predict RUN FILE|FOLDER...``: classify photos, in the order given."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context, Reporter
from hubstudio.core import path_kinds
from hubstudio.core.engine import Prediction
from hubstudio.core.errors import PhotosError
from hubstudio.core.photo_listing import photos_below
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.run_state import percent

HELP = "classify photos with a run"


@dataclass(frozen=True)
class _Wanted:
    """A photo to classify under the name it was asked for, or why there is none."""

    shown: str
    path: Path
    error: str = ""


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a run folder that 'train' wrote")
    parser.add_argument("files", metavar="FILE|FOLDER", nargs="+", help="photos, or folders to look through for photos")


def run(args: Namespace, context: Context) -> int:
    """Classify and print; 1 if not a single photo could be classified."""
    folder = RunFolder.open(args.run_folder)
    wanted = [entry for given in args.files for entry in _expanded(given)]
    answers = _answers(folder, wanted, context)
    document: dict[str, Any] = {"predictions": [_entry(one, answer) for one, answer in answers]}
    error = None if any(not answer.error for _, answer in answers) else _none_classified(answers)
    return context.console.conclude(document, _lines(answers), error)


def _answers(folder: RunFolder, wanted: Sequence[_Wanted], context: Context) -> list[tuple[_Wanted, Prediction]]:
    paths = [one.path for one in wanted if not one.error]
    found = context.engine().predict(folder.path, paths, Reporter(context.console), context.cancel) if paths else []
    answers = iter(found)
    return [(one, Prediction(one.path, {}, one.error) if one.error else next(answers)) for one in wanted]


def _expanded(given: str) -> Iterator[_Wanted]:
    path = Path(os.path.expanduser(given))  # noqa: PTH111 - Path's raises where there is no such home
    if path_kinds.is_folder(path):
        photos = photos_below(path)
        yield from (_Wanted(str(Path(given) / photo.relative_to(path)), photo) for photo in photos)
        if not photos:
            yield _Wanted(given, path, "the folder holds no photos")
    elif path_kinds.exists(path):
        yield _Wanted(given, path)
    else:
        yield _Wanted(given, path, "there is no such file")


def _entry(one: _Wanted, answer: Prediction) -> dict[str, Any]:
    if answer.error:
        return {"file": one.shown, "error": answer.error}
    return {"file": one.shown, "label": answer.label, "confidence": answer.confidence, "scores": answer.scores}


def _none_classified(answers: Sequence[tuple[_Wanted, Prediction]]) -> PhotosError:
    one, answer = answers[0]
    return PhotosError(
        "Not a single photo could be classified.",
        found=f"'{one.shown}': {answer.error}.",
        next_step="Give photos, or folders that hold some.",
    )


def _lines(answers: Sequence[tuple[_Wanted, Prediction]]) -> list[str]:
    return table([("file", "answer", "confidence"), *(_row(one.shown, answer) for one, answer in answers)])


def _row(shown: str, answer: Prediction) -> tuple[str, str, str]:
    return (shown, answer.error, "") if answer.error else (shown, answer.label, percent(answer.confidence))
