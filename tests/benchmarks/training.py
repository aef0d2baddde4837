"""How fast training is, beside the bare backbone and beside the plain way; one table, all in one run.

    python tests/benchmarks/training.py PHOTOS... [--backbone FOLDER] [--photos 2000] [--plain-epochs 1] [--rows abcde]
    python tests/benchmarks/training.py PHOTOS... --linear --photos 4000
    python tests/benchmarks/training.py PHOTOS... --memory --photos 50000

Rows: (a) decoded photos through the chosen runtime, bare; (b) our extraction, from files to features; (c) the plain
way, ``hub.KerasLayer(trainable=False)`` and a Dense layer under tf_keras with ``fit``, from files, 10 epochs; (d) our
training of the same, with nothing known and again with known features; (e) fine-tuning of the last 3 blocks, the plain
way, every batch through the whole backbone, and ours, from what the frozen part made of each photo once. The rate of
(b) counts from the first batch on, its seconds include preparing the runtime.
Where there are fewer photos than asked for, copies are written whose content differs a little. ``load`` is the number
of programs that wanted a core meanwhile: figures of a busy computer say nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hubstudio.core import feature_store, paths
from hubstudio.core.cancel import CancelToken
from hubstudio.core.decode import decode, digest_of
from hubstudio.core.events import Event, FeaturesDone
from hubstudio.core.peak_memory import begin_peak, peak_memory
from hubstudio.core.photo_listing import scan
from hubstudio.core.photos import Photo
from hubstudio.ml.loading import make_engine

EPOCHS, LAST_BLOCKS = 10, 3
_RATIOS = (("b", "a", 0.9), ("c", "d cold", 20.0), ("d cold", "d warm", 5.0), ("e plain", "e ours", None))
"""What is divided by what, and how much it shall be at least."""
WARM_PHOTOS = 64
BARE_SECONDS = 4.0
BATCH = 32
_OURS = ("-m", "hubstudio")
_WHOLE = ("-c", """
import sys
from hubstudio.__main__ import main, make_engine
make_engine()
from hubstudio.ml import fine_tuning_ways
fine_tuning_ways.find_border = lambda *_: None
sys.exit(main())
""")  # fmt: skip
"""The same program, but it finds no border to train from."""


@dataclass(frozen=True)
class Task:
    """What is measured: a folder of photos by class, and a backbone."""

    photos: Path
    backbone: str
    plain_epochs: int

    @property
    def files(self) -> list[Path]:
        """All photos."""
        return sorted(file for file in self.photos.rglob("*") if file.is_file())


def main() -> None:
    """Print the table, or the cost of more photos, or the peak of memory."""
    arguments = _parse()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as made:
        os.environ[paths.HOME_VARIABLE] = home
        make_engine()
        photos = gathered(arguments.folders, arguments.photos, Path(made))
        task = Task(photos, arguments.backbone, arguments.plain_epochs)
        if arguments.memory:
            print_memory(task)
        elif arguments.linear:
            print_linear(task)
        else:
            print_table(task, arguments.rows)


def print_table(task: Task, rows: str) -> None:
    """Print a line for each row as soon as it is measured, and what the rows say of each other."""
    count = len(task.files)
    print(f"{count:,} photos, {Path(task.backbone).name}, {os.cpu_count()} cores")
    print(f"{'':52}{'photos/s':>10}{'s':>9}{'load':>6}")
    found: dict[str, float] = {}
    if "a" in rows:
        name, rate = bare(task)
        found["a"] = rate
        _print_row(f"a  bare forward, {name}", rate, None)
    if "b" in rows:
        found["b"], seconds = extracted(task, task.files)
        _print_row("b  our extraction, from files", found["b"], seconds)
    if "c" in rows:
        found["c"] = plain_seconds(task)
        guessed = "" if task.plain_epochs == EPOCHS else f" ({task.plain_epochs} measured, multiplied)"
        _print_row(f"c  plain way, {EPOCHS} epochs{guessed}", None, found["c"])
    if "d" in rows:
        feature_store.empty()
        found["d cold"] = our_seconds(task, "--epochs", str(EPOCHS))
        _print_row(f"d  our extract training, {EPOCHS} epochs, cold", None, found["d cold"])
        found["d warm"] = our_seconds(task, "--epochs", str(EPOCHS))
        _print_row("d  the same, features known", None, found["d warm"])
    if "e" in rows:
        trained(task, _OURS, "--epochs", "1")  # both shall begin with known features and a chosen runtime
        found["e plain"], _ = fine_tuned(task, _WHOLE)
        _print_row(f"e  fine-tune, last {LAST_BLOCKS} blocks, {EPOCHS} epochs, whole model", None, found["e plain"])
        found["e ours"], from_border = fine_tuned(task)
        how = "from the border" if from_border else "whole model too"
        _print_row(f"e  our fine-tune of the same, {how}", None, found["e ours"])
    for above, below, target in _RATIOS:
        if above in found and below in found:
            wanted = f", wanted: at least {target:g}" if target else ""
            print(f"{above} / {below} = {found[above] / found[below]:.2f}{wanted}")


def bare(task: Task) -> tuple[str, float]:
    """Return the runtime that was chosen for these photos, and how many decoded ones it takes in a second."""
    from hubstudio.ml.feature_runtimes import FEATURE_BATCH
    from hubstudio.ml.feature_source import FrozenBackbone
    from hubstudio.ml.hub_module import load_module
    from hubstudio.ml.photo_batches import read_batches

    module = load_module(task.backbone)
    backbone = FrozenBackbone(module, module.size(), CancelToken())
    with closing(read_batches(task.files[:WARM_PHOTOS], module.size(), FEATURE_BATCH, CancelToken())) as read:
        batches = [batch.photos for batch in read]
    backbone(batches[0])
    done, began = 0, time.perf_counter()
    for batch in itertools.cycle(batches):
        done += len(backbone(batch))
        if time.perf_counter() - began > BARE_SECONDS:
            break
    return backbone.runtime_name, done / (time.perf_counter() - began)


def extracted(task: Task, files: Sequence[Path]) -> tuple[float, float]:
    """Bring photos from files to features, of which none is known; return photos a second, and the seconds of all."""
    from hubstudio.ml.hub_module import load_module
    from hubstudio.ml.photo_store import store_photos

    for segment in feature_store.features_folder().glob("*/*.npy"):  # what was chosen stays
        segment.unlink()
    module = load_module(task.backbone)
    digests = [digest_of(file) for file in files]
    events: list[FeaturesDone] = []

    def note(event: Event) -> None:
        if isinstance(event, FeaturesDone):
            events.append(event)

    began = time.perf_counter()
    stored = store_photos(
        files, digests, module, module.size(), None, note, CancelToken(), lambda: time.perf_counter() - began
    )
    seconds = time.perf_counter() - began
    assert stored.computed == len(files)
    first, last = events[1], events[-1]
    return (last.done - first.done) / (last.elapsed - first.elapsed), seconds


def plain_seconds(task: Task) -> float:
    """Return the seconds of the way that tutorials show, in a process of its own: Keras 2 and 3 keep apart."""
    command = [sys.executable, "-c", _PLAIN, str(task.photos), task.backbone, str(task.plain_epochs), str(BATCH)]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=True)
    return json.loads(done.stdout.splitlines()[-1]) * EPOCHS / task.plain_epochs


_PLAIN = """
import json, sys, time
import tensorflow as tf, tensorflow_hub as hub, tf_keras as keras
folder, backbone, epochs, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
size = 224
layer = hub.KerasLayer(backbone, trainable=False, input_shape=(size, size, 3))
training, validation = keras.utils.image_dataset_from_directory(
    folder, validation_split=0.2, subset="both", seed=1, image_size=(size, size), batch_size=batch)
