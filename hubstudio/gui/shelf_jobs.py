"""What the shelf's lane does: looks on the disk which backbones are here, reads what people call them, removes some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubstudio.core import (
    feature_store,
    known_modules,
    module_cache,
    module_places,
    path_kinds,
    paths,
    speeds,
    whole_files,
)
from hubstudio.core.backbones import BackboneInfo, bundled_folder, bundled_names, display_name
from hubstudio.core.catalogue import Catalogue, CatalogueRow, load_catalogue_safely
from hubstudio.core.errors import BackboneError
from hubstudio.core.handles import Handle, HandleKind, parse_handle
from hubstudio.core.known_modules import KnownModule
from hubstudio.core.module_cache import CachedModule, ModuleState
from hubstudio.gui.names_apart import with_names_apart
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
    rows = [look_at(name, catalogue) for name in bundled_names()]
    rows += [_known_row(known, catalogue) for known in known_modules.all_here(catalogue)]
    listed = Shelf(tuple(rows))
    more = dict.fromkeys(text for text in (*own_backbones(), *named) if text and listed.find(text) is None)
    rows += [look_at(text, catalogue) for text in more]
    seen = SeenBackbones()
    return Shelf(with_names_apart([_with_seen(row, seen) for row in rows]), problem)


def understand(text: str) -> ShelfRow:
    """Return the backbone that a person means. Raises ``BackboneError``, with the nearest name."""
    catalogue, _ = load_catalogue_safely()
    handle = parse_handle(known_modules.resolved(text, catalogue), catalogue)
    if handle.kind is HandleKind.FOLDER:
        _remember_own(handle.text)
    return _row_of(handle, catalogue)


def look_at(text: str, catalogue: Catalogue) -> ShelfRow:
    """Return what is known of a handle, also of one that nobody can read."""
    try:
        return _row_of(parse_handle(text, catalogue), catalogue)
    except BackboneError as error:
        return ShelfRow(text, Presence.GONE, why=str(error), title=display_name(text))


def copy_here(handle: str) -> str:
    """Return the handle under which a module is here: that of its Kaggle copy, if it is that one."""
    return known_modules.resolved(handle) if "://" in handle else handle


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


@dataclass(frozen=True)
class FeatureCount:
    """How much disk the features take that are kept between trainings."""

    bytes: int
    freed: int | None = None
    """What emptying them has freed; None if they were only counted."""


def count_features() -> FeatureCount:
    """Count what the kept features take."""
    return FeatureCount(feature_store.used_bytes())


def empty_features() -> FeatureCount:
    """Remove all kept features."""
    freed = feature_store.empty()
    return FeatureCount(feature_store.used_bytes(), freed)


def keep_seen(info: BackboneInfo) -> None:
    """Keep what a look inside has shown."""
    SeenBackbones().keep(info)


def keep_refusal(handle: str, why: str) -> None:
    """Keep why a module that is here is of no use."""
    folder = _folder_of(handle)
    if path_kinds.is_folder(folder):  # else nothing of it was seen: there was no way to it
        SeenBackbones().keep_refusal(handle, folder, why)


def own_backbones() -> tuple[str, ...]:
    """Return the folders that a person has added, the last one first."""
    try:
        return tuple(line for line in _own_lines() if path_kinds.is_folder(Path(line)))
    except (OSError, ValueError):
        return ()


def forget_own(handle: str) -> None:
    """Take a folder from the list; the folder stays."""
    _change_own(lambda lines: [line for line in lines if line != handle])


def _row_of(handle: Handle, catalogue: Catalogue) -> ShelfRow:
    row, title = catalogue.at(handle.text), display_name(handle.text)
    if handle.kind is HandleKind.BUNDLED:
        folder = bundled_folder(handle.text)
        size = module_cache.folder_bytes(folder) if folder else 0
        return ShelfRow(handle.text, Presence.BUNDLED, row, size, title=title)
    if handle.kind is HandleKind.ARCHIVE:  # fetching takes the module out of it
        return ShelfRow(handle.text, Presence.ABSENT, row, title=title)
    if handle.kind is HandleKind.FOLDER and not _is_imported(handle):
        size = module_cache.folder_bytes(Path(handle.text))
        return ShelfRow(handle.text, Presence.HERE, row, size, title=title)
    return _module_row(module_cache.look_up(handle.text), row)


def _known_row(known: KnownModule, catalogue: Catalogue) -> ShelfRow:
    """Return a row of the catalogue, in which a person may have named folders too, or a module beside it."""
    if known.row and "://" not in known.row.handle and known.module.state is ModuleState.ABSENT:
        return replace(look_at(known.row.handle, catalogue), row=known.row)
    return _module_row(known.module, known.row)


def _module_row(module: CachedModule, row: CatalogueRow | None) -> ShelfRow:
    return ShelfRow(
        module.handle,
        _PRESENCE[module.state],
        row,
        module.bytes,
        module.why,
        is_removable=module.state is not ModuleState.ABSENT and module.is_ours,
        title="" if row else display_name(module.handle),
    )


def _with_seen(row: ShelfRow, seen: SeenBackbones) -> ShelfRow:
    """Add what is known of it from earlier."""
    if not row.presence.is_usable:
        return row
    if why := seen.refusal(row.handle, _folder_of(row.handle)):
        return replace(row, presence=Presence.REFUSED, why=why)
    info = seen.find(row.handle)
    if info is None:
        return row
    return replace(row, info=info, speed=speeds.kept(info.folder, "", info.input_size or info.default_size))


def _folder_of(handle: str) -> Path:
    return module_cache.look_up(handle).folder if "://" in handle else Path(handle)


def _is_imported(handle: Handle) -> bool:
    return module_places.is_imported(handle.text)


def _remember_own(handle: str) -> None:
    _change_own(lambda lines: [handle, *(line for line in lines if line != handle)][:_MOST_OWN])


def _change_own(change: Callable[[list[str]], list[str]]) -> None:
    """Write the list anew, with the folders that are not there now: their drive may be back later."""
    try:
        whole_files.write_text(_own_file(), "".join(f"{line}\n" for line in change(_own_lines())))
    except (OSError, ValueError):  # it is only a convenience, and what cannot be read is not overwritten
        return


def _own_lines() -> list[str]:
    try:
        return [line for line in _own_file().read_text("utf-8").splitlines() if line]
    except FileNotFoundError:
        return []


def _own_file() -> Path:
    return paths.home() / "own_backbones.txt"
