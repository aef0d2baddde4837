"""SIGINT and SIGTERM as a Qt signal."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_WATCHED = (signal.SIGINT, signal.SIGTERM)


class ProcessSignals(QObject):
    """Python runs signal handlers only between its own steps, and Qt's loop may make none for long.

    So the interpreter writes each signal's number into a socket that the loop listens to.
    """

    received = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._former = {number: signal.signal(number, _ignore) for number in _WATCHED}
        self._former_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_activated)

    def close(self) -> None:
        """Put everything back as it was."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._former_fd)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def _on_activated(self) -> None:
        for number in self._reader.recv(64):
            if number in _WATCHED:
                self.received.emit(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing in the handler: the number went into the socket already."""
    del number, frame
