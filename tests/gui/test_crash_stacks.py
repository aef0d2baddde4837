from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a crash has another exit code there")

CRASHES_WHILE_IT_LOADS = """
import faulthandler, os, sys
from hubstudio.gui.application import run

def make_engine():
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # as TensorFlow is loaded
    faulthandler._sigsegv()

if "windowed" in sys.argv:
    sys.stderr = None
run(None, make_engine)
"""


def crash(*arguments: str) -> str:
    command = [sys.executable, "-c", CRASHES_WHILE_IT_LOADS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGSEGV, done.stderr
    return done.stderr


def test_a_crash_prints_the_stacks_of_all_threads_though_stderr_leads_nowhere(home: Path) -> None:
    stacks = crash()
    assert "Segmentation fault" in stacks
    assert "in make_engine" in stacks
    assert stacks.count("hread 0x") >= 2
    assert not (home / "crash.log").exists()


def test_a_crash_without_stderr_leaves_its_stacks_in_a_file(home: Path) -> None:
    assert crash("windowed") == ""
    assert "in make_engine" in (home / "crash.log").read_text()
