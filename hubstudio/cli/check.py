"""``hubstudio check PHOTOS``: what is in the folders, after reading every photo once."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context
from hubstudio.core.errors import PhotosError

if TYPE_CHECKING:
    from hubstudio.core.photos import PhotoSet

HELP = "say what is in the photo folders, and what is wrong with it"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("photos", metavar="PHOTOS", type=Path, help="folder that holds one folder per class")


def run(args: Namespace, context: Context) -> int:
    """Print classes and problems; 1 only if nothing can be trained."""
    # Pillow and NumPy load with it: not before the command is known.
    from hubstudio.core.photo_check import check_photos
    from hubstudio.core.photos import scan

    def progress(done: int, total: int) -> None:
        context.console.progress(done / total, f"{done:,} of {total:,} photos")

    photo_set = check_photos(scan(args.photos), progress, context.cancel)
    return context.console.conclude(_document(photo_set), _lines(photo_set), _blocking(photo_set))


def _blocking(photo_set: PhotoSet) -> PhotosError | None:
    try:
        photo_set.require_trainable()
    except PhotosError as error:
        return error
    return None


def _document(photo_set: PhotoSet) -> dict[str, Any]:
    problems = [
        {
            "kind": problem.kind,
            "files": [str(path) for path in problem.files],
            "message": problem.message,
            "blocks_training": problem.blocks_training,
        }
        for problem in photo_set.problems
    ]
    return {
        "folder": str(photo_set.root),
        "photos": len(photo_set.photos),
        "classes": photo_set.counts,
        "problems": problems,
    }


def _lines(photo_set: PhotoSet) -> list[str]:
    rows = [("class", "photos"), *((name, f"{count:,}") for name, count in photo_set.counts.items())]
    total = f"{len(photo_set.photos):,} photos in {len(photo_set.classes):,} classes in '{photo_set.root}'"
    problems = [f"- {problem.message}" for problem in photo_set.problems] or ["No problems found."]
    return [total, "", *table(rows), "", *problems]
