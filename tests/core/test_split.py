import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core.parts import USED_PARTS, Part
from hubstudio.core.photos import Photo, PhotoFacts, PhotoSet
from hubstudio.core.split import Shares, Split, split_photos

ROOT = Path("/photos")
SHARES = Shares()


@dataclass(frozen=True)
class Shot:
    """A photo of a set that is made up: what it shows decides its content."""

    class_name: str
    content: str
    look: int | None = None
    given: Part | None = None
    name: str = ""


def checked(shots: Sequence[Shot], root: Path = ROOT) -> PhotoSet:
    """Return a set as the check leaves it; shots of one look are one group, those without are by themselves."""
    photos = [Photo(root / shot.class_name / (shot.name or f"{place}.jpg"), shot.class_name, shot.given)
              for place, shot in enumerate(shots)]  # fmt: skip
    alone = {content: -1 - number for number, content in enumerate(dict.fromkeys(shot.content for shot in shots))}
    facts = {
        photo.path: PhotoFacts(
            digest_of(shot.content), 640, 480, alone[shot.content] if shot.look is None else shot.look
        )
        for photo, shot in zip(photos, shots, strict=True)
    }
    return PhotoSet(root, tuple(dict.fromkeys(photo.class_name for photo in photos)), tuple(photos), facts=facts)


def digest_of(content: str) -> bytes:
    return blake2b(content.encode(), digest_size=16).digest()


def many(class_name: str, count: int, start: int = 0) -> list[Shot]:
    return [Shot(class_name, f"{class_name} {number}") for number in range(start, start + count)]


def unread(**counts: int) -> PhotoSet:
    photos = tuple(Photo(ROOT / name / f"{n}.jpg", name) for name, count in counts.items() for n in range(count))
    return PhotoSet(ROOT, tuple(counts), photos)


def by_content(photo_set: PhotoSet, split: Split) -> dict[bytes, Part]:
    return {photo_set.facts[photo.path].digest: part for photo, part in split.assigned}


def kinds(split: Split) -> list[str]:
    return [problem.kind for problem in split.problems]


def parts_of(photo_set: PhotoSet, split: Split) -> dict[str, set[Part]]:
    found: defaultdict[str, set[Part]] = defaultdict(set)
    for photo, part in split.assigned:
        found[photo.class_name].add(part)
    return found


# --- what decides -----------------------------------------------------------------------------------------------------


def test_the_seed_decides() -> None:
    found = checked([*many("cats", 50), *many("dogs", 50)])
    assert split_photos(found, 1, SHARES) == split_photos(found, 1, SHARES)
    assert split_photos(found, 1, SHARES) != split_photos(found, 2, SHARES)


def test_the_split_is_this_one_on_every_machine_and_in_every_version() -> None:
    split = split_photos(checked(many("cats", 60)), 1, SHARES)
    assert [photo.path.stem for photo in split.part(Part.TEST)] == ["37", "40", "48", "59"]
    assert [photo.path.stem for photo in split.part(Part.VALIDATION)][:5] == ["8", "35", "36", "38", "43"]


def test_photos_that_were_not_read_are_drawn_by_their_names() -> None:
    found = unread(cats=30, dogs=30)
    moved = PhotoSet(
        Path("/elsewhere"), found.classes,
        tuple(Photo(Path("/elsewhere") / found.relative_name(photo), photo.class_name) for photo in found.photos[::-1]),
    )  # fmt: skip
    parts = {found.relative_name(photo): part for photo, part in split_photos(found, 5, SHARES).assigned}
    assert {moved.relative_name(photo): part for photo, part in split_photos(moved, 5, SHARES).assigned} == parts


def test_two_hash_seeds_of_python_give_one_split() -> None:
    program = (
        "from core.test_split import *\n"
        "shots = [Shot('abc'[n % 3], f'{n % 70}', n % 40) for n in range(200)]\n"
        "print([part.value for _, part in split_photos(checked(shots), 3, SHARES).assigned])"
    )
    tests = Path(__file__).parent.parent
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{tests}:{tests.parent}"},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(printed) == 1
    assert "validation" in printed.pop()


