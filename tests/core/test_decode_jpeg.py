"""Which damaged JPEGs are refused, and which oddities are not: one test for each kind of warning of libjpeg."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hubstudio.core.decode import UnreadablePhotoError, decode, pixels, preview
from hubstudio.core.shrinking import shrink

NOISE = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
END = b"\xff\xd9"


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (image or Image.fromarray(NOISE)).save(file, "JPEG", **{"quality": 90, **options})
    return file.getvalue()


def scan_start(content: bytes) -> int:
    place = content.index(b"\xff\xda")
    return place + 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]


def middle(content: bytes) -> int:
    return (scan_start(content) + len(content)) // 2


def replaced(content: bytes, place: int, with_: bytes) -> bytes:
    return content[:place] + with_ + content[place + len(with_) :]


def inserted(content: bytes, place: int, what: bytes) -> bytes:
    return content[:place] + what + content[place:]


def by_pillow(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def with_adobe_transform(content: bytes, transform: int) -> bytes:
    """Replace the JFIF segment (18 bytes after the start) by an Adobe one."""
    return content[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform]) + content[20:]


def assert_models_see_the_same(path: Path) -> None:
    """What goes to models takes a shorter way than what people look at."""
    np.testing.assert_allclose(pixels(path, (40, 56)), shrink(decode(path), (40, 56)), rtol=0, atol=1e-4)


WHOLE = jpeg()
RESTARTING = jpeg(restart_marker_rows=1)
PROGRESSIVE = jpeg(progressive=True)
SCAN = WHOLE.index(b"\xff\xda")


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        PROGRESSIVE,
        RESTARTING,
        jpeg(subsampling=0),
        jpeg(subsampling=1),
        jpeg(Image.fromarray(NOISE).convert("L")),
        jpeg(Image.fromarray(NOISE).convert("CMYK")),
        jpeg(Image.fromarray(NOISE[:37, :91])),
        jpeg(keep_rgb=True),
        jpeg(streamtype=0, optimize=True),
    ],
    ids=["plain", "progressive", "restarts", "444", "422", "gray", "CMYK", "odd size", "RGB inside", "optimized"],
)
def test_whole_jpegs_give_the_pixels_that_pillow_gives(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    assert np.array_equal(np.asarray(decode(tmp_path / "photo.jpg")), by_pillow(content))
    assert_models_see_the_same(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    "content",
    [
        inserted(WHOLE, len(WHOLE) - 2, b"\x12\x34\x56"),
        inserted(PROGRESSIVE, len(PROGRESSIVE) - 2, b"\x12" * 2000),
        inserted(RESTARTING, RESTARTING.index(b"\xff\xd1"), b"\x42" * 40),
        WHOLE + b"what a server said\0" * 100,
        WHOLE + b"\0" * 5000,
        inserted(WHOLE, WHOLE.index(b"\xff\xdb"), b"\x07\x06\x05"),
        inserted(WHOLE, WHOLE.index(b"\xff\xdb"), b"\xff" * 9),
        replaced(WHOLE, 11, b"\x03"),
        with_adobe_transform(WHOLE, 7),
        replaced(WHOLE, scan_start(WHOLE) - 3, b"\0\0\0"),
        WHOLE[:20] + b"\xff\xe1\0\x10Exif\0\0nonsense" + WHOLE[20:],
    ],
    ids=[
        "extra before the end",
        "much extra before the end",
        "extra before a restart",
        "text behind the end",
        "zeros behind the end",
        "junk between segments",
        "fill bytes",
        "JFIF 3",
        "unknown Adobe transform",
        "odd scan parameters",
        "EXIF nonsense",
    ],
)
def test_oddities_around_a_whole_photo_do_not_refuse_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    same = by_pillow(PROGRESSIVE) if b"\xff\xc2" in content[:2000] else by_pillow(WHOLE)
    assert np.array_equal(np.asarray(decode(tmp_path / "photo.jpg")), same)
    assert preview(tmp_path / "photo.jpg", 48).size == (64, 48)
    assert_models_see_the_same(tmp_path / "photo.jpg")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (WHOLE[: middle(WHOLE)], "cut short"),
        (WHOLE[:-2], "cut short"),
        (WHOLE[: middle(WHOLE)] + END, "premature end of data segment"),
        (WHOLE[: middle(WHOLE)] + WHOLE[middle(WHOLE) + 500 :], "premature end of data segment"),
        (replaced(PROGRESSIVE, len(PROGRESSIVE) // 2, b"\xff\0" * 40), "bad Huffman code"),
        (RESTARTING.replace(b"\xff\xd2", b"\xff\xd4", 1), "instead of RST"),
        (PROGRESSIVE[: len(PROGRESSIVE) // 2], "cut short"),
        (PROGRESSIVE[: len(PROGRESSIVE) // 2] + END, "premature end of data segment"),
        (inserted(WHOLE[: middle(WHOLE)] + END, WHOLE.index(b"\xff\xdb"), b"\x07\x06"), "premature end of data"),
        (replaced(WHOLE[: middle(WHOLE)] + END, 11, b"\x03"), "premature end of data segment"),
        (jpeg(Image.fromarray(NOISE).convert("CMYK"))[:-900] + END, "premature end of data segment"),
        (jpeg(Image.fromarray(NOISE).convert("L"))[:-900] + END, "premature end of data segment"),
    ],
    ids=[
        "half",
        "no end",
        "half and an end",
        "a piece is missing",
        "not a code",
        "another restart",
        "half progressive",
        "half progressive and an end",
        "a piece is missing, behind junk",
        "a piece is missing, behind JFIF 3",
        "CMYK",
        "gray",
    ],
)
def test_missing_and_invented_pixels_refuse_a_photo(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    for read in (decode, lambda path: preview(path, 8), lambda path: pixels(path, (32, 32))):
        with pytest.raises(UnreadablePhotoError, match=reason):
            read(tmp_path / "photo.jpg")


def test_a_photo_of_several_in_one_file_is_read_though_more_follows(tmp_path: Path) -> None:
    first, second = Image.fromarray(NOISE), Image.new("RGB", (128, 96))
    first.save(tmp_path / "photo.mpo", "MPO", save_all=True, append_images=[second], quality=90)
    assert np.array_equal(np.asarray(decode(tmp_path / "photo.mpo")), by_pillow(WHOLE))
    assert_models_see_the_same(tmp_path / "photo.mpo")


@pytest.mark.parametrize("turn", range(1, 9))
def test_models_see_a_photo_upright(tmp_path: Path, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    (tmp_path / "photo.jpg").write_bytes(jpeg(exif=exif))
    assert_models_see_the_same(tmp_path / "photo.jpg")
