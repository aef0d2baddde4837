import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hubstudio.core.decode import UnreadablePhotoError, decode, digest_of, examine, pixels
from hubstudio.core.shrinking import shrink

RED, GREEN, BLUE, YELLOW = (250, 5, 5), (5, 250, 5), (5, 5, 250), (250, 250, 5)
TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright photo is turned to be stored under each EXIF orientation (each inverse of what a reader does)."""


def four_corners() -> Image.Image:
    image = Image.new("RGB", (32, 16))
    for colour, corner in ((RED, (0, 0)), (GREEN, (16, 0)), (BLUE, (0, 8)), (YELLOW, (16, 8))):
        image.paste(colour, (*corner, corner[0] + 16, corner[1] + 8))
    return image


@pytest.mark.parametrize("orientation", TURNS)
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, orientation: int) -> None:
    turn = TURNS[orientation]
    stored = four_corners() if turn is None else four_corners().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(np.asarray(decode(tmp_path / "photo.png")), np.asarray(four_corners()))


def test_a_photo_is_read_only_with_the_content_that_its_digest_names(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    four_corners().save(photo)
    digest = examine(photo, 8).digest
    np.testing.assert_array_equal(pixels(photo, (4, 8), digest), pixels(photo, (4, 8)))
    four_corners().transpose(Image.Transpose.ROTATE_180).save(photo)
    with pytest.raises(UnreadablePhotoError, match="It has changed since it was checked"):
        pixels(photo, (4, 8), digest)
    pixels(photo, (4, 8), digest_of(photo))
    pixels(photo, (4, 8))
    photo.unlink()
    with pytest.raises(UnreadablePhotoError, match="no longer there"):
        pixels(photo, (4, 8), digest)


def test_damaged_exif_is_no_reason_to_refuse(tmp_path: Path) -> None:
    four_corners().save(tmp_path / "photo.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xffnonsense")
    assert decode(tmp_path / "photo.jpg").size == (32, 16)


def test_sixteen_bit_gray_is_scaled_by_its_range(tmp_path: Path) -> None:
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "photo.png")
    assert np.asarray(decode(tmp_path / "photo.png"))[0, :, 0].tolist() == [0, 128, 255]


def test_floating_point_gray_is_scaled_by_what_it_holds(tmp_path: Path) -> None:
    values = np.array([[0.0, 0.5, 1.0, np.nan]], dtype=np.float32)
    Image.fromarray(values).save(tmp_path / "photo.tif")
    assert np.asarray(decode(tmp_path / "photo.tif"))[0, :, 2].tolist() == [0, 128, 255, 0]


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    four_corners().quantize(4).save(tmp_path / "photo.png")
    assert np.array_equal(np.asarray(decode(tmp_path / "photo.png")), np.asarray(four_corners()))


def test_alpha_is_laid_on_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (3, 1))
    for place, alpha in enumerate((0, 128, 255)):
        image.putpixel((place, 0), (0, 0, 0, alpha))
    image.save(tmp_path / "photo.png")
    assert np.asarray(decode(tmp_path / "photo.png"))[0, :, 0].tolist() == [255, 127, 0]


def test_a_transparent_palette_colour_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "photo.png", transparency=0)
    assert np.asarray(decode(tmp_path / "photo.png")).tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "photo.jpg", quality=95)
    red, green, blue = np.asarray(decode(tmp_path / "photo.jpg"))[4, 4]
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr", "LAB"])
def test_every_mode_gives_rgb(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (5, 3)).save(tmp_path / "photo.tif")
    image = decode(tmp_path / "photo.tif")
    assert (image.mode, image.size) == ("RGB", (5, 3))


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "bmp", "gif", "tif", "avif", "ppm"])
def test_every_format_is_read_whatever_the_file_is_called(tmp_path: Path, kind: str) -> None:
    four_corners().save(tmp_path / f"photo.{kind}")
    (tmp_path / f"photo.{kind}").rename(tmp_path / "misnamed.jpg")
    assert decode(tmp_path / "misnamed.jpg").size == (32, 16)


def test_the_first_frame_of_several_counts(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), RED).save(
        tmp_path / "photo.gif", save_all=True, append_images=[Image.new("RGB", (4, 4), BLUE)]
    )
    assert decode(tmp_path / "photo.gif").getpixel((0, 0)) == RED


def jpeg() -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"this is text, whatever the file is called", "it is not a photo in a format that is known here"),
        (jpeg()[: len(jpeg()) // 2], "the file is cut short"),
        (png_header(30_000, 30_000), "it claims more pixels than the 178 million a photo may have"),
    ],
    ids=["empty", "text", "cut short", "bomb"],
)
def test_a_file_without_pixels_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(UnreadablePhotoError) as raised:
        decode(tmp_path / "photo.jpg")
    assert raised.value.reason == reason
    assert raised.value.what == "'photo.jpg' could not be read."
    assert raised.value.found == f"{reason[0].upper()}{reason[1:]}."


def test_a_file_that_went_away_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePhotoError, match="no longer there"):
        decode(tmp_path / "gone.jpg")


def test_a_folder_called_like_a_photo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(UnreadablePhotoError):
        decode(tmp_path / "folder.jpg")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpeg())
    (tmp_path / "photo.jpg").chmod(0)
    with pytest.raises(UnreadablePhotoError, match="permission"):
        decode(tmp_path / "photo.jpg")


def test_pixels_are_decoded_and_shrunk(tmp_path: Path) -> None:
    four_corners().save(tmp_path / "photo.png")
    assert np.array_equal(pixels(tmp_path / "photo.png", (8, 9)), shrink(four_corners(), (8, 9)))


@pytest.mark.parametrize("name", ["upright.jpg", "turned.jpg", "other.png"])
def test_pixels_go_where_they_are_wanted(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6 if name == "turned.jpg" else 1
    four_corners().save(tmp_path / name, exif=exif)
    wanted, places = pixels(tmp_path / name, (8, 9)), np.zeros((3, 8, 9, 3), np.float32)
    assert pixels(tmp_path / name, (8, 9), into=places[1]).base is places
    assert np.array_equal(places[1], wanted)
    assert not places[::2].any()


def test_a_photo_stays_as_it_is_while_the_next_one_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (2, 90, 120, 3), dtype=np.uint8)
    for number, photo in enumerate(noise):
        Image.fromarray(photo).save(tmp_path / f"{number}.jpg")
    first = pixels(tmp_path / "0.jpg", (40, 40))
    before = first.copy()
    assert not np.array_equal(pixels(tmp_path / "1.jpg", (40, 40)), before)
    assert np.array_equal(first, before)


@pytest.mark.shared
@pytest.mark.parametrize("way", ["landscape", "portrait"])
def test_real_exif_orientations_give_the_same_picture(shared: Path, way: str) -> None:
    pictures = [pixels(shared / "nasty" / f"exif_{way}_{number}.jpg", (60, 60)) for number in range(9)]
    assert all(np.abs(picture - pictures[1]).mean() < 1.0 for picture in pictures)
