"""Which photos train, which choose the best epoch, and which are kept for the honest test."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hubstudio.core.parts import USED_PARTS, Part
from hubstudio.core.photos import Photo, PhotoSet, Problem, count_of

_SALT = "hubstudio 5"
"""Goes into every draw; changing it divides all photos anew. Of some dozen, this one happens to give the bundled
samples and the photo sets it was tried on nearly their shares with the default seed; elsewhere it is like any other."""


_LARGEST_GROUP = 0.25
"""Share of a class above which a group of look-alikes always trains."""


@dataclass(frozen=True)
class Shares:
    """How much of the photos goes to validation and to test; the rest trains."""

    validation: float = 0.15
    test: float = 0.15


@dataclass(frozen=True)
class Split:
    """Every photo of a set with its part, in the set's order, and what is to be said about it."""

    assigned: tuple[tuple[Photo, Part], ...]
    problems: tuple[Problem, ...] = ()

    def part(self, part: Part) -> tuple[Photo, ...]:
        """Return the photos of one part."""
        return tuple(photo for photo, own in self.assigned if own is part)

    def counts(self) -> dict[str, int]:
        """Return the number of photos in training, validation and test."""
        counted = Counter(part for _, part in self.assigned)
        return {part.value: counted[part] for part in USED_PARTS}

    def without(self, photos: Iterable[Photo]) -> Split:
        """Return the split with some photos marked as left out."""
        gone = set(photos)
        assigned = tuple((photo, Part.LEFT_OUT if photo in gone else part) for photo, part in self.assigned)
        return replace(self, assigned=assigned)


@dataclass
class _Group:
    """Photos that look alike: they go to one part together."""

    draw: float
    """A number from 0 to 1 that content and seed decide, the same in every set of photos."""
    photos: list[Photo]
    part: Part = Part.TRAINING
    is_large: bool = False
    """Whether it is so large a part of a class that it has to train."""

    @property
    def classes(self) -> set[str]:
        return {photo.class_name for photo in self.photos}


def split_photos(photo_set: PhotoSet, seed: int, shares: Shares) -> Split:
    """Divide photos by a draw that only the seed and their content decide; look-alikes stay on one side.

    A photo below ``shares.test`` is tested, above it up to ``shares.validation`` more it validates. So nothing that is
    added, taken away, renamed or moved sends another photo to the other side, unless it joins look-alikes or fills a
    part that a small class had none of (a split that is given back holds still then too). The parts of every class have
    their shares up to chance (at 1,000 photos a standard deviation of 1.1 points of 15). Exact shares and this
    steadiness exclude each other. Where chance leaves a class without a part, the photo that came nearest goes there;
    a class too small for that is named in ``problems``. Parts that the person gave stay as they are; a part that was
    given to no photo is drawn from those given for training. Photos that were not read yet are drawn by their names.
    """
    given = {photo.given for photo in photo_set.photos} - {None}
    all_alike = _all_alike(photo_set)
    groups = _groups(photo_set, seed, all_alike)
    for group in groups:
        group.is_large = _is_large(group, photo_set.counts)
        group.part = _drawn(group, given, shares)
    if not given:
        _fill_parts(groups, photo_set.classes)
    parts: dict[Photo, Part] = {}
    for group in groups:
        for photo in group.photos:
            # A group that went where the person sent one of its photos takes along only those that were sent nowhere.
            parts[photo] = photo.given if photo.given and group.part in given else group.part
    unused = ((photo, Part.LEFT_OUT) for photo in (*photo_set.left_out, *photo_set.unreadable))
    split = Split((*((photo, parts[photo]) for photo in photo_set.photos), *unused))
    return replace(split, problems=(*_alike_problems(photo_set, all_alike), *_problems(photo_set, split, groups)))


def _groups(photo_set: PhotoSet, seed: int, all_alike: Collection[str]) -> list[_Group]:
    facts = photo_set.facts
    # Copies of one photo stay together, also where only one of their classes is divided all the same.
    grouped = {facts[photo.path].digest: facts[photo.path].group
               for photo in photo_set.photos if photo.path in facts and photo.class_name not in all_alike}  # fmt: skip
    by_number: defaultdict[int | bytes, list[Photo]] = defaultdict(list)
    for photo in photo_set.photos:
        content = _content(photo_set, photo)
        by_number[grouped.get(content, content)].append(photo)
    # The smallest content stands for its group, not the smallest draw: that would favour the parts below it.
    leaders = (min(_content(photo_set, photo) for photo in photos) for photos in by_number.values())
    return [_Group(_draw(leader, seed), photos) for leader, photos in zip(leaders, by_number.values(), strict=True)]


def _all_alike(photo_set: PhotoSet) -> tuple[str, ...]:
    """Return the classes whose photos, taken by their looks, cannot fill the three parts though they are no copies."""
    looks: defaultdict[str, set[int]] = defaultdict(set)
    contents: defaultdict[str, set[bytes]] = defaultdict(set)
    for photo in photo_set.photos if photo_set.facts else ():
        looks[photo.class_name].add(photo_set.facts[photo.path].group)
        contents[photo.class_name].add(photo_set.facts[photo.path].digest)
    few = [name for name in photo_set.classes if len(looks[name]) < len(USED_PARTS)]
    return tuple(name for name in few if len(contents[name]) > len(looks[name]))


def _content(photo_set: PhotoSet, photo: Photo) -> bytes:
    facts = photo_set.facts.get(photo.path)
    return facts.digest if facts else photo_set.relative_name(photo).encode("utf-8", "surrogateescape")