def test_a_name_that_is_no_text_is_no_stumbling_block() -> None:
    odd = Photo(ROOT / "cats" / "caf\udce9.jpg", "cats")
    assert split_photos(PhotoSet(ROOT, ("cats",), (odd,)), 1, SHARES).assigned[0][0] == odd


# --- shares -----------------------------------------------------------------------------------------------------------


def test_parts_have_their_shares_within_three_standard_deviations() -> None:
    counts = [split_photos(checked(many("a", 500) + many("b", 500)), seed, SHARES).counts() for seed in range(12)]
    limit = 3 * (1000 * 0.15 * 0.85) ** 0.5
    assert all(abs(count[part] - 150) <= limit for count in counts for part in ("validation", "test"))


def test_over_several_seeds_the_shares_are_those_asked_for() -> None:
    found = checked(many("a", 500) + many("b", 500))
    counts = [split_photos(found, seed, Shares(0.1, 0.2)).counts() for seed in range(12)]
    assert mean(count["validation"] for count in counts) == pytest.approx(100, abs=10)
    assert mean(count["test"] for count in counts) == pytest.approx(200, abs=10)


def test_groups_do_not_bend_the_shares() -> None:
    shots = [Shot("a", f"{number}", number // 4) for number in range(2000)]
    counts = [split_photos(checked(shots), seed, SHARES).counts() for seed in range(12)]
    assert mean(count["test"] for count in counts) == pytest.approx(300, abs=30)


# --- it holds still ---------------------------------------------------------------------------------------------------

steady = st.tuples(st.integers(0, 2**31 - 1), st.integers(2, 4), st.integers(60, 120))


def full(seed: int, classes: int, each: int) -> list[Shot]:
    """Return classes that chance leaves no part of empty, but for the rarest seeds."""
    return [shot for number in range(classes) for shot in many(f"class {number} of {seed}", each)]


def naturally(shots: Sequence[Shot], seed: int) -> bool:
    """Whether no part had to be filled: taking a class's photos away one at a time, each keeps its part."""
    found = checked(shots)
    held = Counter((photo.class_name, part) for photo, part in split_photos(found, seed, SHARES).assigned)
    return all(held[name, part] > 1 for name in found.classes for part in USED_PARTS)


@given(steady, st.randoms(use_true_random=False))
def test_adding_a_third_moves_no_photo(choice: tuple[int, int, int], random) -> None:  # noqa: ANN001
    seed, classes, each = choice
    shots = full(seed, classes, each)
    added = [
        *shots,
        *(shot for number in range(classes) for shot in many(f"class {number} of {seed}", each // 3, 5000)),
    ]
    added += many("a new class", each // 3)
    random.shuffle(added)
    before, after = (by_content(found, split_photos(found, seed, SHARES)) for found in map(checked, (shots, added)))
    if naturally(shots, seed):
        assert {content: after[content] for content in before} == before


@given(st.integers(0, 2**31 - 1), st.integers(3, 12))
def test_in_small_classes_at_most_the_photos_that_filled_a_part_move(seed: int, each: int) -> None:
    shots, more = many("small", each), many("small", each + max(1, each // 3))
    before, after = (by_content(found, split_photos(found, seed, SHARES)) for found in map(checked, (shots, more)))
    assert sum(after[content] is not part for content, part in before.items()) <= 2


@given(st.integers(0, 2**31 - 1))
def test_renaming_files_moves_no_photo(seed: int) -> None:
    shots = full(seed, 2, 60)
    renamed = [replace(shot, name=f"IMG {place * 7}.jpg") for place, shot in enumerate(shots)]
    before, after = (by_content(found, split_photos(found, seed, SHARES)) for found in map(checked, (shots, renamed)))
    assert after == before


@given(st.integers(0, 2**31 - 1))
def test_moving_to_another_folder_moves_no_photo_to_the_other_side(seed: int) -> None:
    shots = full(seed, 2, 60)
    before = by_content(checked(shots), split_photos(checked(shots), seed, SHARES))
    elsewhere = checked(shots, Path("/somewhere/else"))
    assert by_content(elsewhere, split_photos(elsewhere, seed, SHARES)) == before


@given(st.integers(0, 2**31 - 1))
def test_renaming_a_class_moves_no_photo(seed: int) -> None:
    shots = full(seed, 3, 60)
    renamed = [replace(shot, class_name=f"z {hash(shot.class_name) % 1000}") for shot in shots]
    merged = [replace(shot, class_name="all") for shot in shots]
    first = by_content(checked(shots), split_photos(checked(shots), seed, SHARES))
    assert by_content(checked(renamed), split_photos(checked(renamed), seed, SHARES)) == first
    if naturally(shots, seed):
        assert by_content(checked(merged), split_photos(checked(merged), seed, SHARES)) == first


@given(st.integers(0, 2**31 - 1), st.sets(st.integers(0, 119), max_size=30))
def test_taking_photos_away_moves_no_other(seed: int, gone: set[int]) -> None:
    shots = full(seed, 2, 60)
    left = [shot for place, shot in enumerate(shots) if place not in gone]
    before = by_content(checked(shots), split_photos(checked(shots), seed, SHARES))
    if naturally(left, seed):
        after = by_content(checked(left), split_photos(checked(left), seed, SHARES))
        assert all(before[content] is part for content, part in after.items())


@given(st.integers(0, 2**31 - 1), st.lists(st.integers(0, 59), max_size=20))
def test_adding_look_alikes_moves_only_photos_of_their_groups(seed: int, joined: list[int]) -> None:
    names = enumerate("ab")
    shots = [Shot(name, f"{name} {seed} {n}", n // 2 + 100 * place) for place, name in names for n in range(120)]
    added = [*shots, *(Shot("a", f"new {place}", look) for place, look in enumerate(joined))]
    before, after = (by_content(found, split_photos(found, seed, SHARES)) for found in map(checked, (shots, added)))
    moved = {content for content, part in before.items() if after[content] is not part}
    if naturally(shots, seed):
        assert moved <= {digest_of(shot.content) for shot in shots if shot.look in joined}


# --- every class in every part ----------------------------------------------------------------------------------------

shots = st.lists(
    st.builds(
        Shot, st.sampled_from(["a", "b", "c"]), st.integers(0, 60).map(str), st.none() | st.integers(0, 12)
    ),
    min_size=1, max_size=60,
)  # fmt: skip
shares = st.tuples(st.floats(0.001, 0.998), st.floats(0.001, 0.998)).filter(lambda pair: sum(pair) < 1)


def consistent(made: list[Shot]) -> list[Shot]:
    """Let photos of one content be of one look, as the check does."""
    looks = {shot.content: shot.look for shot in made}
    return [replace(shot, look=looks[shot.content]) for shot in made]


@given(
    counts=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(3, 60), min_size=1),
    seed=st.integers(0, 2**31 - 1),
    pair=shares,
)
def test_every_class_of_three_photos_that_differ_is_in_every_part(
    counts: dict[str, int], seed: int, pair: tuple[float, float]
) -> None:
    found = checked([shot for name, count in counts.items() for shot in many(name, count)])
    split = split_photos(found, seed, Shares(*pair))
    assert all(parts == set(USED_PARTS) for parts in parts_of(found, split).values())
    assert not split.problems


@given(shots.map(consistent), st.integers(0, 2**31 - 1), shares)
def test_every_photo_has_one_part_in_the_sets_order(made: list[Shot], seed: int, pair: tuple[float, float]) -> None:
    found = checked(made)
    assert tuple(photo for photo, _ in split_photos(found, seed, Shares(*pair)).assigned) == found.photos


@given(shots.map(consistent), st.integers(0, 2**31 - 1), shares)
def test_a_part_that_lacks_a_class_is_named(made: list[Shot], seed: int, pair: tuple[float, float]) -> None:
    found = checked(made)
    split = split_photos(found, seed, Shares(*pair))
    for name, parts in parts_of(found, split).items():
        for part in set(USED_PARTS) - parts:
            named = [problem for problem in split.problems if problem.kind in (f"not_in_{part}", f"no_{part}")]
            assert named, (name, part)


@given(shots.map(consistent), st.integers(0, 2**31 - 1), shares)
def test_copies_are_never_torn(made: list[Shot], seed: int, pair: tuple[float, float]) -> None:
    found = checked(made)
    sides: defaultdict[bytes, set[Part]] = defaultdict(set)
    for photo, part in split_photos(found, seed, Shares(*pair)).assigned:
        sides[found.facts[photo.path].digest].add(part)
    assert all(len(side) == 1 for side in sides.values())


@given(shots.map(consistent), st.integers(0, 2**31 - 1), shares)
def test_groups_are_never_torn_but_in_classes_that_look_all_alike(
    made: list[Shot], seed: int, pair: tuple[float, float]
) -> None:
    found = checked(made)
    split = split_photos(found, seed, Shares(*pair))
    files = {path for problem in split.problems if problem.kind == "all_alike" for path in problem.files}
    alike = {photo.class_name for photo in found.photos if photo.path in files}
    sides: defaultdict[int, set[Part]] = defaultdict(set)
    for photo, part in split.assigned:
        if photo.class_name not in alike:
            sides[found.facts[photo.path].group].add(part)
    assert all(len(side) == 1 for side in sides.values())


def test_a_group_across_classes_stays_on_one_side() -> None:
    shots = [*many("a", 30), *many("b", 30), Shot("a", "x", 900), Shot("b", "y", 900), Shot("b", "x", 900)]
    for seed in range(40):
        split = split_photos(checked(shots), seed, SHARES)
        assert len({part for _, part in split.assigned[-3:]}) == 1


def test_a_copy_in_a_class_that_looks_all_alike_stays_with_the_other() -> None:
    shots = [*(Shot("alike", f"scene {number}", 1) for number in range(10)), *many("b", 20), Shot("b", "scene 3", 1)]
    for seed in range(40):
        found = checked(shots)
        split = split_photos(found, seed, SHARES)
        assert split.assigned[3][1] is split.assigned[-1][1]


def test_a_group_that_is_a_large_part_of_a_class_trains() -> None:
    shots = [*many("a", 20), *(Shot("a", f"burst {number}", 900) for number in range(10))]
    for seed in range(30):
        split = split_photos(checked(shots), seed, SHARES)
        assert {part for _, part in split.assigned[20:]} == {Part.TRAINING}


def test_a_class_of_look_alikes_is_divided_all_the_same_and_named() -> None:
    split = split_photos(checked([*(Shot("a", f"{n}", 1) for n in range(9)), *many("b", 9)]), 1, SHARES)
    assert parts_of(checked([]), split)["a"] == set(USED_PARTS)
    assert kinds(split) == ["all_alike"]
    assert len(split.problems[0].files) == 9


def test_a_class_of_copies_of_one_photo_is_named_and_only_trains() -> None:
    split = split_photos(checked([*(Shot("a", "the same", 1) for _ in range(9)), *many("b", 9)]), 1, SHARES)
    assert parts_of(checked([]), split)["a"] == {Part.TRAINING}
    assert kinds(split) == ["not_in_validation", "not_in_test"]
    assert "'a' has no photo for the test" in split.problems[1].message


def test_photos_that_are_all_one_photo_block() -> None:
    split = split_photos(checked([Shot("a", "x", 1), Shot("b", "x", 1)]), 1, SHARES)
    assert [(problem.kind, problem.blocks_training) for problem in split.problems] == [
        ("no_validation", True), ("no_test", False),
    ]  # fmt: skip


def test_no_photos_are_no_stumbling_block() -> None:
    assert split_photos(checked([]), 1, SHARES).counts() == {"train": 0, "validation": 0, "test": 0}


# --- parts that the person gave ---------------------------------------------------------------------------------------


def given_as(part: Part | None, class_name: str, count: int) -> list[Shot]:
    return [Shot(class_name, f"{class_name} {part} {number}", given=part) for number in range(count)]


def test_given_parts_are_kept() -> None:
    found = checked([shot for part in USED_PARTS for name in "ab" for shot in given_as(part, name, 5)])
    split = split_photos(found, 1, Shares(0.4, 0.4))
    assert all(part is photo.given for photo, part in split.assigned)
    assert not split.problems


@pytest.mark.parametrize(("other", "drawn"), [(Part.VALIDATION, Part.TEST), (Part.TEST, Part.VALIDATION)])
def test_a_part_that_was_not_given_is_drawn_from_training(other: Part, drawn: Part) -> None:
    found = checked([*given_as(Part.TRAINING, "a", 100), *given_as(other, "a", 20)])
    split = split_photos(found, 1, SHARES)
    assert {photo.given for photo in split.part(drawn)} == {Part.TRAINING}
    assert len(split.part(other)) == 20
    assert 5 <= len(split.part(drawn)) <= 30


def test_photos_without_a_part_among_given_ones_are_drawn() -> None:
    found = checked([*(shot for part in USED_PARTS for shot in given_as(part, "a", 5)), *given_as(None, "a", 100)])
    drawn = Counter(part for photo, part in split_photos(found, 1, SHARES).assigned if photo.given is None)
    assert set(drawn) == set(USED_PARTS)


def test_a_look_alike_of_a_given_photo_goes_along_with_it() -> None:
    shots = [shot for part in USED_PARTS for shot in given_as(part, "a", 9)]
    shots += [Shot("a", "x", 900, Part.TEST), Shot("a", "y", 900)]
    for seed in range(20):
        assert split_photos(checked(shots), seed, SHARES).assigned[-1][1] is Part.TEST


@pytest.mark.parametrize("others", [(Part.VALIDATION, Part.TEST), (Part.VALIDATION,), (Part.TEST,)])
def test_a_given_training_photo_trains_though_it_looks_like_a_given_other_one(others: tuple[Part, ...]) -> None:
    shots = [shot for part in (Part.TRAINING, *others) for shot in given_as(part, "a", 30)]
    shots += [Shot("a", "x", 900, Part.TRAINING), Shot("a", "y", 900, others[0])]
    for seed in range(20):
        split = split_photos(checked(shots), seed, SHARES)
        assert [part for _, part in split.assigned[-2:]] == [Part.TRAINING, others[0]]


def test_look_alikes_on_both_sides_of_a_given_split_are_named() -> None:
    shots = [shot for part in USED_PARTS for shot in given_as(part, "a", 5)]
    shots += [Shot("a", "x", 900, Part.TRAINING), Shot("a", "y", 900, Part.TEST)]
    (leak,) = split_photos(checked(shots), 1, SHARES).problems
    assert (leak.kind, [path.name for path in leak.files]) == ("leak", ["15.jpg", "16.jpg"])
    assert leak.groups == (leak.files,)


def test_a_given_split_without_training_photos_blocks() -> None:
    found = checked([*given_as(Part.VALIDATION, "a", 5), *given_as(Part.TEST, "a", 5)])
    (problem,) = split_photos(found, 1, SHARES).problems
    assert (problem.kind, problem.blocks_training) == ("no_train", True)


# --- what is not used -------------------------------------------------------------------------------------------------


def test_left_out_and_unreadable_photos_stand_in_the_split_as_left_out() -> None:
    found = checked(many("a", 10))
    torn, unwanted = Photo(ROOT / "torn.jpg", "a"), Photo(ROOT / "unwanted.jpg", "a")
    split = split_photos(replace(found, left_out=(unwanted,), unreadable=(torn,)), 1, SHARES)
    assert split.part(Part.LEFT_OUT) == (unwanted, torn)
    assert sum(split.counts().values()) == 10


def test_photos_can_be_marked_as_left_out() -> None:
    found = checked(many("cats", 10))
    split = split_photos(found, 1, SHARES).without([found.photos[0]])
    assert split.part(Part.LEFT_OUT) == (found.photos[0],)
    assert sum(split.counts().values()) == 9
