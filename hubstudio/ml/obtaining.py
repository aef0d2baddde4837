"""A backbone for training: the one that is here, or brought here first."""

from __future__ import annotations

from collections.abc import Callable

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import DamagedModuleError
from hubstudio.core.events import Report
from hubstudio.core.handles import parse_handle
from hubstudio.ml.feature_module import FeatureModule
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.known_modules import find_known
from hubstudio.ml.module_folders import fetch_module, find_folder, is_here


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


def obtain_frozen(
    text: str,
    features: str,
    report: Report,
    cancel: CancelToken,
    on_loading: Callable[[], None] = lambda: None,
) -> FeatureModule:
    """Return a backbone that stays as it is: without loading it, where a training has understood these files before.

    Else as ``obtain`` does.
    """
    if is_here(parse_handle(text)):
        handle, folder = find_folder(text)
        if known := find_known(handle, folder, features.strip(), lambda: load_module(text, features)):
            on_loading()
            return known
    return obtain(text, features, report, cancel, on_loading)
