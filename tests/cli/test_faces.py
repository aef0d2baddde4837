"""Which face ``hubstudio`` shows: the command line, the window, or a word about a mistyped command."""

from pathlib import Path

import pytest

from hubstudio import __main__ as program
from hubstudio import screen
from hubstudio.core.errors import StudioError


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """Every project the window was opened on."""
    projects: list[Path | None] = []
    monkeypatch.setattr(program, "open_window", lambda project: projects.append(project) or 0)
    return projects


@pytest.fixture
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def test_no_arguments_open_the_window(opened: list[Path | None]) -> None:
    assert program.main([]) == 0
    assert opened == [None]


def test_a_folder_opens_the_window_on_it(opened: list[Path | None], tmp_path: Path) -> None:
    assert program.main([str(tmp_path)]) == 0
    assert opened == [tmp_path]


def test_a_name_like_no_command_is_a_new_project(opened: list[Path | None], tmp_path: Path) -> None:
    assert program.main([str(tmp_path / "camera traps")]) == 0
    assert opened == [tmp_path / "camera traps"]


def test_a_mistyped_command_is_wrong_usage(opened: list[Path | None], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["trian", "photos"]) == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err
    assert not opened


def test_a_folder_called_like_a_command_is_a_project(
    opened: list[Path | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trains").mkdir()
    monkeypatch.chdir(tmp_path)
    assert program.main(["trains"]) == 0
    assert opened == [Path("trains")]


def test_two_projects_are_wrong_usage(opened: list[Path | None], tmp_path: Path) -> None:
    assert program.main([str(tmp_path), str(tmp_path)]) == 2


def test_an_unknown_option_is_wrong_usage() -> None:
    assert program.main(["--colour"]) == 2


@pytest.mark.usefixtures("no_screen")
def test_without_a_screen_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 1
    assert "There is no screen" in capsys.readouterr().err


def test_a_single_file_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photo.jpg").touch()
    assert program.main([str(tmp_path / "photo.jpg")]) == 1
    assert "is not a project" in capsys.readouterr().err


def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_libraries_not_found", lambda: ["libEGL.so.1", "libxcb-cursor.so.0"])
    with pytest.raises(StudioError) as raised:
        raise screen._missing_libraries("libEGL.so.1: cannot open shared object file")
    assert raised.value.next_step == "On Debian or Ubuntu: sudo apt-get install -y libegl1 libxcb-cursor0"


def test_a_display_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
    monkeypatch.setenv("DISPLAY", ":4711")
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(screen, "_libraries_not_found", list)
    if screen.sys.platform != "linux":
        pytest.skip("only Linux has displays that may not answer")
    with pytest.raises(StudioError):
        screen.require_window()


def test_the_set_up_script_knows_the_same_libraries() -> None:
    script = (Path(program.__file__).parents[1] / "packaging" / "setup.sh").read_text("utf-8")
    listed = script.partition("QT_PACKAGES=(")[2].partition(")")[0].split()
    assert set(screen.DEBIAN_PACKAGES.values()) | {"fonts-dejavu-core"} == set(listed)
