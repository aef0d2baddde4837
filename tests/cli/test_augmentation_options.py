from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core.augmentation import CHANGES, NO_AUGMENTATION, PRESETS, Augmentation
from hubstudio.core.plan import Plan

Hubstudio = Callable[..., Ended]


@pytest.fixture
def planned(hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path) -> Callable[..., Augmentation]:
    """Train with options, and return how the engine was asked to vary photos."""

    def train(*options: str) -> Augmentation:
        ended = hubstudio("train", photos, "--out", tmp_path / f"run{len(engine.plans)}", *options)
        assert ended.code == 0, ended.err
        return engine.plans[-1].augmentation

    return train


def test_photos_are_used_as_they_are_unless_told_otherwise(planned: Callable[..., Augmentation]) -> None:
    assert planned() == NO_AUGMENTATION


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_reaches_the_plan(planned: Callable[..., Augmentation], preset: str) -> None:
    assert planned("--augment", preset) == PRESETS[preset]


def test_every_value_has_an_option_that_reaches_the_plan(planned: Callable[..., Augmentation]) -> None:
    wanted = Augmentation(**{change.name: change.kind(change.maximum) for change in CHANGES})
    options = [
        part
        for change in CHANGES
        for part in ((change.option,) if change.is_switch else (change.option, f"{change.maximum:g}"))
    ]
    assert planned(*options) == wanted


def test_options_change_values_of_the_preset(planned: Callable[..., Augmentation]) -> None:
    made = planned("--rotation", "15", "--augment", "photos", "--no-flip-horizontal", "--crop", "0", "--views", "2")
    assert made == replace(PRESETS["photos"], rotation=15, flip_horizontal=False, crop=0, views=2)


def test_a_plan_keeps_its_augmentation(planned: Callable[..., Augmentation], photos: Path, tmp_path: Path) -> None:
    kept = Augmentation(rotation=12.5, flip_vertical=True, views=7)
    Plan(str(photos), augmentation=kept).save(tmp_path / "plan.toml")
    plan = ("--plan", str(tmp_path / "plan.toml"))
    assert planned(*plan) == kept
    assert planned(*plan, "--hue", "4", "--no-flip-vertical") == replace(kept, hue=4, flip_vertical=False)
    assert planned(*plan, "--augment", "documents") == replace(PRESETS["documents"], views=7)
    assert planned(*plan, "--augment", "none") == replace(NO_AUGMENTATION, views=7)


def test_what_was_chosen_is_in_the_plan_of_the_run(planned: Callable[..., Augmentation], tmp_path: Path) -> None:
    planned("--augment", "microscope", "--views", "3")
    assert Plan.load(tmp_path / "run0" / "plan.toml").augmentation == replace(PRESETS["microscope"], views=3)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--rotation", "181"), ("--crop", "-0.1"), ("--hue", "nan"), ("--views", "0"), ("--cutout", "20")],
)
def test_impossible_values_are_mistakes(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path, option: str, value: str
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", f"{option}={value}", "--json")
    assert ended.code == 1
    assert ended.document["error"]["what"] == f"'{option[2:]}' is out of range."
    assert ended.document["error"]["next"].startswith("Give ")


@pytest.mark.parametrize(
    "options",
    [("--augment", "foto"), ("--rotation", "far"), ("--views", "2.5"), ("--augment",), ("--rotate", "3")],
)
def test_options_that_are_none_are_wrong_usage(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert hubstudio("train", photos, "--out", tmp_path / "run", *options, "--json").code == 2


def test_help_tells_of_presets_limits_and_units(hubstudio: Hubstudio) -> None:
    text = " ".join(hubstudio("train", "--help").out.split())
    assert "--augment {none,photos,documents,microscope}" in text
    assert "From 0 to 180 degrees (default: the preset's)." in text
    assert "From 1 to 32 (default: 4)." in text
    assert "--flip-horizontal, --no-flip-horizontal" in text
    for change in CHANGES:
        assert change.help in text
