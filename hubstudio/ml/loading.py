"""Loading TensorFlow without holding up anybody, and making the engine."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path

from hubstudio.core.engine import Engine
from hubstudio.ml.environment import importing_quietly, prepare_environment, without_scikit_learn


def make_engine(*, own_process: bool = False) -> Engine:
    """Load TensorFlow and return the engine that runs on this computer. Takes seconds the first time.

    In a process of our own it loads faster: what Keras loads for others to use is left out.
    """
    prepare_environment()
    with importing_quietly(), without_scikit_learn() if own_process else nullcontext():
        _preload_libraries()
        from hubstudio.ml.engine import LocalEngine
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)  # advice on retracing helps nobody who trains a classifier
    return LocalEngine()


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
