from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core.photos import Photo, PhotoSet
from hubstudio.core.split import Part, Shares, split_photos

ROOT = Path("/photos")


def photo_set(**counts: int) -> PhotoSet:
    photos = tuple(Photo(ROOT / name / f"{n}.jpg", name) for name, count in counts.items() for n in range(count))
    return PhotoSet(ROOT, tuple(counts), photos)


def per_class(found: PhotoSet, part: Part, shares: Shares | None = None, seed: int = 1) -> Counter[str]:
    return Counter(photo.class_name for photo in split_photos(found, seed, shares or Shares()).part(part))


def test_every_class_is_divided_by_itself() -> None:
    found = photo_set(cats=100, dogs=20)
    assert per_class(found, Part.TEST) == {"cats": 15, "dogs": 3}
    assert per_class(found, Part.VALIDATION) == {"cats": 15, "dogs": 3}
    assert per_class(found, Part.TRAINING) == {"cats": 70, "dogs": 14}


def test_the_smallest_class_has_one_photo_in_every_part() -> None:
    assert split_photos(photo_set(cats=3), 1, Shares()).counts() == {"train": 1, "validation": 1, "test": 1}


def test_classes_too_small_to_divide_only_train() -> None:
    assert split_photos(photo_set(cats=2), 1, Shares()).counts() == {"train": 2, "validation": 0, "test": 0}


def test_the_seed_decides() -> None:
    found = photo_set(cats=50, dogs=50)
    assert split_photos(found, 1, Shares()) == split_photos(found, 1, Shares())
    assert split_photos(found, 1, Shares()) != split_photos(found, 2, Shares())


def test_the_split_is_this_one_on_every_machine_and_in_every_version() -> None:
    test = split_photos(photo_set(cats=10), 1, Shares()).part(Part.TEST)
    assert [photo.path.name for photo in test] == ["5.jpg", "6.jpg"]


def test_where_the_folder_is_and_how_it_is_listed_does_not_matter() -> None:
    found = photo_set(cats=30, dogs=30)
    moved = PhotoSet(
        Path("/elsewhere"), found.classes,
        tuple(Photo(Path("/elsewhere") / found.relative_name(photo), photo.class_name) for photo in found.photos[::-1]),
    )  # fmt: skip
    parts = {found.relative_name(photo): part for photo, part in split_photos(found, 5, Shares()).assigned}
    assert {moved.relative_name(photo): part for photo, part in split_photos(moved, 5, Shares()).assigned} == parts


def test_photos_can_be_marked_as_left_out() -> None:
    found = photo_set(cats=10)
    split = split_photos(found, 1, Shares()).without([found.photos[0]])
    assert split.part(Part.LEFT_OUT) == (found.photos[0],)
    assert sum(split.counts().values()) == 9


def test_a_name_that_is_no_text_is_no_stumbling_block() -> None:
    odd = Photo(ROOT / "cats" / "caf\udce9.jpg", "cats")
    assert split_photos(PhotoSet(ROOT, ("cats",), (odd,)), 1, Shares()).assigned == ((odd, Part.TRAINING),)


shares = st.tuples(st.floats(0.001, 0.998), st.floats(0.001, 0.998)).filter(lambda pair: sum(pair) < 1)


@given(
    counts=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(1, 60), min_size=1),
    seed=st.integers(0, 2**31 - 1),
    pair=shares,
)
def test_any_split_keeps_every_photo_once_and_every_part_filled(
    counts: dict[str, int], seed: int, pair: tuple[float, float]
) -> None:
    found = photo_set(**counts)
    split = split_photos(found, seed, Shares(*pair))
    assert tuple(photo for photo, _ in split.assigned) == found.photos
    for part in (Part.TRAINING, Part.VALIDATION, Part.TEST):
        present = Counter(photo.class_name for photo in split.part(part))
        assert all(present[name] for name, count in counts.items() if count >= 3)
