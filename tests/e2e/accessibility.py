"""Programs as a screen reader sees them: the accessibility bus, spoken in pure Python.

Everything is asked of the program itself, over D-Bus (interfaces org.a11y.atspi.*). A tree is read level by level with
all questions of a level on their way at once, so that a whole window takes a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

ROOT = "/org/a11y/atspi/accessible/root"
_NOWHERE = "/org/a11y/atspi/null"
_ATSPI = "org.a11y.atspi"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_SECONDS_FOR_AN_ANSWER = 60.0  # a window that hangs longer is a fault
_FAVOURED_ACTIONS = ("press", "toggle", "click")
_SHOWN_DEPTH = 2  # a program and its windows count as shown


class Role(IntEnum):
    """Kinds of controls, with the numbers of AT-SPI."""

    CHECK_BOX = 7
    LABEL = 29
    PUSH_BUTTON = 43
    RADIO_BUTTON = 44
    SPIN_BUTTON = 52
    TEXT = 61
    TOGGLE_BUTTON = 62


class State(IntEnum):
    """States of controls, with the numbers of AT-SPI."""

    CHECKED = 4
    FOCUSED = 12
    SENSITIVE = 24
    SHOWING = 25


class BusError(Exception):
    """The other side refused, is gone or does not know the question."""


@dataclass(frozen=True)
class Node:
    """A control, as it was when the tree was read."""

    bus: str
    path: str
    name: str
    role: int
    states: int
    """One bit for each ``State``."""
    children: tuple[Node, ...] = ()

    def has(self, state: State) -> bool:
        """Whether it was in that state."""
        return bool(self.states >> state & 1)

    def walk(self) -> Iterator[Node]:
        """Return this one and all below it, depth first: the order in which a screen reader meets them."""
        yield self
        for child in self.children:
            yield from child.walk()

    def drawn(self, depth: int = 0) -> str:
        """Return the tree as indented lines."""
        role = Role(self.role).name.lower() if self.role in list(Role) else str(self.role)
        own = f"{'  ' * depth}{role} {self.name!r}{'' if self.has(State.SENSITIVE) else ' (disabled)'}"
        return "\n".join([own, *(child.drawn(depth + 1) for child in self.children)])


class AccessibilityBus:
    """A connection to the bus that the accessible programs of a session are on. A context manager."""

    def __init__(self, session_bus: str) -> None:
        with open_dbus_connection(session_bus, auth_timeout=_SECONDS_FOR_AN_ANSWER) as session:
            question = _call("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress")
            address = _content(session.send_and_get_reply(question, timeout=_SECONDS_FOR_AN_ANSWER))[0]
        self._connection: DBusConnection = open_dbus_connection(address, auth_timeout=_SECONDS_FOR_AN_ANSWER)

    def __enter__(self) -> AccessibilityBus:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def program(self, pid: int) -> tuple[str, str] | None:
        """Return bus name and path of a process's root, or None if it is not on the bus."""
        applications = self._ask(f"{_ATSPI}.Registry", ROOT, f"{_ATSPI}.Accessible", "GetChildren")[0]
        for bus, path in applications:
            if self._pid(bus) == pid:
                return bus, path
        return None

    def tree(self, bus: str, path: str, *, only_showing: bool = True) -> Node | None:
        """Return a control with all below it, without what is not shown; None if it is gone."""
        levels: list[list[tuple[Node, list[tuple[str, str]]]]] = []
        wanted = [(bus, path)]
        while wanted:
            level = self._look_at(wanted)
            if only_showing and len(levels) >= _SHOWN_DEPTH:
                level = [(node, below) for node, below in level if node.has(State.SHOWING)]
            levels.append(level)
            wanted = [child for _, below in level for child in below]
        return _assembled(levels).get((bus, path))

    def answer(self, bus: str, path: str) -> None:
        """Ask a program for the name of something, and wait until it says it: it does so between its other work."""
        self._ask(bus, path, _PROPERTIES, "Get", "ss", (f"{_ATSPI}.Accessible", "Name"))

    def act(self, node: Node) -> None:
        """Press or toggle a control."""
        interface = f"{_ATSPI}.Action"
        count = self._get(node, interface, "NActions")
        names = [str(self._ask(node.bus, node.path, interface, "GetName", "i", (i,))[0]) for i in range(count)]
        known = [name.casefold() for name in names]
        favoured = [known.index(name) for name in _FAVOURED_ACTIONS if name in known]
        if not favoured:
            raise BusError(f"{node.name!r} cannot be pressed; it offers {names}")
        self._ask(node.bus, node.path, interface, "DoAction", "i", (favoured[0],))

    def focus(self, node: Node) -> None:
        """Let the keyboard act on a control."""
        self._ask(node.bus, node.path, f"{_ATSPI}.Component", "GrabFocus")

    def set_text(self, node: Node, text: str) -> None:
        """Replace the text of a field."""
        self._ask(node.bus, node.path, f"{_ATSPI}.EditableText", "SetTextContents", "s", (text,))

    def text(self, node: Node) -> str:
        """Return the text in a field."""
        return str(self._ask(node.bus, node.path, f"{_ATSPI}.Text", "GetText", "ii", (0, -1))[0])

    def set_number(self, node: Node, number: float) -> None:
        """Set the number in a field."""
        body = (f"{_ATSPI}.Value", "CurrentValue", ("d", float(number)))
        self._ask(node.bus, node.path, _PROPERTIES, "Set", "ssv", body)

    def number(self, node: Node) -> float:
        """Return the number in a field."""
        return float(self._get(node, f"{_ATSPI}.Value", "CurrentValue"))

    def centre(self, node: Node) -> tuple[int, int]:
        """Return the middle of a control, in pixels of the screen."""
        left, top, width, height = self._ask(node.bus, node.path, f"{_ATSPI}.Component", "GetExtents", "u", (0,))[0]
        return left + width // 2, top + height // 2

    def _look_at(self, wanted: Sequence[tuple[str, str]]) -> list[tuple[Node, list[tuple[str, str]]]]:
        accessible = f"{_ATSPI}.Accessible"
        questions: list[Message] = []
        for bus, path in wanted:
            questions.append(_call(bus, path, _PROPERTIES, "Get", "ss", (accessible, "Name")))
            questions += [_call(bus, path, accessible, method) for method in ("GetRole", "GetState", "GetChildren")]
        answers = self._ask_all(questions)
        found: list[tuple[Node, list[tuple[str, str]]]] = []
        for place, (bus, path) in enumerate(wanted):
            own = answers[place * 4 : place * 4 + 4]
            if None in own:  # it went away meanwhile
                continue
            name, role, states, below = (body[0] for body in own if body is not None)
            node = Node(bus, path, str(name[1]), int(role), states[0] | states[1] << 32)
            found.append((node, [(child[0], child[1]) for child in below if child[1] != _NOWHERE]))
        return found

    def _pid(self, bus: str) -> int:
        try:
            daemon = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
            return int(self._ask(*daemon, "GetConnectionUnixProcessID", "s", (bus,))[0])
        except BusError:
            return 0

    def _get(self, node: Node, interface: str, name: str) -> Any:
        return self._ask(node.bus, node.path, _PROPERTIES, "Get", "ss", (interface, name))[0][1]

    def _ask(self, *question: Any) -> tuple[Any, ...]:
        return _content(self._connection.send_and_get_reply(_call(*question), timeout=_SECONDS_FOR_AN_ANSWER))

    def _ask_all(self, questions: Sequence[Message]) -> list[tuple[Any, ...] | None]:
        """Send all, then take the answers as they come; None where there was an error."""
        places: dict[int, int] = {}
        for place, question in enumerate(questions):
            serial = next(self._connection.outgoing_serial)
            places[serial] = place
            self._connection.send(question, serial=serial)
        answers: list[tuple[Any, ...] | None] = [None] * len(questions)
        while places:
            message = self._connection.receive(timeout=_SECONDS_FOR_AN_ANSWER)
            place = places.pop(message.header.fields.get(HeaderFields.reply_serial, -1), None)
            if place is not None and message.header.message_type is MessageType.method_return:
                answers[place] = message.body
        return answers


def _call(
    bus: str, path: str, interface: str, method: str, signature: str | None = None, body: tuple[Any, ...] = ()
) -> Message:
    return new_method_call(DBusAddress(path, bus_name=bus, interface=interface), method, signature, body)


def _content(message: Message) -> tuple[Any, ...]:
    if message.header.message_type is not MessageType.method_return:
        raise BusError(f"{message.header.fields.get(HeaderFields.error_name)}: {message.body}")
    return message.body


def _assembled(levels: list[list[tuple[Node, list[tuple[str, str]]]]]) -> dict[tuple[str, str], Node]:
    """Hang every node below its parent, from the leaves up."""
    known: dict[tuple[str, str], Node] = {}
    for level in reversed(levels):
        for node, below in level:
            children = tuple(known[child] for child in below if child in known)
            known[node.bus, node.path] = Node(node.bus, node.path, node.name, node.role, node.states, children)
    return known
