"""What people call a backbone, read: every way of naming one becomes one canonical handle.

TF Hub keeps a fetched module under ``sha1(handle)``, the text exactly as a program passed it to ``hub.load``; for an
address with the version it is the address itself, without ``?tf-hub-format=compressed``, which TF Hub adds only to what
it requests. So the canonical text of an address is the one that documentation and tutorials pass on: then a module that
another program fetched is found here, and ours there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubstudio.core import addresses, backbones, path_kinds
from hubstudio.core.catalogue import Catalogue, load_catalogue_safely
from hubstudio.core.errors import BackboneError, did_you_mean


class HandleKind(StrEnum):
    """Where a backbone comes from."""

    BUNDLED = "bundled"
    FOLDER = "folder"
    ARCHIVE = "archive"
    HUB = "hub"
    KAGGLE = "kaggle"
    BUCKET = "bucket"


@dataclass(frozen=True)
class Handle:
    """One backbone's name, understood."""

    text: str
    """Canonical, as a plan and the cache hold it."""
    kind: HandleKind

    @property
    def is_fetched(self) -> bool:
        """Whether it comes over a network, into TF Hub's cache."""
        return self.kind in (HandleKind.HUB, HandleKind.KAGGLE, HandleKind.BUCKET)

    @property
    def cache_texts(self) -> tuple[str, ...]:
        """What programs pass to TF Hub for this module, ``text`` first: each has a cache entry of its own, ``sha1``."""
        return addresses.cache_texts(self.text) if self.is_fetched else ()


def parse_handle(text: str, catalogue: Catalogue | None = None) -> Handle:
    """Return the handle that ``text`` means: what is here first, then addresses, then names of the catalogue.

    Without ``catalogue``, the bundled one and the person's own are looked through. Raises ``BackboneError``, with the
    nearest name where one was mistyped.
    """
    known = load_catalogue_safely()[0] if catalogue is None else catalogue
    tidied = addresses.tidy(text)
    if not tidied or not path_kinds.is_text(text):
        found = f"Found {text!r}." if text else ""
        raise BackboneError("No backbone is named.", found=found, next_step=_NEXT)
    here = _bundled(tidied) or _here(text) or _here(addresses.unquoted(text))
    handle = here or _fetched(tidied, known) or _listed(tidied, known)
    if handle:
        return handle
    raise _unknown(tidied, known)


def nearest_name(address: str, catalogue: Catalogue | None = None) -> str:
    """Return ``Did you mean 'x'?`` with a name of the catalogue for an address that may be mistyped.

    Nothing for one that the catalogue has, and for one that is like none of its names.
    """
    known = load_catalogue_safely()[0] if catalogue is None else catalogue
    if known.at(address):
        return ""
    telling = backbones.display_name(address) if addresses.kaggle_parts(address) else _telling(address)
    return did_you_mean(telling, known.names())


_NEXT = "Give a name of the catalogue, an address of tfhub.dev or kaggle.com, a folder or a .tar.gz."
_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_MODULE_FILES = ("saved_model.pb", "saved_model.pbtxt", "tfhub_module.pb")
"""What a file dialog offers of a module whose folder is meant."""


def _bundled(text: str) -> Handle | None:
    folder = backbones.bundled_folder(text)
    return Handle(folder.name, HandleKind.BUNDLED) if folder else None


def _here(text: str) -> Handle | None:
    """Return the folder or archive at that path, links as they are named; None if nothing is there."""
    path = _path(text)
    if path is None or not path_kinds.exists(path):
        return None
    if path_kinds.is_folder(path):
        return Handle(str(path), HandleKind.FOLDER)
    if path.name in _MODULE_FILES:
        return Handle(str(path.parent), HandleKind.FOLDER)
    if path_kinds.is_file(path) and (path.name.lower().endswith(_ARCHIVES) or _is_archive(path)):
        return Handle(str(path), HandleKind.ARCHIVE)
    raise BackboneError(
        f"'{path}' is not a module.",
        found="It is a file, but not a .tar.gz.",
        next_step="Choose the folder that holds saved_model.pb, or the archive as it was downloaded.",
    )


def _path(text: str) -> Path | None:
    """Return the whole path that ``text`` may be, also as a file address; None for other addresses and for none."""
    if text.lower().startswith("file:"):
        text = _path_of_address(text)
    if not text or "\0" in text or "://" in text:
        return None
    return path_kinds.whole(text)


def _path_of_address(text: str) -> str:
    try:
        return url2pathname(urlsplit(text).path)
    except ValueError:
        return ""


def _is_archive(path: Path) -> bool:
    """Whether the content is a tar, plain or compressed with gzip, whatever the file is called."""
    try:
        with path.open("rb") as file:
            start = file.read(_TAR_MARK_ENDS)
    except OSError:
        return False
    return start.startswith(b"\x1f\x8b") or start.endswith(b"ustar")


_TAR_MARK_ENDS = 262
"""In bytes: a tar says 'ustar' at 257."""


def _fetched(text: str, catalogue: Catalogue) -> Handle | None:
    """Return the handle of an address; one that differs from the catalogue's only in its case is the catalogue's."""
    address = addresses.web_address(text)
    if not address and not _looks_like_a_path(text):
        address = addresses.bare_address(text)
    return _of_address(catalogue.spelled(address)) if address else None


def _listed(text: str, catalogue: Catalogue) -> Handle | None:
    """Return the handle of the row of that name, which in a person's own catalogue may be any."""
    row = None if _looks_like_a_path(text) else catalogue.find(text)
    if row is None:
        return None
    return _bundled(row.handle) or _here(row.handle) or _of_address(row.handle)


def _of_address(address: str) -> Handle:
    if address.startswith("gs://"):
        return Handle(address, HandleKind.BUCKET)
    return Handle(address, HandleKind.KAGGLE if addresses.kaggle_parts(address) else HandleKind.HUB)


def _looks_like_a_path(text: str) -> bool:
    return bool(re.match(r"[/~.]|file:|[A-Za-z]:[/\\]", text, re.IGNORECASE)) or "\\" in text


def _unknown(text: str, catalogue: Catalogue) -> BackboneError:
    if _looks_like_a_path(text):
        return BackboneError(
            f"There is no folder or archive '{text}'.",
            next_step="Check the path, or choose the folder that holds saved_model.pb.",
        )
    options = [*backbones.bundled_names(), *catalogue.names()]
    nearest = did_you_mean(text, options) or did_you_mean(_telling(text), options)
    return BackboneError(f"There is no backbone '{text}'.", found=nearest, next_step=_NEXT)


def _telling(text: str) -> str:
    """Return the part of a mistyped address that says most: the longest that is not its scheme, host or task."""
    parts = re.split(r"[?#]", text, maxsplit=1)[0].split("/")
    telling = [
        part for part in parts if not re.search(r"\.|:$", part) and not did_you_mean(part, addresses.FEATURE_TASKS)
    ]
    return max(telling, key=len, default=text)
