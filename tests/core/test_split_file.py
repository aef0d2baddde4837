import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import pytest

from hubstudio.core.errors import PhotosError
from hubstudio.core.parts import Part
from hubstudio.core.photos import Photo, PhotoFacts, PhotoSet
from hubstudio.core.split import Shares, Split, split_photos
from hubstudio.core.split_file import require_split_or_free, save_split, with_split_of

ODD_NAMES = (
    "a,b.jpg", 'quote".jpg', "line\nbreak.jpg", "return\r.jpg", " blanks .jpg ", "back\\slash.jpg", "semi;tab\t.jpg",
    "日本 é.jpg", "-.jpg", "=1+1.jpg", "\ufeff.jpg", os.fsdecode(b"caf\xe9.jpg"),
)  # fmt: skip


def photo_set(root: Path, names: Sequence[str], *, is_checked: bool = True) -> PhotoSet:
    photos = tuple(Photo(root / "cats" / name, "cats") for name in names)
    facts = {photo.path: facts_of(f"{number}", number) for number, photo in enumerate(photos)}
    return PhotoSet(root, ("cats",), photos, facts=facts if is_checked else {})


def facts_of(content: str, group: int) -> PhotoFacts:
    return PhotoFacts(blake2b(content.encode(), digest_size=16).digest(), 640, 480, group)


def numbered(count: int) -> list[str]:
    return [f"{number}.jpg" for number in range(count)]


def saved(found: PhotoSet, split: Split, folder: Path) -> Path:
    save_split(found, split, folder / "split.csv")
    return folder / "split.csv"


def written(folder: Path, content: str) -> Path:
    (folder / "split.csv").write_text(content)
    return folder / "split.csv"


@pytest.mark.parametrize("is_checked", [True, False])
def test_a_saved_split_given_back_is_the_same_whatever_the_names(tmp_path: Path, is_checked: bool) -> None:
    names = [name for name in ODD_NAMES if sys.platform == "linux" or name.isprintable()]
    found = photo_set(tmp_path, [*names, *numbered(20)], is_checked=is_checked)
    split = split_photos(found, 7, Shares(0.3, 0.3))
    again = with_split_of(found, saved(found, split, tmp_path))
    assert split_photos(again, 1, Shares()).assigned == tuple(
        (replace(photo, given=part), part) for photo, part in split.assigned
    )


def test_photos_are_known_by_their_content_after_files_were_renamed(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(30))
    split = split_photos(found, 7, Shares())
    renamed = photo_set(tmp_path / "elsewhere", [f"IMG {number}.jpg" for number in range(30)])
    again = with_split_of(renamed, saved(found, split, tmp_path))
    assert [photo.given for photo in again.photos] == [part for _, part in split.assigned]


def test_a_name_that_now_holds_another_known_photo_does_not_mislead(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(30))
    split = split_photos(found, 7, Shares())
    backwards = photo_set(tmp_path, numbered(30)[::-1])
    again = with_split_of(backwards, saved(found, split, tmp_path))
    assert [photo.given for photo in again.photos] == [part for _, part in split.assigned]


def test_copies_on_both_sides_keep_each_its_part(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(2))
    found = replace(found, facts={photo.path: facts_of("one", 1) for photo in found.photos})
    first, second = found.photos
    split = Split(((first, Part.TRAINING), (second, Part.TEST)))
    again = with_split_of(found, saved(found, split, tmp_path))
    assert [photo.given for photo in again.photos] == [Part.TRAINING, Part.TEST]


def test_of_a_photo_in_two_classes_the_one_left_out_stays_so_after_renaming(tmp_path: Path) -> None:
    photos = (Photo(tmp_path / "cats/1.jpg", "cats"), Photo(tmp_path / "dogs/1.jpg", "dogs"))
    found = PhotoSet(tmp_path, ("cats", "dogs"), photos, facts={photo.path: facts_of("one", 1) for photo in photos})
    file = saved(found, Split(((photos[0], Part.TRAINING), (photos[1], Part.LEFT_OUT))), tmp_path)
    renamed = tuple(replace(photo, path=photo.path.with_name("x.jpg")) for photo in photos)
    again = with_split_of(replace(found, photos=renamed, facts={p.path: facts_of("one", 1) for p in renamed}), file)
    assert [photo.class_name for photo in again.photos] == ["cats"]
    assert [photo.class_name for photo in again.left_out] == ["dogs"]


