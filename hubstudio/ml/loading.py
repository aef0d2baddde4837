"""Loading TensorFlow without holding up anybody, and making the engine."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hubstudio.core.engine import Engine
from hubstudio.ml.environment import prepare_environment


def make_engine() -> Engine:
    """Load TensorFlow and return the engine that runs on this computer. Takes seconds the first time."""
    prepare_environment()
    with _silent_stderr(), _no_collections(), _without("sklearn"):
        _preload_libraries()
        from hubstudio.ml.engine import LocalEngine
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)  # advice on retracing helps nobody who trains a classifier
    return LocalEngine()


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
def _without(package: str) -> Generator[None]:
    """Let others believe that a package is not installed.

    Keras imports scikit-learn, where it is, for wrappers that nobody here asks for: a fifth of the time to load.
    """
    modules: dict[str, Any] = sys.modules
    if package in modules:
        yield
        return
    modules[package] = None
    try:
        yield
    finally:
        del modules[package]


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


def _preload_libraries() -> None:
    """Load TensorFlow's big shared libraries through ctypes, which lets go of the GIL while it does.

    ``import tensorflow`` itself holds the GIL for about a second while these are mapped and relocated, and the
    window cannot draw during that time. Loaded first, the import finds them ready.
    """
    if "tensorflow" in sys.modules:
        return
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0])
    names = {
        "win32": ("*.dll", "python/*.dll"),
        "darwin": ("libtensorflow_framework*.dylib", "libtensorflow_cc*.dylib"),
    }
    for pattern in names.get(sys.platform, ("libtensorflow_framework.so.*", "libtensorflow_cc.so.*")):
        for library in sorted(folder.glob(pattern)):
            _load(library)


def _load(library: Path) -> None:
    try:
        if sys.platform == "win32":
            load = ctypes.WinDLL("kernel32").LoadLibraryW
            load.argtypes, load.restype = (ctypes.c_wchar_p,), ctypes.c_void_p
            load(str(library))
            return
        # ctypes.CDLL(path) holds the GIL while it loads; dlopen called as a foreign function does not.
        load = ctypes.CDLL(None).dlopen
        load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
        # Local: the library holds a copy of OpenSSL's functions, which must not take the place of Python's own.
        load(os.fsencode(library), os.RTLD_LAZY | os.RTLD_LOCAL)
    except (OSError, AttributeError):
        return  # only a stutter is lost; the import itself will say what is wrong
