"""``hubstudio check PHOTOS``: what is in the folders, after reading every photo once, and how it is divided."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubstudio.cli import photo_options
from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context
from hubstudio.core.errors import PhotosError

if TYPE_CHECKING:
    from hubstudio.core.photos import PhotoSet, Problem
    from hubstudio.core.split import Split

HELP = "say what is in the photo folders, what is wrong with it, and how it would be divided"


_MOST_SHOWN = 5  # files or groups of each problem


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "photos", metavar="PHOTOS", nargs="+",
        help="folder of class folders, or a table (path,label[,split]); several are taken together",
    )  # fmt: skip
    photo_options.define(parser)
    parser.add_argument("--seed", metavar="N", type=int, help="the seed that decides the split (default: 1)")
    parser.add_argument("--split-out", metavar="FILE", type=Path, help="write the split to this CSV file")


def run(args: Namespace, context: Context) -> int:
    """Print classes, problems and the split; 1 only if nothing can be trained."""
    # Pillow and NumPy load with it: not before the command is known.
    from hubstudio.core.intake import read_photos
    from hubstudio.core.plan import Plan
    from hubstudio.core.split_file import require_split_or_free, save_split

    def progress(done: int, total: int, what: str) -> None:
        context.console.progress(done / max(total, 1), f"{done:,} of {total:,} {what}")

    seed = {} if args.seed is None else {"seed": args.seed}
    plan = Plan(**photo_options.values(args, None), **seed).absolute()
    if args.split_out:
        require_split_or_free(args.split_out)
    photo_set, split = read_photos(plan, progress, context.cancel)
    if args.split_out:
        save_split(photo_set, split, args.split_out)
    return context.console.conclude(_document(photo_set, split), _lines(photo_set, split), _blocking(photo_set))


def _blocking(photo_set: PhotoSet) -> PhotosError | None:
    try:
        photo_set.require_trainable()
    except PhotosError as error:
        return error
    return None


def _document(photo_set: PhotoSet, split: Split) -> dict[str, Any]:
    return {
        "folder": str(photo_set.root),
        "photos": len(photo_set.photos),
        "classes": photo_set.counts,
        "split": split.counts(),
        "problems": [_problem(problem) for problem in photo_set.problems],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "kind": problem.kind,
        "files": [str(path) for path in problem.files],
        "message": problem.message,
        "blocks_training": problem.blocks_training,
        "is_note": problem.is_note,
        "details": list(problem.details),
        "groups": [[str(path) for path in group] for group in problem.groups],
    }


def _said(problem: Problem, photo_set: PhotoSet) -> list[str]:
    """Return the problem in words, with some of its files; those that belong together in one line."""
    from hubstudio.core.photos import name_below

    together = problem.groups or tuple((path,) for path in problem.files)
    shown = [
        " = ".join(f"'{name_below(path, photo_set.root)}'" for path in group[:4]) for group in together[:_MOST_SHOWN]
    ]
    if problem.details and not problem.groups:
        shown = [f"{name} ({detail})" for name, detail in zip(shown, problem.details, strict=False)]
    more = len(together) - len(shown)
    rest = [f"and {more:,} more; --json lists all"] if more else []
    return [f"- {problem.message}", *(f"    {line}" for line in (*shown, *rest))]


def _lines(photo_set: PhotoSet, split: Split) -> list[str]:
    from hubstudio.core.photos import count_of

    rows = [("class", "photos"), *((name, f"{count:,}") for name, count in photo_set.counts.items())]
    classes = "1 class" if len(photo_set.classes) == 1 else f"{len(photo_set.classes):,} classes"
    total = f"{count_of(len(photo_set.photos), 'photo')} in {classes} in '{photo_set.root}'"
    problems = [line for problem in photo_set.problems for line in _said(problem, photo_set)] or ["No problems found."]
    divided = ", ".join(f"{count:,} {part}" for part, count in split.counts().items())
    return [total, "", *(table(rows) if len(rows) > 1 else []), "", *problems, "", f"Divided into {divided}."]
