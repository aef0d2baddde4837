from __future__ import annotations

from pathlib import Path

from hubstudio.core.review_looks import LOOKS, flattery_text, looks, looks_at_test_photos, looks_text, record_look
from hubstudio.core.run_folder import SPLIT


def run_with(folder: Path, *tested: int) -> Path:
    """Make a run that tests photos of these numbers."""
    folder.mkdir(parents=True)
    rows = [f"a/{number}.jpg,a,test,{number:032x}" for number in tested]
    (folder / SPLIT).write_text("\n".join(["file,class,part,digest", *rows, f"a/9.jpg,a,train,{9:032x}"]) + "\n")
    return folder


def test_a_run_is_not_looked_at_before_its_first_look(tmp_path: Path) -> None:
    assert looks(tmp_path) == 0
    assert looks(tmp_path / "nowhere") == 0


def test_every_look_is_a_line_with_its_time(tmp_path: Path) -> None:
    record_look(tmp_path)
    record_look(tmp_path)
    assert looks(tmp_path) == 2
    assert all(line.endswith("+00:00") for line in (tmp_path / LOOKS).read_text().splitlines())


def test_a_folder_that_cannot_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    record_look(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_runs_that_test_mostly_the_same_photos_share_their_looks(tmp_path: Path) -> None:
    first, second = run_with(tmp_path / "run-001", 1, 2, 3), run_with(tmp_path / "run-002", 1, 2, 3, 4)
    other = run_with(tmp_path / "run-003", 5, 6, 9)
    for run in (first, first, second, other):
        record_look(run)
    assert looks_at_test_photos(first) == looks_at_test_photos(second) == 3
    assert looks_at_test_photos(other) == 1


def test_a_run_whose_split_is_gone_counts_its_own_looks(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run-001", 1, 2)
    record_look(run_with(tmp_path / "run-002", 1, 2))
    (run / SPLIT).unlink()
    record_look(run)
    assert looks_at_test_photos(run) == 1


def test_the_fifth_look_says_what_looking_does() -> None:
    assert flattery_text(4) == ""
    assert "5 times" in flattery_text(5)
    assert looks_text(1) == "The first look at these test photos."
