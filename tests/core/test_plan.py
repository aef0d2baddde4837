from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core.errors import PlanError
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.plan import ClassWeights, Mode, Output, Plan
from hubstudio.core.plan_choices import PLAN_CHOICES, PlanChoice
from hubstudio.core.selection import Selection

FULL = Plan(
    photos="C:\\photos\\\"odd\"\nname", backbone="https://host/a/1", mode=Mode.FINE_TUNE, unfreeze="all", epochs=3,
    learning_rate=0.1 + 0.2, output=Output.SIGMOID, train_batch_norm=True, seed=2**31 - 1, test_share=0.25,
)  # fmt: skip


@pytest.mark.parametrize("plan", [Plan(photos="/photos"), FULL])
def test_a_saved_plan_reads_back_equal(plan: Plan, tmp_path: Path) -> None:
    plan.save(tmp_path / "plan.toml")
    assert Plan.load(tmp_path / "plan.toml") == plan


@given(
    photos=st.text(st.characters(exclude_categories=["Cs"])), rate=st.floats(1e-7, 10), seed=st.integers(0, 2**31 - 1)
)
def test_any_value_reads_back_exactly(photos: str, rate: float, seed: int) -> None:
    plan = Plan(photos=photos, learning_rate=rate, seed=seed)
    assert Plan.from_toml(plan.to_toml()) == plan


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
wanted = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(
    more=st.lists(names, max_size=3), left_out=st.lists(names, max_size=3), split_file=names,
    weights=st.sampled_from(ClassWeights), renamed=st.dictionaries(names, wanted, max_size=3),
)  # fmt: skip
def test_any_choice_of_photos_reads_back_exactly(
    more: list[str], left_out: list[str], split_file: str, weights: ClassWeights, renamed: dict[str, str]
) -> None:
    plan = Plan(
        "p", more_photos=tuple(more), left_out=tuple(left_out), renamed=tuple(renamed.items()), split_file=split_file,
        class_weights=weights,
    )  # fmt: skip
    assert Plan.from_toml(plan.to_toml()) == plan


def test_a_plan_from_before_there_were_choices_of_photos_is_read() -> None:
    known = {"more_photos", "left_out", "renamed", "split_file", "class_weights"}
    table = {name: value for name, value in Plan("p").to_table().items() if name not in known}
    assert Plan.from_table(table) == Plan("p")


@pytest.mark.parametrize(("said", "meant"), [(True, ClassWeights.ON), (False, ClassWeights.OFF)])
def test_early_plans_said_of_class_weights_only_yes_or_no(said: bool, meant: ClassWeights) -> None:
    assert Plan.from_table({"photos": "p", "class_weights": said}).class_weights is meant


def test_a_plan_says_which_photos_are_meant() -> None:
    plan = Plan("/p", more_photos=("/q",), left_out=("cats/1.jpg", "/q/2.jpg"), renamed=(("a", "b"),), split_file="/s")
    left_out = frozenset({Path("/p/cats/1.jpg"), Path("/q/2.jpg")})
    assert plan.selection == Selection((Path("/p"), Path("/q")), left_out, {"a": "b"}, Path("/s"))


def test_photos_left_out_beside_a_table_are_relative_to_its_folder() -> None:
    assert Plan("/p/list.csv", left_out=("1.jpg",)).selection.left_out == {Path("/p/1.jpg")}


def test_an_absolute_plan_holds_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = Plan("p", more_photos=("../q",), split_file="s.csv").absolute()
    assert (plan.photos, plan.more_photos, plan.split_file) == (
        str(tmp_path / "p"), (str(tmp_path.parent / "q"),), str(tmp_path / "s.csv"),
    )  # fmt: skip


def test_a_short_plan_by_hand_is_enough() -> None:
    assert Plan.from_toml('plan_version = 1\nphotos = "p"\nlearning_rate = 1') == Plan("p", learning_rate=1)


