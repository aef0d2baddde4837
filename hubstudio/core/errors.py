"""Errors a person may see: what happened, what was found, what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class StudioError(Exception):
    """A problem that the person at the keyboard can do something about."""

    def __init__(self, what: str, *, found: str = "", next_step: str = "") -> None:
        super().__init__(what, found, next_step)
        self.what = what
        self.found = found
        self.next_step = next_step

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses have constructors of their own, which pickle would call with the wrong arguments.
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.found, self.next_step) if part)


def _restored(kind: type[StudioError], arguments: tuple[object, ...], state: dict[str, Any]) -> StudioError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class PhotosError(StudioError):
    """The photos cannot be used as they are."""


class BackboneError(StudioError):
    """The backbone cannot be found, read or used this way."""


class DamagedModuleError(BackboneError):
    """A module's files are there, but cannot be loaded: another copy of it may be."""


class UnsafeModuleError(BackboneError):
    """A module holds operations that touch files or run code, and nobody has said that it is trusted."""

    def __init__(
        self, what: str, *, operations: tuple[str, ...], handle: str = "", found: str = "", next_step: str = ""
    ) -> None:
        super().__init__(what, found=found, next_step=next_step)
        self.operations = operations
        self.handle = handle
        """By which it can be trusted: an archive's module lies in a folder of its own by now."""


class PlanError(StudioError):
    """A plan holds a value that cannot be."""


class RunError(StudioError):
    """A run folder is missing, damaged or in the way."""


class ExportError(StudioError):
    """A trained model could not be exported."""


class ProjectError(StudioError):
    """A project cannot be opened or saved."""


class SettingsError(StudioError):
    """The settings cannot be saved."""


class TrainingError(StudioError):
    """A training went wrong in a way that would come again if it went on."""


class Cancelled(Exception):  # noqa: N818 - cancelled is not failed
    """The person asked to stop; nothing went wrong."""


class Suspended(Cancelled):
    """The person laid a training aside; it can go on later from ``run``, if it had come so far."""

    def __init__(self, run: Path | None = None) -> None:
        super().__init__(run)
        self.run = run


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest of ``options``, or an empty string."""
    by_folded = {option.casefold(): option for option in options}
    nearest = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"Did you mean '{by_folded[nearest[0]]}'?" if nearest else ""
