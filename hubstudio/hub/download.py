"""A module's archive, brought into one file beside its place in the cache; goes on where it was interrupted."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain

import httpx

from hubstudio.core import whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import Report
from hubstudio.core.handles import nearest_name
from hubstudio.core.module_places import EntryPaths
from hubstudio.hub import failures
from hubstudio.hub.meter import Meter
from hubstudio.hub.requests import Address, Answer, Patience, TooManyRedirects, get, require_online

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_SNIFFED_BYTES = 512
_GZIP = b"\x1f\x8b"
_LOOK_SECONDS = 0.05
_MOST_BYTES = 8 << 30
"""More than any module: what goes on and on shall not fill the disk."""


@dataclass(frozen=True)
class _Facts:
    """Which version of an archive has begun to come. Written before its first byte."""

    handle: str
    validator: str = ""
    """Its ETag, or when it was changed last; without either, nobody can know whether the rest belongs to it."""
    total: int | None = None


class _Again(Exception):  # noqa: N818 - never leaves this module
    """This try came to nothing; the next one may not."""

    def __init__(self, reason: BackboneError, pause: float | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.pause = pause


class Download:
    """Brings one archive. ``run`` leaves it whole in ``entry.archive``, or raises and leaves what came so far."""

    def __init__(
        self, handle: str, address: Address, entry: EntryPaths, report: Report, cancel: CancelToken, patience: Patience
    ) -> None:
        self._handle = handle
        self._address = address
        self._entry = entry
        self._cancel = cancel
        self._patience = patience
        self._meter = Meter(handle, report)
        self._furthest = 0
        self.was_resumed = False
        """Whether the archive holds pieces of more than one answer."""

    def run(self) -> None:
        """Fetch. Raises ``BackboneError``, ``OSError`` of the disk, or ``Cancelled``."""
        vain, pause = 0, self._patience.first_pause
        while True:
            before = self._furthest
            try:
                self._try()
            except _Again as again:
                vain = 0 if self._furthest > before else vain + 1
                if vain >= self._patience.tries:
                    raise again.reason from again
                self._rest(pause * 2 ** max(vain - 1, 0) if again.pause is None else again.pause)
            else:
                return self._meter.end()

    def _try(self) -> None:
        here, facts = self._begun()
        if here and here == facts.total:
            self.was_resumed = True
            return self._meter.begin(here, here)
        require_online(f"'{self._handle}'", nearest_name(self._handle))
        try:
            with get(self._asking(here, facts), self._patience, self._cancel) as answer:
                self._take(answer, here, facts)
        except failures.TRANSIENT as error:
            raise _Again(failures.explained(error, self._handle)) from error
        except (httpx.HTTPError, httpx.InvalidURL, TooManyRedirects) as error:
            raise failures.explained(error, self._handle) from error

    def _begun(self) -> tuple[int, _Facts]:
        """Return how much is here, and of what; nothing if it could not be gone on with."""
        try:
            facts = _Facts(**json.loads(self._entry.archive_facts.read_text("utf-8")))
            here = self._entry.archive.stat().st_size
        except (OSError, ValueError, TypeError):
            return 0, _Facts(self._handle)
        is_useful = facts.validator or here == facts.total
        return (here, facts) if is_useful and facts.handle == self._handle else (0, _Facts(self._handle))

    def _asking(self, here: int, facts: _Facts) -> Address:
        if not here:
            return self._address
        ranged = {"Range": f"bytes={here}-", "If-Range": facts.validator}
        return Address(self._address.url, {**self._address.headers, **ranged})

    def _take(self, answer: Answer, here: int, facts: _Facts) -> None:
        if answer.status == 206 and here:
            self._require_continuation(answer, here, facts)
            self.was_resumed = True
            return self._write(answer.pieces, here, facts.total)
        if answer.status == 200:
            return self._start(answer)
        if answer.status in (206, 416):  # asked for a piece that is not there, or given one that nobody asked for
            raise self._anew(f"{answer.host} answered {answer.status} where none was asked for or fits.")
        reason = failures.refused(answer, self._handle)
        if answer.status not in failures.TRANSIENT_STATUS:
            raise reason
        pause = failures.retry_after(answer)
        raise reason if pause and pause > self._patience.longest_pause else _Again(reason, pause)

    def _start(self, answer: Answer) -> None:
        start = _first_bytes(answer, self._handle)
        length = answer.headers.get("content-length", "")
        total = int(length) if length.isdecimal() else None
        failures.require_room(self._entry.folder.parent, total or 0)
        # Emptied before it is noted whose bytes will follow: a kill in between must not mix two versions.
        self._entry.archive.write_bytes(b"")
        facts = _Facts(self._handle, _validator(answer), total)
        whole_files.write_text(self._entry.archive_facts, json.dumps(asdict(facts)))
        self.was_resumed = False
        self._write(chain((start,), answer.pieces), 0, total)

    def _write(self, pieces: Iterable[bytes], here: int, total: int | None) -> None:
        self._meter.begin(here, total)
        with self._entry.archive.open("ab") as file:
            for piece in pieces:
                file.write(piece)
                here += len(piece)
                if here > _MOST_BYTES:
                    discard(self._entry)
                    raise failures.not_a_module(self._handle, f"It is larger than {_MOST_BYTES / 1e9:.0f} GB.")
                self._furthest = max(self._furthest, here)
                self._meter.advance(len(piece))
            file.flush()
            os.fsync(file.fileno())
        if total is not None and here != total:
            raise self._anew(f"{here:,} bytes came instead of {total:,}.")

    def _require_continuation(self, answer: Answer, here: int, facts: _Facts) -> None:
        """Raise ``_Again`` unless this is the rest of what is here."""
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        is_rest = found and int(found[1]) == here and (facts.total is None or found[2] in ("*", str(facts.total)))
        said = [answer.headers.get(name) for name in ("etag", "last-modified")]
        if not is_rest or (any(said) and facts.validator not in said):
            raise self._anew("The server now gives another archive than before.")

    def _anew(self, found: str) -> _Again:
        """Forget what came so far."""
        discard(self._entry)
        return _Again(failures.damaged(self._handle, found), 0.0)

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._cancel.check()
            time.sleep(min(left, _LOOK_SECONDS))


def discard(entry: EntryPaths) -> None:
    """Remove what came of an archive."""
    entry.archive.unlink(missing_ok=True)
    entry.archive_facts.unlink(missing_ok=True)


def _validator(answer: Answer) -> str:
    """Return what pieces of this very version are asked for by; weak ETags promise no equal bytes (RFC 9110, 8.8)."""
    etag = answer.headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", "")


def _first_bytes(answer: Answer, handle: str) -> bytes:
    """Return how the answer begins. Raises ``BackboneError`` if no archive does: before anything is replaced."""
    start = b""
    for piece in answer.pieces:
        start += piece
        if len(start) >= _SNIFFED_BYTES:
            break
    if not start.startswith(_GZIP):
        raise failures.not_a_module(handle, _named(start))
    return start


_MARKS = {b"PK\x03\x04": "a zip file", b"{": "JSON", b"BZh": "a bzip2 file", b"\xfd7zXZ": "an xz file",
          b"\x89HDF": "a Keras .h5 file"}  # fmt: skip


def _named(start: bytes) -> str:
    if not start:
        return "The answer is empty."
    if re.match(rb"\s*<(!doctype|html|\?xml|!--)", start, re.IGNORECASE):
        return "It is a web page, perhaps that of a network which wants you to sign in first."
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return f"It is {name}."
    return "It is a TensorFlow Lite file." if start[4:8] == b"TFL3" else "It is no gzip archive."
