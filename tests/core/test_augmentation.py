import tomllib
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core.augmentation import (
    CHANGES,
    NO_AUGMENTATION,
    PRESET_REASONS,
    PRESETS,
    Augmentation,
    Change,
    preset_of,
)
from hubstudio.core.errors import PlanError
from hubstudio.core.plan import Plan

KINDS: dict[type, st.SearchStrategy[Any]] = {bool: st.booleans(), int: st.integers(1, 32), float: st.floats(0, 1)}
NUMBERS = [change for change in CHANGES if not change.is_switch]


def within(change: Change) -> st.SearchStrategy[Any]:
    return KINDS[change.kind].map(lambda value: value * change.maximum if change.kind is float else value)


augmentations = st.builds(Augmentation, **{change.name: within(change) for change in CHANGES})


def test_the_table_has_a_row_for_every_value() -> None:
    assert [change.name for change in CHANGES] == [field.name for field in fields(Augmentation)]


@given(augmentation=augmentations)
def test_any_augmentation_reads_back_from_a_plan_file(augmentation: Augmentation) -> None:
    plan = Plan("p", augmentation=augmentation)
    assert Plan.from_toml(plan.to_toml()) == plan
    assert Augmentation.from_table(tomllib.loads(tomli_w.dumps(augmentation.to_table()))) == augmentation


def test_none_leaves_nothing_in_a_plan_file_but_a_number_of_views_does() -> None:
    assert NO_AUGMENTATION.to_table() == {}
    assert Augmentation(views=8).to_table()["views"] == 8


@pytest.mark.parametrize("change", NUMBERS, ids=lambda change: change.name)
def test_limits_hold_and_are_told(change: Change) -> None:
    for value in (change.minimum, change.maximum):
        assert getattr(Augmentation(**{change.name: change.kind(value)}), change.name) == value
    for value in (change.minimum - 1, change.maximum + 1):
        with pytest.raises(PlanError, match="out of range") as raised:
            Augmentation(**{change.name: change.kind(value)})
        assert raised.value.found == f"Found {change.kind(value)}."
        assert f"from {change.minimum:g} to {change.maximum:g}" in raised.value.next_step


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("change", [row for row in NUMBERS if row.kind is float], ids=lambda change: change.name)
def test_what_is_no_number_is_refused(change: Change, value: float) -> None:
    with pytest.raises(PlanError):
        Augmentation(**{change.name: value})


@pytest.mark.parametrize("value", ["1", None, True, [1], float("nan")])
def test_a_whole_number_is_nothing_else(value: object) -> None:
    with pytest.raises(PlanError, match="'views' must be a whole number"):
        Augmentation(views=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["1", None, True, [1]])
def test_a_number_is_neither_text_nor_a_switch(value: object) -> None:
    with pytest.raises(PlanError, match="'rotation' must be a number"):
        Augmentation(rotation=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["true", None, 1, 0.0])
def test_a_switch_is_no_number(value: object) -> None:
    with pytest.raises(PlanError, match="'flip_vertical' must be true or false") as raised:
        Augmentation(flip_vertical=value)  # type: ignore[arg-type]
    assert raised.value.next_step


def test_whole_numbers_of_a_plan_file_are_the_same_values_as_broken_ones() -> None:
    assert repr(Augmentation(rotation=15, crop=0)) == repr(Augmentation(rotation=15.0, crop=-0.0))


@pytest.mark.parametrize("table", [3, "photos", [1], None])
def test_what_is_no_table_is_refused(table: object) -> None:
    with pytest.raises(PlanError, match="is a table"):
        Augmentation.from_table(table)


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(PlanError) as raised:
        Augmentation.from_table({"rotate": 3})
    assert raised.value.what == "An augmentation has no 'rotate'."
    assert raised.value.found == "Did you mean 'rotation'?"
    assert raised.value.next_step


def test_it_is_none_only_if_nothing_changes() -> None:
    assert NO_AUGMENTATION.is_none
    assert Augmentation(views=9).is_none
    for change in CHANGES:
        if not change.extract_only:
            assert not Augmentation(**{change.name: change.kind(change.maximum)}).is_none


def test_presets_are_recognised_with_any_number_of_views() -> None:
    for name, preset in PRESETS.items():
        assert preset_of(replace(preset, views=9)) == name
        assert preset_of(replace(preset, cutout=0.31)) == ""
    assert len({tuple(asdict(preset).values()) for preset in PRESETS.values()}) == len(PRESETS)
    assert PRESETS.keys() == PRESET_REASONS.keys()


def test_presets_leave_alone_what_tells_the_class() -> None:
    documents, microscope, photos = (PRESETS[name] for name in ("documents", "microscope", "photos"))
    assert not (documents.flip_horizontal or documents.flip_vertical)
    assert documents.rotation <= 5
    assert microscope.flip_horizontal
    assert microscope.flip_vertical
    assert microscope.rotation == 180
    assert photos.flip_horizontal
    assert not photos.flip_vertical


def test_values_are_shown_in_their_unit() -> None:
    texts = {change.name: change.text(change.maximum) for change in CHANGES}
    assert texts["rotation"] == "± 180°"
    assert texts["crop"] == "up to 50 %"
    assert texts["blur"] == "up to 3 %"
    assert texts["cutout"] == "50 %"
    assert texts["views"] == "32 per photo"
    assert texts["flip_vertical"] == "on"
    assert {change.text(0) for change in CHANGES} == {"off"}
