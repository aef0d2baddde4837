"""Where a backbone lies that somebody names, and how one comes here that is not here yet."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path

from hubstudio.core.backbones import BackboneInfo, bundled_folder
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import Report
from hubstudio.core.handles import Handle, HandleKind, nearest_name, parse_handle
from hubstudio.core.module_cache import CachedModule, ModuleState, look_up
from hubstudio.hub.fetch import bring, fetch, import_archive
from hubstudio.ml import buckets
from hubstudio.ml.module_checking import check_in_child

_HOW_TO_GET = "Fetch it with 'hubstudio backbones get {}', or with Download on the Backbone page."


def find_folder(text: str) -> tuple[str, Path]:
    """Return the canonical handle and the folder of a backbone that is on this computer; no request is made.

    Raises ``BackboneError`` with the way to get a module that is not here, or not whole. That of an archive is here
    once it was fetched, by the handle that fetching gives it.
    """
    handle = parse_handle(text)
    if handle.kind is HandleKind.BUNDLED:
        folder = bundled_folder(handle.text)
        assert folder is not None
        return handle.text, folder
    if handle.kind is HandleKind.FOLDER:
        return handle.text, Path(handle.text)
    if handle.kind is HandleKind.ARCHIVE:
        what = f"'{handle.text}' is an archive that has to be unpacked first."
        raise BackboneError(what, next_step=_HOW_TO_GET.format(shlex.quote(handle.text)))
    module = look_up(handle.text)
    if not module.is_ready:
        raise _not_here(module)
    return handle.text, module.folder


def fetch_module(text: str, report: Report, cancel: CancelToken) -> BackboneInfo:
    """Bring a module here, checked in a process of its own, whole or not at all; one that is here is only checked.

    Raises ``StudioError`` or ``Cancelled``.
    """
    handle = parse_handle(text)

    def check(known_as: str, folder: Path) -> BackboneInfo:
        return check_in_child(known_as, folder, cancel)

    if handle.kind is HandleKind.ARCHIVE:
        return import_archive(Path(handle.text), check, report, cancel)
    if handle.kind is HandleKind.BUCKET:
        copy = partial(buckets.copy, handle.text, report=report, cancel=cancel)
        return bring(handle.text, copy, check, report, cancel)
    if not handle.is_fetched:
        return check(*find_folder(text))
    before = look_up(handle.text)
    try:
        return fetch(handle.text, check, report, cancel)
    except BackboneError as error:
        if before.state is ModuleState.BROKEN and not look_up(handle.text).is_ready:
            raise _not_mended(before, error) from error
        raise


def is_here(handle: Handle) -> bool:
    """Whether it can be loaded as it is: nothing has to be asked for or unpacked."""
    return handle.kind is not HandleKind.ARCHIVE and (not handle.is_fetched or look_up(handle.text).is_ready)


def _not_mended(module: CachedModule, error: BackboneError) -> BackboneError:
    """Return the error for a damaged module that could not be fetched anew: the damage is what the person has."""
    return BackboneError(
        f"'{module.handle}' on this computer is damaged, and could not be fetched anew.",
        found=" ".join(filter(None, (f"In '{module.folder}': {module.why}.", error.what, error.found))),
        next_step=error.next_step,
    )


def _not_here(module: CachedModule) -> BackboneError:
    step = _HOW_TO_GET.format(module.handle)
    if module.state is ModuleState.BROKEN:
        what = f"'{module.handle}' on this computer is damaged."
        return BackboneError(what, found=f"In '{module.folder}': {module.why}.", next_step=f"{step} That mends it.")
    what = f"'{module.handle}' is not on this computer yet."
    is_begun = module.state is ModuleState.PARTIAL
    found = f"{module.bytes / 1e6:.1f} MB of it have come." if is_begun else nearest_name(module.handle)
    return BackboneError(what, found=found, next_step=step)
