"""The real program with its window on a desktop, driven as a person or a screen reader does."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from e2e.accessibility import BusError, Node, Role, State
from e2e.desktop import SCREEN, Desktop, end, processes_with
from e2e.program import PROGRAM
from e2e.waiting import PATIENCE, TooLateError, wait_until
from hubstudio.core import paths

BUTTONS = (Role.PUSH_BUTTON, Role.TOGGLE_BUTTON, Role.RADIO_BUTTON, Role.CHECK_BOX)
_DRAG_SOURCE = Path(__file__).with_name("drag_source.py")
_SOURCE_SIDE = 40
_HEARD = 10.0  # seconds
Found = TypeVar("Found")


class StudioWindow:
    """A running program. Names are accessible names; the first control of a name is meant, depth first."""

    def __init__(self, desktop: Desktop, home: Path, arguments: Sequence[str] = ()) -> None:
        self.desktop = desktop
        self.home = home
        self._bus = desktop.accessibility
        self.process, self._log = desktop.start([*PROGRAM, *arguments], {paths.HOME_VARIABLE: str(home)})
        self._address: tuple[str, str] | None = None
        self._window = ""

    def wait_for_window(self) -> None:
        """Wait until the window is on the screen and can be asked."""
        self._address = self._wait(lambda: self._bus.program(self.process.pid), "the program is not on the bus")
        self._window = self._wait(self._main_window, "no window on the screen")

    def answer(self) -> None:
        """Ask the program something that is said at once, and wait for the answer."""
        assert self._address
        self._bus.answer(*self._address)

    def close(self) -> None:
        """End the program, if it still runs."""
        end(self.process)

    def tree(self, *, only_showing: bool = True) -> Node:
        """Return everything that is in the window."""
        tree = self._bus.tree(*self._address, only_showing=only_showing) if self._address else None
        if tree is None:
            raise BusError("the program is not there")
        return tree

    def texts(self) -> list[str]:
        """Return all names and labels that are shown."""
        return [node.name for node in self.tree().walk() if node.name]

    def first(self, name: str) -> Node | None:
        """Return the first control of that name, or None if there is none now."""
        wanted = name.casefold()
        return next((node for node in self.tree().walk() if node.name.casefold() == wanted), None)

    def find(self, name: str, roles: Collection[int] = (), *, enabled: bool = True) -> Node:
        """Wait for a control of that name (and one of these roles) and return it."""
        otherwise = f"no{' enabled' if enabled else ''} control named {name!r}"
        return self._wait(lambda: self._seen(name, roles, enabled=enabled), otherwise)

    def press(self, name: str) -> None:
        """Press a button, or toggle a choice, as soon as it can be."""

        def pressed() -> bool:
            if node := self._seen(name, BUTTONS, enabled=True):
                self._bus.act(node)
            return node is not None

        self._wait(pressed, f"no button named {name!r} could be pressed")

    def choose(self, name: str, *, checked: bool = True) -> None:
        """Check or clear a box, or choose a radio button, unless it is so already."""
        if self.find(name, BUTTONS).has(State.CHECKED) is not checked:
            self.press(name)
            self.wait_for(lambda: self.find(name, BUTTONS).has(State.CHECKED) is checked, f"{name!r} does not change")

    def type_into(self, name: str, text: str) -> None:
        """Replace what is in a field."""
        field = self.find(name, [Role.TEXT])
        self._bus.set_text(field, text)
        assert self._bus.text(field) == text

    def set_number(self, name: str, number: int) -> None:
        """Set the number in a field."""
        field = self.find(name, [Role.SPIN_BUTTON])
        self._bus.set_number(field, number)
        assert self._bus.number(field) == number

    def number(self, name: str) -> float:
        """Return the number in a field."""
        return self._bus.number(self.find(name, [Role.SPIN_BUTTON]))

    def wait_for_text(self, text: str, *, patience: float = PATIENCE) -> str:
        """Wait until something that holds ``text`` is shown, and return all of it."""

        def look() -> str | None:
            return next((shown for shown in self.texts() if text in shown), None)

        return self._wait(look, f"no text {text!r}", patience)

    def wait_until_gone(self, name: str) -> None:
        """Wait until there is no control of that name."""
        self.wait_for(lambda: self.first(name) is None, f"{name!r} stays")

    def wait_for(self, is_so: Callable[[], bool], otherwise: str) -> None:
        """Wait until something is so."""
        self._wait(is_so, otherwise)

    def focus(self, name: str) -> None:
        """Let the keyboard act on a control."""
        self._bus.focus(self.find(name))

    def keys(self, *keys: str) -> None:
        """Press keys one after the other, in whichever window of the program has the keyboard: ``F2``, ``ctrl+z``."""
        self.desktop.xdotool("key", "--clearmodifiers", *keys)

    def types(self, text: str) -> None:
        """Type a text where the keyboard is."""
        self.desktop.xdotool("type", "--clearmodifiers", text)

    def wait_for_focus(self, name: str) -> None:
        """Wait until the keyboard acts on something of that name."""
        self._wait(lambda: self.has_focus(name), f"the keyboard is not on {name!r}")

    def has_focus(self, name: str) -> bool:
        """Whether the keyboard acts on something of that name."""
        return any(node.name == name and node.has(State.FOCUSED) for node in self.tree().walk())

    def drop(self, zone: str, files: Sequence[Path]) -> None:
        """Drag files from another program and drop them on a control, with the mouse."""
        with self.dragging(zone, files):
            pass

    @contextmanager
    def dragging(self, zone: str, files: Sequence[Path]) -> Iterator[None]:
        """Drag files from another program onto a control and hold them there; they are dropped at the end."""
        left, top = SCREEN[0] - _SOURCE_SIDE, SCREEN[1] - _SOURCE_SIDE
        command = [sys.executable, str(_DRAG_SOURCE), str(left), str(top), str(_SOURCE_SIDE), *map(str, files)]
        source, log = self.desktop.start(command, {"QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "0"})
        try:
            self._drag(zone, (left + _SOURCE_SIDE // 2, top + _SOURCE_SIDE // 2), log.read_text)
            yield
            self.desktop.xdotool("mouseup", 1)
            wait_until(lambda: "dropped" in log.read_text(), "the drag does not end", state=log.read_text)
            assert source.wait(PATIENCE) == 0
        finally:
            self.desktop.xdotool("mouseup", 1)
            end(source)

    def ask_to_close(self) -> None:
        """Ask the window manager to close the window, until it is gone or asks back."""
        before = self._windows()

        def was_heard() -> bool:
            if self.process.poll() is not None or self._windows() != before:
                return True
            self.desktop.xdotool("windowactivate", "--sync", self._window, "key", "alt+F4")
            with suppress(TooLateError):  # a window manager that is busy loses a key now and then
                wait_until(lambda: self.process.poll() is not None or self._windows() != before, "", patience=_HEARD)
            return self._windows() != before

        wait_until(was_heard, "the window does not close", state=self._state)

    def wait_for_end(self, seconds: float = PATIENCE) -> int:
        """Wait until the program has ended, and return its exit code. A crash fails, with the stacks it printed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # prints the stacks of all threads
            code = self.process.wait(seconds)
        assert code >= 0, f"the program ended with {code}\n{self.said()}"
        return code

    def said(self) -> str:
        """Return what the program has printed so far."""
        return self._log.read_text("utf-8", "replace")

    def processes(self) -> list[int]:
        """Return the processes of this program that still run, its own and all it started.

        But for the one in which Python looks after what its processes share: that ends once all others have, a moment
        later.
        """
        return [pid for pid in processes_with(paths.HOME_VARIABLE, str(self.home)) if not _is_tracker(pid)]

    def _seen(self, name: str, roles: Collection[int], *, enabled: bool) -> Node | None:
        wanted = name.casefold()
        fitting = (node for node in self.tree().walk() if node.name.casefold() == wanted)
        node = next((node for node in fitting if not roles or node.role in roles), None)
        return node if node and (node.has(State.SENSITIVE) or not enabled) else None

    def _drag(self, zone: str, start: tuple[int, int], said: Callable[[], str]) -> None:
        xdotool = self.desktop.xdotool
        wait_until(lambda: "ready" in said(), "the drag source did not come up", state=said)
        target = self._bus.centre(self.find(zone))
        xdotool("mousemove", "--sync", *start, "mousedown", 1)
        self._move_about(start, lambda: "dragging" in said(), said)
        self._move_about(target, lambda: said().endswith("accepted\n"), said)

    def _move_about(self, place: tuple[int, int], is_there: Callable[[], bool], said: Callable[[], str]) -> None:
        """Move the mouse about a place until the drag source has noticed."""

        def moved() -> bool:
            for step in (-6, 0, 6, 0):
                self.desktop.xdotool("mousemove", place[0] + step, place[1])
            return is_there()

        wait_until(moved, f"the drag got stuck at {place}", state=lambda: f"{said()}\n{self._state()}")

    def _wait(self, look: Callable[[], Found | None], otherwise: str, patience: float = PATIENCE) -> Found:
        def look_while_it_runs() -> Found | None:
            assert self.process.poll() is None, f"the program ended with {self.process.returncode}\n{self.said()}"
            try:
                return look()
            except BusError:  # what was looked at went away
                return None

        return wait_until(look_while_it_runs, otherwise, patience=patience, state=self._state)

    def _state(self) -> str:
        try:
            return f"{self.tree().drawn()}\n{self.said()}"
        except BusError as error:
            return f"{error}\n{self.said()}"

    def _windows(self) -> set[str]:
        return set((self.desktop.xdotool("search", "--all", "--onlyvisible", "--pid", self.process.pid) or "").split())

    def _main_window(self) -> str:
        search = ("search", "--all", "--onlyvisible", "--pid", self.process.pid, "--name", "Hub Studio")
        found = self.desktop.xdotool(*search)
        return found.split()[-1] if found else ""


def _is_tracker(pid: int) -> bool:
    try:
        return b"multiprocessing.resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return False
