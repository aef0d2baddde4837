import sys
from pathlib import Path

import pytest

from hubstudio.core import path_kinds

IMPOSSIBLE = [Path("/" + "x" * 300), Path("a\0b")]


@pytest.mark.parametrize("path", IMPOSSIBLE, ids=["too long", "NUL"])
def test_a_path_that_cannot_be_is_simply_not_there(path: Path) -> None:
    for ask in (path_kinds.is_folder, path_kinds.is_file, path_kinds.exists, path_kinds.is_taken):
        assert not ask(path)
    assert not path_kinds.is_empty_folder(path)
    assert path_kinds.names_in(path) == []
    assert path_kinds.refusal(path)


def test_what_is_there_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    assert path_kinds.is_file(tmp_path / "file") and not path_kinds.is_folder(tmp_path / "file")
    assert path_kinds.is_folder(tmp_path) and not path_kinds.is_file(tmp_path)
    assert path_kinds.is_empty_folder(tmp_path / "empty") and not path_kinds.is_empty_folder(tmp_path)
    assert path_kinds.names_in(tmp_path) == ["empty", "file"]
    assert path_kinds.refusal(tmp_path / "gone") == path_kinds.refusal(tmp_path / "file" / "below") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_that_lead_nowhere_take_a_name_and_those_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "dead").symlink_to("gone")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("dead", "circle"):
        assert path_kinds.is_taken(tmp_path / name) and not path_kinds.exists(tmp_path / name)
    assert path_kinds.real(tmp_path / "circle").name == "circle"


def test_a_home_that_is_none_stays_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert path_kinds.absolute(Path("~/a")) == tmp_path / "a"
    assert path_kinds.absolute(Path("~nobody-is-called-so")) == tmp_path / "~nobody-is-called-so"


def test_names_that_cannot_be_written_are_known() -> None:
    assert path_kinds.is_text("日本") and not path_kinds.is_text(Path("caf\udce9"))