scaled = lambda photos, labels: (photos / 255, labels)
training, validation = (part.map(scaled).prefetch(tf.data.AUTOTUNE) for part in (training, validation))
classes = len(next(iter(__import__("os").walk(folder)))[1])
model = keras.Sequential([layer, keras.layers.Dense(classes, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
began = time.perf_counter()
model.fit(training, validation_data=validation, epochs=epochs, verbose=0)
print(json.dumps(time.perf_counter() - began))
"""


def our_seconds(task: Task, *options: str) -> float:
    """Return the seconds of our training, as its run folder has them: from photos and backbone to model."""
    return _seconds(trained(task, _OURS, *options))


def fine_tuned(task: Task, program: Sequence[str] = _OURS) -> tuple[float, bool]:
    """Return the seconds of fine-tuning the last blocks, all epochs, and whether the frozen part ran only once."""
    options = ("--mode", "fine-tune", "--unfreeze", str(LAST_BLOCKS), "--epochs", str(EPOCHS))
    metrics = trained(task, program, *options, "--patience", str(EPOCHS))
    from_border = bool(metrics["decided"]["frozen_part_once"])
    assert not (from_border and program is _WHOLE)
    return _seconds(metrics), from_border


def trained(task: Task, program: Sequence[str], *options: str) -> dict[str, Any]:
    """Let a program of its own train as ``hubstudio train`` does, and return what it says of the run.

    Photos are checked before, as they are when a person has looked at them; that is no part of a training.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        subprocess.run([sys.executable, *_OURS, "check", str(task.photos), "--json"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        words = ("train", task.photos, "--out", out, "--backbone", task.backbone, *options, "--json")
        done = subprocess.run([sys.executable, *program, *map(str, words)], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"A training ended with {done.returncode}: {done.stdout.decode()}")
    return json.loads(done.stdout)


def _seconds(metrics: dict[str, Any]) -> float:
    return float(metrics["cost"]["actual"]["seconds"])


def print_linear(task: Task) -> None:
    """Print what a quarter, half and all of the photos take, and what each costs."""
    extracted(task, task.files[:WARM_PHOTOS])
    print(f"{'photos':>8}{'s':>9}{'ms each':>9}{'load':>6}")
    for share in (4, 2, 1):
        files = task.files[: len(task.files) // share]
        _, seconds = extracted(task, files)
        print(f"{len(files):8,}{seconds:9.1f}{1000 * seconds / len(files):9.2f}{os.getloadavg()[0]:6.1f}", flush=True)


def print_memory(task: Task) -> None:
    """Print the peak of memory of a process that extracts a few photos, and of one that extracts all."""
    for count in (WARM_PHOTOS, len(task.files)):
        command = [sys.executable, __file__, str(task.photos), "--backbone", task.backbone, "--peak", str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        print(f"{count:8,} photos: {int(done.stdout) / 1e6:8,.0f} MB at most", flush=True)


def print_peak(task: Task, count: int) -> None:
    """Extract in this process and print its peak of memory."""
    make_engine()
    begin_peak()
    extracted(task, task.files[:count])
    print(peak_memory())


def gathered(folders: Sequence[Path], wanted: int, made: Path) -> Path:
    """Return a folder with as many photos as wanted: the only one given as it is, else copies by class in ``made``.

    Every class gets its share: of few photos, drawn by chance alone, a class might get too few to train on.
    """
    photos = [photo for folder in folders for photo in scan(folder).photos]
    if len(folders) == 1 and wanted in (0, len(photos)):
        return folders[0]
    random = np.random.default_rng(1)
    chosen = _in_turns([photos[place] for place in random.permutation(len(photos))])
    for number, photo in enumerate(itertools.islice(itertools.cycle(chosen), wanted or len(photos))):
        (made / photo.class_name).mkdir(exist_ok=True)
        _write_copy(photo.path, made / photo.class_name / f"{number}.jpg", random)
    return made


def _in_turns(photos: Sequence[Photo]) -> list[Photo]:
    """Return the photos so that the first one of every class comes first, then the second one of every class."""
    seen: Counter[str] = Counter()
    rounds: list[tuple[int, Photo]] = []
    for photo in photos:
        seen[photo.class_name] += 1
        rounds.append((seen[photo.class_name], photo))
    return [photo for _, photo in sorted(rounds, key=lambda one: one[0])]


def _write_copy(source: Path, target: Path, random: np.random.Generator) -> None:
    """Encode a photo again, one corner of it in another colour: other content at the same cost."""
    image = decode(source)
    image.paste(Image.new("RGB", (16, 16), tuple(int(level) for level in random.integers(0, 256, 3))), (0, 0))
    image.save(target, quality=88)


def _print_row(name: str, rate: float | None, seconds: float | None) -> None:
    figures = f"{rate:10.1f}" if rate else " " * 10
    print(f"{name:52}{figures}{'' if seconds is None else f'{seconds:.1f}':>9}{os.getloadavg()[0]:6.1f}", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="PHOTOS")
    parser.add_argument("--backbone", default="studio-mini")
    parser.add_argument("--photos", type=int, default=0, help="how many; the default is all of the folders")
    parser.add_argument("--plain-epochs", type=int, default=EPOCHS, help="measure fewer, and multiply")
    parser.add_argument("--rows", default="abcde", help="which rows to measure")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--peak", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    options = _parse()
    if options.peak:
        print_peak(Task(options.folders[0], options.backbone, 1), options.peak)
    else:
        main()
