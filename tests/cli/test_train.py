import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core.hyper_parameters import HYPER_PARAMETERS
from hubstudio.core.plan import ClassWeights, Mode, Output, Plan
from hubstudio.core.plan_choices import PLAN_CHOICES
from pictures import save_picture

Hubstudio = Callable[..., Ended]


def test_json_holds_every_promised_field(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    document = hubstudio("train", photos, "--out", tmp_path / "run", "--json").document
    assert {"run", "classes", "counts", "backbone", "mode", "epochs", "best_epoch", "validation_accuracy"} <= set(
        document
    )
    assert document["run"] == str(tmp_path / "run")
    assert document["classes"] == ["cats", "dogs"]
    assert set(document["counts"]) == {"train", "validation", "test"}
    assert sum(document["counts"].values()) == 16
    assert set(document["seconds"]) >= {"features", "training", "total"}


def test_without_json_a_person_reads_what_came_out(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run")
    assert ended.code == 0
    assert re.search(r"75\.0 % on \d validation photos, in epoch 1 of 40", ended.out)
    assert str(tmp_path / "run") in ended.out


@pytest.mark.parametrize(
    ("ended", "best", "sentences"),
    [
        ({"head": "all_epochs"}, 1, ["in epoch 1 of 40."]),
        ({"head": "no_better"}, 8, ["in epoch 8 of 40.", "Validation stopped improving at epoch 8; keeping that one."]),
        (
            {"head": "no_better", "fine-tune": "stopped"},
            2,
            ["in epoch 2 of 40.", "Stopped as you asked; the best so far is kept."],
        ),
        (
            {"head": "all_epochs", "fine-tune": "no_better"},
            0,
            [
                "from the head alone: none of 40 epochs of fine-tuning was better.",
                "Validation did not get better than with the head alone; keeping that.",
            ],
        ),
    ],
)
def test_why_a_training_ended_is_said_as_in_the_window(
    hubstudio: Hubstudio,
    engine: FakeEngine,
    photos: Path,
    tmp_path: Path,
    ended: dict[str, str],
    best: int,
    sentences: list[str],
) -> None:
    engine.ended, engine.best_epoch = ended, best
    said = hubstudio("train", photos, "--out", tmp_path / "run").out.splitlines()[1:-1]
    assert [said[0].partition("photos, ")[2], *said[1:]] == sentences


def test_json_says_why_each_phase_ended(hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path) -> None:
    engine.ended = {"head": "no_better", "fine-tune": "stopped"}
    assert hubstudio("train", photos, "--out", tmp_path / "run", "--json").document["ended"] == engine.ended


@pytest.mark.parametrize("command", ["train", "compare"])
def test_help_says_what_a_default_of_zero_stands_for_and_why_it_is_the_default(
    hubstudio: Hubstudio, command: str
) -> None:
    text = " ".join(hubstudio(command, "--help").out.split())
    rate = next(row for row in HYPER_PARAMETERS if row.name == "learning_rate")
    assert f"{rate.help} (default: automatic, which is 0) {rate.reason}" in text
    assert "(default: 0)" not in text


def test_help_gives_the_reason_of_every_default(hubstudio: Hubstudio) -> None:
    text = " ".join(hubstudio("train", "--help").out.split())
    told = [row for row in PLAN_CHOICES if row.name != "class_weights"]  # its option is a switch with a rule of its own
    assert [row.name for row in (*HYPER_PARAMETERS, *told) if f"{row.help} (default: " not in text] == []
    assert [row.name for row in (*HYPER_PARAMETERS, *told) if f") {row.reason}" not in text] == []
    assert "(default: 15; 0 is off)" in text
    assert "(default: 40 for extract, 10 for fine-tune)" in text


def test_a_choice_that_is_none_is_answered_with_those_that_are(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--output", "relu")
    assert ended.code == 2
    assert "(choose from 'softmax', 'sigmoid')" in ended.err


def test_a_sigmoid_for_more_than_two_classes_is_refused_before_the_engine_loads(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    for number in range(3):
        save_picture(photos / "birds" / f"{number}.png")
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--output", "sigmoid")
    assert ended.code == 1
    assert "There are 3 classes." in ended.err
    assert not engine.plans


def test_notes_go_to_stderr_and_no_bar_is_drawn_without_a_terminal(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--json")
    assert ended.err == "The loss did not fall any more.\n"


def test_a_loss_that_is_no_number_is_null_in_json(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.validation_loss = float("nan")
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--json")
    assert ended.document["validation_loss"] is None


def test_every_hyper_parameter_has_an_option_that_reaches_the_plan(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    values = {row.name: 3 if row.whole else 0.125 for row in HYPER_PARAMETERS}
    options = [part for row in HYPER_PARAMETERS for part in (row.option, str(values[row.name]))]
    assert hubstudio("train", photos, "--out", tmp_path / "run", *options).code == 0
    assert {name: getattr(engine.plans[0], name) for name in values} == values


def test_the_other_options_reach_the_plan(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    options = ("--mode", "fine-tune", "--unfreeze", "ALL", "--output", "sigmoid", "--train-batch-norm")
    assert hubstudio("train", photos, "--out", tmp_path / "run", "--backbone", "https://host/m/1", *options).code == 0
    assert engine.plans == [
        Plan(
            str(photos),
            "https://host/m/1",
            mode=Mode.FINE_TUNE,
            unfreeze="all",
            epochs=10,
            output=Output.SIGMOID,
            train_batch_norm=True,
        )
    ]


def test_without_options_the_plan_is_the_default_one(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    hubstudio("train", photos, "--out", tmp_path / "run")
    assert engine.plans == [Plan(str(photos))]


def test_each_mode_has_its_own_number_of_epochs(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    hubstudio("train", photos, "--out", tmp_path / "run", "--mode", "fine-tune")
    assert engine.plans[0].epochs == 10


def test_folders_become_absolute(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "module").mkdir()
    monkeypatch.chdir(tmp_path)
    hubstudio("train", "photos", "--out", "run", "--backbone", "module")
    assert engine.plans[0].photos == str(photos)
    assert engine.plans[0].backbone == str(tmp_path / "module")


def test_a_plan_file_repeats_a_run(hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path) -> None:
    hubstudio("train", photos, "--out", tmp_path / "one", "--seed", "7", "--dropout", "0.5", "--mode", "fine-tune")
    hubstudio("train", "--plan", tmp_path / "one" / "plan.toml", "--out", tmp_path / "two")
    assert engine.plans[1] == engine.plans[0]


def test_options_beside_a_plan_override_it(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    Plan(photos="/elsewhere", seed=7, dropout=0.5).save(tmp_path / "plan.toml")
    hubstudio("train", photos, "--plan", tmp_path / "plan.toml", "--out", tmp_path / "run", "--dropout", "0")
    assert engine.plans == [Plan(photos=str(photos), seed=7, dropout=0.0)]


def test_batch_norm_beside_a_plan_can_be_switched_off(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    Plan(photos=str(photos), train_batch_norm=True).save(tmp_path / "plan.toml")
    hubstudio("train", "--plan", tmp_path / "plan.toml", "--out", tmp_path / "one")
    hubstudio("train", "--plan", tmp_path / "plan.toml", "--out", tmp_path / "two", "--no-train-batch-norm")
    assert [plan.train_batch_norm for plan in engine.plans] == [True, False]


def test_a_photo_folder_whose_name_is_no_text_is_a_mistake(hubstudio: Hubstudio, tmp_path: Path) -> None:
    ended = hubstudio("train", tmp_path / "caf\udce9", "--out", tmp_path / "run", "--json")
    assert ended.code == 1
    assert ended.document["error"]["what"] == "The name of the photo folder is not readable text."


def test_another_mode_beside_a_plan_brings_its_own_epochs(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    Plan(photos=str(photos), epochs=100).save(tmp_path / "plan.toml")
    hubstudio("train", "--plan", tmp_path / "plan.toml", "--out", tmp_path / "run", "--mode", "fine-tune")
    assert engine.plans[0].epochs == 10


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--epochs", "0"), "'epochs' is out of range."),
        (("--dropout", "nan"), "'dropout' is out of range."),
        (("--unfreeze", "0"), "'unfreeze' is how many of the last blocks are fine-tuned."),
    ],
)
def test_impossible_values_are_mistakes(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path, options: tuple[str, ...], what: str
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", *options, "--json")
    assert ended.code == 1
    assert ended.document["error"]["what"] == what
    assert what in ended.err


@pytest.mark.parametrize(
    "options", [("--epochs", "many"), ("--mode", "fine"), ("--unfreeze", "some"), ("--epohcs", "3"), ("--dropout",)]
)
def test_options_that_are_none_are_wrong_usage(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", *options, "--json")
    assert ended.code == 2
    assert set(ended.document["error"]) == {"what", "found", "next"}


def test_a_mistyped_option_is_answered_with_the_nearest(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--epohcs", "3")
    assert "Did you mean '--epochs'?" in ended.err
    assert ended.err.startswith("usage: hubstudio train")
    assert not ended.out


def test_wrong_usage_does_not_drown_in_options(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--epochs", "many")
    assert ended.code == 2
    assert ended.err.startswith("usage: hubstudio train [options] PHOTOS\n")
    assert len(ended.err.splitlines()) <= 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--unfreeze", 2), "--unfreeze changes nothing with --mode extract."),
        (("--head-epochs", 7, "--train-batch-norm"), "--head-epochs changes nothing with --mode extract."),
        (("--views", 2), "--views changes nothing without a change to vary photos by, such as --augment photos."),
    ],
)
def test_options_without_effect_are_told(
    hubstudio: Hubstudio, photos: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", *options)
    assert ended.code == 0
    assert message in ended.err.splitlines()
    apt = ("--mode", "fine-tune", "--augment", "photos", *options)
    assert "changes nothing" not in hubstudio("train", photos, "--out", tmp_path / "apt", *apt).err


def test_photos_or_a_plan_must_be_given(hubstudio: Hubstudio, tmp_path: Path) -> None:
    ended = hubstudio("train", "--out", tmp_path / "run")
    assert ended.code == 2
    assert "Give PHOTOS" in ended.err


def test_nothing_is_overwritten(hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").touch()
    ended = hubstudio("train", photos, "--out", tmp_path / "run")
    assert ended.code == 1
    assert "exists already" in ended.err
    assert not engine.plans


@pytest.mark.parametrize("folder", ["photos/cats", "nowhere"])
def test_photos_that_cannot_be_trained_on_are_said_before_the_engine_loads(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, folder: str
) -> None:
    ended = hubstudio("train", tmp_path / folder, "--out", tmp_path / "run", "--json")
    assert ended.code == 1
    assert ended.document["error"]["next"]
    assert not engine.plans


def test_a_damaged_plan_is_named(hubstudio: Hubstudio, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("epochs = [", "utf-8")
    ended = hubstudio("train", "--plan", tmp_path / "plan.toml", "--out", tmp_path / "run", "--json")
    assert ended.code == 1
    assert "plan.toml" in ended.document["error"]["what"]


def test_the_summary_is_plain_json_in_full_precision(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--learning-rate", "0.0012345678901234567", "--json")
    assert json.loads(ended.out)["validation_accuracy"] == 0.75
    assert Plan.load(tmp_path / "run" / "plan.toml").learning_rate == 0.0012345678901234567


def test_the_choice_of_photos_reaches_the_plan(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    more, split = tmp_path / "more.csv", tmp_path / "split.csv"
    more.write_text(f"{photos / 'cats' / '1.png'},cats\n")
    hubstudio("check", photos, "--split-out", split)
    ended = hubstudio(
        "train", photos, more, "--out", tmp_path / "run", "--leave-out", photos / "cats" / "2.png",
        "--leave-out", photos / "dogs" / ".." / "dogs" / "3.png", "--rename", "cats=lions", "--rename", "cats=tigers",
        "--split", split, "--test-share", "0.25", "--validation-share", "0.2", "--class-weights",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert engine.plans == [
        Plan(
            str(photos), more_photos=(str(more),), left_out=("cats/2.png", "dogs/3.png"), renamed=(("cats", "tigers"),),
            split_file=str(split), test_share=0.25, validation_share=0.2, class_weights=ClassWeights.ON,
        )
    ]  # fmt: skip


def test_a_plan_keeps_its_choice_of_photos_unless_told_otherwise(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    plan = Plan(str(photos), left_out=("cats/1.png",), renamed=(("cats", "lions"),), class_weights=ClassWeights.ON)
    plan.save(tmp_path / "plan.toml")
    ended = hubstudio("train", "--plan", tmp_path / "plan.toml", "--out", tmp_path / "run", "--no-class-weights",
                      "--leave-out", photos / "dogs/1.png")  # fmt: skip
    assert ended.code == 0, ended.err
    assert engine.plans == [
        Plan(str(photos), left_out=("dogs/1.png",), renamed=(("cats", "lions"),), class_weights=ClassWeights.OFF)
    ]
