"""What the shelf's lane does: looks on the disk which backbones are here, reads what people call them, removes some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubstudio.core import module_cache, module_places, path_kinds, paths, speeds, whole_files
from hubstudio.core.backbones import BackboneInfo, bundled_folder, bundled_names
from hubstudio.core.catalogue import Catalogue, load_catalogue_safely
from hubstudio.core.errors import BackboneError
from hubstudio.core.handles import Handle, HandleKind, parse_handle
from hubstudio.core.module_cache import ModuleState
from hubstudio.gui.seen_backbones import SeenBackbones
from hubstudio.gui.shelf import Presence, Shelf, ShelfRow

_PRESENCE = {
    ModuleState.ABSENT: Presence.ABSENT,
    ModuleState.PARTIAL: Presence.PARTIAL,
    ModuleState.READY: Presence.READY,
    ModuleState.BROKEN: Presence.BROKEN,
}
_MOST_OWN = 50


@dataclass(frozen=True)
class ModuleCount:
    """What the cache of fetched modules holds."""

    folder: Path
    modules: int
    bytes: int


def read_shelf(named: Sequence[str]) -> Shelf:
    """Return all backbones: bundled, of the catalogue, of the cache, a person's own, and those ``named``."""
    catalogue, problem = load_catalogue_safely()
    handles = dict.fromkeys(bundled_names())
    handles |= dict.fromkeys(row.handle for row in catalogue.rows)
    handles |= dict.fromkeys(module.handle for module in module_cache.cached_modules() if module.handle)
    handles |= dict.fromkeys((*own_backbones(), *(name for name in named if name)))
    seen = SeenBackbones()
    return Shelf(tuple(_with_seen(look_at(handle, catalogue), seen) for handle in handles), problem)


def understand(text: str) -> ShelfRow:
    """Return the backbone that a person means. Raises ``BackboneError``, with the nearest name."""
    catalogue, _ = load_catalogue_safely()
    handle = parse_handle(text, catalogue)
    if handle.kind is HandleKind.FOLDER:
        _remember_own(handle.text)
    return _row_of(handle, catalogue)


def look_at(text: str, catalogue: Catalogue) -> ShelfRow:
    """Return what is known of a handle, also of one that nobody can read."""
    try:
        return _row_of(parse_handle(text, catalogue), catalogue)
    except BackboneError as error:
        return ShelfRow(text, Presence.GONE, why=str(error))


@dataclass(frozen=True)
class Removed:
    """A module that went, and what that freed."""

    handle: str
    bytes: int


def remove(handle: str) -> Removed:
    """Remove a module from the cache. Raises ``BackboneError`` if that cannot be."""
    return Removed(handle, module_cache.remove(handle))


def count_modules() -> ModuleCount:
    """Count what lies in our cache; what other programs keep elsewhere is theirs."""
    own = [module for module in module_cache.cached_modules() if module.is_ours]
    return ModuleCount(module_places.cache_folder(), len(own), sum(module.bytes for module in own))


def keep_seen(info: BackboneInfo) -> None:
    """Keep what a look inside has shown."""
    SeenBackbones().keep(info)


def own_backbones() -> tuple[str, ...]:
    """Return the folders that a person has added, the last one first."""
    try:
        lines = _own_file().read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return ()
    return tuple(line for line in lines if line and path_kinds.is_folder(Path(line)))


def forget_own(handle: str) -> None:
    """Take a folder from the list; the folder stays."""
    _write_own([line for line in own_backbones() if line != handle])


def _row_of(handle: Handle, catalogue: Catalogue) -> ShelfRow:
    row = next((row for row in catalogue.rows if row.handle == handle.text), None)
    if handle.kind is HandleKind.BUNDLED:
        folder = bundled_folder(handle.text)
        return ShelfRow(handle.text, Presence.BUNDLED, row, module_cache.folder_bytes(folder) if folder else 0)
    if handle.kind is HandleKind.ARCHIVE:  # fetching takes the module out of it
        return ShelfRow(handle.text, Presence.ABSENT, row)
    if handle.kind is HandleKind.FOLDER and not _is_imported(handle):
        return ShelfRow(handle.text, Presence.HERE, row, module_cache.folder_bytes(Path(handle.text)))
    module = module_cache.look_up(handle.text)
    is_removable = module.state is not ModuleState.ABSENT and module.is_ours
    return ShelfRow(handle.text, _PRESENCE[module.state], row, module.bytes, module.why, is_removable)


def _with_seen(row: ShelfRow, seen: SeenBackbones) -> ShelfRow:
    """Add what is known of it from earlier."""
    info = seen.find(row.handle) if row.presence.is_usable else None
    if info is None:
        return row
    return replace(row, info=info, speed=speeds.kept(info.folder, "", info.input_size or info.default_size))


def _is_imported(handle: Handle) -> bool:
    return module_places.is_imported(handle.text)


def _remember_own(handle: str) -> None:
    _write_own([handle, *(line for line in own_backbones() if line != handle)][:_MOST_OWN])


def _write_own(lines: Sequence[str]) -> None:
    try:
        whole_files.write_text(_own_file(), "".join(f"{line}\n" for line in lines))
    except OSError:  # it is only a convenience
        return


def _own_file() -> Path:
    return paths.home() / "own_backbones.txt"
