"""The command: paint, train, convert, probe, or all of it in one go."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .recipe import Recipe, read

DEFAULT_OUT = Path(__file__).resolve().parents[2] / "backbones" / "studio-mini"


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do what it says."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    options.run(options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="studio_mini.py", description="Make the Studio Mini backbone.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = _common_options()
    for name, run, help_text in (
        ("paint", _paint, "paint the pool of pictures of a recipe"),
        ("train", _train, "train; a later call goes on where this one stops"),
        ("convert", _convert, "write the SavedModel from the last checkpoint, or anew from a SavedModel"),
        ("make", _make, "paint, train, convert and probe in one go"),
    ):
        command = commands.add_parser(name, help=help_text, parents=[common])
        command.set_defaults(run=run)
        if name in ("convert", "make"):
            where = f"module to write (default: {DEFAULT_OUT}; of the recipe 'smoke', 'module' in the folder of --work)"
            command.add_argument("--out", type=Path, help=where)
        if name == "convert":
            command.add_argument("--module", type=Path, help="take the weights from this module instead")
    probe = commands.add_parser("probe", help="measure a module on pictures that it has not seen", parents=[common])
    probe.add_argument("--module", type=Path, default=DEFAULT_OUT, help="module to measure (default: %(default)s)")
    probe.set_defaults(run=_probe)
    sheet = commands.add_parser("sheet", help="paint a sheet of examples to look at", parents=[common])
    sheet.add_argument("--out", type=Path, required=True, help="PNG to write")
    sheet.set_defaults(run=_sheet)
    return parser


def _common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--recipe", default="cpu", help="section of recipe.toml (default: %(default)s)")
    common.add_argument("--smoke", action="store_const", const="smoke", dest="recipe", help="short for --recipe smoke")
    common.add_argument("--work", type=Path, default=Path("studio-mini-work"), help="folder of the checkpoint")
    common.add_argument("--pool", type=Path, help="folder of the painted pictures (default: the folder of --work)")
    common.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="painters (default: %(default)s)")
    common.add_argument("--minutes", type=float, default=10**6, help="train for so long at most (default: to the end)")
    return common


def _recipe(options: argparse.Namespace) -> Recipe:
    return read(options.recipe)


def _paint(options: argparse.Namespace) -> None:
    from . import pool

    pool.fill(options.pool or options.work, _recipe(options), options.workers)


def _train(options: argparse.Namespace) -> None:
    from . import pool, training

    recipe = _recipe(options)
    pictures = pool.fill(options.pool or options.work, recipe, options.workers)
    step = training.train(recipe, pictures, options.work, options.minutes, max(1, options.workers // 2))
    print(f"Trained {step} of {recipe.steps} steps.")


def _convert(options: argparse.Namespace) -> None:
    # Only here is TensorFlow needed when the training runs on another backend.
    from . import conversion, module

    recipe = _recipe(options)
    if getattr(options, "module", None):
        weights = module.read(options.module)
    else:
        learned = conversion.of_checkpoint(options.work / "checkpoint", recipe)
        weights = conversion.whole(learned, conversion.samples(recipe, options.workers))
    out = _out(options).resolve()
    module.write(weights, out)
    print(f"Wrote {out}")


def _out(options: argparse.Namespace) -> Path:
    """Return where the module goes: a toy never takes the place of the one that is shipped, unless that is named."""
    return options.out or (options.work / "module" if options.recipe == "smoke" else DEFAULT_OUT)


def _probe(options: argparse.Namespace) -> None:
    import tensorflow as tf

    from . import module, probe

    loaded = tf.saved_model.load(str(options.module))
    share, splits = (0.25, 1) if options.recipe == "smoke" else (1.0, 3)
    for result in probe.probe(loaded, module.SIZE, options.workers, share, splits):
        print(result, flush=True)


def _make(options: argparse.Namespace) -> None:
    _train(options)
    _convert(options)
    options.module = _out(options)
    _probe(options)


def _sheet(options: argparse.Namespace) -> None:
    import numpy as np
    from PIL import Image

    from .paint.families import FAMILIES, example

    recipe = _recipe(options)
    rows = [
        np.concatenate(
            [example(recipe.seed, family, place // 3, place % 3, recipe.pool_size) for place in range(18)], 1
        )
        for family in FAMILIES
    ]
    Image.fromarray(np.concatenate(rows)).save(options.out)
