"""Hub Studio's command line as a process of its own, the way a shell starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubstudio.core import paths

PROGRAM = (sys.executable, "-m", "hubstudio")
LONGEST = 300  # seconds for one command, on a machine that is busy with other things


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """All of stdout as one JSON document."""
        return json.loads(self.out)


def hubstudio(*arguments: object, home: Path | None = None, timeout: float = LONGEST) -> Ended:
    """Run a command to its end; without ``home`` it uses the one of the test."""
    ended = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env=environment(home) if home else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def environment(home: Path) -> dict[str, str]:
    """Return this process's environment with another home of the program."""
    return {**os.environ, paths.HOME_VARIABLE: str(home)}


def done(*arguments: object, home: Path | None = None) -> dict[str, Any]:
    """Run a command with ``--json`` that has to succeed, and return its document."""
    ended = hubstudio(*arguments, "--json", home=home)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    return ended.document
