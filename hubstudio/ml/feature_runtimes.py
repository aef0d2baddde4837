"""The fastest way through a frozen backbone that gives TensorFlow's features: TensorFlow itself, or OpenVINO.

On CPUs OpenVINO is one and a half to four times as fast. It is taken if a short measurement on real photos says so and
its features agree with TensorFlow's; fine-tuning and the exported model stay TensorFlow's. A photo's features do not
depend on which photos went with it, by a bit: a run that goes on after a crash is the same run. So batches are filled
up to one size, and where a photo's place in a batch makes a difference (TensorFlow's CPU kernels sum the rows of some
small layers in several ways), photos go one by one.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from hubstudio.core.cancel import CancelToken
from hubstudio.ml.hub_module import HubModule

FEATURE_BATCH = 8
"""Photos that go through a frozen backbone together; on CPUs more is slower, since they fall out of the cache."""
LARGEST_DIFFERENCE = 1e-3
"""Of the features' scale: what another runtime may differ from TensorFlow by and still be taken."""
_SECONDS_TO_CHOOSE, _MOST_SECONDS_TO_CHOOSE = 0.6, 3.0
_ENOUGH_LAPS = 6
"""On a busy computer most laps are held up; a slow backbone gets fewer."""
TENSORFLOW, OPENVINO = "tensorflow", "openvino"
TENSORFLOW_SINGLY = "tensorflow, one by one"
NOT_ENOUGH_MEMORY = (tf.errors.ResourceExhaustedError, MemoryError)
"""What is raised by a batch that does not fit."""

Photos = NDArray[np.float32]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Runtime:
    """Sends photos through a frozen backbone, ``FEATURE_BATCH`` at a time or fewer."""

    name: str
    run: Callable[[Photos], Features]
    """Takes exactly ``batch`` photos, 0 to 255."""
    batch: int = FEATURE_BATCH

    def __call__(self, photos: Photos) -> Features:
        """Return ``[photos, features]`` of ``[photos, size, size, 3]``, RGB, 0 to 255.

        Missing photos are filled up with black ones, and their features dropped.
        """
        if len(photos) == self.batch:
            return self.run(photos)
        missing = max(-len(photos) % self.batch, 0 if len(photos) else self.batch)
        filled = np.concatenate((photos, np.zeros((missing, *photos.shape[1:]), np.float32)))
        parts = [self.run(filled[place : place + self.batch]) for place in range(0, len(filled), self.batch)]
        return np.concatenate(parts)[: len(photos)]


def tensorflow_runtime(module: HubModule, size: int, batch: int = FEATURE_BATCH) -> Runtime:
    """Return TensorFlow as a runtime; it uses a GPU where there is one."""
    spec = tf.TensorSpec([batch, size, size, 3], tf.float32)
    forward = tf.function(
        lambda photos: module.forward(photos * (1 / 255), False), input_signature=[spec], autograph=False
    )
    name = TENSORFLOW if batch > 1 else TENSORFLOW_SINGLY
    return Runtime(name, lambda photos: forward(tf.constant(photos)).numpy(), batch)


def openvino_runtime(module: HubModule, size: int) -> Runtime:
    """Return OpenVINO as a runtime. Raises whatever it raises on a graph that it does not understand."""
    openvino = _openvino()
    core = openvino.Core()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder, "frozen.pb")  # its reader of TensorFlow graphs wants a file
        file.write_bytes(module.frozen(size).function.graph.as_graph_def().SerializeToString())
        model = core.read_model(file)
    model.reshape([1, size, size, 3])
    steps = openvino.preprocess.PrePostProcessor(model)
    steps.input().preprocess().scale(255.0)
    # Without the hint some CPUs compute in bfloat16, and the features would be others.
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "THROUGHPUT",
        "PERFORMANCE_HINT_NUM_REQUESTS": FEATURE_BATCH,
    }
    compiled: Any = core.compile_model(steps.build(), "CPU", options)
    requests = [compiled.create_infer_request() for _ in range(FEATURE_BATCH)]

    def run(photos: Photos) -> Features:
        """Each photo by itself: a core that also decodes meanwhile holds none of the others up."""
        photos = np.ascontiguousarray(photos)
        with ExitStack() as begun:  # whatever happens, none of them reads on in memory that is given back
            for place, request in enumerate(requests):
                request.start_async([photos[place : place + 1]], share_inputs=True)
                begun.callback(request.wait)
        return np.concatenate([np.array(request.get_output_tensor(0).data, np.float32) for request in requests])

    return Runtime(OPENVINO, run)


