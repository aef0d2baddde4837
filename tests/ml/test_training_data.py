"""What a head learns from: rows of features, of another varied view in each epoch if there are any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hubstudio.core.photos import Photo
from hubstudio.core.plan import Plan
from hubstudio.ml.photo_store import StoredPhotos
from hubstudio.ml.training_data import Data

PHOTOS, TRAINING, VIEWS, EPOCHS = 40, 30, 3, 24
DIGESTS = tuple(number.to_bytes(16, "big") for number in range(PHOTOS))


def made_data(digests: tuple[bytes, ...] = DIGESTS) -> Data:
    """Photos whose one feature is their row, and of whose views it is row + 1000 · number of the view."""
    rows = np.arange(PHOTOS, dtype=np.float32)[:, np.newaxis]
    stored = StoredPhotos(np.arange(PHOTOS), rows, None, {}, "TensorFlow", 0, digests)
    photos = [Photo(Path(f"{place}.png"), "ab"[place % 2]) for place in range(PHOTOS)]
    data = Data.of(stored, photos, TRAINING, "ab", Plan("photos"))
    views = np.stack([rows[:TRAINING] + 1000 * (view + 1) for view in range(VIEWS)])
    return Data(data.stored, data.labels, data.training, data.validation, data.class_weights, views)


def drawn(data: Data, seed: int, epoch: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which view each of some training rows has in an epoch, 0 for the photo as it is."""
    inputs, labels = data.varied_features(seed).batch(rows, epoch)
    np.testing.assert_array_equal(inputs[:, 0] % 1000, rows)  # of its own photo, whichever view it is
    np.testing.assert_array_equal(labels[:, 0], rows % 2)
    return (inputs[:, 0] // 1000).astype(np.int64)


def test_every_photo_is_seen_in_every_view_and_as_it_is() -> None:
    data, rows = made_data(), np.arange(TRAINING)
    epochs = np.stack([drawn(data, 1, epoch, rows) for epoch in range(1, EPOCHS + 1)])
    for seen in epochs.T:
        assert len(set(seen)) >= VIEWS  # of four, in two dozen epochs
    assert set(epochs.flat) == set(range(VIEWS + 1))
    counts = np.bincount(epochs.flat) / epochs.size
    np.testing.assert_allclose(counts, 1 / (VIEWS + 1), atol=0.06)


def test_photos_are_varied_each_by_itself_and_anew_in_each_epoch() -> None:
    data, rows = made_data(), np.arange(TRAINING)
    first, second = (drawn(data, 1, epoch, rows) for epoch in (1, 2))
    assert len(set(first)) == len(set(second)) == VIEWS + 1
    assert (first != second).mean() > 0.5


def test_what_is_drawn_follows_from_seed_and_epoch_and_not_from_the_batch() -> None:
    """So a training that goes on in the middle of an epoch sees what it would have seen."""
    rows = np.random.default_rng(0).permutation(TRAINING)
    at_once = drawn(made_data(), 1, 5, rows)
    in_batches = [drawn(made_data(), 1, 5, rows[begin : begin + 7]) for begin in range(0, TRAINING, 7)]
    np.testing.assert_array_equal(np.concatenate(in_batches), at_once)
    assert not np.array_equal(drawn(made_data(), 2, 5, rows), at_once)


@pytest.mark.parametrize("change", ["content", "order", "fewer"])
def test_the_digest_tells_other_photos(change: str) -> None:
    assert made_data().digest == made_data().digest
    other = {
        "content": (*DIGESTS[:-1], bytes(range(16))),
        "order": (DIGESTS[2], DIGESTS[1], DIGESTS[0], *DIGESTS[3:]),  # of one class: the labels are the same
        "fewer": DIGESTS[:-1],
    }[change]
    assert made_data(other).digest != made_data().digest
