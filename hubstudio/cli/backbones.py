"""``hubstudio backbones``: which there are, one brought here or removed, and what is inside any of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hubstudio.cli import backbone_list
from hubstudio.cli.arguments import Parser
from hubstudio.cli.bringing import unpacked
from hubstudio.cli.console import error_table, table
from hubstudio.cli.context import Context, Reporter
from hubstudio.core import module_cache, module_places
from hubstudio.core.backbones import BackboneInfo, Endpoint
from hubstudio.core.errors import BackboneError, UnsafeModuleError
from hubstudio.core.handles import Handle, HandleKind, parse_handle
from hubstudio.core.known_modules import resolved

HELP = "list backbones, fetch, remove or trust one, or look inside it"
_ACTIONS = """\
Without an action, all backbones are listed: bundled, of the catalogue, and what else is on this computer.
  get X     bring X here: a name of the list, an address of tfhub.dev or kaggle.com, or a .tar.gz; mends a broken one
  remove X  remove X from this computer's module cache
  probe X   look inside X, without training; --features NAME looks as far as that endpoint
  trust X   use X although its graphs touch files or run code; only if you know who made it

With HUBSTUDIO_OFFLINE=1, or 'offline = true' in the settings, no request is ever made.
Proxies: 'proxy' in the settings, else HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
Fetched modules are kept in TFHUB_CACHE_DIR if that is set, else in the program's own folder.
"""
_MORE = (
    "top-1 %: photos of ImageNet that the whole network names rightly, as published.",
    "sets %: photos of hand signs / clothes / produce that a logistic regression on its features names rightly.",
    "Any image feature-vector module of TF Hub works too: give its handle, a .tar.gz, or the folder it is unpacked in.",
)


def define(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.epilog = _ACTIONS
    parser.add_argument("action", nargs="?", choices=tuple(_DOING), help="what to do with the backbone named next")
    parser.add_argument("backbone", nargs="?", metavar="NAME|HANDLE|FOLDER|ARCHIVE", help="the backbone")
    parser.add_argument("--features", metavar="NAME", default="", help="with probe: the endpoint to use")
    parser.set_defaults(parser=parser)


def run(args: Namespace, context: Context) -> int:
    """Print the list, or do what was asked."""
    if args.features and args.action != "probe":
        args.parser.error("--features goes with 'probe'")
    if not args.action:
        return _list(context)
    if not args.backbone:
        args.parser.error(f"'{args.action}' needs a name, a hub handle, a module folder or a .tar.gz")
    return _DOING[args.action](args, context)


def _list(context: Context) -> int:
    lines, problem = backbone_list.listed()
    document: dict[str, Any] = {"backbones": [line.document() for line in lines]}
    if problem:  # the rest of the list is good: a badly written own catalogue is told, and costs only itself
        document["catalogue_error"] = error_table(problem)
        context.console.message(str(problem))
    rows = [backbone_list.HEADINGS, *(line.cells() for line in lines)]
    damage = [line.damage() for line in lines if line.damage()]
    context.console.result(document, [*table(rows), "", *damage, *_MORE])
    return 0


def _get(args: Namespace, context: Context) -> int:
    handle = parse_handle(args.backbone).text
    info = context.engine().fetch(handle, Reporter(context.console), context.cancel)
    context.console.result(_document(info), [f"'{info.name}' is here and ready: {info.folder}", "", *_lines(info)])
    return 0


def _remove(args: Namespace, context: Context) -> int:
    handle = _removable(args.backbone)
    freed = module_cache.remove(handle)
    context.console.result(
        {"handle": handle, "bytes": freed}, [f"Removed '{handle}': {freed / 1e6:.1f} MB are free again."]
    )
    return 0


def _probe(args: Namespace, context: Context) -> int:
    engine, backbone = context.engine(), resolved(args.backbone)
    info = engine.probe(unpacked(backbone, engine, context), args.features)
    context.console.result(_document(info), _lines(info))
    return 0


def _trust(args: Namespace, context: Context) -> int:
    engine, handle = context.engine(), resolved(args.backbone)
    try:
        handle = unpacked(handle, engine, context)
    except UnsafeModuleError as error:  # as was to be expected
        handle = error.handle or handle
    engine.trust(handle)
    context.console.result({"handle": handle, "trusted": True}, [f"'{handle}', as it is now, may be used from now on."])
    return 0


_DOING: dict[str, Callable[[Namespace, Context], int]] = {
    "get": _get,
    "remove": _remove,
    "probe": _probe,
    "trust": _trust,
}


def _removable(backbone: str) -> str:
    """Return the handle of a module that lies in the cache. Raises ``BackboneError`` for one that cannot."""
    if backbone in {module.handle for module in module_cache.cached_modules()}:
        return backbone  # exactly as another program spelled it
    text = resolved(backbone)
    handle = parse_handle(text) if "://" in text else Handle(text, HandleKind.FOLDER)
    if handle.is_fetched or module_places.is_imported(text):
        return text
    bundled = parse_handle(text).kind is HandleKind.BUNDLED
    raise BackboneError(
        f"'{backbone}' is not in the module cache.",
        found="It comes with the program." if bundled else "It is a folder or a file of your own.",
        next_step="'hubstudio backbones' lists what can be removed."
        if bundled
        else "Delete it yourself if you want to.",
    )


def _document(info: BackboneInfo) -> dict[str, Any]:
    endpoints = [{**asdict(endpoint), "features": endpoint.features} for endpoint in info.endpoints]
    return {**asdict(info), "folder": str(info.folder), "format": info.format.value, "endpoints": endpoints}


def _lines(info: BackboneInfo) -> list[str]:
    rows = [
        (info.name, info.handle),
        ("format", info.format.value),
        ("producer", f"TensorFlow {info.producer}" if info.producer else "unknown"),
        ("photos", _photos(info)),
        ("pixel values", info.value_range or "unknown"),
        ("features", f"{info.features:,}" + (f" of the endpoint {info.features_name}" if info.features_name else "")),
        ("parameters", f"{info.parameters:,}"),
        ("size", f"{info.bytes / 1e6:.1f} MB"),
        ("fine-tune", f"yes, {len(info.blocks)} blocks" if info.trainable else "no, it can only be extracted from"),
    ]
    blocks = [("block", "variables", "parameters")]
    blocks += [(block.name, f"{block.variables:,}", f"{block.parameters:,}") for block in info.blocks]
    endpoints = [("endpoint", "shape", "features")]
    endpoints += [(endpoint.name, _shape(endpoint), f"{endpoint.features:,}") for endpoint in info.endpoints]
    return [
        *table(rows),
        *(["", *table(blocks)] if info.blocks else []),
        *(["", *table(endpoints)] if info.endpoints else []),
    ]


def _photos(info: BackboneInfo) -> str:
    is_chosen = info.default_size and info.default_size != info.input_size
    return f"{info.size_text}, {info.default_size} px unless told otherwise" if is_chosen else info.size_text


def _shape(endpoint: Endpoint) -> str:
    return " × ".join("any" if side is None else f"{side}" for side in endpoint.shape)