def test_photos_the_file_leaves_out_are_left_out_and_counted(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(10))
    split = split_photos(found, 7, Shares()).without(found.photos[:8])
    again = with_split_of(found, saved(found, split, tmp_path))
    assert len(again.photos) == 2
    assert [problem.kind for problem in again.problems] == ["one_class", "too_few", "left_out_given", "given_split"]


def test_a_class_that_the_file_leaves_out_whole_is_no_class(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(10))
    other = Photo(tmp_path / "dogs" / "1.jpg", "dogs")
    found = replace(found, classes=("cats", "dogs"), photos=(*found.photos, other), facts={})
    file = saved(found, split_photos(found, 1, Shares()).without([other]), tmp_path)
    assert with_split_of(found, file).classes == ("cats",)


def test_photos_the_file_does_not_know_are_counted_and_divided(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(30))
    file = saved(found, split_photos(found, 7, Shares()), tmp_path)
    more = photo_set(tmp_path, numbered(40))
    again = with_split_of(more, file)
    (problem,) = again.problems
    assert problem.message == (
        "The split of 'split.csv' is kept for 30 photos. 10 photos it does not know, divided by content."
    )
    assert problem.files == tuple(photo.path for photo in more.photos[30:])
    assert not problem.is_note


def test_with_the_split_given_back_new_look_alikes_move_no_photo(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(60))
    before = split_photos(found, 7, Shares())
    file = saved(found, before, tmp_path)
    more = photo_set(tmp_path, numbered(120))
    joined = {photo.path: replace(more.facts[photo.path], group=place % 60) for place, photo in enumerate(more.photos)}
    after = split_photos(with_split_of(replace(more, facts=joined), file), 7, Shares())
    assert [part for _, part in after.assigned] == [part for _, part in before.assigned] * 2


def test_photos_that_the_file_names_and_that_are_not_here_are_counted(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(30))
    file = saved(found, split_photos(found, 7, Shares()), tmp_path)
    (problem,) = with_split_of(photo_set(tmp_path, numbered(25)), file).problems
    assert problem.message.endswith("5 photos that it names not found among the photos.")
    assert not problem.is_note


def test_a_split_that_is_kept_whole_is_only_noted(tmp_path: Path) -> None:
    found = photo_set(tmp_path, numbered(30))
    (problem,) = with_split_of(found, saved(found, split_photos(found, 7, Shares()), tmp_path)).problems
    assert problem.is_note


def test_a_split_made_by_hand_without_digests_is_taken_by_name(tmp_path: Path) -> None:
    file = written(tmp_path, "path;label;split\ncats\\0.jpg;cats;TEST\ncats/1.jpg;cats;val\n")
    again = with_split_of(photo_set(tmp_path, numbered(2)), file)
    assert [photo.given for photo in again.photos] == [Part.TEST, Part.VALIDATION]


def test_a_digest_that_is_none_is_no_stumbling_block(tmp_path: Path) -> None:
    file = written(tmp_path, "file,class,part,digest\ncats/0.jpg,cats,test,not hex\n")
    assert with_split_of(photo_set(tmp_path, numbered(1)), file).photos[0].given is Part.TEST


@pytest.mark.parametrize("content", ["", "nonsense", "file,class,part\n"])
def test_what_is_no_split_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(PhotosError, match="is not a table of photos"):
        with_split_of(photo_set(tmp_path, numbered(1)), written(tmp_path, content))


def test_a_split_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotosError, match="No such file"):
        with_split_of(photo_set(tmp_path, numbered(1)), tmp_path / "nowhere.csv")


def test_only_a_split_may_be_replaced_by_a_split(tmp_path: Path) -> None:
    found = photo_set(tmp_path, [" blank.jpg", *numbered(3)])
    require_split_or_free(tmp_path / "free.csv")
    require_split_or_free(saved(found, split_photos(found, 1, Shares()), tmp_path))
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    for taken in (tmp_path, tmp_path / "photo.jpg"):
        with pytest.raises(PhotosError, match="exists already and is no split"):
            require_split_or_free(taken)


def test_a_file_that_knows_none_of_the_photos_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("file,class,part\nelsewhere/1.jpg,cats,test\n")
    with pytest.raises(PhotosError, match="gives none of these photos a part"):
        with_split_of(photo_set(tmp_path, ["a/1.jpg", "a/2.jpg"]), file)
