"""A run that is being made: a folder beside the one it will become, from which it can go on after any end.

    runs/run-007.unfinished/     plan.toml, photos.json, progress.json, checkpoints, what is computed once;
                                 continued.json if it goes on from a finished run
    runs/run-007/                the finished run: the same folder, emptied of all that and renamed in one step

A lock that the system drops with its holder tells whether a living program is at work on it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from hubstudio.core import path_kinds, whole_files
from hubstudio.core.errors import RunError
from hubstudio.core.natural_order import natural_key
from hubstudio.core.photo_record import read_record, write_record
from hubstudio.core.photos import PhotoSet
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import PLAN, ContinuedFrom, require_free
from hubstudio.core.split import Split

SUFFIX = ".unfinished"
_PHOTOS, _PROGRESS, _ORIGIN, _LOCK = "photos.json", "progress.json", "continued.json", ".lock"


@dataclass(frozen=True)
class RunProgress:
    """How far an unfinished run was when it last said so."""

    phase: str = ""
    epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    """That it had taken."""

    def __str__(self) -> str:
        words = _PHASE_WORDS.get(self.phase, "preparing")
        if not self.epochs:
            return words
        return f"{words}, epoch {self.epoch} of {self.epochs}" if self.epoch else f"{words}, in its first epoch"

    def is_beyond(self, other: RunProgress) -> bool:
        """Whether this is further than ``other``, or as far and later."""
        return self._rank() > other._rank()

    def _rank(self) -> tuple[int, int, float]:
        order = list(_PHASE_WORDS)
        return (order.index(self.phase) if self.phase in order else -1, self.epoch, self.seconds)


_PHASE_WORDS = {
    "features": "photos on their way through the backbone",
    "head": "the head learning",
    "fine-tune": "fine-tuning",
    "saving": "saving the model",
}


@dataclass(frozen=True)
class UnfinishedRun:
    """The folder of a run that is not finished."""

    folder: Path

    @classmethod
    def begin(
        cls,
        out: Path,
        plan: Plan,
        photo_set: PhotoSet,
        split: Split,
        *,
        origin: ContinuedFrom | None = None,
        fill: Callable[[Path], None] = lambda folder: None,
    ) -> UnfinishedRun:
        """Make the folder of a new run. Raises ``RunError`` if ``out`` is taken or waits to be gone on with.

        A run that goes on from another says its ``origin``; ``fill`` puts what it begins with into the folder, which
        nobody sees before that is done.
        """
        out = require_free(out)
        folder = out.with_name(out.name + SUFFIX)
        require_no_unfinished(out)
        try:
            with whole_files.whole_folder(folder) as made:
                plan.save(made / PLAN)
                write_record(made / _PHOTOS, photo_set, split)
                if origin:
                    whole_files.write_text(made / _ORIGIN, json.dumps(asdict(origin)))
                fill(made)
        except OSError as error:
            raise RunError(
                f"The run could not be written to '{out}'.",
                found=f"{path_kinds.reason(error)}.",
                next_step="Free some space or choose another folder, and train again.",
            ) from error
        return cls(folder)

    @classmethod
    def open(cls, path: Path) -> UnfinishedRun:
        """Return the unfinished run that ``path`` names: its folder, or the run it was to become.

        Raises ``RunError`` if there is none.
        """
        path = path_kinds.absolute(path)
        folder = path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)
        if path_kinds.is_file(folder / PLAN):
            return cls(folder)
        is_finished = path_kinds.is_file(path / PLAN)
        raise RunError(
            f"There is no unfinished run '{path}'.",
            found="That run is finished." if is_finished else "",
            next_step=f"For more epochs: hubstudio train --continue '{path}' --epochs 10 --out ..."
            if is_finished
            else "Give the folder that 'train --out' was given when it was interrupted.",
        )

    @property
    def out(self) -> Path:
        """The run that it will become."""
        return self.folder.with_name(self.folder.name.removesuffix(SUFFIX))

    @property
    def changed(self) -> datetime:
        """When it was last worked on, in local time."""
        files = [path.stat().st_mtime for path in self.folder.iterdir() if path.is_file()]
        return datetime.fromtimestamp(max(files, default=0.0)).astimezone()

    @property
    def progress(self) -> RunProgress:
        """How far it was; nothing is known of a run that was interrupted at its very beginning."""
        try:
            return RunProgress(**json.loads((self.folder / _PROGRESS).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return RunProgress()

    @property
    def continued_from(self) -> ContinuedFrom | None:
        """The finished run that it goes on from; None if it began with nothing."""
        try:
            return ContinuedFrom(**json.loads((self.folder / _ORIGIN).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def tell(self, progress: RunProgress) -> None:
        """Write down how far it is. Raises ``OSError``."""
        whole_files.write_text(self.folder / _PROGRESS, json.dumps(asdict(progress)))

    def plan(self) -> Plan:
        """Return the plan it follows. Raises ``PlanError``."""
        return Plan.load(self.folder / PLAN)

    def photos(self) -> tuple[PhotoSet, Split]:
        """Return the photos it is about, as they were when it began. Raises ``RunError``."""
        return read_record(self.folder / _PHOTOS)

    def keep_photos(self, photo_set: PhotoSet, split: Split) -> None:
        """Write down that from now on it is about these photos. Raises ``OSError``."""
        write_record(self.folder / _PHOTOS, photo_set, split)

    @property
    def is_in_use(self) -> bool:
        """Whether a living program is at work on it."""
        try:
            with self.held():
                return False
        except RunError:
            return True

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep other programs away from it. Raises ``RunError`` if one is at work on it."""
        lock = FileLock(self.folder / _LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(
                f"'{self.out.name}' is being trained by another program.",
                next_step="Wait until that has ended, or end it there.",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def finish(self, kept: frozenset[str]) -> Path:
        """Give the folder its final name, and remove all but the files named ``kept``. Raises ``OSError``.

        In this order: what it needs to go on is only removed once it is finished. What cannot be removed then stays.
        """
        if path_kinds.is_empty_folder(self.out):
            self.out.rmdir()
        if path_kinds.is_taken(self.out):
            raise FileExistsError(self.out)
        finished = self.folder.rename(self.out)
        for path in finished.iterdir():
            if path.name not in kept:
                with suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        return finished

    def discard(self) -> None:
        """Remove it with all that it has learned."""
        shutil.rmtree(self.folder, ignore_errors=True)


def find_unfinished(runs: Path) -> list[UnfinishedRun]:
    """Return the unfinished runs in a folder that no program is at work on, in natural order of their names."""
    names = sorted((name for name in path_kinds.names_in(runs) if name.endswith(SUFFIX)), key=natural_key)
    found = [UnfinishedRun(runs / name) for name in names if path_kinds.is_file(runs / name / PLAN)]
    return [run for run in found if not run.is_in_use]


def require_no_unfinished(out: Path) -> None:
    """Raise ``RunError`` if an interrupted run waits beside ``out``."""
    folder = out.with_name(out.name + SUFFIX)
    if path_kinds.is_taken(folder):
        raise RunError(
            f"An interrupted run waits to become '{out}'.",
            found=f"It was at: {UnfinishedRun(folder).progress}.",
            next_step=f"Go on with it: hubstudio train --resume '{out}'. To begin anew, delete '{folder.name}' first.",
        )
