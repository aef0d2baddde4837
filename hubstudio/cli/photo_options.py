"""The options that say which photos are meant and how they are divided: shared by ``check`` and ``train``."""

from __future__ import annotations

from argparse import ArgumentTypeError, BooleanOptionalAction, Namespace
from pathlib import Path
from typing import Any

from hubstudio.cli.arguments import Parser, number
from hubstudio.core import path_kinds
from hubstudio.core.photo_counts import LOPSIDED
from hubstudio.core.photos import name_below
from hubstudio.core.plan import ClassWeights, Plan
from hubstudio.core.selection import root_of

_DEFAULTS = Plan(photos="")


def define(parser: Parser) -> None:
    """Add the options; what is not given stays None, so that a plan file keeps its value."""
    parser.add_argument(
        "--leave-out", metavar="FILE", action="append", type=Path,
        help="a photo not to use; may be given several times (the file itself stays as it is)",
    )  # fmt: skip
    parser.add_argument(
        "--rename", metavar="OLD=NEW", action="append", type=_pair,
        help="call a class otherwise; two of one name become one class (folders stay as they are)",
    )  # fmt: skip
    parser.add_argument(
        "--split", metavar="FILE", type=Path, help="keep the parts of a split.csv, of a run or from 'check --split-out'"
    )
    for name in ("validation", "test"):
        parser.add_argument(
            f"--{name}-share", metavar="X", type=number,
            help=f"share of the photos for {name}, 0 to 1 (default: {getattr(_DEFAULTS, f'{name}_share'):g})",
        )  # fmt: skip


def define_weights(parser: Parser) -> None:
    """Add the option that only a training needs."""
    parser.add_argument(
        "--class-weights", action=BooleanOptionalAction,
        help=f"let small classes count as much as large ones (default: only if one has {LOPSIDED:g} times another's "
        "photos)",
    )  # fmt: skip


def values(args: Namespace, base: Plan | None) -> dict[str, Any]:
    """Return the given options as fields of a plan; ``base`` is the plan they stand beside."""
    found: dict[str, Any] = {}
    if args.photos:
        found["photos"], *more = (str(path_kinds.whole(name)) for name in args.photos)
        found["more_photos"] = tuple(more)
    root = root_of(Path(found.get("photos") or (base.photos if base else "")))
    if args.leave_out:
        found["left_out"] = tuple(name_below(_meant(path, root), root) for path in args.leave_out)
    if args.rename:
        found["renamed"] = tuple(dict(args.rename).items())
    if args.split:
        found["split_file"] = str(path_kinds.whole(args.split))
    for name in ("validation_share", "test_share"):
        if getattr(args, name, None) is not None:
            found[name] = getattr(args, name)
    if getattr(args, "class_weights", None) is not None:
        found["class_weights"] = ClassWeights.ON if args.class_weights else ClassWeights.OFF
    return found


def _meant(path: Path, root: Path) -> Path:
    """Return the whole path of a photo that is named as from here, or as split.csv names it."""
    whole = path_kinds.whole(path)
    return whole if path_kinds.is_taken(whole) or not path_kinds.is_taken(root / path) else root / path


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise ArgumentTypeError(f"'{text}' is not OLD=NEW")
    return old, new