def runtime_named(name: str, module: HubModule, size: int) -> Runtime | None:
    """Return the runtime that was chosen before, or None if it is gone or fails here."""
    if name in (TENSORFLOW, TENSORFLOW_SINGLY):
        return tensorflow_runtime(module, size, FEATURE_BATCH if name == TENSORFLOW else 1)
    return _openvino_or_none(module, size) if name == OPENVINO else None


def choose_runtime(module: HubModule, size: int, sample: Photos, cancel: CancelToken) -> Runtime:
    """Return the fastest runtime whose features of ``sample`` (real photos, 0 to 255) are TensorFlow's.

    Takes about a second. A GPU is used through TensorFlow in float32: float16 would move features by one to four
    hundredths of their scale. Raises ``Cancelled`` between batches.
    """
    ours = tensorflow_runtime(module, size)
    if tf.config.list_physical_devices("GPU"):
        return ours
    if not _can_batch(ours, sample):
        ours = tensorflow_runtime(module, size, 1)
    other = _openvino_or_none(module, size)
    if other is None or not _agrees(other(sample), ours(sample)) or not is_steady(other, sample):
        return ours
    return _fastest((ours, other), sample, cancel)


def _can_batch(runtime: Runtime, sample: Photos) -> bool:
    """Whether photos may go together: they fit into memory, and it makes no difference to any of them."""
    try:
        return is_steady(runtime, sample)
    except NOT_ENOUGH_MEMORY:
        return False


def is_steady(runtime: Runtime, sample: Photos) -> bool:
    """Whether photos get the same features, bit by bit, at another place in a batch."""
    full = sample[np.arange(runtime.batch) % len(sample)]
    wanted = runtime(full)
    return all(np.array_equal(runtime(np.roll(full, by, 0)), np.roll(wanted, by, 0)) for by in (1, runtime.batch // 2))


def runtime_versions() -> str:
    """Return what computes features: a change of a version, or a GPU that comes or goes, changes the last bits."""
    other = f", openvino {version('openvino')}" if importlib.util.find_spec("openvino") else ""
    return f"tensorflow {version('tensorflow')}{other}, {len(tf.config.list_physical_devices('GPU'))} GPUs"


def _openvino() -> Any:
    """Load OpenVINO without its telemetry: importing it would tell Google Analytics so.

    Without that package it takes a stand-in of its own that sends nothing (openvino/tools/ovc/telemetry_stub.py).
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault("openvino_telemetry", None)
    import openvino

    return openvino


def _openvino_or_none(module: HubModule, size: int) -> Runtime | None:
    if not importlib.util.find_spec("openvino"):
        return None
    try:
        runtime = openvino_runtime(module, size)
        runtime(np.zeros((1, size, size, 3), np.float32))
    except Exception:  # a graph that it cannot read, a processor that it does not know: TensorFlow does it then
        return None
    return runtime


def _agrees(features: Features, wanted: Features) -> bool:
    if features.shape != wanted.shape or not np.isfinite(features).all():
        return False
    scale = float(np.abs(wanted).max(initial=0.0))
    return float(np.abs(features - wanted).max(initial=0.0)) <= LARGEST_DIFFERENCE * scale


def _fastest(runtimes: Sequence[Runtime], sample: Photos, cancel: CancelToken) -> Runtime:
    """Let them take turns, and compare their best: whatever else the computer does meets them all alike.

    On a busy computer, seconds tell more of the other programs: there the work that a runtime takes is compared.
    """
    clock = time.process_time if _is_busy() else time.perf_counter
    laps: list[list[float]] = [[] for _ in runtimes]
    began = time.perf_counter()
    while (spent := time.perf_counter() - began) < _SECONDS_TO_CHOOSE or (
        len(laps[0]) < _ENOUGH_LAPS and spent < _MOST_SECONDS_TO_CHOOSE
    ):
        for runtime, taken in zip(runtimes, laps, strict=True):
            cancel.check_before_results()
            before = clock()
            runtime(sample)
            taken.append(clock() - before)
    return runtimes[int(np.argmin([min(taken) for taken in laps]))]


def _is_busy() -> bool:
    """Whether other programs want the cores too: more than two for each, where the system says."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
