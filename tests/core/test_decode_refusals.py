import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hubstudio.core.decode import UnreadablePhotoError, decode


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.new("RGB", (2, 1)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def load(*_: Any) -> None:
        raise error

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)


def test_that_memory_ran_out_is_no_fault_of_the_photos(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, MemoryError())
    with pytest.raises(MemoryError):
        decode(photo)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EIO, "Input/output error"), "the disk did not answer (Input/output error)"),
        (OSError(errno.ESTALE, "Stale file handle"), "the disk did not answer (Stale file handle)"),
        (OSError(errno.EINVAL, "Invalid argument"), "its content is damaged (OSError)"),
        (OSError("broken data stream"), "its content is damaged (OSError)"),
        (PermissionError(errno.EACCES, "Permission denied"), "there is no permission to read it"),
        (FileNotFoundError(errno.ENOENT, "No such file"), "the file is no longer there"),
    ],
)
def test_a_disk_that_fails_is_told_from_a_damaged_photo(
    photo: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    fail_with(monkeypatch, error)
    with pytest.raises(UnreadablePhotoError) as raised:
        decode(photo)
    assert raised.value.reason == reason


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_called_like_a_photo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadablePhotoError, match="a pipe or a device"):
        decode(tmp_path / "pipe.jpg")


def test_a_folder_called_like_a_photo_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePhotoError, match="It is a folder"):
        decode(tmp_path)


def test_a_transparent_colour_of_an_rgb_photo_is_white(tmp_path: Path) -> None:
    image = Image.new("RGB", (2, 1))
    image.putpixel((1, 0), (200, 100, 50))
    image.save(tmp_path / "photo.png", transparency=(0, 0, 0))
    assert np.asarray(decode(tmp_path / "photo.png")).tolist() == [[[255, 255, 255], [200, 100, 50]]]
