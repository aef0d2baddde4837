"""Damaged bytes end in a photo or in a reason, never in anything else."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as some
from PIL import Image

import hubstudio.core.decode as decoder
from hubstudio.core.decode import UnreadablePhotoError, decode, preview

Damage = Callable[[bytes], bytes]
SIDE = 12


def sample(kind: str, **options: object) -> bytes:
    noise = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((80, 60), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    if kind not in ("GIF", "BMP"):
        options["exif"] = exif.tobytes()
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


SAMPLES = {
    "jpeg": sample("JPEG", quality=90),
    "progressive jpeg": sample("JPEG", progressive=True),
    "jpeg with restarts": sample("JPEG", restart_marker_rows=1),
    "png": sample("PNG"),
    "webp": sample("WEBP"),
    "gif": sample("GIF"),
    "tiff": sample("TIFF"),
    "packed tiff": sample("TIFF", compression="tiff_lzw"),
    "bmp": sample("BMP"),
    "avif": sample("AVIF", speed=10),
    "heic": sample("HEIF"),
}


def flip(place: float, bit: int) -> Damage:
    def damage(content: bytes) -> bytes:
        at = int(place * len(content))
        return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]

    return damage


def cut(place: float, length: int) -> Damage:
    return lambda content: content[: int(place * len(content))] + content[int(place * len(content)) + length :]


def end(place: float) -> Damage:
    return lambda content: content[: int(place * len(content))]


def insert(place: float, what: bytes) -> Damage:
    return lambda content: content[: int(place * len(content))] + what + content[int(place * len(content)) :]


def overwrite(place: float, length: int, value: int) -> Damage:
    def damage(content: bytes) -> bytes:
        at = int(place * len(content))
        return (content[:at] + bytes([value]) * length + content[at + length :])[: len(content)]

    return damage


places = some.floats(0, 1, exclude_max=True) | some.floats(0, 0.1)  # headers are short and most of what can go wrong
lengths = some.integers(1, 60)
damages = some.lists(
    some.builds(flip, places, some.integers(0, 7))
    | some.builds(cut, places, lengths)
    | some.builds(insert, places, some.binary(min_size=1, max_size=40))
    | some.builds(overwrite, places, lengths, some.sampled_from((0, 255)))
    | some.builds(end, places),
    min_size=1,
    max_size=3,
)


def reason(read: Callable[[], Image.Image]) -> str:
    try:
        image = read()
    except UnreadablePhotoError as error:
        assert error.reason
        return error.reason
    assert image.mode == "RGB"
    assert min(image.size) > 0
    image.tobytes()
    return ""


@pytest.mark.filterwarnings("ignore")  # libraries warn of what is odd
@pytest.mark.parametrize("kind", SAMPLES)
def test_damaged_bytes_give_a_photo_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(decoder, "MAX_PIXELS", 4_000_000)  # a claim of 100 million is honoured, but takes a second
    path = tmp_path_factory.mktemp("damage") / "photo"

    @seed(11)
    @settings(max_examples=120, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damages)
    def check(how: list[Damage]) -> None:
        content = SAMPLES[kind]
        for damage in how:
            content = damage(content) or b"\0"
        path.write_bytes(content)
        whole, small = reason(lambda: decode(path)), reason(lambda: preview(path, SIDE))
        assert whole == small

    check()


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_undamaged_files_are_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "photo").write_bytes(SAMPLES[kind])
    upright = (80, 60) if kind in ("gif", "bmp") else (60, 80)
    assert decode(tmp_path / "photo").size == upright
