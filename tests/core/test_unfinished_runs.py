"""A run that is being made: found again after any end, told apart from finished ones, and finished in one step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core import unfinished_runs
from hubstudio.core.errors import RunError
from hubstudio.core.parts import Part
from hubstudio.core.photo_record import read_record, write_record
from hubstudio.core.photos import Photo, PhotoFacts, PhotoSet, Problem
from hubstudio.core.plan import Plan
from hubstudio.core.split import Split
from hubstudio.core.unfinished_runs import RunProgress, UnfinishedRun, find_unfinished

PLAN = Plan("/photos", epochs=7)
PHOTOS = PhotoSet(
    Path("/photos"), ("a", "b"), (Photo(Path("/photos/a/1.jpg"), "a"), Photo(Path("/photos/b/1.jpg"), "b"))
)
SPLIT = Split(tuple(zip(PHOTOS.photos, (Part.TRAINING, Part.VALIDATION), strict=True)))


def begin(out: Path) -> UnfinishedRun:
    return UnfinishedRun.begin(out, PLAN, PHOTOS, SPLIT)


def test_it_stands_beside_the_run_it_will_become(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert run.out == tmp_path / "run"
    assert run.plan() == PLAN
    assert run.photos() == (PHOTOS, SPLIT)
    for name in ("run", "run.unfinished"):
        assert UnfinishedRun.open(tmp_path / name) == run


def test_it_can_be_told_that_it_goes_without_some_of_its_photos(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    problem = Problem("unreadable", "1 file could not be read, left out.", (PHOTOS.photos[0].path,))
    run.keep_photos(replace(PHOTOS, problems=(problem,)), SPLIT.without(PHOTOS.photos[:1]))
    photo_set, split = UnfinishedRun.open(run.out).photos()
    assert (photo_set.photos, photo_set.left_out) == (PHOTOS.photos[1:], PHOTOS.photos[:1])
    assert photo_set.classes == PHOTOS.classes
    assert [known.message for known in photo_set.problems] == [problem.message]
    assert split.assigned == ((PHOTOS.photos[0], Part.LEFT_OUT), (PHOTOS.photos[1], Part.VALIDATION))


def test_what_is_kept_becomes_the_run_in_one_step(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    (run.folder / "model.keras").write_bytes(b"model")
    (run.folder / "checkpoint-000001.npz").write_bytes(b"checkpoint")
    (run.folder / "border").mkdir()
    assert run.finish(frozenset({"model.keras"})) == tmp_path / "run"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model.keras"]


def test_nothing_that_took_the_name_meanwhile_is_overwritten(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        run.finish(frozenset())
    assert (tmp_path / "run" / "mine.txt").read_text() == "mine"


def test_a_power_cut_while_it_is_begun_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(unfinished_runs, "write_record", cut)
        begin(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    begin(tmp_path / "run")


def test_a_power_cut_while_it_is_finished_leaves_the_run_or_all_that_going_on_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(tmp_path / "run")
    (run.folder / "model.keras").write_bytes(b"model")

    def cut(path: Path) -> None:
        del path
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "unlink", cut)
        run.finish(frozenset({"model.keras"}))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / "model.keras").read_bytes() == b"model"


def test_unfinished_runs_are_found_in_natural_order_but_those_at_work(tmp_path: Path) -> None:
    for name in ("run-10", "run-9", "run-11"):
        begin(tmp_path / name)
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-2.unfinished").mkdir()  # holds no plan: not one of ours
    with UnfinishedRun.open(tmp_path / "run-11").held():
        assert [run.out.name for run in find_unfinished(tmp_path)] == ["run-9", "run-10"]
    assert len(find_unfinished(tmp_path)) == 3
    assert find_unfinished(tmp_path / "missing") == []


def test_two_programs_do_not_work_on_one(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    with run.held(), pytest.raises(RunError, match="by another program"), run.held():
        pass


def test_it_says_how_far_it_was(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    assert str(run.progress) == "preparing"
    run.tell(RunProgress("fine-tune", 3, 10, 61.5))
    assert str(run.progress) == "fine-tuning, epoch 3 of 10"
    assert run.progress.seconds == 61.5
    (run.folder / "progress.json").write_text("{")
    assert str(run.progress) == "preparing"


def test_a_new_run_does_not_take_the_place_of_one_that_waits(tmp_path: Path) -> None:
    run = begin(tmp_path / "run")
    with pytest.raises(RunError, match="An interrupted run waits"):
        begin(tmp_path / "run")
    run.discard()
    begin(tmp_path / "run")


def test_what_is_no_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no unfinished run"):
        UnfinishedRun.open(tmp_path / "run")


@pytest.mark.parametrize("content", ["", "{}", '{"root": 1}', '{"root":"a","classes":[],"problems":[],"photos":[[1]]}'])
def test_a_damaged_record_of_photos_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "photos.json").write_text(content)
    with pytest.raises(RunError, match="had written down of its photos"):
        read_record(tmp_path / "photos.json")


names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=8)


@given(
    rows=st.lists(
        st.tuples(names, st.sampled_from(Part), st.sampled_from([None, *Part]), st.integers(0, 9)), max_size=6
    )
)
def test_any_photos_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, Part, Part | None, int]]
) -> None:
    assigned = tuple((Photo(Path(f"/p/{n}{name}"), name, given), part) for n, (name, part, given, _) in enumerate(rows))
    used = tuple(photo for photo, part in assigned if part is not Part.LEFT_OUT)
    facts = {
        photo.path: PhotoFacts(bytes(range(16)), 4, 3, row[3]) for (photo, _), row in zip(assigned, rows, strict=True)
    }
    left_out = tuple(photo for photo, part in assigned if part is Part.LEFT_OUT)
    photos = PhotoSet(Path("/p"), ("a",), used, (Problem("kind", "What it is."),), facts, left_out)
    file = tmp_path_factory.mktemp("record") / "photos.json"
    write_record(file, photos, Split(assigned))
    assert read_record(file) == (photos, Split(assigned))
