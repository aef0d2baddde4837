"""``hubstudio compare PHOTOS``: which backbone is best for these photos."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from hubstudio.cli import photo_options, plan_options
from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context, Reporter
from hubstudio.core.backbones import bundled_names
from hubstudio.core.catalogue import load_catalogue_safely
from hubstudio.core.comparison import Contender
from hubstudio.core.errors import BackboneError
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.known_modules import all_here, resolved
from hubstudio.core.photo_listing import list_photos
from hubstudio.core.plan import Plan
from hubstudio.core.run_state import percent

HELP = "train a head on each of several backbones and compare them on your photos"

_HEAD_NUMBERS = tuple(
    row
    for row in HYPER_PARAMETERS
    if row.name in ("epochs", "batch_size", "learning_rate", "hidden_units", "dropout", "weight_decay", "seed")
)


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "photos", nargs="+", metavar="PHOTOS", help="folder of class folders, or a table; several count together"
    )
    parser.add_argument(
        "--backbones", metavar="A,B,C",
        help="bundled names, handles or module folders (default: all that are on this computer)",
    )  # fmt: skip
    photo_options.define(parser)
    photo_options.define_weights(parser)
    for row in _HEAD_NUMBERS:
        parser.add_argument(
            row.option, metavar="N" if row.whole else "X", type=int if row.whole else float,
            help=plan_options.number_help(row),
        )  # fmt: skip


def run(args: Namespace, context: Context) -> int:
    """Compare and print the table, best first; a mistake if not one of them could be used."""
    plan = _plan(args)
    backbones = _named(args.backbones) if args.backbones is not None else usable()
    list_photos(plan.selection, context.cancel).require_trainable()  # said at once, not after TensorFlow has loaded
    contenders = context.engine().compare(plan, backbones, Reporter(context.console), context.cancel)
    problem = _none_usable(contenders) if all(contender.error for contender in contenders) else None
    document = {"contenders": [contender.to_table() for contender in contenders]}
    return context.console.conclude(document, lines(contenders), problem)


def usable() -> list[str]:
    """Return the backbones that need not be fetched: the bundled ones and those in the caches."""
    here = all_here(load_catalogue_safely()[0])
    return [*bundled_names(), *(known.module.handle for known in here if known.module.is_ready)]


def lines(contenders: Sequence[Contender]) -> list[str]:
    """Return the table in words; what failed says why below it."""
    heads = ("backbone", "validation", "95 %", "photos/s", "size", "features", "seconds")
    rows = [heads, *(_row(contender) for contender in contenders)]
    failed = [f"{contender.name}: {contender.error}" for contender in contenders if contender.error]
    return [*table(rows), *(["", *failed] if failed else [])]


def _plan(args: Namespace) -> Plan:
    given = {row.name: getattr(args, row.name) for row in _HEAD_NUMBERS if getattr(args, row.name) is not None}
    return Plan(**photo_options.values(args, None), **given).absolute()


def _row(contender: Contender) -> tuple[str, ...]:
    if contender.error:
        return (contender.name, "failed", *["–"] * 5)
    low, high = contender.interval
    return (
        contender.name,
        percent(contender.accuracy),
        f"{low * 100:.1f}–{high * 100:.1f} %",
        f"{contender.photos_per_second:.0f}",
        f"{contender.bytes / 1e6:.1f} MB",
        f"{contender.features:,}",
        f"{contender.seconds:.1f}",
    )


def _named(text: str) -> list[str]:
    names = [resolved(name.strip()) for name in text.split(",") if name.strip()]
    if not names:
        raise BackboneError("No backbone was named.", next_step=f"Name some: {', '.join(bundled_names())}.")
    return names


def _none_usable(contenders: Sequence[Contender]) -> BackboneError:
    found = contenders[0].error if contenders else ""
    return BackboneError("No backbone could be compared.", found=found, next_step="Name others with --backbones.")
