"""What a run was made with: the versions, the processor and the threads that its last digits depend on."""

from __future__ import annotations

import contextlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version

import tensorflow as tf

from hubstudio import __version__
from hubstudio.core.processor import processor_name, usable_cores

_PACKAGES = ("tensorflow", "keras", "tensorflow-hub", "numpy", "pillow", "simplejpeg", "opencv-python-headless")
_WHERE_INSTALLED = ("openvino",)
_THREADS = "TF_NUM_INTRAOP_THREADS"


def made_with() -> dict[str, str]:
    """Return names and versions of all that takes part in a training; ``threads`` are those of TensorFlow."""
    return {
        "hubstudio": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version(name) for name in _PACKAGES},
        **_optional_versions(),
        "processor": processor_name(),
        "cores": str(usable_cores()),
        "threads": str(_threads()),
        "gpus": str(len(tf.config.list_physical_devices("GPU"))),
    }


def _optional_versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _WHERE_INSTALLED:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _threads() -> int:
    """Return how many threads one operation is divided among; sums in another order end in other digits."""
    told = os.environ.get(_THREADS, "")
    from_outside = int(told) if told.isdecimal() else 0  # what it cannot read, TensorFlow passes over too
    return tf.config.threading.get_intra_op_parallelism_threads() or from_outside or usable_cores()
