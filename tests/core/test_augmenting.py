from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from hubstudio.core.augmentation import CHANGES, NO_AUGMENTATION, PRESETS, Augmentation
from hubstudio.core.augmenting import CUTOUT_GRAY, augmented, augmented_batch
from hubstudio.core.decode import pixels as decoded

Pixels = NDArray[np.uint8]
ONE_EACH = {
    change.name: Augmentation(**{change.name: change.kind(change.maximum)})
    for change in CHANGES
    if not change.extract_only
}
STRONG = Augmentation(True, True, 0.4, 180, 0.6, 0.6, 90, 2, 0.3)
seeds, numbers = st.integers(0, 2**63 - 1), st.integers(0, 2**40)
photos = arrays.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.just(3)))


def values(change: Any) -> st.SearchStrategy[Any]:
    if change.is_switch:
        return st.booleans()
    return st.integers(1, 32) if change.kind is int else st.floats(0, change.maximum)


augmentations = st.builds(Augmentation, **{change.name: values(change) for change in CHANGES})


def noise(height: int = 40, width: int = 40, seed: int = 3) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(side: int = 64) -> Pixels:
    """Colours that run from one corner to the other, as photos do rather than noise."""
    across, down = np.meshgrid(np.linspace(20, 230, side), np.linspace(20, 230, side))
    return np.rint(np.stack([across, down, (across + down) / 2], axis=-1)).astype(np.uint8)


def views(photo: Pixels, augmentation: Augmentation, count: int = 40) -> list[Pixels]:
    return [augmented(photo, augmentation, 1, number) for number in range(count)]


@given(photo=photos, augmentation=augmentations, seed=seeds, number=numbers)
def test_whatever_is_wanted_a_photo_of_the_same_shape_comes_out_and_the_given_one_stays(
    photo: Pixels, augmentation: Augmentation, seed: int, number: int
) -> None:
    before = photo.copy()
    photo.flags.writeable = False  # as from a memory-mapped file
    made = augmented(photo, augmentation, seed, number)
    assert made.shape == photo.shape
    assert made.dtype == np.uint8
    assert np.array_equal(photo, before)
    assert np.array_equal(augmented(photo, augmentation, seed, number), made)


def test_none_gives_the_same_array_back() -> None:
    photo = noise()
    assert augmented(photo, NO_AUGMENTATION, 1, 2) is photo
    assert augmented(photo, Augmentation(views=9), 1, 2) is photo
    batch = photo[None]
    assert augmented_batch(batch, NO_AUGMENTATION, [(1, 2)]) is batch


@pytest.mark.parametrize("name", ONE_EACH)
def test_every_change_changes_something_and_differs_by_seed_and_by_number(name: str) -> None:
    photo = smooth()
    assert any(not np.array_equal(view, photo) for view in views(photo, ONE_EACH[name]))
    assert len({view.tobytes() for view in views(photo, ONE_EACH[name])}) > 1
    others = [augmented(photo, ONE_EACH[name], seed, 5) for seed in range(40)]
    assert len({view.tobytes() for view in others}) > 1


def test_views_of_slices_are_those_of_whole_arrays() -> None:
    wide = noise(40, 80)
    for part in (wide[:, ::2], wide[::-1, :40], wide.transpose(1, 0, 2)[:40]):
        assert np.array_equal(augmented(part, STRONG, 4, 2), augmented(np.ascontiguousarray(part), STRONG, 4, 2))


def test_photos_of_a_memory_mapped_file_are_varied_like_others(tmp_path: Path) -> None:
    np.save(tmp_path / "photos.npy", np.stack([noise(seed=seed) for seed in range(3)]))
    mapped, loaded = np.load(tmp_path / "photos.npy", mmap_mode="r"), np.load(tmp_path / "photos.npy")
    pairs = [(1, 0), (1, 1), (1, 2)]
    made = augmented_batch(mapped, STRONG, pairs)
    assert type(made) is np.ndarray
    assert np.array_equal(made, augmented_batch(loaded, STRONG, pairs))


