"""Shrunk photos to look at, and what one pass over a file tells."""

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hubstudio.core.decode import MAX_FILE_BYTES, UnreadablePhotoError, decode, examine, preview
from hubstudio.core.decoding_room import DecodingRoom


def picture(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(5).integers(0, 256, (height // 100 + 2, width // 100 + 2, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "bmp", "gif", "heic", "avif"])
@pytest.mark.parametrize("side", [16, 64, 256])
def test_a_preview_looks_like_the_photo(tmp_path: Path, kind: str, side: int) -> None:
    path = tmp_path / f"photo.{kind}"
    picture(900, 600).save(path)
    seen = preview(path, side)
    assert (seen.mode, seen.size) == ("RGB", (side * 3 // 2, side))
    expected = decode(path).resize(seen.size, Image.Resampling.BILINEAR)
    assert np.abs(np.asarray(seen, int) - np.asarray(expected, int)).mean() < 3


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(10, 500), (500, 10), (7, 7), (1, 1), (333, 127)])
def test_a_preview_is_never_enlarged_nor_smaller_than_asked(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    picture(*size).convert(mode).save(tmp_path / "photo.jpg")
    for side in (1, 8, 16, 127, 400):
        assert min(preview(tmp_path / "photo.jpg", side).size) == min(side, *size)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["jpg", "png", "tif"])
def test_a_preview_is_upright_and_the_size_too(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{kind}"
    picture(400, 240).save(path, exif=exif)
    seen, whole = examine(path, 40), decode(path)
    assert (seen.width, seen.height) == whole.size
    expected = whole.resize(seen.preview.size, Image.Resampling.BILINEAR)
    assert np.abs(np.asarray(seen.preview, int) - np.asarray(expected, int)).mean() < 4


def test_the_digest_is_that_of_the_files_content(tmp_path: Path) -> None:
    picture(40, 30).save(tmp_path / "photo.png")
    expected = hashlib.blake2b((tmp_path / "photo.png").read_bytes(), digest_size=16).digest()
    assert examine(tmp_path / "photo.png", 8).digest == expected


def test_a_file_that_is_no_photo_by_its_size_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "photo.tif").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + (1 << 20))
    for read in (decode, lambda path: examine(path, 8)):
        with pytest.raises(UnreadablePhotoError, match="257 MB"):
            read(tmp_path / "photo.tif")


def test_photos_wait_for_room_and_a_large_one_goes_in_alone() -> None:
    room = DecodingRoom(10)
    entered = threading.Event()

    def enter() -> None:
        with room.for_pixels(1000):
            entered.set()

    thread = threading.Thread(target=enter)
    with room.for_pixels(4), room.for_pixels(6):
        thread.start()
        assert not entered.wait(0.05)
    thread.join(10)
    assert entered.is_set()


def test_room_is_given_back_by_a_photo_that_fails() -> None:
    room = DecodingRoom(10)
    with pytest.raises(ValueError, match="damaged"), room.for_pixels(10):
        raise ValueError("damaged")
    with room.for_pixels(10):
        pass
