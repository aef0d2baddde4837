"""A training on known features does not load its backbone, and comes to the same; whatever is amiss, it loads it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from hubstudio.core import feature_store
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.events import ignore
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.run_folder import RunFolder, RunSummary
from hubstudio.ml import hub_module, model_factory
from hubstudio.ml.engine import LocalEngine
from hubstudio.ml.hub_module import load_module
from hubstudio.ml.known_modules import find_known
from hubstudio.ml.saved_models import load_trained


@pytest.fixture
def plan(three_classes: Path, small_module: Path) -> Plan:
    return Plan(str(three_classes), backbone=str(small_module), epochs=3, head_epochs=2)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is loaded, by the folder's name, from now on."""
    loads: list[str] = []
    load_saved_model: Callable[[Path], object] = hub_module._load

    def noted(folder: Path) -> object:
        loads.append(folder.name)
        return load_saved_model(folder)

    monkeypatch.setattr(hub_module, "_load", noted)
    return loads


def train(plan: Plan, out: Path) -> RunSummary:
    return LocalEngine().train(plan, out, ignore, CancelToken())


def weights(run: Path) -> list[np.ndarray]:
    return load_trained(RunFolder.open(run)).model.get_weights()


def kept_networks() -> list[Path]:
    return list(feature_store.features_folder().glob("*/backbone-*.keras"))


def test_training_again_loads_no_module_and_comes_to_the_same(plan: Plan, loaded: list[str], tmp_path: Path) -> None:
    first = train(plan, tmp_path / "first")
    assert loaded == ["small"]
    second = train(plan, tmp_path / "second")
    assert loaded == ["small"]
    assert (first.computed_photos > 0, second.computed_photos) == (True, 0)
    assert (tmp_path / "second/history.csv").read_bytes() == (tmp_path / "first/history.csv").read_bytes()
    for before, after in zip(weights(tmp_path / "first"), weights(tmp_path / "second"), strict=True):
        np.testing.assert_array_equal(before, after)
    assert second.decided == first.decided
    assert (second.backbone, second.features, second.image_size) == (first.backbone, first.features, first.image_size)


def test_the_file_on_a_known_network_loads_with_keras_alone(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path / "first")
    train(replace(plan, hidden_units=8), tmp_path / "second")
    model = keras.models.load_model(tmp_path / "second/model.keras", compile=False)
    assert np.asarray(model(np.zeros((1, 40, 50, 3), np.float32))).shape == (1, 3)


def test_a_new_photo_or_view_loads_the_module(plan: Plan, loaded: list[str], tmp_path: Path) -> None:
    train(plan, tmp_path / "first")
    train(replace(plan, augmentation=replace(plan.augmentation, brightness=0.2)), tmp_path / "second")
    assert loaded == ["small", "small"]


def test_fine_tuning_always_loads_the_module_and_keeps_no_network(
    plan: Plan, loaded: list[str], tmp_path: Path
) -> None:
    fine_tune = replace(plan, mode=Mode.FINE_TUNE, unfreeze=1)
    train(fine_tune, tmp_path / "first")
    assert kept_networks() == []
    train(fine_tune, tmp_path / "second")
    assert loaded == ["small", "small"]


def test_a_module_whose_files_changed_is_loaded_anew(
    plan: Plan, loaded: list[str], small_module: Path, tmp_path: Path
) -> None:
    mine = Path(shutil.copytree(small_module, tmp_path / "mine"))
    train(replace(plan, backbone=str(mine)), tmp_path / "first")
    train(replace(plan, backbone=str(mine)), tmp_path / "second")
    (mine / "assets").mkdir(exist_ok=True)
    (mine / "assets" / "words.txt").write_text("new")
    train(replace(plan, backbone=str(mine)), tmp_path / "third")
    assert loaded == ["mine", "mine"]


def test_files_that_are_exchanged_while_a_known_module_is_in_use_are_not_taken_for_it(
    plan: Plan, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(plan.backbone, tmp_path / "module"))
    train(replace(plan, backbone=str(folder)), tmp_path / "first")
    known = find_known(str(folder), folder, "", lambda: load_module(str(folder)))
    assert known
    (folder / "added.txt").write_text("another")
    with pytest.raises(BackboneError, match="was changed while it was in use"):
        known.whole()


def test_the_same_files_elsewhere_are_known_under_their_own_name(
    plan: Plan, loaded: list[str], small_module: Path, tmp_path: Path
) -> None:
    train(plan, tmp_path / "first")
    mine = shutil.copytree(small_module, tmp_path / "mine")
    summary = train(replace(plan, backbone=str(mine)), tmp_path / "second")
    assert loaded == ["small"]
    assert summary.backbone == str(mine)


@pytest.mark.parametrize("damage", ["network", "facts", "all"])
def test_what_is_damaged_or_gone_is_made_again(plan: Plan, loaded: list[str], tmp_path: Path, damage: str) -> None:
    train(plan, tmp_path / "first")
    (network,) = kept_networks()
    if damage == "all":
        feature_store.empty()
        assert not network.exists()
    else:
        file = network if damage == "network" else network.with_name("info.json")
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    train(plan, tmp_path / "second")
    assert loaded == ["small", "small"]
    train(plan, tmp_path / "third")
    assert loaded == ["small", "small"]
    assert (tmp_path / "third/history.csv").read_bytes() == (tmp_path / "first/history.csv").read_bytes()


def test_a_known_network_that_does_not_come_back_alike_is_not_used(
    plan: Plan, loaded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(plan, tmp_path / "first")
    finished_on = model_factory.Classifier.finished_on

    def spoiled(classifier: model_factory.Classifier, backbone: keras.layers.Layer) -> keras.Model:
        model = finished_on(classifier, backbone)
        if not len(loaded) > 1:  # the known one, whose file is then made another
            save = model.save

            def save_another(file: Path) -> None:
                values = model.get_weights()
                model.set_weights([value + 1 for value in values])
                save(file)
                model.set_weights(values)

            model.save = save_another
        return model

    monkeypatch.setattr(model_factory.Classifier, "finished_on", spoiled)
    train(plan, tmp_path / "second")
    assert loaded == ["small", "small"]
    for before, after in zip(weights(tmp_path / "first"), weights(tmp_path / "second"), strict=True):
        np.testing.assert_array_equal(before, after)


def test_known_networks_make_room_with_the_features(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path / "first")
    (network,) = kept_networks()
    assert feature_store.used_bytes() > network.stat().st_size
    feature_store.make_room(0)
    assert feature_store.used_bytes() == 0
    assert not network.parent.exists()
