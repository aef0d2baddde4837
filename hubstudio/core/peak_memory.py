"""How much memory this process has taken at most."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path
from typing import Any


def peak_memory() -> int:
    """Return the most bytes that this process had in memory since it, or the peak, began; 0 where nobody says."""
    if sys.platform == "win32":
        return _of_windows()
    try:
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return _of_usage()
    found = next((line for line in lines if line.startswith("VmHWM:")), "")
    return int(found.split()[1]) * 1024 if found else _of_usage()


def begin_peak() -> None:
    """Let the peak begin anew with what is taken now, where the system can do that: Linux."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def _of_usage() -> int:
    # Only where there is no /proc: Linux counts what the process that started this one had taken.
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _of_windows() -> int:
    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_ulong),
            ("page_faults", ctypes.c_ulong),
            *((name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f")),
        )

    counters = Counters()
    counters.size = ctypes.sizeof(Counters)
    kernel: Any = vars(ctypes)["WinDLL"]("kernel32")  # there on Windows only
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    return counters.peak if kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size) else 0
