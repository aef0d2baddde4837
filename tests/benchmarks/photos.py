"""Speed and memory of the Photos step: `python tests/benchmarks/photos.py` prints its tables.

`decode`: photos per second on 12-megapixel JPEGs and on small ones, by one worker and by two, against bare Pillow in a
loop. `scale`: scanning, checking and splitting 1,000 to 100,000 generated photos, each in a process of its own,
then a second opening that finds all of them in the index. Ratios count; compare only lines of one run.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from hubstudio.core import paths
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import decode, examine, pixels, preview
from hubstudio.core.looks import PREVIEW_SIDE
from hubstudio.core.photo_check import check_photos
from hubstudio.core.photo_listing import scan
from hubstudio.core.split import Shares, split_photos

LARGE, SMALL = (4032, 3024), (400, 300)
CLASSES = 10


def picture(seed: int, size: tuple[int, int]) -> bytes:
    """Return a JPEG of a random scene: leaves on soft blots with some grain, about as hard to decode as a photo."""
    draw = np.random.default_rng(seed)
    soft = Image.fromarray(draw.integers(0, 256, (9, 12, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    brush = ImageDraw.Draw(soft)
    for _ in range(60):
        centre, reach = draw.random(2) * size, draw.random(2) ** 2 * min(size) / 4 + 1
        box = (*(centre - reach), *(centre + reach))
        paint = brush.ellipse if draw.random() < 0.5 else brush.rectangle
        paint(box, fill=tuple(int(level) for level in draw.integers(0, 256, 3)))
    tile = draw.normal(0, 9, (min(size[1], 256), min(size[0], 256), 1))
    grain = np.tile(tile, (size[1] // tile.shape[0] + 1, size[0] // tile.shape[1] + 1, 1))[: size[1], : size[0]]
    file = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def bare_pillow(path: Path) -> None:
    """Decode as a loop over ``Image.open`` does."""
    with Image.open(path) as image:
        image.convert("RGB")


def per_second(work: Callable[[Path], object], files: list[Path], workers: int) -> float:
    """Return photos per second."""
    began = time.perf_counter()
    if workers == 1:
        for path in files:
            work(path)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, files))
    return len(files) / (time.perf_counter() - began)


def decoding(folder: Path) -> None:
    """Print photos per second of every way to read."""
    ways: dict[str, Callable[[Path], object]] = {
        "bare Pillow, whole": bare_pillow,
        "decode, whole": decode,
        f"preview, {PREVIEW_SIDE} px": lambda path: preview(path, PREVIEW_SIDE),
        f"examine (digest + preview {PREVIEW_SIDE} px)": lambda path: examine(path, PREVIEW_SIDE),
        "pixels, 224 px for a model": lambda path: pixels(path, (224, 224)),
    }
    for name, size, count in (("12-megapixel JPEGs", LARGE, 24), ("small JPEGs, 400 × 300", SMALL, 600)):
        files = [folder / f"{size[0]}-{seed}.jpg" for seed in range(count)]
        for seed, path in enumerate(files):
            path.write_bytes(picture(seed, size))
        per_second(bare_pillow, files[:4], 1)
        print(f"\n{name}, {files[0].stat().st_size / 1024:,.0f} kB each")
        print(f"{'':<42}{'1 worker':>12}{'2 workers':>12}{'2 / 1':>8}{'2 / Pillow':>12}")
        baseline = 0.0
        for way, work in ways.items():
            one, two = per_second(work, files, 1), per_second(work, files, 2)
            baseline = baseline or one
            print(f"{way:<42}{one:>9.1f}/s {two:>9.1f}/s {two / one:>7.2f}{two / baseline:>12.2f}")


def make_photos(folder: Path, count: int) -> None:
    """Write ``count`` distinct small photos into class folders."""
    for number in range(count):
        own = folder / f"class {number % CLASSES}"
        own.mkdir(parents=True, exist_ok=True)
        (own / f"{number}.jpg").write_bytes(picture(number, (160, 120)))


def prepare(folder: Path) -> dict[str, float]:
    """Scan, check and split; return seconds of each and the peak of memory in MB."""
    began = time.perf_counter()
    listed = scan(folder)
    scanned = time.perf_counter()
    compared: list[float] = []

    def progress(done: int, total: int, what: str) -> None:
        del done, total
        if what != "photos" and not compared:
            compared.append(time.perf_counter())

    checked = check_photos(listed, progress, CancelToken())
    ended = time.perf_counter()
    counts = split_photos(checked, 1, Shares()).counts()
    between = compared[0] if compared else ended
    return {
        "scan": scanned - began,
        "read": between - scanned,
        "compare": ended - between,
        "split": time.perf_counter() - ended,
        "all": time.perf_counter() - began,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "test share": counts["test"] / max(1, sum(counts.values())),
    }


def scale(folder: Path, counts: Iterable[int]) -> None:
    """Print seconds and memory for each number of photos, first and second opening."""
    columns = ("scan", "read", "compare", "split", "all")
    print(f"\n{'photos':>8} {'opening':<8}" + "".join(f"{name + ' s':>11}" for name in columns), end="")
    print(f"{'photos/s':>11}{'peak MB':>9}{'test share':>12}")
    for count in counts:
        photos = folder / f"{count}"
        make_photos(photos, count)
        for opening in ("first", "second"):
            command = [sys.executable, __file__, "--prepare", str(photos)]
            environment = {**os.environ, paths.HOME_VARIABLE: str(folder / "home")}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            result = json.loads(done.stdout)
            print(f"{count:>8,} {opening:<8}" + "".join(f"{result[name]:>11.2f}" for name in columns), end="")
            print(f"{count / result['all']:>11.0f}{result['memory']:>9.0f}{result['test share']:>12.3f}", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("what", nargs="*", choices=["decode", "scale", []], help="default: both")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="photos for scale")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.prepare:
        print(json.dumps(prepare(args.prepare)))
        return
    with tempfile.TemporaryDirectory() as name:
        if "decode" in args.what or not args.what:
            decoding(Path(name))
        if "scale" in args.what or not args.what:
            scale(Path(name), args.counts)


if __name__ == "__main__":
    main()
