"""What a training says of its cost before it starts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Ended, FakeEngine
from hubstudio.core import speeds
from hubstudio.core.cost import Cost
from hubstudio.core.errors import BackboneError
from hubstudio.core.run_folder import RunFolder
from made_speeds import SPEED

Hubstudio = Callable[..., Ended]
MEASURED = ("measure", "studio-mini")
FAR = "https://host/far/1"


def test_the_prediction_is_said_before_the_start(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.predicted = Cost(41.0, 1_210_000_000, 148_000_000)
    ended = hubstudio("train", photos, "--out", tmp_path / "run")
    assert ended.err.splitlines()[0] == "Predicted: about 40 s, 1.2 GB of memory, 150 MB of disk."


def test_prediction_and_truth_stand_side_by_side_in_the_end(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.predicted = Cost(41.0, 1_210_000_000, 148_000_000)
    ended = hubstudio("train", photos, "--out", tmp_path / "run")
    said = "It took 40 s, 1.2 GB of memory, 120 MB of disk; predicted were 40 s, 1.2 GB of memory, 150 MB of disk."
    assert said in ended.out.splitlines()


def test_json_and_the_runs_metrics_hold_prediction_and_truth(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.predicted = Cost(41.0, 1_210_000_000, 148_000_000)
    cost = hubstudio("train", photos, "--out", tmp_path / "run", "--json").document["cost"]
    assert (cost["predicted"]["seconds"], cost["actual"]["seconds"]) == (41.0, 38.0)
    assert cost["actual"]["stretches"] == {"loading": 1.0, "head": 37.0}
    assert RunFolder.open(tmp_path / "run").metrics()["cost"] == cost


@pytest.mark.parametrize("end", ["no_better", "stopped"])
def test_a_training_that_did_not_do_all_epochs_is_not_held_against_what_was_predicted_for_all(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path, end: str
) -> None:
    engine.predicted = Cost(41.0, 1_210_000_000, 148_000_000)
    engine.ended = {"head": end, "fine-tune": "all_epochs"}
    assert "predicted were" not in hubstudio("train", photos, "--out", tmp_path / "run").out


def test_nothing_is_said_where_nothing_is_known(hubstudio: Hubstudio, photos: Path, tmp_path: Path) -> None:
    assert "Predicted" not in hubstudio("train", photos, "--out", tmp_path / "run").err


def test_a_training_of_seconds_is_not_held_up_by_measuring(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    assert hubstudio("train", photos, "--out", tmp_path / "run").code == 0
    assert MEASURED not in engine.asked


def test_fine_tuning_is_measured_first_if_that_was_never_done(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--mode", "fine-tune")
    assert ended.code == 0
    assert MEASURED in engine.asked
    assert "Measuring how fast tiny is on this computer" in ended.err


def test_large_photos_are_measured_first_however_few(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    assert hubstudio("train", photos, "--out", tmp_path / "run", "--image-size", "1024").code == 0
    assert MEASURED in engine.asked


def test_a_backbone_that_is_not_here_is_fetched_before_it_is_measured(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.absent = {FAR: FAR}
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--backbone", FAR, "--mode", "fine-tune")
    assert ended.code == 0
    assert ("measure", FAR) in engine.asked


def test_an_archive_is_trained_on_by_the_folder_that_its_module_came_to_be_in(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    archive, folder = tmp_path / "m.tar.gz", tmp_path / "imported" / "m"
    archive.write_bytes(b"x")
    folder.mkdir(parents=True)
    engine.absent = {str(archive): str(folder)}
    arguments = ("--out", tmp_path / "run", "--backbone", archive, "--mode", "fine-tune")
    assert hubstudio("train", photos, *arguments).code == 0
    assert ("measure", str(folder)) in engine.asked
    assert [plan.backbone for plan in engine.plans] == [str(folder)]


def test_a_backbone_that_cannot_be_fetched_is_no_training(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    def refuse() -> None:
        raise BackboneError("There is no network.", next_step="Try again.")

    engine.before = refuse
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--backbone", FAR, "--json")
    assert (ended.code, ended.document["error"]["what"]) == (1, "There is no network.")
    assert engine.plans == []


def test_what_was_measured_before_is_not_measured_again(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    speeds.keep(Path("tiny"), "", SPEED)
    assert hubstudio("train", photos, "--out", tmp_path / "run", "--mode", "fine-tune").code == 0
    assert MEASURED not in engine.asked


def test_a_backbone_that_cannot_be_measured_is_trained_all_the_same(
    hubstudio: Hubstudio, engine: FakeEngine, photos: Path, tmp_path: Path
) -> None:
    engine.unmeasurable = True
    ended = hubstudio("train", photos, "--out", tmp_path / "run", "--mode", "fine-tune")
    assert ended.code == 0
    assert "Time and memory are not known beforehand: " in ended.err
