"""``hubstudio features``: what the features take that are kept between trainings, and emptying them."""

from __future__ import annotations

from argparse import Namespace

from hubstudio.cli.arguments import Parser
from hubstudio.cli.context import Context
from hubstudio.core.settings import load_settings

HELP = "show how much disk kept features take, or empty them"
_MORE = """\
What a backbone has found in a photo is kept, so that no other training has to compute it again. Beyond the limit,
'feature_limit_gb' in the settings, what was not used for longest goes.
"""


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.epilog = _MORE
    parser.add_argument("--empty", action="store_true", help="remove all kept features")


def run(args: Namespace, context: Context) -> int:
    """Print what the features take, after emptying them if that was asked for."""
    from hubstudio.core import feature_store  # it loads NumPy, which --help shall not wait for

    freed = feature_store.empty() if args.empty else 0
    used, limit = feature_store.used_bytes(), load_settings().feature_limit_bytes
    folder = feature_store.features_folder()
    document = {"bytes": used, "folder": str(folder), "limit_bytes": limit, "freed_bytes": freed}
    lines = [f"Removed all kept features: {freed / 1e6:.1f} MB are free again."] if args.empty else []
    lines.append(f"Kept features take {used / 1e6:.1f} MB of {limit / 1e9:.0f} GB, in {folder}")
    context.console.result(document, lines)
    return 0
