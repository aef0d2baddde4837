"""Where a command speaks: its result on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO, cast

from hubstudio.core.errors import StudioError

_BAR_WIDTH = 24
_SECONDS_BETWEEN_DRAWS = 0.1
_SECONDS_BETWEEN_LINES = 30.0  # where they stay: in a file, or in what another program shows


class Console:
    """Prints one result, as words or as one JSON document; messages and the progress bar go to stderr."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out: TextIO = _tolerant(sys.stdout)
        self._err: TextIO = _tolerant(sys.stderr)
        self._drawn = 0.0
        self._lined = time.monotonic()

    def result(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Print what the command came to: the document with ``--json``, else the lines."""
        self.clear()
        text = to_json(document) if self.as_json else "\n".join(map(_harmless, lines))
        try:
            print(text, file=self._out, flush=True)
        except BrokenPipeError:  # the reader has seen enough, as in "| head"
            _lead_nowhere(self._out)

    def conclude(self, document: Mapping[str, Any], lines: Iterable[str], problem: StudioError | None) -> int:
        """Print what the command came to, with the problem it leaves if there is one; return the exit code."""
        self.result({**document, "error": error_table(problem)} if problem else document, lines)
        if problem:  # what was found stands in the result already
            self.message(f"{problem.what}\n{problem.next_step}")
        return 1 if problem else 0

    def message(self, text: str) -> None:
        """Print a sentence on stderr."""
        self.clear()
        print("\n".join(map(_harmless, text.split("\n"))), file=self._err, flush=True)

    def error(self, error: StudioError) -> None:
        """Say what happened, what was found and what to do next; with ``--json`` on stdout too."""
        self.message("\n".join(part for part in (error.what, error.found, error.next_step) if part))
        if self.as_json:
            self.result({"error": error_table(error)}, ())

    def agrees(self, question: str) -> bool:
        """Ask a question on the terminal; without one, nobody agrees."""
        self.clear()
        if self.as_json or not (sys.stdin.isatty() and self._err.isatty()):
            return False
        self._err.write(f"{_harmless(question)} [y/N] ")
        self._err.flush()
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    def progress(self, fraction: float, text: str) -> None:
        """Draw the progress bar, ten times a second at most; where there is no terminal, a line now and then."""
        now = time.monotonic()
        if not self._err.isatty():
            if now - self._lined >= _SECONDS_BETWEEN_LINES:
                self._lined = now
                self.message(text)
            return
        if now - self._drawn < _SECONDS_BETWEEN_DRAWS:
            return
        self._drawn = now
        full = round(min(max(fraction, 0.0), 1.0) * _BAR_WIDTH)
        line = f"{'█' * full}{'░' * (_BAR_WIDTH - full)} {text}"
        room = shutil.get_terminal_size().columns - 1
        self._err.write(f"\r\x1b[K{line if len(line) <= room else f'{line[: room - 1]}…'}")
        self._err.flush()

    def clear(self) -> None:
        """Take the progress bar away."""
        if self._drawn:
            self._err.write("\r\x1b[K")
            self._drawn = 0.0

    @contextmanager
    def own_stdout(self) -> Generator[None]:
        """Keep stdout for the result: whatever libraries and their processes print there goes to stderr."""
        with _moved_stdout(self._out) as out, redirect_stdout(self._err):
            kept, self._out = self._out, out
            try:
                yield
            finally:
                self.clear()
                self._out.flush()
                self._out = kept


def to_json(document: Mapping[str, Any]) -> str:
    """Return one JSON document in plain ASCII; what is no number becomes null, as JSON has no NaN."""
    return json.dumps(_finite(document), indent=2, allow_nan=False)


def error_table(error: StudioError) -> dict[str, str]:
    """Return an error as plain values for JSON."""
    return {"what": error.what, "found": error.found, "next": error.next_step}


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns; columns of figures align right."""
    rows = [[_harmless(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    figures = [all(_is_figure(cell) for cell in column[1:]) for column in zip(*rows, strict=True)]
    return [_line(row, widths, figures) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int], figures: Sequence[bool]) -> str:
    cells = (cell.rjust(width) if right else cell.ljust(width)
             for cell, width, right in zip(row, widths, figures, strict=True))  # fmt: skip
    return "  ".join(cells).rstrip()


def _harmless(line: str) -> str:
    """Return a line in which control characters are spelled out: names of files and classes may hold any of them."""
    return "".join(f"\\x{ord(sign):02x}" if sign < " " or "\x7f" <= sign < "\xa0" else sign for sign in line)


def _is_figure(cell: str) -> bool:
    return not cell.strip("0123456789.,%– ")


def _finite(value: object) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in cast(Mapping[object, object], value).items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast(Sequence[object], value)]
    return value


def _tolerant(stream: TextIO | None) -> TextIO:
    """Let file names that are no text, and terminals that know few characters, be printed."""
    if stream is None:  # a windowed build has no streams
        return io.StringIO()
    reconfigure = getattr(stream, "reconfigure", None)  # stand-ins of stdout may not have it
    if reconfigure:
        reconfigure(errors="backslashreplace")
    return stream


@contextmanager
def _moved_stdout(out: TextIO) -> Generator[TextIO]:
    """Give a stream on the real stdout while file descriptor 1 leads to stderr, for native code and children."""
    if not _is_on_descriptor_1(out):
        yield out
        return
    out.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(kept), "w", encoding=out.encoding, errors="backslashreplace") as moved:
            yield moved
    finally:
        _flush_native_stdout()
        os.dup2(kept, 1)
        os.close(kept)


def _flush_native_stdout() -> None:
    """Let go of what C code holds back for stdout, or it would follow the result when the process ends."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)


def _lead_nowhere(out: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)


def _is_on_descriptor_1(out: TextIO) -> bool:
    try:
        return out.fileno() == 1
    except (OSError, ValueError):
        return False
