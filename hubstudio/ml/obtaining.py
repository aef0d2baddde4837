"""A backbone for training: the one that is here, or brought here first."""

from __future__ import annotations

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import DamagedModuleError
from hubstudio.core.events import Report
from hubstudio.core.handles import parse_handle
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.module_folders import fetch_module, is_here


def obtain(text: str, features: str, report: Report, cancel: CancelToken) -> HubModule:
    """Load a backbone; one that is not here is fetched before, and one that turns out damaged is mended once.

    Raises ``StudioError`` or ``Cancelled``.
    """
    handle = parse_handle(text)
    try:
        if is_here(handle):
            return load_module(text, features)
    except DamagedModuleError:
        if not handle.is_fetched:
            raise
    fetch_module(text, report, cancel)
    return load_module(text, features)
