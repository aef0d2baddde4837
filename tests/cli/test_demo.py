from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.cli import main as command_line
from hubstudio.core.errors import ExportError
from hubstudio.core.project import open_project

Hubstudio = Callable[..., Ended]


@pytest.fixture(autouse=True)
def in_an_empty_folder_with_samples(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubstudio.cli.demo.samples_folder", lambda: photos)
    monkeypatch.chdir(tmp_path)


def test_it_leaves_a_project_with_a_run_and_exports(hubstudio: Hubstudio, tmp_path: Path, photos: Path) -> None:
    assert hubstudio("demo").code == 0
    project = open_project(tmp_path / "hubstudio-demo")
    assert project.step == "review"
    assert project.run == "run-001"
    assert project.plan is not None
    assert project.plan.photos == str(photos)
    assert [run.path.name for run in project.runs()] == ["run-001"]
    assert sorted(path.name for path in project.exports_folder.iterdir()) == ["keras", "savedmodel", "tflite"]


def test_json_holds_what_each_part_came_to(hubstudio: Hubstudio, tmp_path: Path) -> None:
    document = hubstudio("demo", "--json").document
    assert document["project"] == str(tmp_path / "hubstudio-demo")
    assert document["train"]["run"] == str(tmp_path / "hubstudio-demo" / "runs" / "run-001")
    assert document["evaluate"]["accuracy"] == 0.75
    assert len(document["export"]["files"]) == 3


def test_a_person_reads_the_accuracy_with_its_interval_and_photos(hubstudio: Hubstudio) -> None:
    out = hubstudio("demo").out
    assert "75.0 % right on 4 photos of the locked test part (95 % interval 30.1 % to 95.4 %)." in out
    assert "Done in " in out


def test_the_default_name_finds_a_free_one(hubstudio: Hubstudio, tmp_path: Path) -> None:
    for _ in range(3):
        hubstudio("demo")
    names = sorted(path.name for path in tmp_path.glob("hubstudio-demo*"))
    assert names == ["hubstudio-demo", "hubstudio-demo-2", "hubstudio-demo-3"]


def test_a_given_folder_that_is_not_empty_is_refused(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("demo", "--out", photos, "--json")
    assert ended.code == 1
    assert "exists already" in ended.document["error"]["what"]
    assert len(list(photos.iterdir())) == 2


def test_a_failure_on_the_way_leaves_nothing(hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path) -> None:
    def fail_at_export() -> None:
        if engine.asked:
            raise ExportError("The disk is full.")

    engine.before = fail_at_export
    assert hubstudio("demo").code == 1
    assert not list(tmp_path.glob("*hubstudio-demo*"))


def test_a_failed_demo_leaves_what_another_made_meanwhile(
    hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path
) -> None:
    def start_another_and_fail() -> None:
        engine.before = lambda: None
        assert hubstudio("demo").code == 0
        raise ExportError("The disk is full.")

    engine.before = start_another_and_fail
    assert hubstudio("demo").code == 1
    assert [path.name for path in tmp_path.glob("hubstudio-demo*")] == ["hubstudio-demo-2"]
    assert len(open_project(tmp_path / "hubstudio-demo-2").runs()) == 1


def test_two_demos_cannot_share_an_empty_folder(hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    def start_another() -> None:
        engine.before = lambda: None
        assert hubstudio("demo", "--out", tmp_path / "mine").code == 1

    engine.before = start_another
    assert hubstudio("demo", "--out", tmp_path / "mine").code == 0
    assert len(open_project(tmp_path / "mine").runs()) == 1


def test_a_failure_in_an_empty_folder_leaves_it_empty(hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path) -> None:
    def fail_at_export() -> None:
        if engine.asked:
            raise ExportError("The disk is full.")

    (tmp_path / "mine").mkdir()
    engine.before = fail_at_export
    assert hubstudio("demo", "--out", tmp_path / "mine").code == 1
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize(("options", "opens"), [((), True), (("--no-window",), False), (("--json",), False)])
def test_the_window_opens_on_the_project_if_there_is_a_screen(
    engine: FakeEngine, tmp_path: Path, options: tuple[str, ...], opens: bool
) -> None:
    shown: list[Path | None] = []

    def open_window(project: Path | None) -> int:
        shown.append(project)
        return 0

    assert command_line.run(["demo", *options], lambda: engine, open_window) == 0
    assert shown == ([tmp_path / "hubstudio-demo"] if opens else [])
