"""The backbones to choose from, as values: what is known of each, which of them are shown, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hubstudio.core.backbones import BackboneInfo, display_name
from hubstudio.core.catalogue import CatalogueRow
from hubstudio.core.cost import Speed
from hubstudio.core.errors import BackboneError
from hubstudio.core.plan import DEFAULT_BACKBONE

RECOMMENDED_ROWS = ("mobilenet-v2-100-224", "mobilenet-v2-tf2-preview")
"""Rows of the catalogue to begin with, the same network: small, fast, and good on photos of things."""
SMALL_BYTES = 30_000_000
_BYTES_PER_PARAMETER = 4  # float32, which packing hardly shortens


class Presence(StrEnum):
    """Where a backbone is."""

    BUNDLED = "bundled"
    HERE = "here"
    """A folder of one's own."""
    READY = "ready"
    ABSENT = "absent"
    PARTIAL = "partial"
    BROKEN = "broken"
    REFUSED = "refused"
    """One that is here, but was found to be of no use."""
    GONE = "gone"
    """A folder or an archive that is not there any more."""

    @property
    def is_usable(self) -> bool:
        """Whether it can be used without fetching anything."""
        return self in (Presence.BUNDLED, Presence.HERE, Presence.READY)

    @property
    def is_fetchable(self) -> bool:
        """Whether a download brings it."""
        return self in (Presence.ABSENT, Presence.PARTIAL, Presence.BROKEN)


@dataclass(frozen=True)
class ShelfRow:
    """One backbone: what is published of it, and what of it is here."""

    handle: str
    """As a plan holds it; of a row of the catalogue, that of the copy which is here."""
    presence: Presence
    row: CatalogueRow | None = None
    bytes: int = 0
    """On disk; of one that is partly here, what is here."""
    why: str = ""
    """What is wrong with a broken or a refused one."""
    is_removable: bool = False
    """Whether it lies in our cache of fetched modules, from where it can be removed."""
    info: BackboneInfo | None = None
    """What an earlier look inside has shown."""
    speed: Speed | None = None
    """As measured on this computer, at the backbone's own size."""
    title: str = ""
    """Name for people of one that the catalogue does not have."""

    @property
    def name(self) -> str:
        """Name for people."""
        return self.row.name if self.row else self.title or self.handle

    @property
    def size(self) -> int | None:
        """Bytes on disk, or to download; None if nobody knows."""
        if self.presence.is_usable and self.bytes:
            return self.bytes
        if self.row is None or self.row.download_bytes:
            return self.row.download_bytes if self.row else None
        return self.row.parameters * _BYTES_PER_PARAMETER if self.row.parameters else None

    @property
    def size_is_computed(self) -> bool:
        """Whether the size is that of the published number of parameters, since nobody has published the download's."""
        has_own = (self.presence.is_usable and self.bytes) or (self.row and self.row.download_bytes)
        return self.size is not None and not has_own

    @property
    def words(self) -> str:
        """What the filter looks through."""
        row = self.row
        more = f"{row.id} {row.handle} {row.kaggle} {row.maker} {row.licence}" if row else ""
        return f"{self.name} {self.handle} {more}".casefold()


@dataclass(frozen=True)
class Shelf:
    """All backbones, in the order of the catalogue: bundled ones first, a person's own last."""

    rows: tuple[ShelfRow, ...] = ()
    problem: BackboneError | None = None
    """What is wrong with a person's own catalogue."""

    def find(self, handle: str) -> ShelfRow | None:
        """Return the row of a handle; one of the catalogue also by the address of its other copy."""
        exactly = (row for row in self.rows if row.handle == handle)
        alike = (row for row in self.rows if row.row and handle in (row.row.handle, row.row.kaggle_address))
        return next(exactly, None) or (next(alike, None) if handle else None)

    def name_of(self, handle: str) -> str:
        """Return what people call a backbone: its name in the catalogue, else the telling part of its handle."""
        row = self.find(handle)
        return row.name if row else display_name(handle)

    def recommended(self, *, offline: bool) -> str:
        """Return the handle to begin with: the bundled one until a better one is here or can be fetched."""
        by_id = {row.row.id: row for row in self.rows if row.row}
        candidates = [by_id[name] for name in RECOMMENDED_ROWS if name in by_id]
        usable = [row for row in candidates if row.presence.is_usable]
        fetchable = [] if offline else [row for row in candidates if row.presence.is_fetchable]
        return next((row.handle for row in (*usable, *fetchable)), DEFAULT_BACKBONE)

    def with_speed(self, info: BackboneInfo, speed: Speed) -> Shelf:
        """Return the shelf with what was just found about one backbone."""
        rows = tuple(replace(row, info=info, speed=speed) if row.handle == info.handle else row for row in self.rows)
        return replace(self, rows=rows)


class Show(StrEnum):
    """Which backbones are shown."""

    ALL = "All backbones"
    HERE = "On this computer"
    SMALL = "Up to 30 MB"
    ANY_SIZE = "Any photo size"


class Order(StrEnum):
    """In which order they are shown."""

    CATALOGUE = "In order"
    ACCURACY = "By accuracy"
    SIZE = "By size"
    TIME = "By time here"
    NAME = "By name"


@dataclass(frozen=True)
class View:
    """What a person wants to see of the shelf."""

    text: str = ""
    show: Show = Show.ALL
    order: Order = Order.CATALOGUE

    def rows_of(self, shelf: Shelf, seconds: Mapping[str, float]) -> list[ShelfRow]:
        """Return the rows to show; ``seconds`` is the predicted time of each, by its handle."""
        wanted = self.text.casefold().split()
        shown = [row for row in shelf.rows if _SHOWN[self.show](row) and all(word in row.words for word in wanted)]
        return _sorted(shown, self.order, seconds)


def _sorted(rows: Sequence[ShelfRow], order: Order, seconds: Mapping[str, float]) -> list[ShelfRow]:
    """Unknown figures go last; among equals the order of the catalogue stays."""
    if order is Order.CATALOGUE:
        return list(rows)
    if order is Order.NAME:
        return sorted(rows, key=lambda row: row.name.casefold())
    return sorted(rows, key=lambda row: _figure(row, order, seconds))


def _figure(row: ShelfRow, order: Order, seconds: Mapping[str, float]) -> float:
    if order is Order.ACCURACY:
        top1 = row.row.imagenet_top1 if row.row else None
        return float("inf") if top1 is None else -top1
    figure = row.size if order is Order.SIZE else seconds.get(row.handle)
    return float("inf") if figure is None else figure


def _is_small(row: ShelfRow) -> bool:
    return row.size is not None and row.size <= SMALL_BYTES


def _takes_any_size(row: ShelfRow) -> bool:
    return row.row is not None and row.row.any_size


_SHOWN: Mapping[Show, Callable[[ShelfRow], bool]] = {
    Show.ALL: lambda row: True,
    Show.HERE: lambda row: row.presence.is_usable,
    Show.SMALL: _is_small,
    Show.ANY_SIZE: _takes_any_size,
}
