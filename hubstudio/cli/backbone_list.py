"""The backbones to choose from: bundled ones, those of the catalogue, and what else is on this computer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubstudio.core.backbones import bundled_folder, bundled_names, display_name
from hubstudio.core.catalogue import Catalogue, CatalogueRow, load_catalogue_safely
from hubstudio.core.errors import BackboneError
from hubstudio.core.known_modules import KnownModule, all_here
from hubstudio.core.module_cache import ModuleState, folder_bytes

_BUNDLED = "bundled"


@dataclass(frozen=True)
class Listed:
    """One line of the list."""

    name: str
    """For typing."""
    title: str
    handle: str
    state: str
    folder: str
    bytes: int
    """On this computer."""
    why: str = ""
    row: CatalogueRow | None = None

    def document(self) -> dict[str, Any]:
        """Return it as plain values for JSON; what nobody published is null, or empty."""
        row = self.row
        return {
            "name": self.name,
            "title": self.title,
            "handle": self.handle,
            "kaggle": row.kaggle if row else "",
            "state": self.state,
            "folder": self.folder,
            "bytes": self.bytes,
            "why": self.why,
            "download_bytes": row.download_bytes if row else None,
            "input_size": row.input_size if row else None,
            "features": row.features if row else None,
            "parameters": row.parameters if row else None,
            "imagenet_top1": row.imagenet_top1 if row else None,
            "photo_sets": dict(row.photo_sets) if row else {},
        }

    def cells(self) -> tuple[str, ...]:
        """Return it as cells of a table; a dash where nothing is known."""
        row = self.row
        return (
            self.name,
            self._state(),
            _megabytes(self.bytes or (row.download_bytes if row else None)),
            f"{row.input_size}" if row and row.input_size else "–",
            f"{row.features:,}" if row and row.features else "–",
            f"{row.imagenet_top1:.1f}" if row and row.imagenet_top1 else "–",
            (row.photo_sets_text if row else "") or "–",
        )

    def damage(self) -> str:
        """Return what is wrong with a broken one, as a sentence; empty for others."""
        if self.state != ModuleState.BROKEN:
            return ""
        return f"'{self.name}' is broken: {self.why}. 'hubstudio backbones get {self.name}' mends it."

    def _state(self) -> str:
        return {ModuleState.ABSENT.value: "to download", ModuleState.PARTIAL.value: "partly here"}.get(
            self.state, self.state
        )


HEADINGS = ("name", "state", "MB", "px", "features", "top-1 %", "sets %")


def listed() -> tuple[list[Listed], BackboneError | None]:
    """Return all lines, and what is wrong with the person's own catalogue if something is."""
    catalogue, problem = load_catalogue_safely()
    return [*_bundled(catalogue), *map(_line, all_here(catalogue))], problem


def _bundled(catalogue: Catalogue) -> Iterator[Listed]:
    for name in bundled_names():
        folder = bundled_folder(name)
        assert folder is not None
        row = catalogue.at(name)
        title = row.name if row else display_name(name)
        yield Listed(name, title, name, _BUNDLED, str(folder), folder_bytes(folder), row=row)


def _line(known: KnownModule) -> Listed:
    module, row = known.module, known.row
    name = row.id if row else module.handle if "://" in module.handle else module.folder.name
    title = row.name if row else display_name(module.handle)
    return Listed(name, title, module.handle, module.state.value, str(module.folder), module.bytes, module.why, row)


def _megabytes(count: int | None) -> str:
    return f"{count / 1e6:,.1f}" if count else "–"
