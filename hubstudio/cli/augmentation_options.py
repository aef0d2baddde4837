"""The options that vary training photos, drawn from the table of changes, and what they say."""

from __future__ import annotations

from argparse import BooleanOptionalAction, Namespace
from dataclasses import replace
from typing import Any

from hubstudio.cli.arguments import Parser, number, whole_number
from hubstudio.core.augmentation import CHANGES, NO_AUGMENTATION, PRESETS, Augmentation, Change
from hubstudio.core.plan import Plan

_UNITS = {"°": "degrees", "%": "percent"}


def define(parser: Parser) -> None:
    """Add a preset and an option for each value; what is not given stays None, so that a plan file keeps its own."""
    parser.add_argument(
        "--augment", choices=list(PRESETS),
        help="vary training photos as suits what they are; the options up to --views change a value of it "
        "(default: none)",
    )  # fmt: skip
    for change in CHANGES:
        _add(parser, change)


def values(args: Namespace, base: Plan | None) -> dict[str, Any]:
    """Return the plan's ``augmentation`` as far as options speak of it: the preset's or the plan's, changed by them."""
    given = {change.name: getattr(args, change.name) for change in CHANGES}
    given = {name: value for name, value in given.items() if value is not None}
    if not given and args.augment is None:
        return {}
    before = base.augmentation if base else NO_AUGMENTATION
    return {"augmentation": replace(_preset(args.augment, before), **given)}


def _preset(name: str | None, before: Augmentation) -> Augmentation:
    """Return a preset, which says nothing of the number of views; without a name, what was there before."""
    return before if name is None else replace(PRESETS[name], views=before.views)


def _add(parser: Parser, change: Change) -> None:
    if change.is_switch:
        parser.add_argument(change.option, action=BooleanOptionalAction, help=change.help)
        return
    unit = f" {_UNITS[change.unit]}" if change.unit in _UNITS and change.per_one == 1 else ""
    default = f"{getattr(NO_AUGMENTATION, change.name):g}" if change.extract_only else "the preset's"
    limits = f"From {change.minimum:g} to {change.maximum:g}{unit}"
    parser.add_argument(
        change.option,
        metavar="N" if change.kind is int else "X",
        type=whole_number if change.kind is int else number,
        help=f"{change.help} {limits} (default: {default}).".replace("%", "%%"),
    )
