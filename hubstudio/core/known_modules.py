"""Modules as people know them: a row of the catalogue is one module, however its copy on this computer is addressed.

Both faces ask here, so that list, cards and plans agree on what is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hubstudio.core import module_places, path_kinds
from hubstudio.core.catalogue import Catalogue, CatalogueRow, load_catalogue_safely
from hubstudio.core.handles import HandleKind, parse_handle
from hubstudio.core.module_cache import CachedModule, ModuleState, best_of, cached_modules, folder_bytes, look_up
from hubstudio.core.saved_model_files import damage


@dataclass(frozen=True)
class KnownModule:
    """One module, with what the catalogue says of it."""

    module: CachedModule
    row: CatalogueRow | None = None


def best(row: CatalogueRow) -> CachedModule:
    """Return what is here of a row: by its handle or, as another copy of the same module, by its Kaggle address."""
    return best_of([_found(handle) for handle in (row.handle, row.kaggle_address) if handle])


def _found(handle: str) -> CachedModule:
    """Return what is here of an address or archive, or in the folder that a row of one's own may name instead."""
    folder = Path(handle)
    if "://" in handle or module_places.is_imported(handle) or path_kinds.is_file(folder):
        return look_up(handle)
    why = damage(folder) if path_kinds.is_folder(folder) else "there is no such folder"
    state = ModuleState.BROKEN if why else ModuleState.READY
    return CachedModule(handle, folder, state, folder_bytes(folder), why)


def all_here(catalogue: Catalogue) -> list[KnownModule]:
    """Return the best copy of every row, here or not, and behind them all other modules that are here."""
    known = [KnownModule(best(row), row) for row in catalogue.rows]
    folders = {one.module.folder for one in known}
    return [*known, *(KnownModule(module) for module in cached_modules() if module.folder not in folders)]


def resolved(backbone: str, catalogue: Catalogue | None = None) -> str:
    """Return a backbone as a plan holds it: by the handle under which it is on this computer, if it is.

    That may be its Kaggle copy, or an imported one called by its name. Without ``catalogue``, the bundled one and the
    person's own are looked through. Raises ``BackboneError``, with the nearest name if it was mistyped.
    """
    imported = module_places.imported_folder() / backbone
    if "/" not in backbone and backbone not in ("", ".", "..") and path_kinds.is_folder(imported):
        return str(imported)
    known = load_catalogue_safely()[0] if catalogue is None else catalogue
    handle = parse_handle(backbone, known)
    row = known.at(handle.text) if handle.kind is HandleKind.HUB else None
    return best(row).handle if row else handle.text
