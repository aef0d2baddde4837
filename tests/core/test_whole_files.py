from pathlib import Path

import pytest

from hubstudio.core import whole_files


def test_a_text_is_written_as_utf_8(tmp_path: Path) -> None:
    whole_files.write_text(tmp_path / "new" / "text.txt", "é\n")
    assert (tmp_path / "new" / "text.txt").read_bytes() == b"\xc3\xa9\n"


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    whole_files.write_text(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "new"


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr("hubstudio.core.whole_files.os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        whole_files.write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole_files.whole_folder(tmp_path / "deep" / "run") as folder:
        (folder / "file").touch()
        assert not (tmp_path / "deep" / "run").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]
    assert (tmp_path / "deep" / "run" / "file").exists()


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_a_folder_that_fails_leaves_nothing(tmp_path: Path, interruption: type[BaseException]) -> None:
    with pytest.raises(interruption), whole_files.whole_folder(tmp_path / "run") as folder:
        (folder / "file").touch()
        raise interruption
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_in_the_way_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with whole_files.whole_folder(tmp_path / "run") as folder:
        (folder / "file").touch()
    assert (tmp_path / "run" / "file").exists()


def test_what_is_in_the_way_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").touch()
    with pytest.raises(FileExistsError), whole_files.whole_folder(tmp_path / "run") as folder:
        (folder / "file").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "precious"]


def test_the_longest_names_a_file_system_takes_can_be_written(tmp_path: Path) -> None:
    name = "😀" * 63  # 252 bytes
    whole_files.write_text(tmp_path / name, "text")
    assert (tmp_path / name).read_text() == "text"
