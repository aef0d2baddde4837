"""``hubstudio export RUN --format FORMAT[,FORMAT] --out DIR``: the trained model in the formats people use."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context, Reporter
from hubstudio.core import path_kinds
from hubstudio.core.engine import EXPORT_FORMATS, ExportedFile, require_formats
from hubstudio.core.run_folder import RunFolder

HELP = "write the trained model for use elsewhere"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    formats = "; ".join(f"{name}: {what}" for name, what in EXPORT_FORMATS.items())
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a run folder that 'train' wrote")
    parser.add_argument(
        "--format", required=True, metavar="FORMAT[,FORMAT]", help=f"one or several, with commas between ({formats})"
    )
    parser.add_argument("--out", required=True, metavar="DIR", type=Path, help="folder for the exported files")


def run(args: Namespace, context: Context) -> int:
    """Export, each file checked against the run's own answers, and print what was written."""
    formats = require_formats(args.format.split(","))
    folder = RunFolder.open(args.run_folder)
    out = path_kinds.absolute(args.out)
    files = context.engine().export(folder.path, formats, out, Reporter(context.console), context.cancel)
    context.console.result(document(files), lines(files))
    return 0


def document(files: Sequence[ExportedFile]) -> dict[str, Any]:
    """Return the files as plain values for JSON."""
    entries = [
        {
            "format": file.format,
            "path": str(file.path),
            "bytes": file.bytes,
            "checked_photos": file.checked_photos,
            "largest_difference": file.largest_difference,
        }
        for file in files
    ]
    return {"files": entries}


def lines(files: Sequence[ExportedFile]) -> list[str]:
    """Return the files as a table."""
    rows = [("format", "size", "checked on", "differs by", "file")]
    for file in files:
        checked, size = f"{file.checked_photos} photos", f"{file.bytes / 1e6:.1f} MB"
        rows.append((file.format, size, checked, f"{file.largest_difference:.1e}", str(file.path)))
    return table(rows)
