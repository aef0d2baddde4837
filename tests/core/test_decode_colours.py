"""Colours of every kind, and HEIC."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from hubstudio.core import colours
from hubstudio.core.decode import UnreadablePhotoError, decode, examine, preview

RED, GREEN = (250, 5, 5), (5, 250, 5)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(depth: int, colour: int, row: bytes, width: int, transparent: bytes = b"") -> bytes:
    """A PNG of one row, as no library writes it."""
    header = struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0)
    extra = chunk(b"tRNS", transparent) if transparent else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
        + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    )  # fmt: skip


def shorts(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def row_of(path: Path, content: bytes) -> list[list[int]]:
    path.write_bytes(content)
    return np.asarray(decode(path))[0].tolist()


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (png(16, 2, shorts(65535, 32768, 257), 1), [[255, 128, 1]]),
        (png(16, 6, shorts(0, 0, 0, 65535, 9, 9, 9, 0), 2), [[0, 0, 0], [255, 255, 255]]),
        (png(16, 4, shorts(65535, 65535, 0, 0), 2), [[255, 255, 255]] * 2),
        (png(16, 2, shorts(0x1234, 0x5678, 0x9ABC, 0, 0, 0), 2, shorts(0x1234, 0x5678, 0x9ABC)),
         [[255, 255, 255], [0, 0, 0]]),
        (png(16, 0, shorts(4660, 65535, 0), 3, shorts(4660)), [[255] * 3, [255] * 3, [0] * 3]),
        (png(4, 0, b"\x4f", 2, shorts(4)), [[255] * 3, [255] * 3]),
        (png(2, 0, b"\x10", 2, shorts(2)), [[0] * 3, [85] * 3]),
        (png(1, 0, b"\x40", 2, shorts(0)), [[255] * 3, [255] * 3]),
        (png(1, 0, b"\x40", 2), [[0] * 3, [255] * 3]),
        (png(8, 4, bytes([7, 255, 7, 0]), 2), [[7] * 3, [255] * 3]),
    ],
    ids=["RGB 16", "RGBA 16", "LA 16", "RGB 16 and tRNS", "gray 16 and tRNS", "gray 4 and tRNS", "gray 2 and tRNS",
         "1 bit and tRNS", "1 bit", "LA"],
)  # fmt: skip
def test_every_kind_of_png_gives_its_colours(tmp_path: Path, content: bytes, row: list[list[int]]) -> None:
    assert row_of(tmp_path / "photo.png", content) == row


@pytest.mark.parametrize("name", [b"IDAT", b"IHDR", b"tRNS"])
def test_a_wrong_checksum_of_the_picture_refuses_it(tmp_path: Path, name: bytes) -> None:
    content = bytearray(png(16, 0, shorts(1, 2), 2, shorts(4660)))
    place = content.index(name)
    content[place + 4 + struct.unpack(">I", content[place - 4 : place])[0]] ^= 1
    (tmp_path / "photo.png").write_bytes(content)
    for read in (decode, lambda path: preview(path, 8)):
        with pytest.raises(UnreadablePhotoError, match="damaged"):
            read(tmp_path / "photo.png")


def tiff(samples: int, bits: int, pixel: bytes, *, kind: int = 1, extra: int | None = None) -> bytes:
    """An uncompressed little-endian TIFF of one pixel; ``kind`` 1 is whole numbers, 3 floating point."""
    head = 8
    tags = {256: (4, [1]), 257: (4, [1]), 258: (3, [bits] * samples), 259: (3, [1]),
            262: (3, [2 if samples > 2 else 1]), 273: (4, [0]), 277: (3, [samples]), 278: (4, [1]),
            279: (4, [len(pixel)]), 339: (3, [kind] * samples)}  # fmt: skip
    if extra is not None:
        tags[338] = (3, [extra])
    after = head + 2 + 12 * len(tags) + 4
    tail, entries = b"", b""
    tags[273] = (4, [after])
    tail = pixel + b"\0" * (len(pixel) % 2)
    for tag, (size_code, values) in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}{'H' if size_code == 3 else 'I'}", *values)
        if len(packed) > 4:
            entries += struct.pack("<HHII", tag, size_code, len(values), after + len(tail))
            tail += packed
        else:
            entries += struct.pack("<HHI", tag, size_code, len(values)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", head) + struct.pack("<H", len(tags)) + entries + b"\0" * 4 + tail


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (tiff(3, 16, struct.pack("<3H", 65535, 32768, 257)), [[255, 128, 1]]),
        (tiff(4, 16, struct.pack("<4H", 9, 9, 9, 0), extra=2), [[255, 255, 255]]),
        (tiff(1, 16, struct.pack("<H", 65535)), [[255] * 3]),
        (tiff(1, 32, struct.pack("<f", 0.5), kind=3), [[255] * 3]),
    ],
    ids=["RGB 16", "RGBA 16", "gray 16", "float"],
)
def test_every_kind_of_tiff_gives_its_colours(tmp_path: Path, content: bytes, row: list[list[int]]) -> None:
    assert row_of(tmp_path / "photo.tif", content) == row


def test_a_tiff_of_an_unknown_kind_says_so(tmp_path: Path) -> None:
    (tmp_path / "photo.tif").write_bytes(tiff(3, 32, struct.pack("<3f", 0, 0.5, 1), kind=3))
    with pytest.raises(UnreadablePhotoError, match="a kind that is not known here"):
        decode(tmp_path / "photo.tif")


@pytest.mark.parametrize("mode", ["I;16", "F", "RGBA", "LA", "P", "L", "1", "CMYK"])
def test_strips_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (61, 40, 4), dtype=np.uint8)
    values = {"I;16": np.uint16, "F": np.float32}
    image = (
        Image.fromarray((noise[..., 0] * 257.0).astype(values[mode])) if mode in values
        else Image.fromarray(noise).convert("RGB" if mode in ("P", "CMYK") else "RGBA").convert(mode)
    )  # fmt: skip
    image.save(tmp_path / "photo.tif")
    whole = decode(tmp_path / "photo.tif"), preview(tmp_path / "photo.tif", 8)
    monkeypatch.setattr(colours, "STRIP_PIXELS", 300)
    strips = decode(tmp_path / "photo.tif"), preview(tmp_path / "photo.tif", 8)
    assert [image.tobytes() for image in whole] == [image.tobytes() for image in strips]


def cmyk_profile() -> bytes:
    """A profile by which ink of any colour is gray."""
    corners = bytearray(b"\x80\x80\x80" * 16)  # Lab, 8 bits: L 50, a 0, b 0
    corners[:3] = b"\xff\x80\x80"
    ramp = bytes(range(256))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes(corners) + ramp * 3
    size = 128 + 4 + 12 + len(table)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"prtr", b"CMYK", b"Lab ").ljust(36, b"\0")
    header += b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


@pytest.mark.parametrize("kind", ["jpg", "tif"])
def test_cmyk_goes_through_its_profile(tmp_path: Path, kind: str) -> None:
    photo = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    photo.save(tmp_path / f"photo.{kind}", icc_profile=cmyk_profile())
    red, green, blue = decode(tmp_path / f"photo.{kind}").getpixel((8, 8))
    assert max(red, green, blue) - min(red, green, blue) < 4
    assert red < 140


@pytest.mark.parametrize(
    "profile",
    [b"no profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), cmyk_profile()[:500]],
    ids=["nonsense", "RGB", "cut"],
)
def test_cmyk_with_an_unsound_profile_is_converted_plainly(tmp_path: Path, profile: bytes) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "photo.jpg", icc_profile=profile, quality=95)
    red, green, blue = decode(tmp_path / "photo.jpg").getpixel((8, 8))
    assert red > 240
    assert max(green, blue) < 15


def test_profiles_of_rgb_photos_are_ignored(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Image.new("RGB", (4, 4), RED).save(tmp_path / "photo.png", icc_profile=profile)
    assert decode(tmp_path / "photo.png").getpixel((1, 1)) == RED


def heic(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=-1, chroma=444, **options)
    return file.getvalue()


def is_near(found: object, expected: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.subtract(found, expected)).max() < 8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_is_turned_once(tmp_path: Path, orientation: int) -> None:
    stored = Image.new("RGB", (64, 32), GREEN)
    stored.paste(RED, (0, 0, 32, 16))  # the corner at which a raster starts
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.heic", exif=exif.tobytes(), quality=95)
    stored.save(tmp_path / "photo.png", exif=exif)
    upright, expected = decode(tmp_path / "photo.heic"), decode(tmp_path / "photo.png")
    assert upright.size == expected.size
    assert np.abs(np.asarray(upright, int) - np.asarray(expected, int)).mean() < 3
    seen = examine(tmp_path / "photo.heic", 16)
    assert ((seen.width, seen.height), min(seen.preview.size)) == (expected.size, 16)


def test_alpha_of_a_heic_is_laid_on_white(tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(heic(Image.new("RGBA", (32, 32), (*RED, 0))))
    assert is_near(decode(tmp_path / "photo.heic").getpixel((9, 9)), (255, 255, 255))


def test_ten_bits_of_a_heic_become_eight(tmp_path: Path) -> None:
    values = np.full((32, 32, 3), 32768, np.uint16)
    with (tmp_path / "photo.heic").open("wb") as file:
        pillow_heif.encode("RGB;16", (32, 32), values.tobytes(), file, quality=-1, chroma=444)
    assert pillow_heif.open_heif(tmp_path / "photo.heic", convert_hdr_to_8bit=False).info["bit_depth"] == 10
    assert is_near(decode(tmp_path / "photo.heic").getpixel((9, 9)), (128, 128, 128))


def test_a_heic_cut_short_is_refused(tmp_path: Path) -> None:
    content = heic(Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)))
    (tmp_path / "photo.heic").write_bytes(content[: len(content) * 2 // 3])
    for read in (decode, lambda path: preview(path, 8)):
        with pytest.raises(UnreadablePhotoError, match="cut short"):
            read(tmp_path / "photo.heic")
