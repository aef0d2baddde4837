"""What is said of a file that gives no pixels."""

from __future__ import annotations

import errno
from pathlib import Path

from PIL import Image

from hubstudio.core.errors import PhotosError

MAX_PIXELS = 178_956_970  # twice the number Pillow warns at, and so the one above which Pillow itself refuses

_FAULTS_OF_THE_FILE = (None, errno.EINVAL, errno.EISDIR)
"""Numbers of ``OSError`` that say nothing of the disk: Pillow's own have none, a damaged offset is sought in vain."""

CUT_SHORT = "the file is cut short"
_WORDS_FOR_CUT_SHORT = ("truncated", "Unexpected end of file")  # of Pillow, of libheif
_KNOWN_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF")
_TIFF_STARTS = (b"II*\0", b"MM\0*")


class UnreadablePhotoError(PhotosError):
    """A file that gives no pixels. ``reason`` is a short clause for lists: "the file is empty"."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"'{path.name}' could not be read.",
            found=f"{reason[:1].upper()}{reason[1:]}.",
            next_step="Leave it out, or save the photo again from its source.",
        )
        self.path = path
        self.reason = reason


class DamageError(ValueError):
    """Content that no photo can be made of; its text is the clause that ``UnreadablePhotoError`` takes."""


def reason_of(error: Exception) -> str:
    """Return the clause for whatever a decoder or the disk raised."""
    if isinstance(error, DamageError):
        return str(error)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "the file is no longer there"
    if isinstance(error, PermissionError):
        return "there is no permission to read it"
    if isinstance(error, OSError) and error.errno not in _FAULTS_OF_THE_FILE:
        return f"the disk did not answer ({error.strerror or error})"
    if isinstance(error, Image.DecompressionBombError):
        return f"it claims more pixels than the {MAX_PIXELS // 1_000_000} million a photo may have"
    if any(words in str(error) for words in _WORDS_FOR_CUT_SHORT):
        return CUT_SHORT
    return damaged(type(error).__name__)


def damaged(detail: str) -> str:
    """Return the clause for content that is not what its format asks for."""
    return f"its content is damaged ({detail})"


def unidentified(content: bytes) -> str:
    """Return the clause for content that no decoder takes, by how it starts."""
    if content.startswith(_TIFF_STARTS):
        return "it is a damaged TIFF, or of a kind that is not known here; 8 bits per channel are"
    if content.startswith(_KNOWN_STARTS) or content[4:8] == b"ftyp":
        return "its beginning is damaged, or it is cut short"
    return "it is not a photo in a format that is known here"
