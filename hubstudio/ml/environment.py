"""What TensorFlow and Keras meet when they load: the environment that they read, and what they are kept from."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


def prepare_environment() -> None:
    """Set what TensorFlow and Keras read from the environment when they load, unless the person set it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # A machine with a few GB to spare should keep them: take GPU memory as it is needed.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@contextmanager
def importing_quietly() -> Generator[None]:
    """Import large packages without their greetings, and without pauses for garbage that there is none of."""
    with _silent_stderr(), _no_collections():
        yield


@contextmanager
def without_scikit_learn() -> Generator[None]:
    """Let Keras believe that scikit-learn is not installed.

    Where it is, Keras imports it for wrappers that nobody here asks for: a fifth of the time to load. Keras goes on
    believing so, which is why this is for processes of our own.
    """
    modules: dict[str, Any] = sys.modules
    if "sklearn" in modules:
        yield
        return
    modules["sklearn"] = None
    try:
        yield
    finally:
        del modules["sklearn"]


@contextmanager
def _no_collections() -> Generator[None]:
    """Collect no garbage while a million lasting objects come into being, and never look at those again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def _silent_stderr() -> Generator[None]:
    """Send what native code writes to stderr nowhere: TensorFlow greets before it reads its own log level.

    Python's own errors are exceptions and are not lost.
    """
    try:
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except (AttributeError, OSError):  # a windowed build has no stderr
        yield
        return
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
