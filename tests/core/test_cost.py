"""What a plan is predicted to take: more work costs more, and what is said of it is short."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hubstudio.core.augmentation import PRESETS, Augmentation
from hubstudio.core.cost import Cost, PhotoAmount, Speed, bytes_text, guess_memory, moved_blocks, predict, time_text
from hubstudio.core.parts import Part
from hubstudio.core.photos import Photo, PhotoFacts, PhotoSet
from hubstudio.core.plan import Mode, Plan
from hubstudio.core.split import Split
from made_speeds import SPEED, made_info

INFO = made_info()
PHOTOS = PhotoAmount(700, 150, 10, 0.3)
EXTRACT = Plan("photos")
FINE_TUNE = EXTRACT.with_mode(Mode.FINE_TUNE)
plans = some.builds(
    lambda mode, blocks, epochs, batch: replace(
        EXTRACT.with_mode(mode), unfreeze=blocks, epochs=epochs, batch_size=batch
    ),
    some.sampled_from(Mode),
    some.one_of(some.integers(1, 6), some.just("all")),
    some.integers(1, 200),
    some.integers(1, 256),
)
amounts = some.builds(
    PhotoAmount, some.integers(6, 20_000), some.integers(2, 5_000), some.integers(2, 200), some.floats(0.01, 30)
)


def cost(plan: Plan, photos: PhotoAmount = PHOTOS, speed: Speed = SPEED) -> Cost:
    return predict(plan, INFO, speed, photos)


@given(plans, amounts, some.integers(1, 4))
def test_many_times_the_photos_never_cost_less(plan: Plan, photos: PhotoAmount, times: int) -> None:
    # Times a power of two: a last batch that is shorter is prepared by itself, and more photos can do without one.
    more = replace(photos, training=photos.training * 2**times, validation=photos.validation * 2**times)
    few, many = cost(plan, photos), cost(plan, more)
    saved_starts = 2 * SPEED.start_seconds * 3 + 200 * SPEED.head.start_seconds
    assert many.seconds >= few.seconds - saved_starts
    assert many.stretches["features"] > few.stretches["features"]
    assert many.memory_bytes >= few.memory_bytes
    assert many.disk_bytes > few.disk_bytes


@given(plans, amounts, some.integers(1, 100))
def test_more_epochs_cost_more_time_and_nothing_else(plan: Plan, photos: PhotoAmount, more: int) -> None:
    few, many = cost(plan, photos), cost(replace(plan, epochs=plan.epochs + more), photos)
    assert many.seconds > few.seconds
    assert (many.memory_bytes, many.disk_bytes) == (few.memory_bytes, few.disk_bytes)


@given(amounts, some.sampled_from([SPEED, replace(SPEED, steps=())]))
def test_deeper_costs_more(photos: PhotoAmount, speed: Speed) -> None:
    costs = [cost(replace(FINE_TUNE, unfreeze=depth), photos, speed) for depth in (1, 2, 3, "all")]
    assert all(one.seconds < other.seconds for one, other in pairwise(costs))
    assert [one.memory_bytes for one in costs] == sorted(one.memory_bytes for one in costs)


@given(amounts, some.integers(1, 32))
def test_varied_views_are_held_in_memory_too(photos: PhotoAmount, views: int) -> None:
    varied = replace(EXTRACT, augmentation=Augmentation(flip_horizontal=True, views=views))
    more = cost(varied, photos).memory_bytes - cost(EXTRACT, photos).memory_bytes
    assert more == views * photos.training * INFO.features * 4


@given(amounts, some.integers(32, 600))
def test_memory_is_guessed_by_photos_in_a_batch_and_by_their_size(photos: PhotoAmount, size: int) -> None:
    def guess(plan: Plan, side: int = size) -> int:
        return guess_memory(plan, INFO, side, photos)

    everything = replace(FINE_TUNE, unfreeze="all", batch_size=64)
    assert guess(everything, 2 * size) > guess(everything)
    assert guess(replace(everything, batch_size=256)) >= guess(everything)
    assert guess(everything) >= guess(replace(everything, unfreeze=1))
    assert guess(replace(EXTRACT, batch_size=1)) == guess(replace(EXTRACT, batch_size=256))


def test_the_guess_of_a_large_training_counts_every_layer_of_every_photo_in_the_batch() -> None:
    everything = replace(FINE_TUNE, unfreeze="all", batch_size=32)
    more = guess_memory(replace(everything, batch_size=64), INFO, 600, PHOTOS) - guess_memory(
        everything, INFO, 600, PHOTOS
    )
    assert more == pytest.approx(32 * 600**2 * 1700, rel=0.01)


def test_a_process_that_holds_much_needs_more_by_the_guess() -> None:
    assert guess_memory(EXTRACT, INFO, 224, PHOTOS, held=5 * 10**9) > 5 * 10**9


@given(amounts)
def test_fine_tuning_costs_more_than_the_head_alone(photos: PhotoAmount) -> None:
    head, blocks = cost(EXTRACT, photos), cost(FINE_TUNE, photos)
    assert blocks.seconds > head.seconds
    assert blocks.memory_bytes >= head.memory_bytes
    assert blocks.disk_bytes > head.disk_bytes


@given(amounts, some.floats(1.01, 100))
def test_larger_photos_take_longer_to_decode_and_nothing_else(photos: PhotoAmount, times: float) -> None:
    small, large = cost(EXTRACT, photos), cost(EXTRACT, replace(photos, megapixels=photos.megapixels * times))
    assert large.stretches["features"] > small.stretches["features"]
    assert {**large.stretches, "features": 0} == {**small.stretches, "features": 0}


def test_the_seconds_are_the_sum_of_the_stretches() -> None:
    found = cost(FINE_TUNE)
    assert list(found.stretches) == ["loading", "features", "head", "fine-tune", "saving"]
    assert found.seconds == pytest.approx(sum(found.stretches.values()))
    assert list(cost(EXTRACT).stretches) == ["loading", "features", "head", "saving"]


def test_features_take_the_time_of_decoding_and_of_the_backbone() -> None:
    one_by_one = cost(EXTRACT).stretches["features"]
    assert one_by_one == pytest.approx(0.7 + 850 / 200 + 850 * (0.001 + 0.3 * 0.01))
    beside = cost(EXTRACT, speed=replace(SPEED, decodes_beside=True)).stretches["features"]
    assert beside == pytest.approx(0.7 + 850 / 200)


def test_a_step_between_two_measured_depths_takes_a_time_between() -> None:
    half, middle, whole = (SPEED.step(blocks, 4) for blocks in (2, 3, 4))
    assert middle.photo_seconds == pytest.approx((half.photo_seconds + whole.photo_seconds) / 2)
    assert middle.batch_seconds == pytest.approx((half.batch_seconds + whole.batch_seconds) / 2)
    assert middle.photo_bytes == (half.photo_bytes + whole.photo_bytes) // 2


def test_a_shallow_step_takes_hardly_more_than_a_forward_pass() -> None:
    assert 1 / SPEED.photos_per_second < SPEED.step(1, 4).photo_seconds < SPEED.step(2, 4).photo_seconds


def test_only_a_measured_step_covers_fine_tuning() -> None:
    frozen = replace(SPEED, steps=())
    assert SPEED.covers(FINE_TUNE)
    assert frozen.covers(EXTRACT)
    assert not frozen.covers(FINE_TUNE)


def test_no_more_blocks_move_than_there_are() -> None:
    assert [moved_blocks(replace(FINE_TUNE, unfreeze=wanted), INFO) for wanted in (1, 9, "all")] == [1, 4, 4]


def test_photos_are_counted_with_the_sizes_that_are_known() -> None:
    photos = [Photo(Path(f"{number}.jpg"), "ab"[number % 2]) for number in range(4)]
    facts = {photo.path: PhotoFacts(b"", 1000, 500 * (1 + number)) for number, photo in enumerate(photos)}
    parts = (Part.TRAINING, Part.TRAINING, Part.VALIDATION, Part.TEST)
    split = Split(tuple(zip(photos, parts, strict=True)))
    found = PhotoAmount.of(PhotoSet(Path(), ("a", "b"), tuple(photos), facts=facts), split)
    assert found == PhotoAmount(2, 1, 2, pytest.approx(1.0))
    assert PhotoAmount.of(PhotoSet(Path(), ("a", "b"), tuple(photos)), split).megapixels > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "about 1 s"), (7.4, "about 7 s"), (43, "about 40 s"), (100, "about 2 min"), (9000, "about 2.5 h")],
)
def test_times_are_said_as_roughly_as_they_are_known(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "1 MB"), (147_000_000, "150 MB"), (996_000_000, "1.0 GB"), (1_240_000_000, "1.2 GB")]
)
def test_bytes_are_said_in_round_numbers(count: int, text: str) -> None:
    assert bytes_text(count) == text


def test_a_cost_is_one_clause() -> None:
    assert str(Cost(41, 1_210_000_000, 148_000_000)) == "about 40 s, 1.2 GB of memory, 150 MB of disk"


def test_a_speed_survives_json() -> None:
    assert Speed.from_table(json.loads(json.dumps(SPEED.to_table()))) == SPEED


@pytest.mark.parametrize(
    "change",
    [
        {"photos_per_second": 0},
        {"features_per_second": 0},
        {"load_seconds": -1},
        {"photo_bytes": "many"},
        {"start_seconds": float("nan")},
    ],
)
def test_a_table_with_impossible_numbers_is_no_speed(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Speed.from_table({**SPEED.to_table(), **change})


def test_a_frozen_part_that_runs_once_makes_epochs_shorter() -> None:
    many = PhotoAmount(800, 200, 2, 1.0)
    behind = cost(replace(FINE_TUNE, unfreeze=2), many)
    whole = cost(replace(FINE_TUNE, unfreeze=2, train_batch_norm=True), many)
    varied = cost(replace(FINE_TUNE, unfreeze=2, augmentation=PRESETS["photos"]), many)
    assert behind.stretches["fine-tune"] < 0.8 * whole.stretches["fine-tune"]
    assert behind.stretches["features"] > whole.stretches["features"]
    assert varied.stretches["fine-tune"] == whole.stretches["fine-tune"]
    all_blocks = cost(replace(FINE_TUNE, unfreeze="all"), many)
    assert all_blocks == cost(replace(FINE_TUNE, unfreeze="all", train_batch_norm=True), many)


def test_every_varied_view_goes_through_the_frozen_backbone() -> None:
    many = PhotoAmount(800, 200, 2, 1.0)
    plain = cost(EXTRACT, many).stretches["features"]
    varied = cost(replace(EXTRACT, augmentation=replace(PRESETS["photos"], views=3)), many).stretches["features"]
    assert varied - plain == pytest.approx(3 * 800 / SPEED.features_per_second)


def test_what_the_process_already_holds_comes_on_top() -> None:
    speed = replace(SPEED, loaded_bytes=500_000_000)
    alone = predict(EXTRACT, INFO, speed, PHOTOS)
    assert predict(EXTRACT, INFO, speed, PHOTOS, 400_000_000) == alone
    beside = predict(EXTRACT, INFO, speed, PHOTOS, 900_000_000)
    assert beside == replace(alone, memory_bytes=alone.memory_bytes + 400_000_000)
    assert predict(EXTRACT, INFO, SPEED, PHOTOS, 900_000_000) == cost(EXTRACT)
