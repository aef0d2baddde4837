from __future__ import annotations

from dataclasses import fields, replace

import pytest

from hubstudio.core.augmentation import PRESETS
from hubstudio.core.plan import ClassWeights, Mode, Optimizer, Output, Plan
from hubstudio.core.plan_differences import Difference, differences

PLAN = Plan("/photos/flowers")
FINE_TUNED = PLAN.with_mode(Mode.FINE_TUNE)

CHANGES = {
    "photos": "/photos/weeds",
    "backbone": "https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5",
    "features": "layer_12",
    "unfreeze": "all",
    "epochs": 7,
    "head_epochs": 8,
    "batch_size": 9,
    "patience": 3,
    "optimizer": Optimizer.SGD,
    "learning_rate": 0.1,
    "fine_tune_learning_rate": 0.2,
    "layer_decay": 0.3,
    "warm_up": 0.4,
    "clip_norm": 5.0,
    "start_pull": 0.6,
    "hidden_units": 70,
    "dropout": 0.8,
    "weight_decay": 0.9,
    "label_smoothing": 0.15,
    "output": Output.SIGMOID,
    "train_batch_norm": True,
    "image_size": 96,
    "seed": 11,
    "validation_share": 0.2,
    "test_share": 0.25,
    "more_photos": ("/photos/more",),
    "left_out": ("a.jpg",),
    "renamed": (("rose", "roses"),),
    "split_file": "/photos/split.csv",
    "class_weights": ClassWeights.OFF,
    "augmentation": PRESETS["photos"],
}


def test_equal_plans_do_not_differ() -> None:
    assert differences([PLAN, PLAN, PLAN]) == []


@pytest.mark.parametrize("name", [field.name for field in fields(Plan) if field.name != "mode"])
def test_no_setting_is_forgotten(name: str) -> None:
    other = replace(FINE_TUNED, **{name: CHANGES[name]})
    found = differences([FINE_TUNED, other])
    assert found
    assert all(row.departs == (False, True) for row in found)


def test_only_what_differs_is_told_in_words() -> None:
    other = replace(PLAN, epochs=12, hidden_units=128, optimizer=Optimizer.SGD)
    assert differences([PLAN, other]) == [
        Difference("Epochs", ("40", "12")),
        Difference("Hidden units", ("none", "128")),
        Difference("Optimizer", ("Adam", "SGD")),
    ]


def test_what_has_no_meaning_in_a_mode_is_a_dash() -> None:
    rows = {row.label: row.values for row in differences([PLAN, replace(FINE_TUNED, layer_decay=0.7)])}
    assert rows["What learns"] == ("extract features", "fine-tune")
    assert rows["Blocks"] == ("–", "last 4")
    assert rows["Layer decay"] == ("–", "0.7")


def test_settings_without_meaning_in_either_plan_are_no_difference() -> None:
    assert differences([PLAN, replace(PLAN, layer_decay=0.7, unfreeze=2, head_epochs=3)]) == []


def test_lists_of_one_length_are_told_apart() -> None:
    plans = [replace(PLAN, left_out=names) for names in (("a.jpg",), ("b.jpg",), ("a.jpg",))]
    (row,) = differences(plans)
    assert row.values == ("1 photo (set 1)", "1 photo (set 2)", "1 photo (set 1)")
    assert row.departs == (False, True, False)


def test_backbones_of_one_name_are_told_by_where_they_are_from() -> None:
    plans = [replace(PLAN, backbone=f"/modules/{number}/mobilenet") for number in (1, 2)]
    assert [row.values for row in differences(plans, lambda handle: "mobilenet")] == [
        ("/modules/1/mobilenet", "/modules/2/mobilenet")
    ]
