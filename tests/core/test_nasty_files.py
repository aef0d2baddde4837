"""Every file of shared/nasty does what its line in the manifest expects."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hubstudio.core.decode import UnreadablePhotoError, decode, examine, preview
from hubstudio.core.photos import PHOTO_SUFFIXES

REFUSED, READ, EITHER = "refused", "read", "read or refused"
LIMIT_MB = 1000


def wanted(file: str, expected: str) -> str:
    """Return what a sentence of the manifest asks of the decoder."""
    if (
        " or " in expected
        and "or at least load" not in expected
        and not expected.startswith(("composite", "refuse with"))
    ):
        return EITHER
    if expected.startswith(("refuse with", "skipped", "ignored", "named skip")):
        return REFUSED
    if expected.startswith(("load", "apply", "upright", "first", "convert", "expand", "ignore the EXIF", "composite")):
        return READ
    return {"same": EITHER, "scale, load": READ}.get(expected) or pytest.fail(f"what does '{expected}' ask?")


@pytest.fixture(scope="module")
def manifest(shared: Path) -> dict[str, str]:
    with (shared / "nasty" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["expected"] for row in csv.DictReader(file)}


def outcome(path: Path) -> tuple[str, str]:
    """Return whether a file is read, and why not; the same by all three ways of reading."""
    answers = set[tuple[str, str]]()
    for read in (decode, lambda path: preview(path, 64), lambda path: examine(path, 64).preview):
        try:
            assert read(path).mode == "RGB"
            answers.add((READ, ""))
        except UnreadablePhotoError as error:
            assert path.name in error.what
            answers.add((REFUSED, error.reason))
    assert len(answers) == 1, answers
    return answers.pop()


@pytest.mark.shared
def test_every_file_is_read_or_refused_as_the_manifest_says(shared: Path, manifest: dict[str, str]) -> None:
    found = {file: outcome(shared / "nasty" / file) for file in manifest}
    otherwise = {
        file: (found[file], expected)
        for file, expected in manifest.items()
        if wanted(file, expected) not in (found[file][0], EITHER)
    }
    assert not otherwise


@pytest.mark.shared
def test_what_a_phone_or_a_browser_writes_is_read(shared: Path, manifest: dict[str, str]) -> None:
    formats = ("heic", "heif", "avif", "webp", "gif", "apng", "mpo", "tif")
    missing = [kind for kind in formats if not any(file.lower().endswith(f".{kind}") for file in manifest)]
    assert not missing
    for file in manifest:
        if file.lower().endswith((".heic", ".heif", ".avif", ".mpo", ".ppm", ".apng")):
            assert outcome(shared / "nasty" / file) == (READ, "")


@pytest.mark.shared
def test_files_to_be_ignored_are_not_taken_for_photos(shared: Path, manifest: dict[str, str]) -> None:
    ignored = [file for file, expected in manifest.items() if expected in ("ignored", "named skip")]
    assert ignored
    assert not [file for file in ignored if Path(file).suffix.casefold() in PHOTO_SUFFIXES]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("x_jpg_corrupted.jpg", "its content is damaged (premature end of data segment)"),
        ("g_png_xcsn0g01.png", "its content is damaged (wrong checksum of IDAT)"),
        ("p_decompression_bomb_extents.gif", "it claims more pixels than the 178 million a photo may have"),
        ("bomb_30000x30000_1bit.png", "it claims more pixels than the 178 million a photo may have"),
        ("zero_byte.jpg", "the file is empty"),
        ("html_as.jpg", "it is not a photo in a format that is known here"),
        ("jpg_half.jpg", "the file is cut short"),
    ],
)
def test_the_reason_tells_what_is_wrong(shared: Path, file: str, reason: str) -> None:
    assert outcome(shared / "nasty" / file) == (REFUSED, reason)


@pytest.mark.shared
@pytest.mark.parametrize("kind", ["exif_landscape_?.jpg", "exif_portrait_?.jpg", "p_hopper_orientation_?.jpg"])
def test_pictures_of_every_orientation_are_the_same(shared: Path, kind: str) -> None:
    paths = sorted((shared / "nasty").glob(kind))
    pictures = [np.asarray(preview(path, 60), int) for path in paths]
    assert len(pictures) >= 7
    assert all(np.abs(each - pictures[0]).mean() < 4 for each in pictures)


@pytest.mark.shared
def test_colours_of_a_cmyk_photo_are_not_inverted(shared: Path) -> None:
    red, green, blue = decode(shared / "nasty" / "p_pil_sample_cmyk.jpg").getpixel((0, 0))
    assert red > 200
    assert max(green, blue) < 60


CHECK_ALL = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from hubstudio.core.decode import UnreadablePhotoError, decode, examine

def read(path):
    try:
        examine(path, 64)
        decode(path)
    except UnreadablePhotoError:
        pass

with ThreadPoolExecutor(2) as pool:
    list(pool.map(read, sorted(Path(sys.argv[1]).iterdir())))
if sys.platform == "linux":  # what getrusage tells begins with the memory of the process that started this one
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(int(line.split()[1]) >> 10)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20)
"""


@pytest.mark.shared
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak this way")
def test_reading_them_all_with_two_threads_stays_below_a_gigabyte(shared: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK_ALL, str(shared / "nasty")],
        capture_output=True, text=True, timeout=120, check=True, env=dict(os.environ),
    )  # fmt: skip
    assert int(done.stdout) < LIMIT_MB
