"""Modules brought into the cache: asked for, unpacked, checked, and put in place in one step, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hubstudio.core import module_cache, module_places, whole_files
from hubstudio.core.backbones import BackboneInfo
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError, DamagedModuleError, StudioError, UnsafeModuleError
from hubstudio.core.events import Progress, Report
from hubstudio.core.module_places import EntryPaths
from hubstudio.core.module_record import FileFacts, ModuleRecord, file_facts, load_record
from hubstudio.core.saved_model_files import damage
from hubstudio.hub import failures
from hubstudio.hub.download import Download, discard
from hubstudio.hub.meter import UnpackingMeter
from hubstudio.hub.requests import Patience
from hubstudio.hub.sources import address_of, origin_of
from hubstudio.hub.taking_turns import alone
from hubstudio.hub.unpack import unpack

Check = Callable[[str, Path], BackboneInfo]
"""Loads the module of a handle from a folder and looks into it. Raises ``StudioError`` for one not to be kept."""
_BYTES_AT_ONCE = 1 << 20
_DIGITS, _LONGEST_NAME = 8, 31


@dataclass(frozen=True)
class _Job:
    """One module on its way."""

    handle: str
    entry: EntryPaths
    check: Check
    report: Report
    cancel: CancelToken

    def known(self) -> BackboneInfo | None:
        """Return what is known of the module if it is here and whole; None if it must be brought.

        Raises ``BackboneError`` if it is whole and cannot be used; bringing it again would not help.
        """
        module = module_cache.look_up(self.handle)
        if not module.is_ready:
            return None
        try:
            return self._checked(module.folder)
        except DamagedModuleError:
            record = load_record(EntryPaths(module.folder).record)
            if record and not record.altered(module.folder):
                raise
            return None

    def settle(self, made: Path, files: dict[str, FileFacts], source: str) -> BackboneInfo:
        """Check a new folder and put it in place.

        One that is refused as unsafe is put there too before the error is raised: it is whole, cannot be loaded
        unless somebody trusts it, and whoever does shall not have to download it again.
        """
        try:
            info = self._checked(made)
        except UnsafeModuleError:
            self._place(made, files, source)
            raise
        self.cancel.check()
        self._place(made, files, source)
        return replace(info, folder=self.entry.folder)

    def unpacked(self, archive: Path) -> tuple[Path, dict[str, FileFacts]]:
        """Unpack an archive beside the entry."""
        module_cache.sweep(self.entry)
        name = self.handle if "://" in self.handle else archive.name
        return unpack(name, archive, self.entry.making, UnpackingMeter(self.report, self.cancel))

    def _checked(self, folder: Path) -> BackboneInfo:
        self.report(Progress(0, 1, "modules checked"))  # it takes seconds
        info = self.check(self.handle, folder)
        self.report(Progress(1, 1, "modules checked"))
        return replace(info, folder=folder, handle=self.handle)

    def _place(self, made: Path, files: dict[str, FileFacts], source: str) -> None:
        ModuleRecord(self.handle, source, files).save(self.entry.record)
        if "://" in self.handle:
            whole_files.write_text(self.entry.descriptor, _descriptor(self.handle))
        for folder in (made, *(path for path in made.rglob("*") if path.is_dir())):
            _flush(folder)
        module_cache.put_in_place(self.entry, made)
        _flush(self.entry.folder.parent)


def fetch(
    handle: str, check: Check, report: Report, cancel: CancelToken, patience: Patience | None = None
) -> BackboneInfo:
    """Bring the module with this canonical address into the cache, unless it is there and whole.

    Raises ``BackboneError`` with the next step, ``Cancelled``, or what ``check`` raises. What came of a download stays
    for another try, except where it is damaged or no module.
    """
    job = _Job(handle, module_places.own_entry(handle), check, report, cancel)
    return _brought(job, lambda: _fetched(job, patience or Patience()))


def import_archive(archive: Path, check: Check, report: Report, cancel: CancelToken) -> BackboneInfo:
    """Unpack an archive of this computer into the folder of imported modules; ``handle`` is then that folder's path."""
    folder = imported_folder_of(archive, cancel)
    job = _Job(str(folder), EntryPaths(folder), check, report, cancel)
    return _brought(job, lambda: job.settle(*job.unpacked(archive), archive.name))


