"""The command that makes Studio Mini: the generator, the training and the conversion do what the recipe says."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pytest
import tensorflow as tf
from studio_mini import augment, checkpoints, conversion, module, network, pool, probe, recipe, training
from studio_mini.paint.families import FAMILIES, example

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "resources" / "make" / "studio_mini.py"
MODULE = ROOT / "resources" / "backbones" / "studio-mini"
SMOKE = recipe.read("smoke")

Images = np.ndarray[Any, np.dtype[np.float32]]


@pytest.fixture(scope="module")
def noise() -> Images:
    """Three images of smooth noise."""
    random = np.random.default_rng(0)
    return np.asarray(tf.image.resize(random.random((3, 20, 20, 3), np.float32), [128, 128]))


@pytest.fixture(scope="module")
def smoke_pool(tmp_path_factory: pytest.TempPathFactory) -> pool.Pool:
    """The pool of the smoke recipe."""
    return pool.fill(tmp_path_factory.mktemp("pool"), SMOKE, 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_numbers_paint_the_same_picture(family: str) -> None:
    first, again, next_one = (example(5, family, 3, index, 48) for index in (2, 2, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != next_one).mean() > 0.2


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_are_neither_empty_nor_all_alike(family: str) -> None:
    pictures = np.stack([example(5, family, number, 0, 48) for number in range(12)]).astype(np.float32)
    assert np.median(pictures.std(axis=(1, 2)).mean(axis=-1)) > 10
    assert pictures.std(axis=0).mean() > 20


def test_other_seeds_paint_other_classes() -> None:
    one, other = (example(seed, "texture", 0, 0, 48).astype(np.float32) for seed in (1, 2))
    assert np.abs(one - other).mean() > 5


def test_several_painters_paint_what_one_does(smoke_pool: pool.Pool, tmp_path: Path) -> None:
    together = pool.fill(tmp_path, SMOKE, 2)
    np.testing.assert_array_equal(together.pictures, smoke_pool.pictures)


def test_a_pool_goes_on_where_it_was_broken_off(smoke_pool: pool.Pool, tmp_path: Path) -> None:
    pool.fill(tmp_path, SMOKE, 1)
    state = (tmp_path / "pool.json").read_text(encoding="utf-8")
    (tmp_path / "pool.json").write_text(state.replace('"made": 16', '"made": 10'), encoding="utf-8")
    pictures = np.load(tmp_path / "pool.npy", mmap_mode="r+")
    pictures[10:] = 0
    pictures.flush()
    np.testing.assert_array_equal(pool.fill(tmp_path, SMOKE, 1).pictures, smoke_pool.pictures)


def test_a_pool_of_another_recipe_is_refused(tmp_path: Path) -> None:
    pool.fill(tmp_path, SMOKE, 1)
    with pytest.raises(SystemExit, match="painted for another recipe"):
        pool.fill(tmp_path, recipe.read("cpu"), 1)


def test_crops_are_the_same_at_every_call_and_differ_from_step_to_step(smoke_pool: pool.Pool) -> None:
    (crops, labels), (again, _), (other, _) = (augment.batch(smoke_pool, SMOKE, step) for step in (3, 3, 4))
    np.testing.assert_array_equal(crops, again)
    assert crops.shape == (64, 32, 32, 3)
    assert 0 <= crops.min() < crops.max() <= 1
    assert set(labels) <= set(range(16))
    assert np.abs(crops - other).mean() > 0.05


def test_in_each_cycle_the_rate_warms_up_and_falls_to_nothing() -> None:
    stages = (recipe.Stage(48, 30_000, 100, 0.002), recipe.Stage(64, 20_000, 100), recipe.Stage(96, 10_000, 50, 0.001))
    cpu = replace(recipe.read("cpu"), stages=stages)
    starts = np.cumsum([0, *(stage.steps for stage in cpu.stages)])
    begins = [start for start, stage in zip(starts, cpu.stages, strict=False) if stage.rate]
    highest = [stage.rate for stage in cpu.stages if stage.rate]
    assert len(begins) == 2
    for begin, end, top in zip(begins, [*begins[1:], cpu.steps], highest, strict=True):
        rates = np.array([training.rate(cpu, step) for step in range(begin, end)])
        peak = int(rates.argmax())
        assert rates.max() == pytest.approx(top)
        assert (np.diff(rates[: peak + 1]) >= 0).all()
        assert (np.diff(rates[peak:]) <= 0).all()
        assert rates[-1] < top / 1000


def test_training_in_pieces_gives_the_weights_of_one_go(smoke_pool: pool.Pool, tmp_path: Path) -> None:
    training.train(SMOKE, smoke_pool, tmp_path / "whole", 10, 1)
    steps = [training.train(SMOKE, smoke_pool, tmp_path / "pieces", minutes, 1) for minutes in (0, 0, 10)]
    assert steps == [1, 2, SMOKE.steps]
    whole, pieces = (checkpoints.read(tmp_path / name / "checkpoint")[0] for name in ("whole", "pieces"))
    assert whole.keys() == pieces.keys()
    for name, array in whole.items():
        np.testing.assert_allclose(array, pieces[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_training_learns(smoke_pool: pool.Pool, tmp_path: Path) -> None:
    training.train(SMOKE, smoke_pool, tmp_path, 10, 1)
    model = training.compiled(SMOKE)
    batches = [augment.batch(smoke_pool, SMOKE, step) for step in range(1000, 1006)]
    crops, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    untrained = loss(model, crops, labels)
    arrays, _ = checkpoints.read(tmp_path / "checkpoint")
    for variable in model.variables:
        variable.assign(arrays[f"model/{variable.path}"])
    assert loss(model, crops, labels) < untrained - 0.15


def loss(model: keras.Model, crops: Images, labels: np.ndarray[Any, Any]) -> float:
    """Cross-entropy of a batch, batch-norm on the batch's own statistics, which a short training has not settled."""
    return float(
        keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, model(crops, training=True), True))
    )


