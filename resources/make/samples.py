"""Draw the bundled sample set: five kinds of fruit, forty pictures of each."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from samples.fruit import RECIPES
from samples.lens import develop
from samples.render import render
from samples.scene import compose

KINDS = tuple(sorted(RECIPES))
COUNT = 40
QUALITY = 90
OUT = Path(__file__).resolve().parent.parent / "samples"


def draw(kind: str, index: int) -> Image.Image:
    """Picture number `index` of a kind; the same number gives the same picture."""
    rng = np.random.default_rng([KINDS.index(kind), index])
    return Image.fromarray(develop(render(compose(kind, rng)), rng))


def write_all(folder: Path, count: int) -> None:
    """Write `count` pictures of every kind under `folder`."""
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for index in range(1, count + 1):
            path = folder / kind / f"{kind}_{index:02d}.jpg"
            draw(kind, index).save(path, "JPEG", quality=QUALITY, optimize=True)


def swap_in(fresh: Path, out: Path) -> None:
    """Put a finished folder in the place of the old one."""
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Draw into a temporary folder beside the target and swap it in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write (replaced as a whole)")
    parser.add_argument("--count", type=int, default=COUNT, help="pictures of each kind")
    options = parser.parse_args(arguments)
    out: Path = options.out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".samples-", dir=out.parent) as scratch:
        fresh = Path(scratch) / out.name
        write_all(fresh, options.count)
        swap_in(fresh, out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
