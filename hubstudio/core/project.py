"""A project: photos, choices and runs in one folder, so that the window opens again where it was."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import tomli_w

from hubstudio.core import paths, whole_files
from hubstudio.core.errors import ProjectError, StudioError
from hubstudio.core.plan import Plan
from hubstudio.core.run_folder import RunFolder

PROJECT_FILE = "project.toml"
PROJECT_VERSION = 1
STEPS = ("photos", "backbone", "train", "review", "classify", "export")
_MOST_RECENT = 8


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
    def exports_folder(self) -> Path:
        """Where exports go unless another folder is typed in."""
        return self.folder / "exports"

    @property
    def run_path(self) -> Path | None:
        """The current run's folder, or None."""
        return self.runs_folder / self.run if self.run else None

    def runs(self) -> list[RunFolder]:
        """Return the complete runs, newest first."""
        if not self.runs_folder.is_dir():
            return []
        found: list[RunFolder] = []
        for path in sorted(self.runs_folder.iterdir(), key=lambda path: path.name, reverse=True):
            try:
                found.append(RunFolder.open(path))
            except StudioError:
                continue
        return found

    def next_run_path(self) -> Path:
        """Return a free name for the next run: run-001, run-002, ..."""
        taken = {path.name for path in self.runs_folder.iterdir()} if self.runs_folder.is_dir() else set[str]()
        number = 1
        while f"run-{number:03}" in taken:
            number += 1
        return self.runs_folder / f"run-{number:03}"

    def save(self) -> None:
        """Write ``project.toml``, whole or not at all. Raises ``ProjectError``."""
        table: dict[str, Any] = {"project_version": PROJECT_VERSION, "step": self.step, "run": self.run}
        if self.plan:
            table["plan"] = _plain(self.plan)
        try:
            whole_files.write_text(self.folder / PROJECT_FILE, tomli_w.dumps(table))
        except OSError as error:
            raise ProjectError(
                f"The project could not be saved in '{self.folder}'.",
                found=f"{error.strerror or error}.",
                next_step="Check that the folder can be written to and that the disk is not full.",
            ) from error


def open_project(folder: Path) -> Project:
    """Read a project, or start an empty one where there is none yet. Raises ``ProjectError`` if it is damaged."""
    folder = folder.expanduser().absolute()
    file = folder / PROJECT_FILE
    if not file.exists():
        return Project(folder)
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        plan = Plan.from_table(table["plan"]) if "plan" in table else None
    except (OSError, ValueError, TypeError, StudioError) as error:
        raise ProjectError(
            f"The project '{folder}' could not be opened.",
            found=f"{file.name}: {error}.",
            next_step="Mend the file, or move it away and choose the photos again; the runs beside it stay.",
        ) from error
    step, run = str(table.get("step", STEPS[0])), str(table.get("run", ""))
    project = Project(folder, plan, step if step in STEPS else STEPS[0], run)
    return project if _has_run(project) else replace(project, run="")


def new_project_folder(photos: Path) -> Path:
    """Return a free folder for a project on these photos, named after them."""
    base = re.sub(r"[^\w\- .]", "_", photos.name).strip(" .") or "project"
    folder = paths.projects_folder() / base
    number = 2
    while folder.exists():
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
    return [path for path in known if (path / PROJECT_FILE).is_file()]


def remember(project: Project) -> None:
    """Put the project first among the recent ones; a list that cannot be written is no reason to fail."""
    others = [path for path in recent_projects() if path != project.folder]
    entries = [str(path) for path in [project.folder, *others][:_MOST_RECENT]]
    try:
        whole_files.write_text(paths.recent_file(), json.dumps(entries, indent=2) + "\n")
    except OSError:
        return


def _has_run(project: Project) -> bool:
    return bool(project.run_path and project.run_path.is_dir())


def _plain(plan: Plan) -> dict[str, Any]:
    return tomllib.loads(tomli_w.dumps({name: str(value) if hasattr(value, "value") else value
                                        for name, value in asdict(plan).items()}))  # fmt: skip
