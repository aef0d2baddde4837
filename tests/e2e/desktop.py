"""A desktop of its own that nobody sees: screen, window manager, session bus and accessibility bus."""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from e2e.accessibility import AccessibilityBus
from e2e.waiting import PATIENCE, TooLateError, wait_until

SCREEN = (1400, 900)
_PROGRAMS = {"Xvfb": "xvfb", "openbox": "openbox", "dbus-daemon": "dbus", "xdotool": "xdotool"}
_ACCESSIBILITY_SERVICE = "dbus-1/services/org.a11y.Bus.service"
_MARK = "HUBSTUDIO_TEST_DESKTOP"  # in the environment of everything that is started here, also by others
_NOT_HANDED_DOWN = ("WAYLAND_DISPLAY", "XAUTHORITY", "AT_SPI_BUS_ADDRESS", "NO_AT_BRIDGE", "SESSION_MANAGER")
_GRACE = 5.0


def reason_to_skip() -> str:
    """Return what is missing for a desktop here, or an empty string."""
    if not sys.platform.startswith("linux"):
        return "the window is driven from outside on Linux only"
    missing = [f"'{name}' (package {package})" for name, package in _PROGRAMS.items() if not shutil.which(name)]
    folders = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    if not any((Path(folder) / _ACCESSIBILITY_SERVICE).is_file() for folder in folders if folder):
        missing.append("the accessibility bus (package at-spi2-core)")
    return f"missing to drive the window from outside: {', '.join(missing)}" if missing else ""


class Desktop:
    """Starts everything and ends exactly what was started. A context manager."""

    def __init__(self) -> None:
        self._exits = ExitStack()
        # A short path: the names of sockets in it may have 107 letters.
        self.folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="desk", dir="/tmp")))
        self.environment = {name: value for name, value in os.environ.items() if name not in _NOT_HANDED_DOWN}
        self.environment |= {
            _MARK: secrets.token_hex(8),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_SESSION_TYPE": "x11",
            "GSETTINGS_BACKEND": "memory",
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        }

    def __enter__(self) -> Desktop:
        self.folder.chmod(0o700)
        self._log = self._exits.enter_context((self.folder / "desktop.log").open("wb"))
        self._exits.callback(self._end_what_others_started)
        try:
            self._start_screen()
            self._start_session_bus()
            self.accessibility = self._exits.enter_context(AccessibilityBus(self.session_bus))
            self._start_window_manager()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def start(self, command: Sequence[str], extra: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a program on this desktop; return it and the file it prints to. Whoever started it ends it."""
        log = self.folder / f"{secrets.token_hex(4)}.log"
        with log.open("xb") as out:
            environment = {**self.environment, **extra}
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        return process, log

    def xdotool(self, *arguments: object) -> str | None:
        """Move the mouse, look for windows and the like; return what was printed, None if it did not work."""
        command = ["xdotool", *map(str, arguments)]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return None if ended.returncode else ended.stdout

    def _start_screen(self) -> None:
        size = f"{SCREEN[0]}x{SCREEN[1]}x24"
        # Without -noreset the server starts anew whenever its last client leaves, and refuses those who come meanwhile.
        options = ("-screen", "0", size, "-nolisten", "tcp", "-noreset")
        number = self._start_and_read(lambda fd: ["Xvfb", "-displayfd", str(fd), *options])
        self.environment["DISPLAY"] = f":{number}"

    def _start_session_bus(self) -> None:
        self.session_bus = self._start_and_read(
            lambda fd: ["dbus-daemon", "--session", "--nofork", f"--print-address={fd}"]
        )
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self.session_bus

    def _start_window_manager(self) -> None:
        process, log = self.start(["openbox"], {})
        self._exits.callback(end, process)

        def is_up() -> bool:
            assert process.poll() is None, log.read_text()
            return self.xdotool("get_num_desktops") is not None

        wait_until(is_up, "openbox did not come up", state=log.read_text)

    def _start_and_read(self, command_for: Callable[[int], list[str]]) -> str:
        """Start a server that tells by a pipe where it is, and return that."""
        reader, writer = os.pipe()
        try:
            command = command_for(writer)
            process = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(writer,),
            )
            self._exits.callback(end, process)
            os.close(writer)
            writer = -1
            return self._line_from(reader, command[0])
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)

    def _line_from(self, reader: int, name: str) -> str:
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([reader], [], [], PATIENCE)
            more = os.read(reader, 4096) if ready else b""
            if not more:
                raise TooLateError(f"{name} did not say where it is\n{self._said()}")
            line += more
        return line.decode().strip()

    def _end_what_others_started(self) -> None:
        """Wait for what the buses have started to go with them, and end what stays."""
        mark = self.environment[_MARK]
        with suppress(TooLateError):
            wait_until(lambda: not processes_with(_MARK, mark), "the desktop ends", patience=_GRACE)
        for pid in processes_with(_MARK, mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _said(self) -> str:
        return (self.folder / "desktop.log").read_text("utf-8", "replace")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end; kill it if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait(_GRACE)


def processes_with(name: str, value: str) -> list[int]:
    """Return the running processes that were started with this in their environment, but not this one."""
    entry = f"{name}={value}".encode()
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with suppress(OSError):  # it ended meanwhile, or is somebody else's
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
