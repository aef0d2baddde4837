"""Where a crash of native code leaves the stacks of all threads: Python itself can say nothing any more then."""

from __future__ import annotations

import faulthandler
import os
import sys

from hubstudio.core import paths


def show_stacks_on_crash() -> None:
    """Let a crash print to stderr, or where a windowed build has none, to ``crash.log`` in the program's own folder.

    The exit code stays that of the crash.
    """
    try:
        # A copy: stderr itself leads nowhere while TensorFlow loads, which is when most goes on at once.
        faulthandler.enable(os.dup(sys.stderr.fileno()))
    except (AttributeError, OSError, ValueError):  # there is none, or something that is no file
        _show_in_log()


def _show_in_log() -> None:
    try:
        paths.home().mkdir(parents=True, exist_ok=True)
        log = paths.crash_log().open("ab")  # faulthandler keeps it open; the stacks of a former crash stay
    except OSError:
        return
    faulthandler.enable(log)
