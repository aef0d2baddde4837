"""``hubstudio backbones``: which come with the program, and what is inside any other."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hubstudio.cli.arguments import Parser
from hubstudio.cli.console import table
from hubstudio.cli.context import Context
from hubstudio.core import path_kinds
from hubstudio.core.backbones import BackboneInfo, bundled_folder, bundled_names, display_name

HELP = "list the bundled backbones, or look inside one"


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", nargs="?", choices=("probe",), help="look inside the backbone named next")
    parser.add_argument("backbone", nargs="?", metavar="NAME|HANDLE|FOLDER", help="the backbone to look into")
    parser.set_defaults(parser=parser)


def run(args: Namespace, context: Context) -> int:
    """Print the list, or what the probe found."""
    if not args.action:
        return _list(context)
    if not args.backbone:
        args.parser.error("'probe' needs a bundled name, a hub handle or a module folder")
    info = context.engine().probe(resolved(args.backbone))
    context.console.result(_document(info), _lines(info))
    return 0


def resolved(backbone: str) -> str:
    """Return a backbone as a plan holds it: a folder by its absolute path, names and handles as they are."""
    if "://" in backbone or bundled_folder(backbone):
        return backbone
    folder = path_kinds.absolute(Path(backbone))
    return str(folder) if path_kinds.exists(folder) else backbone


def _list(context: Context) -> int:
    known = [
        {"name": name, "title": display_name(name), "folder": str(bundled_folder(name))} for name in bundled_names()
    ]
    rows = [("name", "folder"), *((entry["name"], entry["folder"]) for entry in known)]
    more = "Any image feature-vector module of TF Hub works too: give its handle, or the folder it is unpacked in."
    context.console.result({"backbones": known}, [*table(rows), "", more])
    return 0


def _document(info: BackboneInfo) -> dict[str, Any]:
    return {**asdict(info), "folder": str(info.folder), "format": info.format.value}


def _lines(info: BackboneInfo) -> list[str]:
    rows = [
        (info.name, info.handle),
        ("format", info.format.value),
        ("photos", info.size_text),
        ("features", f"{info.features:,}"),
        ("parameters", f"{info.parameters:,}"),
        ("size", f"{info.bytes / 1e6:.1f} MB"),
        ("fine-tune", f"yes, {len(info.blocks)} blocks" if info.trainable else "no, it can only be extracted from"),
    ]
    blocks = [("block", "variables", "parameters")]
    blocks += [(block.name, f"{block.variables:,}", f"{block.parameters:,}") for block in info.blocks]
    return [*table(rows), *(["", *table(blocks)] if info.blocks else [])]
