"""How long the window leaves a question from outside unanswered while it trains and the cores are busy.

    python tests/benchmarks/stalls.py [PHOTOS] [--busy 2] [--seconds 60] [--mode fine-tune]

The program is started on a screen that nobody sees, and trains on a folder of class folders, else on the samples; other
programs take all they can get of the cores meanwhile. A hundred times a second its window is asked for its name, as a
screen reader would; what it does first, the question waits for. One row for each stretch of the training: from Start
to the first epoch, while epochs come (many, as fast as they can), and from Stop to the finished run. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.desktop import Desktop, reason_to_skip
from e2e.studio_window import StudioWindow
from hubstudio.core.resources import samples_folder

LONGEST = 0.2
"""Seconds: what is noticed."""
_BETWEEN_QUESTIONS = 0.01
_BETWEEN_LOOKS = 1.0
_BUSY = "while True: pass"


def main() -> None:
    """Print the table."""
    arguments = _parse()
    if reason := reason_to_skip():
        sys.exit(reason)
    with Desktop() as desktop, tempfile.TemporaryDirectory() as home:
        studio = StudioWindow(desktop, Path(home), [str(arguments.photos)])
        try:
            studio.wait_for_window()
            _come_to_training(studio, arguments.mode)
            with _busy(arguments.busy):
                print(f"{arguments.photos.name}, {arguments.mode}, {arguments.busy} busy programs beside it")
                print(f"{'':30}{'s':>7}{'questions':>11}{'longest':>9}{'99 %':>7}{'over ' + str(LONGEST) + ' s':>12}")
                _train(studio, arguments.seconds)
        finally:
            studio.close()


def _come_to_training(studio: StudioWindow, mode: str) -> None:
    studio.wait_for_text("photos readable")
    studio.press("Next")
    studio.find("Studio Mini")
    if mode == "fine-tune":
        studio.choose("Fine-tune")
    studio.press("Next")
    studio.set_number("Epochs", 10_000)
    studio.press("Advanced")
    studio.set_number("Patience", 0)


def _train(studio: StudioWindow, seconds: float) -> None:
    studio.press("Start training")
    _print_row("Start to the first epoch", _asked(studio, lambda: _shows(studio, "Best so far")))
    end = time.monotonic() + seconds
    _print_row("epochs", _asked(studio, lambda: time.monotonic() > end))
    studio.press("Stop and keep best")
    _print_row("Stop to the finished run", _asked(studio, lambda: _shows(studio, "Training finished")))


def _asked(studio: StudioWindow, is_over: Callable[[], bool]) -> list[float]:
    """Return how many seconds each question waited for its answer, until something is so; that is looked at seldom."""
    waited: list[float] = []
    next_look = time.monotonic() + _BETWEEN_LOOKS
    while True:
        began = time.perf_counter()
        studio.answer()
        waited.append(time.perf_counter() - began)
        time.sleep(_BETWEEN_QUESTIONS)
        if time.monotonic() > next_look:
            if is_over():
                return waited
            next_look = time.monotonic() + _BETWEEN_LOOKS


def _shows(studio: StudioWindow, text: str) -> bool:
    return any(text in shown for shown in studio.texts())


def _print_row(name: str, waited: Sequence[float]) -> None:
    spent = sum(waited) + _BETWEEN_QUESTIONS * len(waited)
    nearly_all = sorted(waited)[int(0.99 * (len(waited) - 1))]
    over = sum(seconds > LONGEST for seconds in waited)
    print(f"{name:30}{spent:7.1f}{len(waited):11,}{max(waited):9.3f}{nearly_all:7.3f}{over:12,}", flush=True)


@contextmanager
def _busy(programs: int) -> Iterator[None]:
    started = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in started:
            program.kill()
            program.wait()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="?", default=samples_folder())
    parser.add_argument("--busy", type=int, default=2, help="programs that take all they can get of the cores")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long epochs come")
    parser.add_argument("--mode", choices=("extract", "fine-tune"), default="extract")
    return parser.parse_args()


if __name__ == "__main__":
    main()
