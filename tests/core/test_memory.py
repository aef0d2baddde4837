from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from hubstudio.core import memory
from hubstudio.core.cost import Cost

GB = 1_000_000_000


def group_of(folder: Path, most: str, current: int, inactive: int = 0) -> Path:
    (folder / "memory.max").write_text(most + "\n")
    (folder / "memory.current").write_text(f"{current}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {inactive}\n")
    return folder


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer with 8 GB free and a process that holds 1 GB."""
    monkeypatch.setattr(memory, "memory_in_use", lambda: GB)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 8 * GB}))


def test_memory_in_use_grows_with_what_is_held() -> None:
    before = memory.memory_in_use()
    held = bytearray(b"x" * 50_000_000)
    assert memory.memory_in_use() - before > 40_000_000
    del held


@pytest.mark.usefixtures("computer")
def test_what_the_process_holds_counts_as_available_to_it(tmp_path: Path) -> None:
    assert memory.available_memory(tmp_path) == 9 * GB


@pytest.mark.usefixtures("computer")
def test_the_limit_of_a_container_counts(tmp_path: Path) -> None:
    assert memory.available_memory(group_of(tmp_path, str(4 * GB), 3 * GB, inactive=GB)) == 3 * GB


@pytest.mark.usefixtures("computer")
@pytest.mark.parametrize("most", ["max", "nonsense", str(100 * GB)])
def test_no_limit_changes_nothing(tmp_path: Path, most: str) -> None:
    assert memory.available_memory(group_of(tmp_path, most, GB)) == 9 * GB


def test_nothing_is_known_where_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(memory.psutil, "virtual_memory", refuse)
    assert memory.available_memory(tmp_path) is None


def test_what_fits_is_not_refused() -> None:
    cost = Cost(10.0, 2 * GB, 0)
    assert memory.refusal_text(cost, 2 * GB) == ""
    assert memory.refusal_text(cost, None) == ""
    assert memory.refusal_text(None, GB) == ""


def test_what_does_not_fit_is_told_with_figures_and_advice() -> None:
    fine_tuning = memory.refusal_text(Cost(10.0, 12 * GB, 0, {"head": 1.0, "fine-tune": 9.0}), 4 * GB)
    assert "12 GB" in fine_tuning
    assert "4.0 GB are free" in fine_tuning
    assert "batch size" in fine_tuning
    extracting = memory.refusal_text(Cost(10.0, 12 * GB, 0, {"head": 1.0}), 4 * GB)
    assert "batch size" not in extracting
    assert "smaller backbone" in extracting


def test_who_goes_on_by_a_plan_is_not_told_to_change_it() -> None:
    cost = Cost(10.0, 12 * GB, 0, {"head": 1.0, "fine-tune": 9.0})
    assert "or choose a smaller batch size" in memory.refusal_text(cost, GB)
    assert "or train anew with a smaller batch size" in memory.refusal_text(cost, GB, plan_is_fixed=True)


def test_a_guess_that_fits_raises_no_doubt() -> None:
    assert memory.doubt_text(GB, 2 * GB, fine_tunes=True, can_wait=True) == ""
    assert memory.doubt_text(None, GB, fine_tunes=True, can_wait=True) == ""
    assert memory.doubt_text(GB, None, fine_tunes=True, can_wait=True) == ""


def test_a_guess_that_does_not_fit_is_called_one_and_what_to_do_depends_on_whether_more_will_be_known() -> None:
    soon = memory.doubt_text(23 * GB, 4 * GB, fine_tunes=True, can_wait=True)
    assert "around 23 GB of memory; 4.0 GB are free. This is a guess" in soon
    assert "Wait until time and memory are shown here, or choose a smaller batch size" in soon
    never = memory.doubt_text(23 * GB, 4 * GB, fine_tunes=False, can_wait=False)
    assert "Wait" not in never
    assert "Close other programs, or choose a smaller backbone" in never
