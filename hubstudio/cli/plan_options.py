"""The options that make a plan, drawn from the table of hyper-parameters, and the plan they make."""

from __future__ import annotations

from argparse import BooleanOptionalAction, Namespace
from dataclasses import replace
from typing import Any

from hubstudio.cli import augmentation_options, photo_options
from hubstudio.cli.arguments import Parser, number, whole_number
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS, HyperParameter
from hubstudio.core.known_modules import resolved
from hubstudio.core.plan import DEFAULT_BACKBONE, DEFAULT_EPOCHS, Mode, Optimizer, Output, Plan, Unfreeze
from hubstudio.core.plan_choices import PLAN_CHOICES
from hubstudio.core.plan_differences import number_text

_DEFAULTS = Plan(photos="")


def define(parser: Parser) -> None:
    """Add every option of a plan; what is not given stays None, so that a plan file keeps its value."""
    photo_options.define(parser)
    photo_options.define_weights(parser)
    parser.add_argument(
        "--backbone", metavar="NAME|HANDLE|FOLDER",
        help=f"bundled name, TF Hub handle or module folder (default: {DEFAULT_BACKBONE})",
    )  # fmt: skip
    parser.add_argument(
        "--features", metavar="NAME",
        help="endpoint of the backbone to use instead of its own feature vector, averaged over the photo; "
        "'hubstudio backbones probe' lists them",
    )  # fmt: skip
    parser.add_argument(
        "--mode", choices=[mode.value for mode in Mode],
        help="extract: only a head learns; fine-tune: the end of the backbone too (default: extract)",
    )  # fmt: skip
    parser.add_argument(
        "--unfreeze", metavar="N|all", type=_unfreeze,
        help=f"when fine-tuning: how many of the last blocks learn (default: {_DEFAULTS.unfreeze})",
    )  # fmt: skip
    for row in HYPER_PARAMETERS:
        _add_number(parser, row)
    parser.add_argument("--optimizer", choices=[one.value for one in Optimizer], help=_choice_help("optimizer"))
    augmentation_options.define(parser)
    parser.add_argument("--output", choices=[one.value for one in Output], help=_choice_help("output"))
    parser.add_argument("--train-batch-norm", action=BooleanOptionalAction, help=_choice_help("train_batch_norm"))


def plan_from(args: Namespace) -> Plan:
    """Return the plan: the file's if one was given, with everything overridden that stands beside it."""
    base = Plan.load(args.plan) if args.plan else None
    given = {**photo_options.values(args, base), **augmentation_options.values(args, base), **_given(args)}
    if not base:
        base = Plan(photos=given["photos"])
    if "mode" in given and given["mode"] is not base.mode:
        base = base.with_mode(given["mode"])
    if given.get("backbone", base.backbone) != base.backbone:
        base = replace(base, features="")  # an endpoint is one backbone's own
    return replace(base, **given).absolute()


def without_effect(args: Namespace, plan: Plan) -> list[tuple[str, str]]:
    """Return options that were given although they mean nothing to the plan, each with the reason, as a clause."""
    found: list[tuple[str, str]] = []
    if plan.mode is Mode.EXTRACT:
        only = {row.name for row in (*HYPER_PARAMETERS, *PLAN_CHOICES) if row.fine_tune_only} | {"unfreeze"}
        given = [name for name in vars(args) if name in only and getattr(args, name) is not None]
        found += [(f"--{name.replace('_', '-')}", f"with --mode {Mode.EXTRACT}") for name in given]
    if plan.augmentation.is_none and getattr(args, "views", None) is not None:
        found.append(("--views", "without a change to vary photos by, such as --augment photos"))
    return found


def _given(args: Namespace) -> dict[str, Any]:
    names = ["backbone", "features", "unfreeze", "train_batch_norm", *(row.name for row in HYPER_PARAMETERS)]
    values = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if "backbone" in values:
        values["backbone"] = resolved(values["backbone"])
    if args.mode:
        values["mode"] = Mode(args.mode)
    if args.optimizer:
        values["optimizer"] = Optimizer(args.optimizer)
    if args.output:
        values["output"] = Output(args.output)
    return values


def number_help(row: HyperParameter, default: str = "") -> str:
    """Return what a number does, its default in words unless it is given, and why that is what it is."""
    return f"{row.help} (default: {default or _default_of(row)}) {row.reason}".replace("%", "%%")


def _default_of(row: HyperParameter) -> str:
    """Return a default and what 0 stands for, so that nobody has to guess how to ask for it."""
    value = getattr(_DEFAULTS, row.name)
    text = number_text(row, value)
    if not row.zero:
        return text
    return f"{text}; 0 is {row.zero}" if value else f"{text}, which is 0"


def _choice_help(name: str) -> str:
    row = next(row for row in PLAN_CHOICES if row.name == name)
    return f"{row.help} (default: {row.word(getattr(_DEFAULTS, name))}) {row.reason}".replace("%", "%%")


def _add_number(parser: Parser, row: HyperParameter) -> None:
    by_mode = ", ".join(f"{count} for {mode}" for mode, count in DEFAULT_EPOCHS.items())
    parser.add_argument(
        row.option,
        metavar="N" if row.whole else "X",
        type=whole_number if row.whole else number,
        help=number_help(row, by_mode if row.name == "epochs" else ""),
    )


def _unfreeze(text: str) -> Unfreeze:
    return "all" if text.casefold() == "all" else whole_number(text)
