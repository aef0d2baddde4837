"""A backbone for training: the one that is here, or brought here first."""

from __future__ import annotations

from collections.abc import Callable

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import DamagedModuleError
from hubstudio.core.events import Report
from hubstudio.core.handles import parse_handle
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.module_folders import fetch_module, is_here


def obtain(
    text: str,
    features: str,
    report: Report,
    cancel: CancelToken,
    on_loading: Callable[[], None] = lambda: None,
) -> HubModule:
    """Load a backbone; one that is not here is fetched before, and one that turns out damaged is mended once.

    ``on_loading`` is called when all is here and only loading is left. Raises ``StudioError`` or ``Cancelled``.
    """
    handle = parse_handle(text)
    try:
        if is_here(handle):
            on_loading()
            return load_module(text, features)
    except DamagedModuleError:
        if not handle.is_fetched:
            raise
    known_as = fetch_module(text, report, cancel).handle
    on_loading()
    return load_module(known_as, features)
