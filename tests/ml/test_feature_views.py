"""Varied views of photos: each computed once, decided by seed and content, and kept by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hubstudio.core import feature_store
from hubstudio.core.augmentation import Augmentation
from hubstudio.core.augmenting import augmented
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import digest_of, pixels
from hubstudio.core.errors import Cancelled
from hubstudio.core.events import Event, FeaturesDone, Report, ignore
from hubstudio.core.settings import Settings
from hubstudio.ml import feature_runtimes, feature_source, feature_views
from hubstudio.ml.feature_runtimes import FEATURE_BATCH
from hubstudio.ml.feature_views import StoredViews, photo_seed, store_views
from hubstudio.ml.hub_module import HubModule, load_module
from pictures import save_picture

VARIED = Augmentation(flip_horizontal=True, crop=0.3, rotation=20, brightness=0.3, views=3)


@dataclass(frozen=True)
class Studio:
    """One module, and how views are stored with it."""

    module: HubModule

    def store(
        self,
        photos: Sequence[Path],
        augmentation: Augmentation = VARIED,
        seed: int = 1,
        digests: Sequence[bytes] | None = None,
        report: Report = ignore,
        cancel: CancelToken | None = None,
    ) -> NDArray[np.float32]:
        """Store views; digests are those of the photos' content unless given."""
        digests = digests or [digest_of(photo) for photo in photos]
        return self.store_some(photos, digests, augmentation, seed, report, cancel).features

    def store_some(
        self,
        photos: Sequence[Path],
        digests: Sequence[bytes],
        augmentation: Augmentation = VARIED,
        seed: int = 1,
        report: Report = ignore,
        cancel: CancelToken | None = None,
    ) -> StoredViews:
        """Store views of photos that were checked before, some of which may be gone."""
        cancel = cancel or CancelToken()
        return store_views(photos, digests, self.module, 32, augmentation, seed, report, cancel, lambda: 0.0)


@pytest.fixture(scope="module")
def module(small_module: Path) -> HubModule:
    return load_module(str(small_module))


@pytest.fixture
def studio(module: HubModule, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setattr(feature_source, "choose_runtime", lambda *_: feature_runtimes.tensorflow_runtime(module, 32, 1))
    return Studio(module)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [save_picture(tmp_path / f"{number}.png", str(number)) for number in range(FEATURE_BATCH + 3)]


def computed(studio: Studio, photos: Sequence[Path], augmentation: Augmentation = VARIED, seed: int = 1) -> int:
    """Store views; return how many had to be computed."""
    done: list[FeaturesDone] = []

    def note(event: Event) -> None:
        assert isinstance(event, FeaturesDone)
        done.append(event)

    studio.store(photos, augmentation, seed, report=note)
    assert done[-1].done == done[-1].total == augmentation.views * len(photos)
    return done[-1].total - done[0].done


def test_a_view_is_the_features_of_the_varied_photo(studio: Studio, photos: list[Path]) -> None:
    found = studio.store(photos)
    assert found.shape == (3, len(photos), studio.module.features)
    for view in (1, 3):
        for place in (0, 9):
            levels = np.rint(pixels(photos[place], (32, 32))).astype(np.uint8)
            varied = augmented(levels, VARIED, photo_seed(1, digest_of(photos[place])), view)
            wanted = studio.module.forward(varied[None].astype(np.float32) / 255, False).numpy()[0]
            np.testing.assert_allclose(found[view - 1, place], wanted, rtol=1e-4, atol=1e-5)
    assert not np.allclose(found[0], found[1], rtol=1e-2)


def test_views_that_are_known_are_the_same_bits_and_need_no_photo(studio: Studio, photos: list[Path]) -> None:
    digests = [digest_of(photo) for photo in photos]
    first = studio.store(photos, digests=digests)
    for photo in photos:
        photo.unlink()
    np.testing.assert_array_equal(studio.store(photos, digests=digests), first)


def test_more_views_and_more_photos_only_cost_what_is_new(studio: Studio, photos: list[Path]) -> None:
    assert computed(studio, photos[:4]) == 12
    assert computed(studio, photos[:4], replace(VARIED, views=5)) == 8
    assert computed(studio, photos[:6]) == 6
    assert computed(studio, photos[:6]) == 0


def test_a_photos_views_do_not_depend_on_the_other_photos(studio: Studio, photos: list[Path]) -> None:
    alone = studio.store(photos[5:6])
    feature_store.empty()
    np.testing.assert_array_equal(studio.store(photos)[:, 5:6], alone)


@pytest.mark.parametrize(
    ("augmentation", "seed"), [(VARIED, 2), (replace(VARIED, rotation=21), 1), (Augmentation(blur=1, views=3), 1)]
)
def test_another_seed_or_other_changes_share_nothing(
    studio: Studio, photos: list[Path], augmentation: Augmentation, seed: int
) -> None:
    first = studio.store(photos[:2])
    assert computed(studio, photos[:2], augmentation, seed) == 6
    assert not np.array_equal(studio.store(photos[:2], augmentation, seed), first)


def test_photos_that_went_away_or_changed_are_left_out_of_all_views_and_nothing_is_kept_of_them(
    studio: Studio, photos: list[Path]
) -> None:
    digests = [digest_of(photo) for photo in photos]
    wanted = studio.store(photos, digests=digests)
    feature_store.empty()
    studio.store(photos[8:9], replace(VARIED, views=1), digests=digests[8:9])  # one of its views stays known
    contents = {place: photos[place].read_bytes() for place in (0, 8, 9)}
    photos[0].unlink()
    photos[8].unlink()
    save_picture(photos[9], "another")
    told: list[FeaturesDone] = []
    found = studio.store_some(photos, digests, report=lambda event: told.append(checked(event)))
    gone = "the file is no longer there"
    assert found.unreadable == {0: gone, 8: gone, 9: "it has changed since it was checked"}
    left = [place for place in range(len(photos)) if place not in found.unreadable]
    np.testing.assert_array_equal(found.features, wanted[:, left])
    assert told[-1].done == told[-1].total == VARIED.views * len(photos)
    for place, content in contents.items():
        photos[place].write_bytes(content)
    np.testing.assert_array_equal(studio.store(photos, digests=digests), wanted)


def checked(event: Event) -> FeaturesDone:
    assert isinstance(event, FeaturesDone)
    return event


@pytest.mark.parametrize("how", ["cancel", "stop"])
def test_cancelling_answers_within_a_batch_of_one_view_and_keeps_it(
    studio: Studio, photos: list[Path], how: str
) -> None:
    cancel = CancelToken()

    def after_the_first_batch(event: Event) -> None:
        if isinstance(event, FeaturesDone) and event.done:
            getattr(cancel, how)()

    with pytest.raises(Cancelled):
        studio.store(photos, report=after_the_first_batch, cancel=cancel)
    assert computed(studio, photos) == VARIED.views * len(photos) - FEATURE_BATCH


def test_views_stay_within_the_limit_of_the_settings_too(studio: Studio, photos: list[Path]) -> None:
    Settings(feature_limit_gb=0).save()
    studio.store(photos[:2])
    assert feature_store.used_bytes() == 0


def test_numbers_of_another_opencv_are_not_taken(
    studio: Studio, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.store(photos[:2])
    monkeypatch.setattr(feature_views, "version", lambda name: "9.9")
    assert computed(studio, photos[:2]) == 6
