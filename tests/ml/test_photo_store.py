"""Photos become features once; what is known is neither read nor computed again, and is the same to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from made_modules import save_reusable, small_network

from hubstudio.core import feature_store
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import digest_of, pixels
from hubstudio.core.errors import BackboneError, Cancelled
from hubstudio.core.events import Event, FeaturesDone, Note, Report, ignore
from hubstudio.core.settings import Settings
from hubstudio.ml import feature_runtimes, feature_source, photo_batches
from hubstudio.ml.feature_runtimes import FEATURE_BATCH, OPENVINO, TENSORFLOW, TENSORFLOW_SINGLY, Runtime
from hubstudio.ml.hub_module import HubModule, load_module
from hubstudio.ml.module_files import files_digest
from hubstudio.ml.photo_store import StoredPhotos, store_photos
from pictures import save_picture

Photos = list[Path]


@dataclass(frozen=True)
class Shop:
    """One module, and how photos are stored with it."""

    module: HubModule

    def store(
        self,
        photos: Sequence[Path],
        digests: Sequence[bytes] | None = None,
        pixel_file: Path | None = None,
        report: Report = ignore,
        cancel: CancelToken | None = None,
    ) -> StoredPhotos:
        """Store photos; their digests are those of their content unless given."""
        digests = digests or [digest_of(photo) for photo in photos]
        return store_photos(photos, digests, self.module, 32, pixel_file, report, cancel or CancelToken(), lambda: 0.0)


@pytest.fixture(scope="module")
def module(small_module: Path) -> HubModule:
    return load_module(str(small_module))


@pytest.fixture
def shop(module: HubModule, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Through TensorFlow, without a choice that takes time; which runtime it is makes no difference here."""
    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: feature_runtimes.tensorflow_runtime(module, 32, 1))
    return Shop(module)


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    return [save_picture(tmp_path / f"{number}.png", str(number)) for number in range(FEATURE_BATCH * 2 + 3)]


def test_features_are_those_of_the_module(shop: Shop, photos: Photos) -> None:
    stored = shop.store(photos)
    batch = np.stack([pixels(photo, (32, 32)) for photo in photos]) / 255
    np.testing.assert_allclose(stored.features, shop.module.forward(batch, False).numpy(), rtol=1e-4, atol=1e-5)
    assert (stored.runtime, stored.computed) == (TENSORFLOW_SINGLY, len(photos))


