import json
from dataclasses import replace
from pathlib import Path

import pytest

from hubstudio.core import paths
from hubstudio.core import project as core_project
from hubstudio.core.errors import ProjectError
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.project import Project, new_project_folder, open_project, recent_projects, remember
from hubstudio.core.run_folder import MODEL
from hubstudio.core.settings import Settings, load_settings


def complete_run(path: Path) -> None:
    path.mkdir(parents=True)
    for name in ("plan.toml", "classes.txt", "split.csv", MODEL, "metrics.json"):
        (path / name).touch()


def test_a_saved_project_opens_where_it_was(tmp_path: Path) -> None:
    project = Project(tmp_path, Plan("/photos", mode=Mode.FINE_TUNE, unfreeze="all"), "review", "run-001")
    complete_run(project.runs_folder / "run-001")
    project.save()
    assert open_project(tmp_path) == project


def test_a_project_without_photos_can_be_saved(tmp_path: Path) -> None:
    Project(tmp_path).save()
    assert open_project(tmp_path) == Project(tmp_path)


def test_a_folder_without_a_project_starts_an_empty_one(tmp_path: Path) -> None:
    assert open_project(tmp_path / "new") == Project(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "content", ["step = [", "[plan]\nepochs = 3", '[plan]\nphotos = "p"\nepochs = 0', "plan = 3", "plan = []"]
)
def test_a_damaged_project_says_so_and_is_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / "project.toml").write_text(content)
    with pytest.raises(ProjectError, match="could not be opened"):
        open_project(tmp_path)
    assert (tmp_path / "project.toml").read_text() == content


@pytest.mark.parametrize("version", ["2", '"2"'])
def test_a_newer_project_is_refused_and_never_replaced(tmp_path: Path, version: str) -> None:
    (tmp_path / "project.toml").write_text(f"project_version = {version}")
    with pytest.raises(ProjectError, match="newer Hub Studio"):
        open_project(tmp_path)
    with pytest.raises(ProjectError, match="newer Hub Studio"):
        Project(tmp_path).save()
    assert (tmp_path / "project.toml").read_text() == f"project_version = {version}"


def test_a_project_that_a_newer_program_has_taken_over_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    project = Project(tmp_path, Plan("/photos"))
    project.save()
    (tmp_path / "project.toml").write_text("project_version = 2")
    with pytest.raises(ProjectError, match="newer Hub Studio"):
        project.save()


def test_saving_again_does_not_read_what_was_just_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, Plan("/photos"))
    project.save()
    monkeypatch.setattr(core_project, "_read", None)
    replace(project, step="train").save()
    monkeypatch.undo()
    assert open_project(tmp_path).step == "train"


def test_names_of_photos_left_out_come_back_whatever_is_in_them(tmp_path: Path) -> None:
    names = ("red/1.jpg", 'a "b"\\c.jpg', "tab\t\x01\x7f\n.jpg", "名前/ü\u2028.jpg", "[plan]", "\U0001f33c.jpg")
    project = Project(tmp_path, Plan("/photos", left_out=names, renamed=(("[plan]\n", "rose"),)))
    project.save()
    assert open_project(tmp_path) == project


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_where_no_folder_can_be_there_is_no_project(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="There can be no project"):
        open_project(tmp_path / name)
    with pytest.raises(ProjectError, match="could not be saved"):
        Project(tmp_path / name).save()


def test_an_unknown_step_and_a_run_that_went_away_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "project.toml").write_text('step = "dance"\nrun = "run-007"')
    assert open_project(tmp_path) == Project(tmp_path)


def test_a_project_that_cannot_be_saved_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match="could not be saved"):
        Project(tmp_path / "file").save()


def test_complete_runs_are_listed_newest_first(tmp_path: Path) -> None:
    project = Project(tmp_path)
    complete_run(project.runs_folder / "run-001")
    complete_run(project.runs_folder / "run-002")
    (project.runs_folder / "run-003").mkdir()
    assert [run.path.name for run in project.runs()] == ["run-002", "run-001"]
    assert project.next_run_path().name == "run-004"


def test_the_first_run_is_number_one(tmp_path: Path) -> None:
    assert Project(tmp_path).next_run_path() == tmp_path / "runs" / "run-001"


def test_new_projects_are_named_after_their_photos(own_home: Path) -> None:
    assert new_project_folder(Path("/some/camera traps")) == own_home / "projects" / "camera traps"
    (own_home / "projects" / "camera traps").mkdir(parents=True)
    assert new_project_folder(Path("/some/camera traps")).name == "camera traps-2"


@pytest.mark.parametrize(
    ("photos", "name"), [('a<b>:"c', "a_b___c"), ("...", "project"), ("日本", "日本"), ("x" * 250, "x" * 60)]
)
def test_names_that_no_folder_may_have_are_mended(photos: str, name: str) -> None:
    assert new_project_folder(Path(photos)).name == name


def test_recent_projects_come_newest_first_and_once(tmp_path: Path) -> None:
    projects = [Project(tmp_path / str(number)) for number in range(10)]
    for project in projects:
        project.save()
        remember(project)
    remember(projects[5])
    assert [path.name for path in recent_projects()] == ["5", "9", "8", "7", "6", "4", "3", "2"]


def test_projects_that_went_away_are_not_offered(tmp_path: Path) -> None:
    remember(Project(tmp_path / "gone"))
    assert recent_projects() == []


@pytest.mark.parametrize("content", ["", "{}", "[1, null]", "\xff", '["a\\u0000b"]', f'["/{"x" * 300}"]'])
def test_a_damaged_list_of_recent_projects_is_an_empty_one(content: str) -> None:
    paths.recent_file().parent.mkdir(parents=True, exist_ok=True)
    paths.recent_file().write_bytes(content.encode("latin-1"))
    assert recent_projects() == []


def test_the_list_of_recent_projects_is_readable(tmp_path: Path) -> None:
    Project(tmp_path).save()
    remember(Project(tmp_path))
    assert json.loads(paths.recent_file().read_text("utf-8")) == [str(tmp_path)]


def test_settings_are_kept_where_they_differ() -> None:
    Settings(theme="dark").save()
    assert load_settings() == Settings(theme="dark")
    Settings().save()
    assert paths.settings_file().read_text() == ""
