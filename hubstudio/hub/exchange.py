"""One request and its answer, read so that asking to stop is answered at once, also while the server is silent.

The request runs in a thread of its own, which hands on what comes; the caller waits for it and looks at the cancel
token. When the caller leaves, the socket is shut, which ends the thread's reading.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import httpx

from hubstudio.core.cancel import CancelToken

_LOOK_SECONDS = 0.1
_PIECES_AHEAD = 16  # of at most 64 KB: a slow disk must not fill the memory
_END = object()
_JOIN_SECONDS = 1.0


class Exchange:
    """A GET that is being answered. A context manager; closes the client when it is done."""

    def __init__(self, client: httpx.Client, url: httpx.URL, headers: httpx.Headers) -> None:
        self._client = client
        self._request = client.build_request("GET", url, headers=headers, extensions={"trace": self._trace})
        self._arrived: queue.Queue[object] = queue.Queue(_PIECES_AHEAD)
        self._left = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._work, name="module download", daemon=True)

    def __enter__(self) -> Exchange:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._shut()
        self._thread.join(_JOIN_SECONDS)  # a name that is being looked up cannot be interrupted: it ends by itself

    def response(self, cancel: CancelToken) -> httpx.Response:
        """Wait for status and headers. Raises what httpx raises, and ``Cancelled``."""
        response = self._next(cancel)
        assert isinstance(response, httpx.Response)
        return response

    def pieces(self, cancel: CancelToken) -> Iterator[bytes]:
        """Yield the body as it comes, as it was sent. Raises what httpx raises, and ``Cancelled``."""
        while (piece := self._next(cancel)) is not _END:
            assert isinstance(piece, bytes)
            yield piece

    def _next(self, cancel: CancelToken) -> object:
        while True:
            cancel.check()
            with contextlib.suppress(queue.Empty):
                arrived = self._arrived.get(timeout=_LOOK_SECONDS)
                if isinstance(arrived, Exception):
                    raise arrived
                return arrived

    def _work(self) -> None:
        try:
            with self._client:
                response = self._client.send(self._request, stream=True)
                self._hand_on(response)
                with contextlib.closing(response):
                    for piece in response.iter_raw():
                        self._hand_on(piece)
                        if self._left.is_set():
                            return
            self._hand_on(_END)
        except Exception as error:  # the border of the thread: raised again where somebody waits
            self._hand_on(error)

    def _hand_on(self, arrived: object) -> None:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._arrived.put(arrived, timeout=_LOOK_SECONDS)
                return

    def _trace(self, event: str, facts: dict[str, Any]) -> None:
        """Remember the socket as soon as there is one; httpcore tells of each step."""
        stream = facts.get("return_value")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")) and stream is not None:
            self._socket = stream.get_extra_info("socket")
            if self._left.is_set():
                self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
