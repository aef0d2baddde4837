"""Photos listed in a table: a path and a label in each line, and a part of the split if there is a third column."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hubstudio.core import path_kinds
from hubstudio.core.errors import PhotosError
from hubstudio.core.parts import Part, part_named
from hubstudio.core.photos import Photo, Problem, count_of

_NAMES = {
    "path": ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "photo", "name"),
    "label": ("label", "class", "class_name", "category", "target", "species"),
    "part": ("split", "part", "set", "subset", "usage"),
    "digest": ("digest",),
}
_ORDER = ("path", "label", "part")
_OWN_STARTS = (b"file,class,part", b'"file","class","part"')
_HEAD_LINES = 20
_DELIMITERS = "\t;,|"
_BIGGEST = 512 * 1024 * 1024  # bytes; a table of ten million photos


@dataclass(frozen=True)
class TableRow:
    """One line as it stands: ``part`` is None where the table says nothing of it."""

    line: int
    path: str
    """As it stands, blanks around it too: they may belong to the name."""
    label: str
    part: Part | None
    digest: bytes


def read_table(table: Path) -> tuple[list[Photo], list[Problem]]:
    """Return the photos that a table names, paths relative to its folder, and what is wrong with single lines.

    Comma, semicolon, tab or bar; with or without a byte-order mark, with or without a line of headings
    (``path,label,split``). Raises ``PhotosError`` if it is no such table at all.
    """
    rows, wrong = read_rows(table)
    photos: dict[Path, Photo] = {}
    missing: list[tuple[Path, str]] = []
    for row in rows:
        # Not resolved: links stay as they are named.
        named = [Path(os.path.abspath(table.parent / name)) for name in names_of(row)]  # noqa: PTH100
        path = next(filter(path_kinds.is_file, named), named[-1])
        if not path_kinds.is_file(path):
            missing.append((path, f"line {row.line}"))
        elif path in photos and photos[path].class_name != row.label:
            wrong.append((row.line, f"'{path.name}' has another label than in a line before"))
        else:
            photos[path] = Photo(path, row.label, row.part)
    return list(photos.values()), list(_problems(table, missing, wrong))


def names_of(row: TableRow) -> tuple[str, ...]:
    """Return what a row's path may mean, likeliest first: blanks may be padding, backslashes come from Windows."""
    bare = row.path.strip()
    return tuple(dict.fromkeys((row.path, bare, row.path.replace("\\", "/"), bare.replace("\\", "/"))))


def read_rows(table: Path) -> tuple[list[TableRow], list[tuple[int, str]]]:
    """Return the lines of a table, and (line, reason) of those that cannot be understood."""
    cells = _cells(table)
    columns, first = _columns(table, cells)
    rows: list[TableRow] = []
    wrong: list[tuple[int, str]] = []
    for line, row in cells[first:]:
        values = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
        reason = _fault(values)
        if reason:
            wrong.append((line, reason))
        else:
            part = part_named(values.get("part", "")) if values.get("part") else None
            digest = _digest(values.get("digest", ""))
            rows.append(TableRow(line, row[columns["path"]], values["label"], part, digest))
    if not rows:
        first_fault = f"Line {wrong[0][0]}: {wrong[0][1]}." if wrong else "It has no lines."
        raise _no_table(table, first_fault)
    return rows, wrong


def _fault(values: dict[str, str]) -> str:
    if not values.get("path"):
        return "no path"
    if "\0" in values["path"]:
        return "a path that cannot be"
    if not values.get("label"):
        return "no label"
    if values.get("part") and part_named(values["part"]) is None:
        return f"'{values['part']}' is no part of a split (train, validation or test)"
    return ""


def _cells(table: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of every line with something in it."""
    text = _text(table)
    delimiter = max(_DELIMITERS, key=_head(text).count)
    csv.field_size_limit(1_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _no_table(table, f"Line {reader.line_num}: {error}.") from error


def _head(text: str) -> str:
    """Return the first line with something in it, without what is quoted: names may hold line breaks and commas."""
    first = head = ""
    for line in islice(io.StringIO(text, newline=""), _HEAD_LINES):
        first = first or line.strip()
        head += line
        if head.strip() and head.count('"') % 2 == 0:
            return "".join(head.split('"')[::2])
    return first


def _text(table: Path) -> str:
    try:
        if table.stat().st_size > _BIGGEST:
            raise _no_table(table, "It is larger than 512 MB.")
        content = table.read_bytes()
    except OSError as error:
        raise _no_table(table, f"{path_kinds.reason(error)}.") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # what Excel calls Unicode text
        return content.decode("utf-16", "replace")
    if b"\0" in content[:4096]:
        raise _no_table(table, "It is not text.")
    try:
        # Our own table holds names as they are on disk, also those that are no text.
        return content.decode("utf-8-sig", "surrogateescape" if content.startswith(_OWN_STARTS) else "strict")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what spreadsheets write on Windows


def _columns(table: Path, cells: Sequence[tuple[int, list[str]]]) -> tuple[dict[str, int], int]:
    """Return where the columns are, and the first line that is no heading."""
    if not cells:
        raise _no_table(table, "It is empty.")
    headings = [cell.strip().casefold() for cell in cells[0][1]]
    found = {column: next((name for name in names if name in headings), None) for column, names in _NAMES.items()}
    known = {column: headings.index(name) for column, name in found.items() if name}
    if "path" in known and "label" in known:
        return known, 1
    if len(headings) < 2:
        raise _no_table(table, f"Its first line is '{','.join(cells[0][1])[:80]}'.")
    return {column: place for place, column in enumerate(_ORDER[: len(headings)])}, 0


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _problems(table: Path, missing: list[tuple[Path, str]], wrong: list[tuple[int, str]]) -> Iterator[Problem]:
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        message = (
            f"{count_of(len(missing), 'photo')} that '{table.name}' names {verb} not there, left out. Paths count from "
            f"the table's folder: looked for '{missing[0][0]}' ({missing[0][1]})."
        )
        files, lines = tuple(path for path, _ in missing), tuple(line for _, line in missing)
        yield Problem("missing", message, files, details=lines)
    if wrong:
        named = "; ".join(f"line {line}: {reason}" for line, reason in wrong[:3])
        message = f"{count_of(len(wrong), 'line')} of '{table.name}' not understood, left out ({named})."
        yield Problem("table_lines", message, (table,))


def _no_table(table: Path, found: str) -> PhotosError:
    return PhotosError(
        f"'{table.name}' is not a table of photos.",
        found=found,
        next_step="Write a path and a label in each line, such as: cats/1.jpg,cat",
    )
