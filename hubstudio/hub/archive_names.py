"""Which names in an archive may become files: inside its own folder, on every system, each only once."""

from __future__ import annotations

import re
import unicodedata

_DEEPEST = 16
_LONGEST_PART, _LONGEST_PATH = 255, 1024  # bytes of UTF-8, as the common file systems have it
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)


class UnsafeName(Exception):  # noqa: N818 - translated for the person by hub.unpack
    """A name that must not become a file; the text says why."""


class Names:
    """The names of one archive, taken as they come."""

    def __init__(self) -> None:
        self._spelled: dict[str, str] = {}
        self._files: set[str] = set()

    def take(self, name: str, *, is_folder: bool) -> tuple[str, ...]:
        """Return the parts of a safe path; none for the archive's own root. Raises ``UnsafeName``."""
        parts = _parts(name)
        for end in range(1, len(parts) + 1):
            self._settle(name, "/".join(parts[:end]), is_file=end == len(parts) and not is_folder)
        return parts

    def _settle(self, name: str, path: str, *, is_file: bool) -> None:
        """Refuse what other systems hold for the same name: other case, other composition of accents."""
        key = unicodedata.normalize("NFC", path).casefold()
        known = self._spelled.setdefault(key, path)
        if known != path:
            raise UnsafeName(f"'{name}' and '{known}' are the same name on some systems")
        if key in self._files or (is_file and self._has_inside(key)):
            raise UnsafeName(f"'{name}' is there twice")
        if is_file:
            self._files.add(key)

    def _has_inside(self, key: str) -> bool:
        return any(known.startswith(f"{key}/") for known in self._spelled)


def _parts(name: str) -> tuple[str, ...]:
    if name.startswith("/"):
        raise UnsafeName(f"'{name}' is an absolute path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if len(parts) > _DEEPEST or len(_encoded(name)) > _LONGEST_PATH:
        raise UnsafeName(f"'{name[:60]}…' is too long or too deep")
    for part in parts:
        if reason := _refusal(part):
            raise UnsafeName(f"'{name}' {reason}")
    return parts


def _refusal(part: str) -> str:
    if part == "..":
        return "leads out of the folder"
    if _FORBIDDEN.search(part) or part.endswith((".", " ")) or _RESERVED.fullmatch(part):
        return "cannot be a name on all systems"
    return "is too long a name" if len(part.encode("utf-8")) > _LONGEST_PART else ""


def _encoded(name: str) -> bytes:
    try:
        return name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnsafeName(f"{name!r} is no text") from error
