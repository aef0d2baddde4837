"""The file form of a catalogue, ``[[backbone]]`` tables in TOML: read strictly, with the line of what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from hubstudio.core import addresses, path_kinds
from hubstudio.core.backbones import display_name, is_bundled
from hubstudio.core.errors import BackboneError, did_you_mean

TABLE = "backbone"
TEXTS = ("id", "name", "handle", "kaggle", "licence", "maker", "note")
NUMBERS = ("input_size", "features", "parameters", "download_bytes")
FIGURES = (*NUMBERS, "imagenet_top1", "photo_sets", "any_size", "kaggle", "licence", "maker")
"""What has to have been published, counted or measured: each needs a source in the bundled file."""

_KNOWN = (*TEXTS, *NUMBERS, "imagenet_top1", "photo_sets", "any_size", "sources")
_NEXT = "Mend the line, or move the file away."


class _FaultError(Exception):
    """What is wrong with one field of one row; the field is empty if it is the row itself."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def read(path: Path) -> list[dict[str, Any]]:
    """Return the values of each row, canonical and of the right kind, by ``CatalogueRow``'s names.

    Raises ``BackboneError`` that names the file, the line and what is wrong there.
    """
    text = _text(path)
    tables = _tables(text, path)
    rows: list[dict[str, Any]] = []
    for number, table in enumerate(tables):
        try:
            rows.append(_row(table, rows))
        except _FaultError as fault:
            raise _error(path, _line(text, number, fault.field), fault.reason) from fault
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = "It is not a text file" if isinstance(error, UnicodeDecodeError) else path_kinds.reason(error)
        raise BackboneError(
            f"The catalogue '{path}' could not be read.", found=f"{reason}.", next_step="Mend it, or move it away."
        ) from error


def _tables(text: str, path: Path) -> list[Mapping[str, Any]]:
    try:
        whole = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of thousands of figures, brackets in brackets
        reason, _at, place = str(error).partition(" (at ")
        number = re.match("line ([0-9]+)", place)
        line = int(number[1]) if number else text.rstrip().count("\n") + 1
        raise _error(path, line, f"{reason}.") from error
    for name in whole:
        if name != TABLE:
            meant = did_you_mean(name, [TABLE])
            raise _error(path, _first_line_with(text, name), f"There is no '{name}' in a catalogue. {meant}")
    tables = whole.get(TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in cast("list[object]", tables)):
        raise _error(path, _first_line_with(text, TABLE), f"Each row begins with [[{TABLE}]], in two brackets.")
    return cast("list[Mapping[str, Any]]", tables)


def _row(table: Mapping[str, Any], before: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a row's values. Raises ``_FaultError``."""
    for name in table:
        if name not in _KNOWN:
            raise _FaultError(name, f"A backbone has no '{name}'. {did_you_mean(name, _KNOWN)}")
    for name in ("id", "handle"):
        if name not in table:
            raise _FaultError("", f"The backbone has no '{name}'.")
    values: dict[str, Any] = {name: _value(name, value) for name, value in table.items()}
    values.setdefault("name", display_name(values["handle"]))
    for name in ("id", "handle"):
        if values[name].casefold() in [row[name].casefold() for row in before]:
            raise _FaultError(name, f"There are two backbones of the {name} '{values[name]}'.")
    return values


def _value(name: str, value: object) -> object:
    """Return a field's value as ``CatalogueRow`` holds it. Raises ``_FaultError``."""
    if name == "any_size":
        return _checked(name, value, isinstance(value, bool), "true or false")
    if name in NUMBERS:
        return _checked(name, value, _is_number(value, int) and cast(int, value) > 0, "a whole number above 0")
    if name == "imagenet_top1":
        return _percent(name, value)
    if name == "photo_sets":
        table = cast("dict[str, object]", _checked(name, value, isinstance(value, dict), "a table of percent"))
        return MappingProxyType({photos: _percent(f"photo_sets.{photos}", share) for photos, share in table.items()})
    if name == "sources":
        return _sources(value)
    text = str(_checked(name, value, isinstance(value, str), "text in quotes")).strip()
    if name in ("id", "name", "handle") and not text:
        raise _FaultError(name, f"'{name}' is empty.")
    return _canonical(name, text) if name in ("handle", "kaggle") else text


def _percent(name: str, value: object) -> float:
    fits = _is_number(value, int | float) and 0 < cast(float, value) <= 100
    return float(cast(float, _checked(name, value, fits, "percent, above 0 and at most 100")))


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _checked(name: str, value: object, fits: bool, wanted: str) -> object:
    if not fits:
        raise _FaultError(name, f"'{name}' is {wanted}, but {value!r} was found.")
    return value


def _sources(value: object) -> Mapping[str, str]:
    table = cast("dict[str, object]", _checked("sources", value, isinstance(value, dict), "a table of texts"))
    for name, source in table.items():
        if name not in FIGURES:
            raise _FaultError("sources", f"No figure is called '{name}'. {did_you_mean(name, FIGURES)}")
        _checked(f"sources.{name}", source, isinstance(source, str) and bool(source.strip()), "text in quotes")
    return MappingProxyType({name: str(source) for name, source in table.items()})


def _canonical(name: str, text: str) -> str:
    """Return a handle as plans hold it, a Kaggle handle as its five parts."""
    try:
        address = addresses.web_address(addresses.tidy(text)) or addresses.bare_address(text)
    except BackboneError as error:
        raise _FaultError(name, str(error)) from error
    if name == "kaggle":
        kaggle = addresses.kaggle_handle(address or "")
        if text and not kaggle:
            raise _FaultError(name, f"'kaggle' is {addresses.KAGGLE_FORM}, but '{text}' was found.")
        return kaggle
    if name == "handle" and is_bundled(text):
        return text.casefold()
    path = path_kinds.absolute(Path(text)) if text.startswith("~") else Path(text)
    if not address and not path.is_absolute():
        raise _FaultError(name, f"'handle' is an address or a whole path, but '{text}' was found.")
    return address or str(path_kinds.whole(path))


def _error(path: Path, line: int, reason: str) -> BackboneError:
    where = f"The catalogue '{path}' is wrong in line {line}."
    return BackboneError(where, found=reason.strip(), next_step=_NEXT)


def _line(text: str, row: int, field: str) -> int:
    """Return the line in which a row's field begins, or the row itself if ``field`` is empty."""

    def is_there(whole: Mapping[str, Any]) -> bool:
        tables = whole.get(TABLE, [])
        return len(tables) > row and (not field or field.partition(".")[0] in tables[row])

    return _first_line(text, is_there)


def _first_line_with(text: str, name: str) -> int:
    return _first_line(text, lambda whole: name in whole)


def _first_line(text: str, is_there: Callable[[Mapping[str, Any]], bool]) -> int:
    """Return the first line of the statement after which ``is_there`` holds: TOML's parser tells no lines of values."""
    lines = text.split("\n")
    begins = 0
    for end in range(1, len(lines) + 1):
        try:
            whole = tomllib.loads("\n".join(lines[:end]))
        except (ValueError, RecursionError):
            continue
        if is_there(whole):
            break
        begins = end
    return begins + 1