def _draw(content: bytes, seed: int) -> float:
    drawn = hashlib.blake2b(content, digest_size=8, key=f"{_SALT} {seed}".encode()).digest()
    return int.from_bytes(drawn, "big") / 2**64


def _is_open(photo: Photo, given: set[Part | None]) -> bool:
    """Whether the photo's part is still to be drawn."""
    return photo.given is None or (photo.given is Part.TRAINING and not given >= {Part.VALIDATION, Part.TEST})


def _is_large(group: _Group, counts: Mapping[str, int]) -> bool:
    """Whether it is a large part of a class: in another part than training it would leave too little to learn from."""
    held = Counter(photo.class_name for photo in group.photos) if len(group.photos) > 1 else Counter[str]()
    return any(own > _LARGEST_GROUP * counts[name] for name, own in held.items())


def _drawn(group: _Group, given: set[Part | None], shares: Shares) -> Part:
    """Return the part of a group: that of those in it whose part is given, else by its draw."""
    fixed = [photo.given for photo in group.photos if photo.given and not _is_open(photo, given)]
    if fixed:
        return fixed[0]
    if group.is_large:
        return Part.TRAINING
    were_trained = any(photo.given for photo in group.photos)
    test = 0.0 if were_trained and Part.TEST in given else shares.test
    validation = 0.0 if were_trained and Part.VALIDATION in given else shares.validation
    if group.draw < test:
        return Part.TEST
    return Part.VALIDATION if group.draw < test + validation else Part.TRAINING


def _fill_parts(groups: Sequence[_Group], classes: Sequence[str]) -> None:
    """See that every class has a group in training, then in test, then in validation, as far as it has so many."""
    of_class: defaultdict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        for name in group.classes:
            of_class[name].append(group)
    for name in classes:
        own = sorted(of_class[name], key=lambda group: (len(group.classes), group.draw))
        for part in (Part.TRAINING, Part.TEST, Part.VALIDATION):
            _fill(own, part)


def _fill(own: Sequence[_Group], part: Part) -> None:
    """Give a class's group to a part that has none of it: the one whose draw is nearest, from a part with others."""
    held = Counter(group.part for group in own)
    spare = [group for group in own if held[group.part] > 1]
    if held[part] or not spare:
        return
    alone = [group for group in spare if len(group.classes) == 1] or spare
    if part is Part.TRAINING:
        max(alone, key=lambda group: group.draw).part = part
        return
    training = [group for group in alone if group.part is Part.TRAINING] or alone
    small = [group for group in training if not group.is_large] or training
    min(small, key=lambda group: group.draw).part = part


def _problems(photo_set: PhotoSet, split: Split, groups: Sequence[_Group]) -> Iterator[Problem]:
    held = Counter((photo.class_name, part) for photo, part in split.assigned)
    used = split.counts()
    for part in USED_PARTS:
        if photo_set.photos and not used[part.value]:
            yield Problem(
                f"no_{part.value}", f"No photo is left for {_NAMES[part]}.", blocks_training=part is not Part.TEST
            )
            continue
        lacking = [name for name in photo_set.classes if not held[name, part]]
        if lacking:
            yield _lacking(photo_set, lacking, part)
    if any(photo.given for photo in photo_set.photos):
        yield from _leaks(split, groups)


_NAMES = {Part.TRAINING: "training", Part.VALIDATION: "validation", Part.TEST: "the test"}


def _alike_problems(photo_set: PhotoSet, all_alike: Sequence[str]) -> Iterator[Problem]:
    if all_alike:
        names = ", ".join(f"'{name}'" for name in all_alike[:3]) + (", …" if len(all_alike) > 3 else "")
        files = tuple(photo.path for name in all_alike for photo in photo_set.of_class(name))
        message = (
            f"The photos of {names} hardly differ. They are divided all the same, only copies kept together, so their "
            "accuracy flatters: add photos taken at other times and places."
        )
        yield Problem("all_alike", message, files)


def _lacking(photo_set: PhotoSet, lacking: Sequence[str], part: Part) -> Problem:
    names = ", ".join(f"'{name}'" for name in lacking[:3]) + (", …" if len(lacking) > 3 else "")
    files = tuple(photo.path for name in lacking for photo in photo_set.of_class(name))
    what = f"The class {names} has" if len(lacking) == 1 else f"{len(lacking):,} classes ({names}) have"
    meaning = {
        Part.TRAINING: "nothing can be learned of it",
        Part.VALIDATION: "the best epoch is chosen without it",
        Part.TEST: "no accuracy can be measured for it",
    }[part]
    if len(lacking) > 1:
        meaning = meaning.replace(" it", " them")
    why = "too few photos that differ. Look-alikes are not parted; other photos would help."
    if any(photo.given for photo in photo_set.photos):
        why = "the split you gave has none. Check the spelling of its classes, or divide by content instead."
    message = f"{what} no photo for {_NAMES[part]}, so {meaning}: {why}"
    return Problem(f"not_in_{part.value}", message, files, blocks_training=part is Part.TRAINING)


def _leaks(split: Split, groups: Sequence[_Group]) -> Iterator[Problem]:
    """Look-alikes on both sides of a split that the person gave."""
    parts = dict(split.assigned)
    torn = [group for group in groups if len({parts[photo] for photo in group.photos} - {Part.LEFT_OUT}) > 1]
    if torn:
        together = tuple(tuple(photo.path for photo in group.photos) for group in torn)
        files = tuple(path for group in together for path in group)
        message = (
            f"{count_of(len(files), 'photo')} that look alike stand on both sides of the split you gave, so its "
            "numbers flatter. The split is kept as you gave it."
        )
        yield Problem("leak", message, files, groups=together)
