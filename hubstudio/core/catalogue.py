"""The catalogue of backbones: rows that come with the program, and a person's own beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from hubstudio.core import addresses, catalogue_file, path_kinds, paths, resources
from hubstudio.core.backbones import display_name, is_bundled
from hubstudio.core.errors import BackboneError

CATALOGUE_FILE = "backbones.toml"


@dataclass(frozen=True)
class CatalogueRow:
    """What is known of one backbone. A figure that nobody published or measured is None, never a guess."""

    id: str
    """Short name for typing, such as 'mobilenet-v2-100-224'."""
    name: str
    """For people, such as 'MobileNetV2 1.0'."""
    handle: str
    """As a plan holds it: the whole address, which TF Hub's cache knows too, a folder, or a bundled module's name."""
    kaggle: str = ""
    """owner/model/framework/variation/version; empty if none is known."""
    input_size: int | None = None
    """Side in pixels that it was made for; None if nobody says."""
    any_size: bool = False
    """Whether it takes photos of other sizes too."""
    features: int | None = None
    parameters: int | None = None
    download_bytes: int | None = None
    imagenet_top1: float | None = None
    """Percent."""
    licence: str = ""
    maker: str = ""
    note: str = ""
    """One plain clause for the card."""
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each figure stands: a field's name to an address or a publication."""
    photo_sets: Mapping[str, float] = field(default_factory=dict[str, float])
    """Percent right of a logistic regression on its features, by what is on the photos."""

    @property
    def kaggle_address(self) -> str:
        """The Kaggle handle as the address that is asked and cached under; empty if none is known."""
        return addresses.kaggle_address(self.kaggle.split("/"), self.kaggle) if self.kaggle else ""

    @property
    def photo_sets_text(self) -> str:
        """The photo sets' figures in their order, as '96/68/78'; empty if there are none."""
        return "/".join(f"{math.floor(percent + 0.5)}" for percent in self.photo_sets.values())

    def spellings(self) -> tuple[str, ...]:
        """Return what people call it, whole addresses aside."""
        return (self.id, self.name, *_telling_parts(self.handle))


@dataclass(frozen=True)
class Catalogue:
    """What can be fetched or lies elsewhere: the program's rows from small to large, then a person's own."""

    rows: tuple[CatalogueRow, ...]
    of_bundled: tuple[CatalogueRow, ...] = ()
    """What is said of the modules that come with the program; their names are their handles."""

    def find(self, text: str) -> CatalogueRow | None:
        """Return the row of this id, name, handle or Kaggle handle, in any case, names with any separators."""
        tidied = addresses.tidy(text)
        address = _address_in(tidied)
        if address:
            return self.at(address)
        key = _key(tidied)
        return next((row for row in self._all if key and key in map(_key, row.spellings())), None)

    def spelled(self, address: str) -> str:
        """Return a canonical address in the case that the catalogue writes it, unknown ones as they are."""
        row = self.at(address)
        if row is None:
            return address
        return row.handle if row.handle.casefold() == address.casefold() else row.kaggle_address

    def names(self) -> tuple[str, ...]:
        """Return what a mistyped name is compared with: ids, names and the telling parts of handles."""
        return tuple(dict.fromkeys(name for row in self._all for name in row.spellings()))

    def at(self, address: str) -> CatalogueRow | None:
        """Return the row of exactly this handle, bundled name or Kaggle address, in any case."""
        wanted = address.casefold()
        known = ((row, (row.handle.casefold(), row.kaggle_address.casefold())) for row in self._all)
        return next((row for row, texts in known if wanted in texts), None)

    @property
    def _all(self) -> tuple[CatalogueRow, ...]:
        return (*self.rows, *self.of_bundled)


def own_catalogue_path() -> Path:
    """Return where a person's own catalogue is looked for."""
    return paths.home() / CATALOGUE_FILE


def load_catalogue(own: Path | None = None) -> Catalogue:
    """Return the bundled rows and the person's own; an own row stands for the bundled one of its id or handle.

    Raises ``BackboneError`` with file, line and reason if a file is badly written.
    """
    path = own or own_catalogue_path()
    if not path_kinds.is_taken(path):
        return bundled_catalogue()
    mine = _rows(path)
    taken = {text for row in mine for text in (row.id, row.handle)}
    ours = (*bundled_catalogue().rows, *bundled_catalogue().of_bundled)
    return _of_rows([*(row for row in ours if row.id not in taken and row.handle not in taken), *mine])


def load_catalogue_safely() -> tuple[Catalogue, BackboneError | None]:
    """Return all rows; where the own file is badly written, the bundled ones alone and what is wrong with it."""
    try:
        return load_catalogue(), None
    except BackboneError as error:
        return bundled_catalogue(), error


@lru_cache(maxsize=1)
def bundled_catalogue() -> Catalogue:
    """Return the rows that come with the program."""
    return _of_rows(_rows(resources.resource(CATALOGUE_FILE)))


def backbone_name(handle: str) -> str:
    """Return what people call a backbone: its name in the catalogue, else the telling end of its handle."""
    row = load_catalogue_safely()[0].at(handle) if "://" in handle or is_bundled(handle) else None
    return row.name if row else display_name(handle)


def _of_rows(rows: Sequence[CatalogueRow]) -> Catalogue:
    coming = tuple(row for row in rows if is_bundled(row.handle))
    return Catalogue(tuple(row for row in rows if row not in coming), coming)


def _rows(path: Path) -> tuple[CatalogueRow, ...]:
    return tuple(CatalogueRow(**values) for values in catalogue_file.read(path))


def _address_in(text: str) -> str | None:
    try:
        return addresses.web_address(text) or addresses.bare_address(text)
    except BackboneError:
        return None


def _telling_parts(handle: str) -> tuple[str, ...]:
    """Return the ends of a tfhub.dev path without its version and task, longest first, and the path with its task.

    Such as 'google/imagenet/mobilenet_v2_100_224', 'imagenet/mobilenet_v2_100_224', 'mobilenet_v2_100_224'.
    """
    prefix = f"https://{addresses.HUB_HOST}/"
    if not handle.startswith(prefix):
        return ()
    unversioned = [part for part in handle.removeprefix(prefix).split("/") if not part.isdecimal()]
    telling = [part for part in unversioned if part not in addresses.FEATURE_TASKS]
    ends = ["/".join(telling[start:]) for start in range(len(telling)) if len(telling[-1]) > _SHORT or start < 2]
    return (*ends, "/".join(unversioned))


_SHORT = 4
"""A word this short, such as 'b0', tells nothing without the one before it."""


def _key(text: str) -> str:
    """Return letters and figures only: people mix '-', '_', '.', '/' and spaces."""
    return re.sub(r"[^0-9a-z]", "", text.casefold())