def imported_folder_of(archive: Path, cancel: CancelToken) -> Path:
    """Return the folder for the module of an archive, by name and content. Raises ``BackboneError``, ``Cancelled``."""
    try:
        name = f"{_tidy_name(archive.name)}-{_digest(archive, cancel)[:_DIGITS]}"
    except OSError as error:
        step = "Check that it is still there and that you may read it."
        raise BackboneError(f"'{archive}' cannot be read.", found=f"{error.strerror}.", next_step=step) from error
    return module_places.imported_folder() / name


def bring(handle: str, copy: Callable[[Path], None], check: Check, report: Report, cancel: CancelToken) -> BackboneInfo:
    """Let ``copy`` fill a new folder with a module's files, and go on as with a download."""
    job = _Job(handle, module_places.own_entry(handle), check, report, cancel)

    def copied() -> BackboneInfo:
        job.entry.making.mkdir(parents=True)
        copy(job.entry.making)
        if why := damage(job.entry.making):
            raise failures.damaged(handle, f"{why[:1].upper()}{why[1:]}.")
        files = {name: file_facts(job.entry.making / name) for name in _files_in(job.entry.making)}
        return job.settle(job.entry.making, files, origin_of(handle))

    return _brought(job, copied)


def _brought(job: _Job, make: Callable[[], BackboneInfo]) -> BackboneInfo:
    before = _identity(job.entry.folder)
    info = job.known()
    if info and not module_cache.has_leftovers(job.entry):
        return info
    try:
        with alone(job.handle, job.entry, job.report, job.cancel):
            module_cache.sweep(job.entry)
            try:
                if info is None and _identity(job.entry.folder) != before:
                    info = job.known()  # another program has brought it meanwhile
                info = info or make()
            finally:
                module_cache.sweep(job.entry)
            discard(job.entry)
            return info
    except OSError as error:
        if info:
            return info  # it is here, if only for reading
        raise failures.unwritable(job.entry.folder.parent, error) from error


def _identity(folder: Path) -> tuple[int, int]:
    """Return what differs once another folder is put in place."""
    try:
        found = folder.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def _fetched(job: _Job, patience: Patience) -> BackboneInfo:
    download = Download(job.handle, address_of(job.handle), job.entry, job.report, job.cancel, patience)
    download.run()
    try:
        return _settled(job)
    except failures.DamagedArchive:
        if not download.was_resumed:
            raise
    download.run()  # pieces of two answers did not fit together: once more, from the beginning
    return _settled(job)


def _settled(job: _Job) -> BackboneInfo:
    """Make a module of the archive. One that cannot be used is not kept; one for which there is no room is."""
    try:
        return job.settle(*job.unpacked(job.entry.archive), origin_of(job.handle))
    except failures.DiskFull:
        raise
    except StudioError:
        discard(job.entry)
        raise


def _descriptor(handle: str) -> str:
    """Return what TF Hub writes beside a module, for people who look into the folder."""
    return (
        f"Module: {handle}\nDownload Time: {datetime.now()}\nDownloader Hostname: {socket.gethostname()} "
        f"(PID:{os.getpid()})"
    )


def _tidy_name(name: str) -> str:
    """Return the name of an archive as a folder can be called on all systems."""
    stem = re.sub(r"(\.tar|\.tgz|\.tar\.gz)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:_LONGEST_NAME] or "module"


def _digest(archive: Path, cancel: CancelToken) -> str:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while piece := file.read(_BYTES_AT_ONCE):
            cancel.check()
            digest.update(piece)
    return digest.hexdigest()


def _files_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def _flush(folder: Path) -> None:
    """Let a folder's names reach the disk, where the system lets one ask for that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
