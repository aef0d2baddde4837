"""Backbones brought to this computer before a command goes on with them; Ctrl+C is heard meanwhile."""

from __future__ import annotations

from hubstudio.cli.context import Context, Reporter
from hubstudio.core.engine import Engine
from hubstudio.core.handles import HandleKind, parse_handle
from hubstudio.core.module_cache import look_up


def unpacked(backbone: str, engine: Engine, context: Context) -> str:
    """Return a backbone by which it can be loaded: an archive's module is taken out, and called by its folder."""
    if parse_handle(backbone).kind is not HandleKind.ARCHIVE:
        return backbone
    return engine.fetch(backbone, Reporter(context.console), context.cancel).handle


def brought(backbone: str, engine: Engine, context: Context) -> str:
    """Do the same, and fetch what is not here. Raises ``BackboneError`` if that cannot be."""
    handle = parse_handle(backbone)
    if handle.is_fetched and not look_up(handle.text).is_ready:
        return engine.fetch(handle.text, Reporter(context.console), context.cancel).handle
    return unpacked(backbone, engine, context)