def test_known_features_are_the_same_bits_and_need_neither_photo_nor_backbone(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [digest_of(photo) for photo in photos]
    first = shop.store(photos, digests)
    for photo in photos:
        photo.unlink()
    monkeypatch.setattr(feature_source, "runtime_named", None)  # nothing is even prepared
    again = shop.store(photos, digests)
    np.testing.assert_array_equal(again.features, first.features)
    assert (again.runtime, again.computed, again.unreadable) == (TENSORFLOW_SINGLY, 0, {})


def test_only_new_photos_go_through_the_backbone_and_in_any_order_and_batch_come_out_alike(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at_once = shop.store(photos)
    monkeypatch.setenv("HUBSTUDIO_HOME", str(tmp_path / "another home"))
    assert shop.store(photos[5:8]).computed == 3
    turned = photos[::-1]
    rest = shop.store(turned)
    assert rest.computed == len(photos) - 3
    np.testing.assert_array_equal(rest.features[::-1], at_once.features)


def test_another_module_of_the_same_shape_shares_nothing(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    shop.store(photos[:2])
    other = load_module(str(save_reusable(small_network(), tmp_path / "other", 32)))
    assert Shop(other).store(photos[:2]).computed == 2


def test_photos_that_cannot_be_read_leave_no_gap(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    wanted = shop.store(photos).features
    feature_store.empty()
    digests = [digest_of(photo) for photo in photos]
    for place in (0, 9):
        photos[place].write_bytes(b"no photo")
    stored = shop.store(photos, digests, tmp_path / "pixels.npy")
    left = [place for place in range(len(photos)) if place not in (0, 9)]
    assert stored.places.tolist() == left
    assert sorted(stored.unreadable) == [0, 9]
    np.testing.assert_array_equal(stored.features, wanted[left])
    assert stored.pixels is not None
    for row, place in enumerate(left):
        (kept,) = stored.pixels.photos(np.array([row]))
        np.testing.assert_allclose(kept, pixels(photos[place], (32, 32)), atol=1 / 256)


@pytest.mark.parametrize("with_pixels", [False, True])
def test_a_photo_that_has_changed_since_its_check_is_left_out_and_nothing_is_kept_of_it(
    shop: Shop, photos: Photos, tmp_path: Path, with_pixels: bool
) -> None:
    digests = [digest_of(photo) for photo in photos]
    former = photos[4].read_bytes()
    save_picture(photos[4], "another")
    stored = shop.store(photos, digests, tmp_path / "pixels.npy" if with_pixels else None)
    assert stored.unreadable == {4: "it has changed since it was checked"}
    photos[4].write_bytes(former)
    again = shop.store(photos, digests)
    assert again.computed == 1
    wanted = shop.module.forward(pixels(photos[4], (32, 32))[None] / 255, False).numpy()
    np.testing.assert_allclose(again.features[4:5], wanted, rtol=1e-4, atol=1e-5)


def test_pixels_that_an_interrupted_run_has_left_need_no_photo(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    file, digests = tmp_path / "pixels.npy", [digest_of(photo) for photo in photos]
    first = shop.store(photos, digests, file)
    assert first.pixels is not None
    everything = np.arange(len(photos))
    wanted = first.pixels.photos(everything)
    for photo in photos:
        photo.unlink()
    again = shop.store(photos, digests, file)
    assert (again.unreadable, again.computed) == ({}, 0)
    assert again.pixels is not None
    np.testing.assert_array_equal(again.pixels.photos(everything), wanted)
    fewer = shop.store(photos[3:], digests[3:], file)  # one that was left out before
    assert fewer.pixels is not None
    np.testing.assert_array_equal(fewer.pixels.photos(everything[:-3]), wanted[3:])


def test_pixels_that_were_being_written_are_read_again(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    file = tmp_path / "pixels.npy"
    first = shop.store(photos, pixel_file=file)
    assert first.pixels is not None
    first.pixels.steps[5, 0, 0, 0] ^= 1
    read: list[Event] = []
    again = shop.store(photos, pixel_file=file, report=read.append)
    assert [event.done for event in read if isinstance(event, FeaturesDone)] == [len(photos) - 1, len(photos)]
    assert again.pixels is not None
    (kept,) = again.pixels.photos(np.array([5]))
    np.testing.assert_allclose(kept, pixels(photos[5], (32, 32)), atol=1 / 256)


@pytest.mark.parametrize("damage", ["cut short", "another size", "no marks", "marks of another kind"])
def test_a_file_of_pixels_that_does_not_fit_is_made_anew(
    shop: Shop, photos: Photos, tmp_path: Path, damage: str
) -> None:
    file, marks = tmp_path / "pixels.npy", tmp_path / "pixels.marks.npy"
    wanted = shop.store(photos, pixel_file=file).pixels
    assert wanted is not None
    if damage == "cut short":
        file.write_bytes(file.read_bytes()[:-1])
    elif damage == "another size":
        np.save(file, np.zeros((len(photos), 16, 16, 3), np.uint16))
    elif damage == "no marks":
        marks.unlink()
    else:
        np.save(marks, np.zeros(len(photos), np.uint8))
    again = shop.store(photos, pixel_file=file).pixels
    assert again is not None
    everything = np.arange(len(photos))
    np.testing.assert_allclose(
        again.photos(everything), np.stack([pixels(photo, (32, 32)) for photo in photos]), atol=1 / 256
    )


def test_kept_pixels_whose_features_are_lost_need_the_photo_again(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    file = tmp_path / "pixels.npy"
    wanted = shop.store(photos, pixel_file=file).features
    feature_store.empty()
    again = shop.store(photos, pixel_file=file)  # rounded as they are kept, pixels would give other bits
    assert again.computed == len(photos)
    np.testing.assert_array_equal(again.features, wanted)


def test_copies_share_a_row_of_pixels(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    photos[7].write_bytes(photos[2].read_bytes())
    stored = shop.store(photos, pixel_file=tmp_path / "pixels.npy")
    assert stored.pixels is not None
    one, other = stored.pixels.photos(np.array([2, 7]))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(one, pixels(photos[2], (32, 32)), atol=1 / 256)
    assert len(stored.pixels.steps) == len(photos) - 1


def test_pixels_stay_on_disk(shop: Shop, photos: Photos, tmp_path: Path) -> None:
    photos[3].write_bytes(b"no photo")
    stored = shop.store(photos, pixel_file=tmp_path / "pixels.npy")
    assert stored.pixels is not None
    assert isinstance(stored.pixels.steps, np.memmap)
    assert np.load(tmp_path / "pixels.npy", mmap_mode="r").shape == (len(photos), 32, 32, 3)


def test_where_pixels_are_wanted_photos_are_read_but_known_ones_are_not_computed(
    shop: Shop, photos: Photos, tmp_path: Path
) -> None:
    shop.store(photos[:-1])
    stored = shop.store(photos, pixel_file=tmp_path / "pixels.npy")
    assert stored.computed == 1
    assert stored.pixels is not None
    (kept,) = stored.pixels.photos(np.array([4]))
    np.testing.assert_allclose(kept, pixels(photos[4], (32, 32)), atol=1 / 256)
    (rounded,) = stored.pixels.whole_levels(np.array([4]))
    assert rounded.dtype == np.uint8
    np.testing.assert_allclose(rounded, kept, atol=0.51)


def test_events_begin_with_what_is_known_and_end_with_all(shop: Shop, photos: Photos) -> None:
    shop.store(photos[:4])
    events: list[Event] = []
    shop.store(photos, report=events.append)
    done = [event.done for event in events if isinstance(event, FeaturesDone)]
    assert done == [4, 12, 19]


@pytest.mark.parametrize("how", ["cancel", "stop"])
def test_cancelling_answers_within_a_batch_and_keeps_what_was_computed(shop: Shop, photos: Photos, how: str) -> None:
    cancel = CancelToken()

    def after_the_first_batch(event: Event) -> None:
        if isinstance(event, FeaturesDone) and event.done:
            getattr(cancel, how)()

    with pytest.raises(Cancelled):
        shop.store(photos, report=after_the_first_batch, cancel=cancel)
    assert shop.store(photos).computed == len(photos) - FEATURE_BATCH


def test_features_that_are_no_numbers_are_refused_and_not_kept(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Runtime(TENSORFLOW_SINGLY, lambda batch: np.full((len(batch), shop.module.features), np.nan, np.float32))
    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: broken)
    with pytest.raises(BackboneError, match="no numbers"):
        shop.store(photos)
    assert feature_store.used_bytes() == 0


def test_a_damaged_store_costs_only_its_photos(shop: Shop, photos: Photos) -> None:
    wanted = shop.store(photos[:10]).features
    shop.store(photos[10:])
    segments = sorted(feature_store.features_folder().glob("*/*.npy"), key=lambda file: file.stat().st_size)
    segments[-1].write_bytes(segments[-1].read_bytes()[:-7])
    again = shop.store(photos)
    assert again.computed == 10
    np.testing.assert_array_equal(again.features[:10], wanted)


def test_kept_features_stay_within_the_limit_of_the_settings(shop: Shop, photos: Photos) -> None:
    Settings(feature_limit_gb=0).save()
    assert len(shop.store(photos).features) == len(photos)
    assert feature_store.used_bytes() == 0


def test_the_runtime_is_chosen_once_and_again_after_emptying(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[str] = []
    choose = feature_source.choose_runtime

    def noted(*arguments: Any) -> Runtime:
        chosen.append("once")
        return choose(*arguments)

    monkeypatch.setattr(feature_source, "choose_runtime", noted)
    for photo in photos[:3]:
        assert shop.store([photo]).runtime == TENSORFLOW_SINGLY
    assert feature_store.make_room(0) > 0
    shop.store(photos[:1])
    assert chosen == ["once"]
    feature_store.empty()
    shop.store(photos[:1])
    assert chosen == ["once", "once"]


def test_where_the_remembered_runtime_fails_another_is_chosen_and_its_features_are_kept_apart(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = feature_source.choose_runtime
    by_openvino = Runtime(OPENVINO, lambda batch: np.ones((len(batch), shop.module.features), np.float32))
    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: by_openvino)
    assert shop.store(photos[:2]).runtime == OPENVINO
    monkeypatch.setattr(feature_source, "choose_runtime", ours)
    monkeypatch.setattr(feature_source, "runtime_named", lambda *_: None)
    found = shop.store(photos[2:4])
    assert (found.runtime, found.computed) == (TENSORFLOW_SINGLY, 2)
    assert shop.store(photos[2:4]).computed == 0
    assert shop.store(photos[:2]).computed == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 3}', "\0" * 9])
def test_a_damaged_list_of_choices_only_means_choosing_again(shop: Shop, photos: Photos, content: str) -> None:
    file = feature_store.features_folder() / "runtimes.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    assert shop.store(photos[:1]).runtime == TENSORFLOW_SINGLY
    assert shop.store(photos[:1]).computed == 0


def test_a_runtime_that_was_tried_on_drawn_photos_decides_nothing(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = feature_source.FrozenBackbone(shop.module, 32, CancelToken(), remembers=False)
    backbone(np.zeros((2, 32, 32, 3), np.float32))
    assert backbone.runtime_name == TENSORFLOW_SINGLY
    assert feature_source.FrozenBackbone(shop.module, 32, CancelToken()).runtime_name == ""


@pytest.mark.parametrize("trouble", [tf.errors.ResourceExhaustedError(None, None, "out of memory"), MemoryError()])
def test_photos_that_do_not_fit_into_memory_together_go_one_by_one_all_of_them_and_that_is_said(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    wanted = shop.store(photos).features
    feature_store.empty()
    batches = iter([3, 2])  # the second one is too much

    def small_memory(batch: np.ndarray) -> np.ndarray:
        if next(batches, None) is None:
            raise trouble
        return np.full((len(batch), shop.module.features), 7, np.float32)

    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: Runtime(TENSORFLOW, small_memory))
    monkeypatch.setattr(feature_source, "runtime_named", lambda *_: Runtime(TENSORFLOW, small_memory))
    events: list[Event] = []
    stored = shop.store(photos, report=events.append)
    np.testing.assert_array_equal(stored.features, wanted)
    assert stored.runtime == TENSORFLOW_SINGLY
    (note,) = (event for event in events if isinstance(event, Note))
    assert "one by one" in note.text
    last = events[-1]
    assert isinstance(last, FeaturesDone)
    assert last.done == last.total == len(photos)
    assert stored.computed == len(photos)
    assert shop.store(photos).computed == 0


def test_memory_that_the_backbone_did_not_take_says_nothing_of_its_batches(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    by_tensorflow = feature_runtimes.tensorflow_runtime(shop.module, 32)
    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: by_tensorflow)
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(photo_batches, "pixels", no_memory)
        shop.store(photos)
    assert shop.store(photos).runtime == TENSORFLOW


def test_one_photo_that_does_not_fit_into_memory_either_is_an_end(
    shop: Shop, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(_: np.ndarray) -> np.ndarray:
        raise MemoryError

    runtime = Runtime(TENSORFLOW_SINGLY, no_memory, 1)
    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: runtime)
    with pytest.raises(MemoryError):
        shop.store(photos)


def test_weights_that_change_change_the_digest(module: HubModule, tmp_path: Path) -> None:
    folder = save_reusable(small_network(), tmp_path / "one", 32)
    before = files_digest(folder)
    assert before == files_digest(folder)
    (weights,) = (folder / "variables").glob("variables.data*")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert files_digest(folder) != before
