"""A project: photos, choices and runs in one folder, so that the window opens again where it was."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import tomli_w

from hubstudio.core import path_kinds, paths, whole_files
from hubstudio.core.errors import PlanError, ProjectError, StudioError
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import RunFolder
from hubstudio.core.unfinished_runs import SUFFIX, find_unfinished

PROJECT_FILE = "project.toml"
PROJECT_VERSION = 1
STEPS = ("photos", "backbone", "train", "review", "classify", "export")
_MOST_RECENT = 8
_LONGEST_NAME = 60
"""In characters: leaves room for a number within the 255 bytes of a name."""
_PLAN_HEADER = "[plan]\n"

_ours: dict[Path, object] = {}
"""Project files known to be of no newer version, as they were when this program read or wrote them last: with 30,000
photos left out, reading one takes longer than a window may stand still."""


@dataclass(frozen=True)
class Project:
    """What the window shows of a project; saved on every change."""

    folder: Path
    plan: Plan | None = None
    """What the next run will do; None before photos are chosen."""
    step: str = STEPS[0]
    run: str = ""
    """Name of the run that Review, Classify and Export work on; empty before the first."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def runs_folder(self) -> Path:
        """Where the runs are."""
        return self.folder / "runs"

    @property
    def has_unfinished(self) -> bool:
        """Whether an interrupted training waits to be gone on with."""
        return bool(find_unfinished(self.runs_folder))

    @property
    def exports_folder(self) -> Path:
        """Where exports go unless another folder is typed in."""
        return self.folder / "exports"

    @property
    def run_path(self) -> Path | None:
        """The current run's folder, or None."""
        return self.runs_folder / self.run if self.run else None

    def runs(self) -> list[RunFolder]:
        """Return the complete runs, newest first."""
        found: list[RunFolder] = []
        for name in reversed(path_kinds.names_in(self.runs_folder)):
            try:
                found.append(RunFolder.open(self.runs_folder / name))
            except StudioError:
                continue
        return found

    def next_run_path(self) -> Path:
        """Return a free name for the next run: run-001, run-002, ..."""
        taken = set(path_kinds.names_in(self.runs_folder))
        number = 1
        while not taken.isdisjoint((f"run-{number:03}", f"run-{number:03}{SUFFIX}")):
            number += 1
        return self.runs_folder / f"run-{number:03}"

    def save(self) -> None:
        """Write ``project.toml``, whole or not at all. Raises ``ProjectError``, also where a newer one is."""
        _refuse_newer(self.folder)
        try:
            whole_files.write_text(self.folder / PROJECT_FILE, self._text())
        except (OSError, ValueError) as error:
            raise ProjectError(
                f"The project could not be saved in '{self.folder}'.",
                found=f"{path_kinds.reason(error)}.",
                next_step="Check that the folder can be written to and that the disk is not full.",
            ) from error
        _ours[self.folder] = _stamp(self.folder)

    def _text(self) -> str:
        table: dict[str, Any] = {"project_version": PROJECT_VERSION, "step": self.step, "run": self.run}
        if self.plan is None:
            return tomli_w.dumps(table)
        table["plan"] = replace(self.plan, left_out=()).to_table()
        del table["plan"]["left_out"]
        names = json.dumps(self.plan.left_out, ensure_ascii=False, indent=4)
        names = names.replace("\x7f", "\\u007f")  # the one character that TOML escapes and JSON does not
        return tomli_w.dumps(table).replace(_PLAN_HEADER, f"{_PLAN_HEADER}left_out = {names}\n", 1)


def open_project(folder: Path) -> Project:
    """Read a project, or start an empty one where there is none yet.

    Raises ``ProjectError`` if it is damaged, newer than this program, or where no folder can be.
    """
    folder = path_kinds.absolute(folder)
    if not path_kinds.exists(folder / PROJECT_FILE):
        return Project(_possible(folder))
    _refuse_newer(folder)
    try:
        table = _read(folder)
        plan = _plan_in(table)
    except (OSError, ValueError, TypeError, StudioError) as error:
        raise ProjectError(
            f"The project '{folder}' could not be opened.",
            found=f"{PROJECT_FILE}: {str(error).rstrip('.')}.",
            next_step="Mend the file, or move it away and choose the photos again; the runs beside it stay.",
        ) from error
    step, run = str(table.get("step", STEPS[0])), str(table.get("run", ""))
    project = Project(folder, plan, step if step in STEPS else STEPS[0], run)
    return project if _has_run(project) else replace(project, run="")


def new_project_folder(photos: Path) -> Path:
    """Return a free folder for a project on these photos, named after them."""
    base = re.sub(r"[^\w\- .]", "_", photos.name)[:_LONGEST_NAME].strip(" .") or "project"
    folder = paths.projects_folder() / base
    number = 2
    while path_kinds.is_taken(folder):
        folder = paths.projects_folder() / f"{base}-{number}"
        number += 1
    return folder


def recent_projects() -> list[Path]:
    """Return the projects opened lately that are still there, newest first."""
    try:
        listed = json.loads(paths.recent_file().read_text("utf-8"))
    except (OSError, ValueError):
        return []
    known = [Path(str(entry)) for entry in cast(list[object], listed)] if isinstance(listed, list) else []
    return [path for path in known if path_kinds.is_file(path / PROJECT_FILE)]


def remember(project: Project) -> None:
    """Put the project first among the recent ones; a list that cannot be written is no reason to fail."""
    others = [path for path in recent_projects() if path != project.folder]
    entries = [str(path) for path in [project.folder, *others][:_MOST_RECENT]]
    try:
        whole_files.write_text(paths.recent_file(), json.dumps(entries, indent=2) + "\n")
    except (OSError, ValueError):
        return


def _has_run(project: Project) -> bool:
    return bool(project.run_path and path_kinds.is_folder(project.run_path))


def _possible(folder: Path) -> Path:
    refusal = path_kinds.refusal(folder)
    if refusal:
        raise ProjectError(
            f"There can be no project '{folder}'.", found=f"{refusal}.", next_step="Choose another folder."
        )
    return folder


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / PROJECT_FILE).read_text("utf-8"))


def _plan_in(table: dict[str, Any]) -> Plan | None:
    plan = table.get("plan")
    if plan is not None and not isinstance(plan, dict):
        raise PlanError("'plan' is no table of values.")
    return None if plan is None else Plan.from_table(cast(dict[str, Any], plan))


def _refuse_newer(folder: Path) -> None:
    """Raise ``ProjectError`` if a newer program wrote the project; what cannot be read says nothing about that."""
    stamp = _stamp(folder)
    if stamp and stamp == _ours.get(folder):
        return
    try:
        version = _read(folder).get("project_version", PROJECT_VERSION)
    except (OSError, ValueError):
        return
    if not isinstance(version, int) or version > PROJECT_VERSION:
        raise ProjectError(
            f"The project '{folder}' was made by a newer Hub Studio.",
            found=f"{PROJECT_FILE} is of version {version}; this program knows {PROJECT_VERSION}.",
            next_step="Open it with the newer program, or choose another project.",
        )
    _ours[folder] = stamp


def _stamp(folder: Path) -> object:
    """Return what changes with every change of the project's file; None if there is no file."""
    try:
        status = (folder / PROJECT_FILE).stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
