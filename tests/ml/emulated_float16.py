"""Mixed precision without a GPU: TensorFlow emulates on a CPU what float16 does to numbers, in every operation.

That is rougher than on a GPU, where only convolutions and matrix products take it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import pytest
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.eager import context

from hubstudio.ml import training_loop, training_steps


@contextlib.contextmanager
def emulated(*, wanted: bool = True) -> Generator[None]:
    """Take the place of ``mixed_precision``."""
    if not wanted:
        yield
        return
    session: Any = context.context()
    config = session.config
    config.graph_options.rewrite_options.auto_mixed_precision_cpu = rewriter_config_pb2.RewriterConfig.ON
    session.function_call_options = context.FunctionCallOptions(config_proto=config)
    try:
        yield
    finally:
        session.function_call_options = None


def emulate(patches: pytest.MonkeyPatch) -> None:
    """Let the engine believe that there is a GPU for float16, and that every training is long enough for a trial."""
    patches.setattr(training_steps, "mixed_precision", emulated)
    patches.setattr(training_loop, "can_mix", lambda: True)
    patches.setattr(training_loop, "_TRIALS_WORTH", 0)
