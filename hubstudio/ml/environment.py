"""What TensorFlow and Keras read from the environment when they load."""

from __future__ import annotations

import os


def prepare_environment() -> None:
    """Set what TensorFlow and Keras read from the environment when they load, unless the person set it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # A machine with a few GB to spare should keep them: take GPU memory as it is needed.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
