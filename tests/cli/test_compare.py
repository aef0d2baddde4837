import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core import module_places
from hubstudio.core.backbones import bundled_names
from hubstudio.core.plan import ClassWeights

Hubstudio = Callable[..., Ended]
A, B, MISSING = (f"https://host/{name}/1" for name in ("a", "b", "missing"))


def test_json_holds_every_contender_best_first_with_its_interval(hubstudio: Hubstudio, photos: Path) -> None:
    document = hubstudio("compare", photos, "--backbones", f"{A},{MISSING},{B}", "--json").document
    assert [row["backbone"] for row in document["contenders"]] == [B, A, MISSING]
    best, _, failed = document["contenders"]
    assert best["accuracy"] == 5 / 8
    low, high = best["interval"]
    assert 0 < low < 5 / 8 < high < 1
    assert {"photos_per_second", "seconds", "bytes", "features", "input_size"} <= set(best)
    assert (failed["accuracy"], failed["interval"]) == (None, None)
    assert "no backbone" in failed["error"]


def test_a_person_reads_one_table_and_why_one_failed(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("compare", photos, "--backbones", f"{A},{MISSING}")
    assert ended.code == 0
    head, first, second, *rest = ended.out.splitlines()
    assert head.split()[0] == "backbone"
    assert first.startswith(f"{A} ")
    assert "37.5 %" in first
    assert "4.2 MB" in first
    assert second.split()[:2] == [MISSING, "failed"]
    assert rest[-1] == f"{MISSING}: There is no backbone '{MISSING}'."


def test_without_names_all_backbones_on_this_computer_take_part(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path
) -> None:
    assert hubstudio("compare", photos).code == 0
    assert engine.asked == [list(bundled_names())]


def test_broken_modules_in_the_cache_take_no_part_unasked(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path
) -> None:
    entry = module_places.own_entry("https://tfhub.dev/made/up/1")
    entry.folder.mkdir(parents=True)
    (entry.folder / "saved_model.pb").write_bytes(b"half")
    assert hubstudio("compare", photos).code == 0
    assert engine.asked == [list(bundled_names())]


def test_a_module_folder_is_named_from_here(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert hubstudio("compare", photos, "--backbones", "mine, studio-mini").code == 0
    assert engine.asked == [[str(tmp_path / "mine"), "studio-mini"]]


def test_options_reach_the_plan(hubstudio: Hubstudio, engine: FakeEngine, photos: Path) -> None:
    options = ("--epochs", 5, "--seed", 7, "--hidden-units", 16, "--validation-share", 0.3, "--class-weights")
    assert hubstudio("compare", photos, "--backbones", A, *options).code == 0
    (plan,) = engine.plans
    assert (plan.epochs, plan.seed, plan.hidden_units, plan.validation_share) == (5, 7, 16, 0.3)
    assert plan.class_weights is ClassWeights.ON


def test_a_mistyped_name_is_refused_with_the_nearest(hubstudio: Hubstudio, engine: FakeEngine, photos: Path) -> None:
    ended = hubstudio("compare", photos, "--backbones", "studio-mini,studio-minni")
    assert ended.code == 1
    assert "Did you mean 'studio-mini'?" in ended.err
    assert engine.asked == []


def test_it_is_a_mistake_if_none_can_be_used(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("compare", photos, "--backbones", MISSING, "--json")
    assert ended.code == 1
    assert ended.document["error"]["what"] == "No backbone could be compared."
    assert "missing" in ended.document["error"]["found"]
    assert ended.document["contenders"][0]["backbone"] == MISSING


def test_naming_nothing_is_a_mistake_that_lists_names(hubstudio: Hubstudio, photos: Path) -> None:
    ended = hubstudio("compare", photos, "--backbones", " , ")
    assert ended.code == 1
    assert "studio-mini" in ended.err


def test_photos_that_cannot_be_trained_on_are_refused_before_the_engine_loads(
    hubstudio: Hubstudio, engine: FakeEngine, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert hubstudio("compare", tmp_path / "empty").code == 1
    assert engine.asked == []


def test_ctrl_c_ends_it_with_130(hubstudio: Hubstudio, engine: FakeEngine, photos: Path) -> None:
    engine.before = lambda: signal.raise_signal(signal.SIGINT)
    assert hubstudio("compare", photos, "--backbones", A).code == 130
