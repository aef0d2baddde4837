"""Which photos a run is about, written down when it begins, so that it can go on with just these after a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubstudio.core import whole_files
from hubstudio.core.errors import RunError
from hubstudio.core.parts import Part
from hubstudio.core.photos import Photo, PhotoFacts, PhotoSet, Problem
from hubstudio.core.split import Split


def write_record(file: Path, photo_set: PhotoSet, split: Split) -> None:
    """Write photos, classes and parts, whole or not at all. Raises ``OSError``."""
    table = {
        "root": str(photo_set.root),
        "classes": photo_set.classes,
        "problems": [(problem.kind, problem.message) for problem in photo_set.problems],
        "photos": [_row(photo, part, photo_set.facts.get(photo.path)) for photo, part in split.assigned],
    }
    whole_files.write_text(file, json.dumps(table))


def read_record(file: Path) -> tuple[PhotoSet, Split]:
    """Return the photos and their parts. Raises ``RunError`` if the file is missing or damaged."""
    try:
        table = json.loads(file.read_text("utf-8"))
        rows = [_read(row) for row in table["photos"]]
        problems = tuple(Problem(kind, message) for kind, message in table["problems"])
        root, classes = Path(table["root"]), tuple(map(str, table["classes"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            "What the interrupted run had written down of its photos cannot be read.",
            found=f"{error}.",
            next_step="Train again by the same plan; photos that went through the backbone need not do so again.",
        ) from error
    used = tuple(photo for photo, part, _ in rows if part is not Part.LEFT_OUT)
    left_out = tuple(photo for photo, part, _ in rows if part is Part.LEFT_OUT)
    facts = {photo.path: known for photo, _, known in rows if known}
    photo_set = PhotoSet(root, classes, used, problems, facts, left_out)
    return photo_set, Split(tuple((photo, part) for photo, part, _ in rows))


def _row(photo: Photo, part: Part, facts: PhotoFacts | None) -> list[Any]:
    known = [facts.digest.hex(), facts.width, facts.height, facts.group] if facts else None
    return [str(photo.path), photo.class_name, photo.given.value if photo.given else None, part.value, known]


def _read(row: list[Any]) -> tuple[Photo, Part, PhotoFacts | None]:
    path, class_name, given, part, known = row
    facts = PhotoFacts(bytes.fromhex(known[0]), int(known[1]), int(known[2]), int(known[3])) if known else None
    return Photo(Path(path), str(class_name), Part(given) if given else None), Part(part), facts