def test_checkpoints_are_cut_into_files_that_may_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "LARGEST_FILE", 3000)
    arrays = {str(number): np.full(500, number, np.float32) for number in range(4)}
    checkpoints.write(tmp_path / "checkpoint", arrays, {"step": 1})
    checkpoints.write(tmp_path / "checkpoint", arrays, {"step": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    assert len(list((tmp_path / "checkpoint").glob("*.npz"))) == 4
    read, facts = checkpoints.read(tmp_path / "checkpoint")
    assert facts == {"step": 2}
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def recipe_of(weights: conversion.Weights) -> recipe.Recipe:
    """Return the recipe whose network has these weights."""
    return next(one for one in map(recipe.read, ("cpu", "gpu")) if untrained(one).keys() <= weights.keys())


@pytest.mark.parametrize("size", [128, 100])
def test_the_module_computes_what_the_keras_network_does(noise: Images, size: int) -> None:
    photos = tf.image.resize(noise, [size, size])
    made_by = recipe_of(module.read(MODULE))
    model = conversion.network_of(module.read(MODULE), made_by)
    outputs = {layer.name.removesuffix("-out"): layer.output for layer in model.layers if "-out" in layer.name}
    expected = keras.Model(model.input, outputs)(photos, training=False)
    endpoints: Any = tf.saved_model.load(str(MODULE))(photos, training=False, return_endpoints=True)
    assert len(expected) == sum(made_by.depths)
    for name, maps in expected.items():
        np.testing.assert_allclose(endpoints[name.replace("-", "/")], maps, rtol=1e-4, atol=1e-4, err_msg=name)


def test_weights_read_from_the_module_make_the_same_module_again(noise: Images, tmp_path: Path) -> None:
    out = tmp_path / "made" / "studio-mini"
    out.mkdir(parents=True)
    (out / "README.md").write_text("kept", encoding="utf-8")
    module.write(module.read(MODULE), out)
    bundled, made = (tf.saved_model.load(str(folder)) for folder in (MODULE, out))
    for ours, theirs in zip(bundled.variables, made.variables, strict=True):
        assert ours.name == theirs.name
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    np.testing.assert_allclose(bundled(noise).numpy(), made(noise).numpy(), atol=1e-5)
    assert (out / "README.md").read_text(encoding="utf-8") == "kept"
    assert [path.name for path in out.parent.iterdir()] == ["studio-mini"]


def untrained(one: recipe.Recipe) -> conversion.Weights:
    """Return the learned weights of a recipe's network before it has learned anything."""
    return {name: variable.numpy() for name, variable in conversion.network.named_weights(network.build(one)).items()}


def test_what_closes_is_measured_on_pictures_of_the_pool(smoke_pool: pool.Pool) -> None:
    samples = conversion.samples(SMOKE, 1)
    assert len(samples) == smoke_pool.pictures.shape[0] * smoke_pool.pictures.shape[1]
    expected = tf.image.resize(smoke_pool.pictures[5, 3] / np.float32(255), [128, 128])
    np.testing.assert_allclose(samples[5 * SMOKE.examples + 3], expected, atol=0.02)


def test_the_modules_of_all_recipes_stay_below_what_may_be_shipped(noise: Images, tmp_path: Path) -> None:
    for name in ("cpu", "gpu"):
        module.write(conversion.whole(untrained(recipe.read(name)), noise), tmp_path / name)
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) < 11_900_000, name  # of 12, with a README


def test_a_checkpoint_of_another_recipe_or_half_way_is_not_converted(tmp_path: Path) -> None:
    for facts in ({"recipe": "gpu", "step": SMOKE.steps}, {"recipe": "smoke", "step": SMOKE.steps - 1}):
        checkpoints.write(tmp_path / "checkpoint", {"a": np.zeros(1, np.float32)}, facts)
        with pytest.raises(SystemExit, match="not all"):
            conversion.of_checkpoint(tmp_path / "checkpoint", SMOKE)


def test_what_closes_decorrelates_channels_and_brings_every_group_to_one_scale() -> None:
    pictures = conversion.samples(SMOKE, 1)
    made = conversion.features.Features(module.variables_of(conversion.whole(untrained(SMOKE), pictures)))
    pictures = tf.constant(pictures)
    raw = made.raw_groups(pictures)
    closed = np.asarray(made.endpoints(pictures, training=False)["default"])
    assert np.abs(closed.mean(axis=0)).max() < 0.05
    begin = 0
    for name, group in raw.items():
        rows = closed[:, begin : begin + group.shape[1]]
        begin += group.shape[1]
        assert np.sqrt(rows.var(axis=0).mean()) == pytest.approx(1, abs=0.05), name
        if name in made.decorrelated:
            channels = made.decorrelated[name]
            assert share_of_strongest(rows, channels) < 0.95 * share_of_strongest(group.numpy(), channels), name
    assert begin == closed.shape[1]


def share_of_strongest(rows: Images, channels: int) -> float:
    """Share of the strongest direction of the channels in all that varies."""
    values = np.linalg.eigvalsh(np.cov(rows.reshape(-1, channels).T))
    return float(values[-1] / values.sum())


def test_training_moves_the_statistics_by_the_batch_at_full_size_alone(noise: Images) -> None:
    weights = module.read(MODULE)
    variables, expected = module.variables_of(weights), module.variables_of(weights)
    conversion.features.Residual(expected).maps(tf.constant(noise), training=True)
    conversion.features.Features(variables).endpoints(tf.constant(noise), training=True)
    for name, variable in variables.items():
        np.testing.assert_allclose(variable.numpy(), expected[name].numpy(), rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_fixed_kernels_of_the_module_are_those_of_the_formulas() -> None:
    weights = module.read(MODULE)
    for name, kernel in conversion.bank.fixed_kernels().items():
        np.testing.assert_allclose(weights[name], kernel, atol=1e-6, err_msg=name)


def test_a_probe_tells_good_features_from_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SETS", {"colours": {"scatter": 4}})
    (good,) = probe.probe(lambda batch: batch.mean(axis=(1, 2)), 32, 1, splits=1)
    (bad,) = probe.probe(lambda batch: np.random.default_rng(0).random((len(batch), 3)), 32, 1, splits=1)
    assert (good.pictures, good.classes) == (100, 4)
    assert good.accuracy > 0.6 > bad.accuracy + 0.1


def test_the_command_makes_a_module_from_nothing(noise: Images, tmp_path: Path) -> None:
    arguments = ["make", "--smoke", "--work", str(tmp_path / "work")]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], check=True, capture_output=True, text=True, timeout=120
    )
    made: Any = tf.saved_model.load(str(tmp_path / "work" / "module"))
    assert np.isfinite(made(noise).numpy()).all()
    accuracies = [
        float(line.split("accuracy")[1].split()[0]) for line in done.stdout.splitlines() if " classes " in line
    ]
    assert len(accuracies) == len(probe.SETS)
    assert np.mean(accuracies) > 0.3  # chance is at most an eighth


def test_the_command_writes_a_module_anew_from_its_own_weights(noise: Images, tmp_path: Path) -> None:
    arguments = ["convert", "--module", str(MODULE), "--out", str(tmp_path / "module")]
    subprocess.run([sys.executable, str(SCRIPT), *arguments], check=True, capture_output=True, timeout=300)
    ours, made = (tf.saved_model.load(str(folder))(noise).numpy() for folder in (MODULE, tmp_path / "module"))
    np.testing.assert_allclose(ours, made, atol=1e-5)
