"""Whether a module may be loaded: known by its origin, clean by its graphs, or trusted by the person."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from hubstudio.core import trusted_modules
from hubstudio.core.backbones import bundled_folder, display_name
from hubstudio.core.catalogue import bundled_catalogue
from hubstudio.core.errors import BackboneError, UnsafeModuleError
from hubstudio.ml.module_scan import Finding, scan

_MOST_NAMED = 8


def require_safe(handle: str, folder: Path, definition: Any) -> None:
    """Raise ``UnsafeModuleError`` if the graphs reach beyond numbers, unless origin or person speak for the module.

    A run's model file carries its module along, and may be handed on without the handle that it came by: so what is
    not clean but vouched for by its origin is remembered as trusted.
    """
    findings = scan(definition, folder)
    if not findings or trusted_modules.is_trusted(digest := trusted_modules.module_digest(folder)):
        return
    if not _of_known_origin(handle, folder):
        raise _refusal(handle, findings)
    trust(handle, digest)


def trust(handle: str, digest: str) -> None:
    """Remember the module of this digest as one that may be used. Raises ``BackboneError`` if that cannot be kept."""
    try:
        trusted_modules.remember(digest, handle)
    except OSError as error:
        raise BackboneError(
            f"It could not be kept that '{display_name(handle)}' is trusted.",
            found=f"{error.strerror or error}.",
            next_step="Free some space, or check that the program's own folder can be written to.",
        ) from error


def _of_known_origin(handle: str, folder: Path) -> bool:
    """Whether it is a bundled module, or was fetched under exactly the handle of a row of the bundled catalogue."""
    if bundled_folder(handle) == folder:
        return True
    return "://" in handle and any(handle in (row.handle, row.kaggle_address) for row in bundled_catalogue().rows)


def _refusal(handle: str, findings: tuple[Finding, ...]) -> UnsafeModuleError:
    operations = tuple(dict.fromkeys(map(str, findings)))
    named = ", ".join(operations[:_MOST_NAMED])
    more = f" and {len(operations) - _MOST_NAMED} more" if len(operations) > _MOST_NAMED else ""
    return UnsafeModuleError(
        f"'{display_name(handle)}' could do more than look at photos, so it was not loaded.",
        operations=operations,
        found=f"Its graphs hold operations that no module for photos needs: {named}{more}.",
        next_step=(
            f"Use another module. If you know who made it and trust them: {trust_command(handle)}, "
            "or 'Use it anyway' in the window."
        ),
    )


def trust_command(name: str) -> str:
    """Return what to type to have a module used anyway."""
    return f"'hubstudio backbones trust {shlex.quote(name)}'"
