"""The border's values of all photos lie on disk, whole, or there are none."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import Cancelled
from hubstudio.ml.border_store import store_borders, worth_cutting
from hubstudio.ml.frozen_border import FrozenBorder, find_border
from hubstudio.ml.hub_module import load_module

GIGABYTE = 1 << 30
PLENTY = 100 * GIGABYTE


@pytest.fixture(scope="module")
def border(small_module: Path) -> FrozenBorder:
    module = load_module(str(small_module))
    found = find_border(module, 32, module.blocks[-1].places)
    assert found is not None
    return found


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (21, 32, 32, 3)).astype(np.uint8)


def nothing(done: int, total: int) -> None:
    del done, total


def test_every_row_is_the_front_of_its_photo(border: FrozenBorder, pixels: np.ndarray, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).permutation(21)[:19]
    told: list[tuple[int, int]] = []
    stored = store_borders(pixels.__getitem__, rows, border, tmp_path, lambda *done: told.append(done), CancelToken())
    assert stored is not None
    (values,) = stored
    assert isinstance(values, np.memmap)
    assert (values.shape, values.dtype) == ((19, 8, 8, 10), np.float32)
    expected = border.front(tf.constant(pixels[rows], tf.float32) / 255)[0]
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert told == [(8, 19), (16, 19), (19, 19)]


def test_the_same_photos_give_the_same_bytes(border: FrozenBorder, pixels: np.ndarray, tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        store_borders(pixels.__getitem__, np.arange(21), border, folder, nothing, CancelToken())
    first, second = ((folder / "border_0.npy").read_bytes() for folder in folders)
    assert first == second


def test_cancelling_ends_within_a_batch_and_leaves_no_file(
    border: FrozenBorder, pixels: np.ndarray, tmp_path: Path
) -> None:
    cancel, told = CancelToken(), list[int]()

    def cancel_at_once(done: int, total: int) -> None:
        del total
        told.append(done)
        cancel.cancel()

    with pytest.raises(Cancelled):
        store_borders(pixels.__getitem__, np.arange(21), border, tmp_path, cancel_at_once, cancel)
    assert (told, list(tmp_path.iterdir())) == ([8], [])


def test_being_asked_to_keep_what_there_is_ends_within_a_batch_without_values(
    border: FrozenBorder, pixels: np.ndarray, tmp_path: Path
) -> None:
    cancel = CancelToken()
    assert store_borders(pixels.__getitem__, np.arange(21), border, tmp_path, lambda *_: cancel.stop(), cancel) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="space is asked for in another way here")
def test_a_full_disk_is_met_before_the_first_photo_and_nothing_stays(
    border: FrozenBorder, pixels: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def full(descriptor: int, begin: int, length: int) -> None:
        del descriptor, begin
        asked.append(length)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    told: list[int] = []
    with pytest.raises(OSError, match="No space left"):
        store_borders(
            pixels.__getitem__, np.arange(21), border, tmp_path, lambda done, _: told.append(done), CancelToken()
        )
    assert asked[0] >= 21 * border.bytes_per_photo
    assert (told, list(tmp_path.iterdir())) == ([], [])


def test_a_front_that_is_most_of_the_work_is_worth_cutting(border: FrozenBorder) -> None:
    assert worth_cutting(replace(border, front_share=0.8), 1000, PLENTY)


def test_a_front_of_little_work_is_not(border: FrozenBorder) -> None:
    assert not worth_cutting(replace(border, front_share=0.1), 1000, PLENTY)


def test_half_of_the_free_disk_is_left_to_others(border: FrozenBorder) -> None:
    large = replace(border, front_share=0.8, shapes=((1 << 18,),))  # a MiB each
    assert worth_cutting(large, 1000, 2000 << 20)
    assert not worth_cutting(large, 1001, 2000 << 20)


def test_more_than_stays_in_memory_is_not_worth_cutting(border: FrozenBorder) -> None:
    large = replace(border, front_share=0.8, shapes=((1 << 18,),))
    assert worth_cutting(large, 4096, PLENTY)
    assert not worth_cutting(large, 4097, PLENTY)
