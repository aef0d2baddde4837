"""Loading and using OpenVINO tells nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, sys
seen = []
WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request",
           "subprocess.Popen", "os.fork", "os.posix_spawn", "os.system")
sys.addaudithook(lambda name, arguments: seen.append(name) if name in WATCHED else None)
from hubstudio.ml.environment import prepare_environment
prepare_environment()
{before}
import numpy as np
from hubstudio.ml.feature_runtimes import openvino_runtime
from hubstudio.ml.hub_module import load_module
seen.clear()
openvino_runtime(load_module(sys.argv[1]), 32)(np.zeros((2, 32, 32, 3), np.float32))
sent = [name for name in sys.modules if name.startswith("openvino_telemetry.")]
print(json.dumps([seen, sent]))
"""


def watched(module: Path, home: Path, before: str = "") -> tuple[list[str], list[str]]:
    """Return what a program did that uses OpenVINO, and which parts of the telemetry it had loaded."""
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}  # nobody has declined anything there
    program = [sys.executable, "-c", PROGRAM.format(before=before), str(module)]
    done = subprocess.run(program, stdout=subprocess.PIPE, env=environment, check=True, timeout=120)
    seen, sent = json.loads(done.stdout.splitlines()[-1])
    return seen, sent


def test_no_connection_is_tried_and_no_telemetry_is_loaded(small_module: Path, tmp_path: Path) -> None:
    assert watched(small_module, tmp_path) == ([], [])
    assert not (tmp_path / "intel").exists()  # where it would keep a number for this computer


def test_without_the_guard_it_would_be(small_module: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino_telemetry")
    _, sent = watched(small_module, tmp_path, before="import openvino")
    assert "openvino_telemetry.main" in sent
