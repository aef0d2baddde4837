"""Speeds are kept between programs, for the module and machine they were measured on, and for nothing else."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hubstudio.core import paths, speeds
from hubstudio.core.plan import Mode, Plan
from made_speeds import SPEED, made_info


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "saved_model.pb").write_bytes(b"graph")
    return tmp_path / "module"


def test_what_was_kept_is_found_again(module: Path) -> None:
    assert speeds.kept(module, "", 96) is None
    speeds.keep(module, "", SPEED)
    assert speeds.kept(module, "", 96) == SPEED


def test_another_endpoint_or_image_size_was_not_measured(module: Path) -> None:
    speeds.keep(module, "", SPEED)
    assert speeds.kept(module, "layer_3", 96) is None
    assert speeds.kept(module, "", 128) is None


def test_a_changed_module_was_not_measured(module: Path) -> None:
    speeds.keep(module, "", SPEED)
    (module / "saved_model.pb").write_bytes(b"another graph")
    assert speeds.kept(module, "", 96) is None


def test_another_machine_was_not_measured(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds.keep(module, "", SPEED)
    monkeypatch.setattr(speeds, "_machine", lambda: ("another processor",))
    assert speeds.kept(module, "", 96) is None


def test_the_plan_says_which_speed_is_meant(module: Path) -> None:
    speeds.keep(module, "", SPEED)
    info = made_info(module)
    plan = Plan("photos").with_mode(Mode.FINE_TUNE)
    assert speeds.kept_for(plan, info) == SPEED
    assert speeds.kept_for(plan, replace(info, features_name="layer_3")) is None
    assert speeds.kept_for(replace(plan, image_size=64), info) is None


def test_an_image_size_of_the_plan_goes_before_the_modules_own() -> None:
    info = replace(made_info(), input_size=None, default_size=224)
    assert speeds.size_for(Plan("photos"), info) == 224
    assert speeds.size_for(Plan("photos", image_size=160), info) == 160


def test_steps_that_were_measured_before_stay_when_only_the_frozen_backbone_is_measured_again(module: Path) -> None:
    speeds.keep(module, "", SPEED)
    speeds.keep(module, "", replace(SPEED, photos_per_second=80.0, steps=()))
    assert speeds.kept(module, "", 96) == replace(SPEED, photos_per_second=80.0)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_like_none_and_is_written_anew(module: Path, content: bytes) -> None:
    file = paths.cache_folder() / "speeds.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    assert speeds.kept(module, "", 96) is None
    speeds.keep(module, "", SPEED)
    assert speeds.kept(module, "", 96) == SPEED


def test_a_damaged_entry_costs_only_itself(module: Path, tmp_path: Path) -> None:
    speeds.keep(module, "", SPEED)
    speeds.keep(tmp_path, "", SPEED)
    file = paths.cache_folder() / "speeds.json"
    tables = json.loads(file.read_text())
    tables[next(iter(tables))]["head"] = None
    file.write_text(json.dumps(tables))
    assert speeds.kept(module, "", 96) is None
    assert speeds.kept(tmp_path, "", 96) == SPEED


def test_a_cache_that_cannot_be_written_costs_only_the_next_measurement(module: Path, own_home: Path) -> None:
    (own_home / "cache").write_text("in the way")
    speeds.keep(module, "", SPEED)
    assert speeds.kept(module, "", 96) is None


def test_programs_that_keep_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from hubstudio.core import speeds; from made_speeds import SPEED\n"
        "for number in range(20): speeds.keep(Path(sys.argv[1], str(number)), '', SPEED)"
    )
    tests = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    command = [sys.executable, "-c", program]
    running = [subprocess.Popen([*command, str(tmp_path / name)], env=environment) for name in "ab"]
    assert [program.wait(60) for program in running] == [0, 0]
    kept = [speeds.kept(tmp_path / name / str(number), "", 96) for name in "ab" for number in range(20)]
    assert kept == [SPEED] * 40
