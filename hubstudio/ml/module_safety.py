"""Whether a module may be loaded: clean by its graphs, or trusted by the person.

Where it came from counts for nothing. The look takes milliseconds, and other programs write into the same cache: a
folder there, with whatever notes lie beside it, does not prove who made it.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from hubstudio.core import trusted_modules
from hubstudio.core.backbones import display_name
from hubstudio.core.errors import BackboneError, UnsafeModuleError
from hubstudio.ml.module_scan import Finding, scan

_MOST_NAMED = 8


def require_safe(handle: str, folder: Path, definition: Any) -> None:
    """Raise ``UnsafeModuleError`` if the graphs reach beyond numbers, unless the person trusts exactly this module."""
    findings = scan(definition, folder)
    if findings and not trusted_modules.is_trusted(trusted_modules.module_digest(folder)):
        raise _refusal(handle, findings)


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


def _refusal(handle: str, findings: tuple[Finding, ...]) -> UnsafeModuleError:
    operations = tuple(dict.fromkeys(map(str, findings)))
    named = ", ".join(operations[:_MOST_NAMED])
    more = f" and {len(operations) - _MOST_NAMED} more" if len(operations) > _MOST_NAMED else ""
    return UnsafeModuleError(
        f"'{display_name(handle)}' could do more than look at photos, so it was not loaded.",
        operations=operations,
        handle=handle,
        found=f"Its graphs hold operations that no module for photos needs: {named}{more}.",
        next_step=(
            f"Use another module. If you know who made it and trust them: {trust_command(handle)}, "
            "or 'Use it anyway' in the window."
        ),
    )


def trust_command(name: str) -> str:
    """Return what to type to have a module used anyway."""
    return f"'hubstudio backbones trust {shlex.quote(name)}'"
