"""``split.csv``: who is in which part, written out and taken back, so that others can repeat a measurement."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hubstudio.core import path_kinds, whole_files
from hubstudio.core.errors import PhotosError
from hubstudio.core.parts import USED_PARTS, Part
from hubstudio.core.photo_counts import COUNT_KINDS, LEFT_OUT_KINDS, count_problems, left_out_notes
from hubstudio.core.photo_table import TableRow, names_of, read_rows
from hubstudio.core.photos import Photo, PhotoSet, Problem, count_of, ordered
from hubstudio.core.split import Split

COLUMNS = ("file", "class", "part", "digest")


def split_text(photo_set: PhotoSet, split: Split) -> str:
    """Return the split as CSV: file relative to the photo folder, class, part, and the content's digest in hex."""
    rows = [(photo_set.relative_name(photo), photo.class_name, part.value, _digest(photo_set, photo))
            for photo, part in split.assigned]  # fmt: skip
    return csv_text(COLUMNS, rows)


def require_split_or_free(file: Path) -> None:
    """Raise ``PhotosError`` if something is there that is no split: a photo, say. A split may be replaced."""
    parent = path_kinds.absolute(file).parent
    if path_kinds.exists(parent) and not path_kinds.is_folder(parent):
        raise PhotosError(f"'{file}' cannot be written: '{parent}' is a file.", next_step="Give another name.")
    if path_kinds.is_taken(file) and not _begins_as_split(file):
        raise PhotosError(
            f"'{file}' exists already and is no split.", next_step="Give a new name; nothing else is overwritten."
        )


def save_split(photo_set: PhotoSet, split: Split, file: Path) -> None:
    """Write the split to a file, whole or not at all. Raises ``OSError``."""
    whole_files.write_bytes(file, split_text(photo_set, split).encode("utf-8", "surrogateescape"))


def with_split_of(photo_set: PhotoSet, file: Path) -> PhotoSet:
    """Return the photos with the parts that a split file gives them, by content where it says so, else by name.

    Photos that the file leaves out are left out; photos it does not know are divided as always, with a problem that
    counts them and those that it names and that are not here. Raises ``PhotosError`` if it is no such file.
    """
    rows, _ = read_rows(file)
    known_rows = _KnownRows(rows)
    found = {photo: known_rows.of(photo, photo_set) for photo in photo_set.photos}
    met = {row.line for row in found.values() if row}
    absent = [row for row in rows if row.line not in met and row.part in USED_PARTS]
    unknown = [photo.path for photo, row in found.items() if row is None or row.part is None]
    left_out = [replace(photo, given=row.part) for photo, row in found.items() if row and row.part is Part.LEFT_OUT]
    kept = [
        replace(photo, given=row.part) if row and row.part else photo
        for photo, row in found.items()
        if not (row and row.part is Part.LEFT_OUT)
    ]
    known = len(found) - len(unknown)
    if not known:
        raise PhotosError(
            f"'{file.name}' gives none of these photos a part.",
            found=f"It names {count_of(len(rows), 'photo')}, such as '{rows[0].path}'.",
            next_step="Give the split.csv of a run on these photos, or one from 'check --split-out'.",
        )
    message = f"The split of '{file.name}' is kept for {count_of(known, 'photo')}."
    if unknown:
        message += f" {count_of(len(unknown), 'photo')} it does not know, divided by content."
    if absent:
        message += f" {count_of(len(absent), 'photo')} that it names not found among the photos."
    note = Problem("given_split", message, tuple(unknown), is_note=not (unknown or absent))
    others = [problem for problem in photo_set.problems if problem.kind != "given_split"]
    if left_out:
        photo_set = ordered(replace(photo_set, photos=tuple(kept), left_out=(*photo_set.left_out, *left_out)))
        loose = next((known.files for known in others if known.kind == "loose_photos"), ())
        others = [problem for problem in others if problem.kind not in COUNT_KINDS | LEFT_OUT_KINDS]
        others = [*count_problems(photo_set, loose), *others, *left_out_notes(photo_set)]
    return replace(photo_set, photos=photo_set.photos if left_out else tuple(kept), problems=(*others, note))


def csv_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as CSV that reads back equal, whatever is in the names."""
    text = io.StringIO(newline="")
    # Before Python 3.13, a lone carriage return in a name is not quoted, and would read back as a line's end. Blanks
    # at the ends are taken for padding unless quoted.
    is_odd = any("\r" in cell or cell != cell.strip() for row in rows for cell in map(str, row))
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if is_odd else csv.QUOTE_MINIMAL)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


class _KnownRows:
    """Finds the row that means a photo: of this name and content, else of this content, else of this name."""

    def __init__(self, rows: Sequence[TableRow]) -> None:
        self._by_name: dict[str, TableRow] = {}
        self._by_content: dict[tuple[bytes, str | None], TableRow] = {}
        for row in rows:
            for name in names_of(row):
                self._by_name.setdefault(name, row)
            if row.digest:  # copies may stand in two classes
                self._by_content.setdefault((row.digest, row.label), row)
                self._by_content.setdefault((row.digest, None), row)

    def of(self, photo: Photo, photo_set: PhotoSet) -> TableRow | None:
        facts = photo_set.facts.get(photo.path)
        named = self._by_name.get(photo_set.relative_name(photo))
        if not facts or (named and named.digest in (b"", facts.digest)):
            return named
        by_content = (self._by_content.get((facts.digest, name)) for name in (photo.class_name, None))
        return next(filter(None, by_content), named)


def _begins_as_split(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(64).replace(b'"', b"").startswith(",".join(COLUMNS[:3]).encode())
    except OSError:
        return False


def _digest(photo_set: PhotoSet, photo: Photo) -> str:
    facts = photo_set.facts.get(photo.path)
    return facts.digest.hex() if facts else ""