def test_however_many_threads_work_on_a_photo_it_comes_out_the_same() -> None:
    photo, before = noise(300, 300), cv2.getNumThreads()
    try:
        seen = []
        for threads in (1, 2, 3, 8):
            cv2.setNumThreads(threads)
            seen.append([view.tobytes() for view in views(photo, STRONG, 10)])
    finally:
        cv2.setNumThreads(before)
    assert all(other == seen[0] for other in seen)


@pytest.mark.parametrize("photo", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_what_is_no_photo_is_refused(photo: Any) -> None:
    with pytest.raises(ValueError, match="uint8"):
        augmented(photo, STRONG, 1, 1)


@given(photo=photos, number=numbers)
def test_flips_mirror_and_nothing_else(photo: Pixels, number: int) -> None:
    assert any(np.array_equal(augmented(photo, ONE_EACH["flip_horizontal"], 1, number), option)
               for option in (photo, photo[:, ::-1]))  # fmt: skip
    assert any(np.array_equal(augmented(photo, ONE_EACH["flip_vertical"], 1, number), option)
               for option in (photo, photo[::-1]))  # fmt: skip


def test_about_half_of_the_photos_are_mirrored_each_way() -> None:
    photo = noise()
    both = views(photo, Augmentation(flip_horizontal=True, flip_vertical=True), 400)
    for option in (photo, photo[:, ::-1], photo[::-1], photo[::-1, ::-1]):
        assert 60 < sum(np.array_equal(view, option) for view in both) < 140


@given(degrees=st.floats(0, 180), number=numbers)
@settings(max_examples=40)
def test_rotation_never_shows_black_corners(degrees: float, number: int) -> None:
    photo = np.full((30, 21, 3), (90, 140, 200), np.uint8)
    assert np.array_equal(augmented(photo, Augmentation(rotation=degrees, crop=0.2), 1, number), photo)


def test_rotation_turns_about_the_middle_by_no_more_than_was_said() -> None:
    photo = np.zeros((101, 101, 3), np.uint8)
    photo[48:53, 78:83] = 255  # 30 pixels right of the middle: its mirror image beyond the edge stays out of sight
    angles = []
    for view in views(photo, Augmentation(rotation=30), 200):
        down, across = (places.mean() - 50 for places in np.nonzero(view[..., 0] > 100))
        assert np.hypot(down, across) == pytest.approx(30, abs=0.5)
        angles.append(np.degrees(np.arctan2(down, across)))
    assert max(angles) == pytest.approx(30, abs=2)
    assert min(angles) == pytest.approx(-30, abs=2)


def test_rotation_up_to_a_half_turn_goes_all_the_way_round() -> None:
    photo = np.zeros((101, 101, 3), np.uint8)
    photo[48:53, 88:93] = 255
    middles = [np.argwhere(view[..., 0] > 100).mean(axis=0) - 50 for view in views(photo, ONE_EACH["rotation"], 200)]
    quarters = {(down > 0, across > 0) for down, across in middles}
    assert len(quarters) == 4


def test_a_rotated_photo_has_what_was_in_the_middle_in_the_middle() -> None:
    photo = smooth(65)
    for view in views(photo, ONE_EACH["rotation"]):
        assert np.abs(view[32, 32].astype(int) - photo[32, 32]).max() <= 1


@given(share=st.floats(0.01, 0.5), number=numbers)
@settings(max_examples=60)
def test_crop_keeps_within_the_photo_and_enlarges_by_no_more_than_its_share(share: float, number: int) -> None:
    ramp = np.repeat(np.linspace(0, 250, 101), 101).reshape(101, 101).T  # tells the column a pixel comes from
    photo = np.repeat(np.rint(ramp).astype(np.uint8)[..., None], 3, axis=2)
    columns = augmented(photo, Augmentation(crop=share), 1, number)[50, :, 0].astype(float) / 2.5
    assert np.all(np.diff(columns) >= 0)  # nothing mirrored comes into sight
    assert 1 - share - 0.02 <= (columns[-1] - columns[0]) / 100 <= 1.001


def test_crops_reach_every_edge() -> None:
    photo = smooth(101)
    found = views(photo, Augmentation(crop=0.3), 300)
    assert min(view[0, 0, 0] for view in found) <= 25
    assert max(view[0, -1, 0] for view in found) >= 225
    assert max(view[-1, 0, 1] for view in found) >= 225


@given(photo=photos, share=st.floats(0, 0.8), number=numbers)
def test_brightness_changes_the_mean_by_its_share_at_most(photo: Pixels, share: float, number: int) -> None:
    made = augmented(photo, Augmentation(brightness=share), 1, number)
    assert abs(made.mean() - photo.mean()) <= share * photo.mean() + 0.5


def test_brightness_reaches_nearly_its_share_both_ways() -> None:
    photo = np.full((8, 8, 3), 100, np.uint8)
    means = [view.mean() for view in views(photo, Augmentation(brightness=0.5), 200)]
    assert min(means) == pytest.approx(50, abs=3)
    assert max(means) == pytest.approx(150, abs=3)


@given(number=numbers, share=st.floats(0, 0.8))
def test_contrast_spreads_about_the_mean_and_keeps_it(number: int, share: float) -> None:
    photo = (noise() // 4 + 90).astype(np.uint8)  # away from both ends of the range: nothing is cut off
    made = augmented(photo, Augmentation(contrast=share), 1, number)
    assert made.mean() == pytest.approx(photo.mean(), abs=0.6)
    assert 1 - share - 0.02 <= made.std() / photo.std() <= 1 + share + 0.02


@given(level=st.integers(0, 255), hue=st.floats(0, 180), number=numbers)
def test_hue_keeps_gray_gray(level: int, hue: float, number: int) -> None:
    photo = np.full((3, 3, 3), level, np.uint8)
    assert np.array_equal(augmented(photo, Augmentation(hue=hue), 1, number), photo)


def test_hue_turns_on_the_colour_wheel_both_ways() -> None:
    red = np.full((2, 2, 3), (150, 50, 50), np.uint8)
    strongest = {int(np.argmax(view[0, 0])) for view in views(red, ONE_EACH["hue"], 60)}
    assert strongest == {0, 1, 2}
    for view in views(red, ONE_EACH["hue"], 60):
        assert view[0, 0].std() == pytest.approx(red[0, 0].std(), abs=0.6)  # as far from gray as before
    for view in views(red, Augmentation(hue=20), 100):
        assert int(np.argmax(view[0, 0])) == 0
        assert int(view[0, 0].sum()) == pytest.approx(250, abs=2)
    little = views(red, Augmentation(hue=20), 100)
    assert any(int(view[0, 0, 1]) - int(view[0, 0, 2]) > 25 for view in little)
    assert any(int(view[0, 0, 2]) - int(view[0, 0, 1]) > 25 for view in little)


def test_blur_softens_without_moving_or_darkening() -> None:
    photo = np.zeros((101, 101, 3), np.uint8)
    photo[46:55, 46:55] = 240
    seen = views(photo, Augmentation(blur=3))
    sharpness = [np.abs(np.diff(view[50, :, 0].astype(int))).max() for view in seen]
    assert min(sharpness) < 80 < max(sharpness)
    for view in seen:
        assert view.mean() == pytest.approx(photo.mean(), rel=0.03)
        assert np.argwhere(view[..., 0] > view.max() // 2).mean(axis=0) == pytest.approx((50, 50), abs=0.1)


def test_blur_looks_the_same_at_any_size() -> None:
    """What the preview shows at one size is what the backbone gets at another."""
    small, large = np.zeros((100, 100, 3), np.uint8), np.zeros((200, 200, 3), np.uint8)
    small[:, 50:], large[:, 100:] = 240, 240
    wanted = Augmentation(blur=3)
    for number in range(10):
        one, other = augmented(small, wanted, 1, number)[50, :, 0], augmented(large, wanted, 1, number)[100, :, 0]
        halved = (other[::2].astype(float) + other[1::2]) / 2
        assert np.abs(halved - one).max() < 20  # of 240; half the deviation differs by 37


@given(share=st.floats(0, 0.5), number=numbers, height=st.integers(1, 40), width=st.integers(1, 40))
def test_cutout_covers_one_square_of_its_share(share: float, number: int, height: int, width: int) -> None:
    photo = np.full((height, width, 3), 7, np.uint8)
    covered = np.argwhere(augmented(photo, Augmentation(cutout=share), 1, number)[..., 0] == CUTOUT_GRAY)
    side = round(share * min(height, width))
    assert len(covered) == side * side
    if side:
        assert (np.ptp(covered, axis=0) == side - 1).all()


def test_cutout_comes_to_every_corner() -> None:
    photo = np.full((40, 40, 3), 7, np.uint8)
    total = np.mean([view[..., 0] == CUTOUT_GRAY for view in views(photo, Augmentation(cutout=0.5), 300)], axis=0)
    assert min(total[2, 2], total[2, -3], total[-3, 2], total[-3, -3]) > 0


@pytest.mark.parametrize("name", ["crop", "rotation", "brightness", "contrast", "hue", "blur"])
def test_wanting_one_more_change_does_not_draw_the_cutout_elsewhere(name: str) -> None:
    photo = np.full((40, 40, 3), 20, np.uint8)
    alone, beside = Augmentation(cutout=0.3), replace(ONE_EACH[name], cutout=0.3)
    for number in range(20):
        masks = [augmented(photo, wanted, 1, number)[..., 0] == CUTOUT_GRAY for wanted in (alone, beside)]
        assert np.array_equal(*masks)


def test_a_stronger_setting_changes_every_example_in_the_same_direction() -> None:
    photo = np.full((4, 4, 3), 100, np.uint8)
    for number in range(40):
        weak, strong = (int(augmented(photo, Augmentation(brightness=share), 1, number)[0, 0, 0]) - 100
                        for share in (0.2, 0.4))  # fmt: skip
        assert strong == pytest.approx(2 * weak, abs=1.5)


@given(count=st.integers(0, 5), augmentation=augmentations, seed=seeds)
def test_a_batch_is_its_photos_one_by_one(count: int, augmentation: Augmentation, seed: int) -> None:
    batch = np.random.default_rng(1).integers(0, 256, (count, 12, 9, 3), np.uint8)
    before = batch.copy()
    pairs = [(seed, place) for place in range(count)]
    made = augmented_batch(batch, augmentation, pairs)
    assert made.shape == batch.shape
    assert np.array_equal(batch, before)
    for place, pair in enumerate(pairs):
        assert np.array_equal(made[place], augmented(batch[place], augmentation, *pair))


def test_a_batch_wants_a_seed_for_each_photo() -> None:
    with pytest.raises(ValueError, match="2 photos"):
        augmented_batch(np.zeros((2, 4, 4, 3), np.uint8), STRONG, [(1, 1)])


@pytest.mark.shared
@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "none"])
def test_presets_leave_real_photos_recognisable(shared: Path, preset: str) -> None:
    """Varied photos stay nearer to their own original than to another photo, judged by small gray pictures."""
    files = sorted((shared / "datasets" / "clothing10").rglob("*.jpg"))[::160]
    originals = [np.rint(decoded(file, (96, 96))).astype(np.uint8) for file in files]
    mild = replace(PRESETS[preset], rotation=min(PRESETS[preset].rotation, 15), flip_horizontal=False,
                   flip_vertical=False)  # fmt: skip
    looks = [_look(photo) for photo in originals]
    right = [
        int(np.argmax([_look(augmented(photo, mild, 1, number)) @ look for look in looks])) == place
        for place, photo in enumerate(originals)
        for number in range(5)
    ]
    assert np.mean(right) > 0.8


def _look(photo: Pixels) -> NDArray[np.float64]:
    small = photo.mean(axis=2).reshape(8, 12, 8, 12).mean(axis=(1, 3)).ravel()
    small -= small.mean()
    return small / np.linalg.norm(small)