def test_another_mode_brings_its_own_epochs() -> None:
    assert Plan("p").with_mode(Mode.FINE_TUNE).epochs == 10
    assert Plan("p", epochs=7).with_mode(Mode.EXTRACT).epochs == 40


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = [", "is not readable as a plan"),
        ("epochs = 3", "It says no plan_version"),
        ("plan_version = 2", "It is of version 2"),
        ("plan_version = 1\nepochs = 3", "names no photo folder"),
        ("plan_version = 1\nphotos = 3", "names no photo folder"),
        ('plan_version = 1\nphotos = "p"\nepohcs = 3', "Did you mean 'epochs'"),
        ('plan_version = 1\nphotos = "p"\nmode = "finetune"', "Did you mean 'fine-tune'"),
        ('plan_version = 1\nphotos = "p"\noutput = "relu"', "Use one of: softmax, sigmoid"),
        ('plan_version = 1\nphotos = "p"\nbackbone = 3', "'backbone' in a plan cannot be 3"),
        ('plan_version = 1\nphotos = "p"\ntrain_batch_norm = "yes"', "'train_batch_norm' in a plan cannot be 'yes'"),
        ('plan_version = 1\nphotos = "p"\nunfreeze = "some"', "how many of the last blocks"),
        ('plan_version = 1\nphotos = "p"\nepochs = 1.5', "'epochs' must be a whole number"),
        ('plan_version = 1\nphotos = "p"\nseed = true', "'seed' must be a whole number"),
        ('plan_version = 1\nphotos = "p"\ndropout = "0.5"', "'dropout' must be a number"),
        ('plan_version = 1\nphotos = "p"\nleft_out = "a.jpg"', "'left_out' in a plan is a list of names"),
        ('plan_version = 1\nphotos = "p"\nmore_photos = [1]', "'more_photos' in a plan is a list of names"),
        ('plan_version = 1\nphotos = "p"\nrenamed = ["a"]', "'renamed' in a plan says a new name"),
        ('plan_version = 1\nphotos = "p"\nrenamed = {a = 1}', "'renamed' in a plan says a new name"),
        ('plan_version = 1\nphotos = "p"\nrenamed = {a = ""}', "'renamed' in a plan says a new name"),
        ('plan_version = 1\nphotos = "p"\nsplit_file = 3', "'split_file' in a plan cannot be 3"),
        ('plan_version = 1\nphotos = "p"\nclass_weights = 1', "'class_weights' cannot be 1"),
        ('plan_version = 1\nphotos = "p"\ntest_share = 1.5', "shares of validation and test"),
        ('plan_version = 1\nphotos = "p"\ntest_share = nan', "shares of validation and test"),
    ],
)
def test_a_plan_that_cannot_be_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Plan.from_toml(text, source="my plan")


def test_the_file_is_named_when_it_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"nowhere\.toml' could not be read"):
        Plan.load(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match="not a text file"):
        Plan.load(tmp_path / "plan.toml")


@pytest.mark.parametrize("row", HYPER_PARAMETERS, ids=lambda row: row.name)
def test_every_number_has_limits_that_hold(row: Any) -> None:
    kind = int if row.whole else float
    for value in (row.minimum, row.maximum):
        assert getattr(replace(Plan("p"), **{row.name: kind(value)}), row.name) == value
    for value in (row.minimum - 1, row.maximum + 1, float("nan")):
        with pytest.raises(PlanError, match=row.name):
            replace(Plan("p"), **{row.name: value})


def test_options_of_the_command_line_are_the_fields_with_hyphens() -> None:
    assert {row.name: row.option for row in HYPER_PARAMETERS}["fine_tune_learning_rate"] == "--fine-tune-learning-rate"


@pytest.mark.parametrize("unfreeze", [0, -1, "some", True, 1.5])
def test_blocks_to_unfreeze_that_cannot_be_are_refused(unfreeze: Any) -> None:
    with pytest.raises(PlanError, match="how many of the last blocks"):
        Plan("p", unfreeze=unfreeze)


@pytest.mark.parametrize(
    ("values", "what"), [({"photos": "caf\udce9"}, "photo folder"), ({"photos": "p", "backbone": "\udce9"}, "backbone")]
)
def test_a_name_that_is_no_text_is_refused(values: dict[str, str], what: str) -> None:
    with pytest.raises(PlanError, match=f"name of the {what} is not readable text"):
        Plan(**values)  # type: ignore[arg-type]


def test_a_plan_file_that_cannot_be_says_why() -> None:
    with pytest.raises(PlanError, match="null"):
        Plan.load(Path("a\0b"))


def test_all_that_tunes_a_training_is_in_the_tables_that_window_and_command_line_follow() -> None:
    elsewhere = {
        "photos", "backbone", "features", "mode", "unfreeze", "validation_share", "test_share", "more_photos",
        "left_out", "renamed", "split_file", "augmentation",
    }  # fmt: skip
    in_tables = {row.name for row in (*HYPER_PARAMETERS, *PLAN_CHOICES)}
    assert in_tables == {field.name for field in fields(Plan)} - elsewhere


@pytest.mark.parametrize("row", PLAN_CHOICES, ids=lambda row: row.name)
def test_every_choice_has_a_word_and_a_reason_and_is_a_plan(row: PlanChoice) -> None:
    assert row.help.endswith(".")
    assert row.reason.endswith(".")
    assert getattr(Plan("photos"), row.name) in row.options
    for value, word in row.options.items():
        assert row.word(value) == word
        plan = replace(Plan("photos"), **{row.name: value})
        assert Plan.from_toml(plan.to_toml()) == plan


@pytest.mark.parametrize(("output", "classes"), [(Output.SIGMOID, 2), (Output.SOFTMAX, 2), (Output.SOFTMAX, 9)])
def test_an_output_that_serves_the_classes_is_taken(output: Output, classes: int) -> None:
    Plan("photos", output=output).require_output_for(classes)


@pytest.mark.parametrize("classes", [1, 3])
def test_a_sigmoid_is_for_two_classes(classes: int) -> None:
    with pytest.raises(PlanError, match="two classes apart"):
        Plan("photos", output=Output.SIGMOID).require_output_for(classes)
