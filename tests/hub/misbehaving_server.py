"""A real HTTP server on loopback that serves archives, well or as badly as a test asks for."""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PIECE = 4096


@dataclass(frozen=True)
class Reply:
    """What is answered to one request."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    etag: str = '"one"'
    """Empty for none."""
    ranges: bool = True
    """Whether the server can serve a part of it."""
    declared: int | None = -1
    """Content-Length: -1 for the true one, None for none."""
    cut_after: int | None = None
    """Bytes of the body before the connection is closed."""
    silent_after: int | None = None
    """Bytes of the body before nothing more comes, on an open connection."""
    silent_at_once: bool = False
    """Not even a status."""
    seconds_between_pieces: float = 0.0


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]

    @property
    def range(self) -> str:
        """What part was asked for."""
        return self.headers.get("range", "")


@dataclass
class Misbehaving:
    """A running server. ``script`` is used up first, one reply a request; then everybody gets ``usual``."""

    url: str
    usual: Reply | Callable[[Asked], Reply]
    script: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def handle(self) -> str:
        """The address of a module here."""
        return f"{self.url}/somebody/small/feature_vector/1"

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            if self.script:
                return self.script.pop(0)
        return self.usual(asked) if callable(self.usual) else self.usual


@contextmanager
def misbehaving(
    usual: Reply | Callable[[Asked], Reply], context: ssl.SSLContext | None = None
) -> Generator[Misbehaving]:
    """Run a server while the block lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = False  # all of them end before the block does
    scheme = "https" if context else "http"
    server.behaviour = Misbehaving(f"{scheme}://127.0.0.1:{server.server_port}", usual)
    server.context = context
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.behaviour
    finally:
        server.behaviour.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    behaviour: Misbehaving
    context: ssl.SSLContext | None

    def process_request(self, request: Any, client_address: Any) -> None:
        self.behaviour.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def setup(self) -> None:
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        if self.server.context:
            self.request.close()  # the one that the server knows is only what it was wrapped around

    def do_GET(self) -> None:
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.close_connection = True
        behaviour = self.server.behaviour
        reply = behaviour.answer(asked)
        if reply.silent_at_once:
            behaviour.closing.wait()
            return
        with contextlib.suppress(OSError):
            self._send(_for_range(reply, asked))

    do_CONNECT = do_GET  # noqa: N815 - http.server names it

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        declared = len(reply.body) if reply.declared == -1 else reply.declared
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.etag:
            self.send_header("ETag", reply.etag)
        if declared is not None:
            self.send_header("Content-Length", str(declared))
        self.send_header("Connection", "close")
        self.end_headers()
        ends = [end for end in (reply.cut_after, reply.silent_after) if end is not None]
        body = reply.body[: min(ends)] if ends else reply.body
        for start in range(0, len(body), _PIECE):
            self.wfile.write(body[start : start + _PIECE])
            if self.server.behaviour.closing.wait(reply.seconds_between_pieces):
                return
        self.wfile.flush()
        if reply.silent_after is not None:
            self.server.behaviour.closing.wait()


def _for_range(reply: Reply, asked: Asked) -> Reply:
    found = re.fullmatch(r"bytes=(\d+)-", asked.range)
    condition = asked.headers.get("if-range")
    if not found or not reply.ranges or reply.status != 200 or (condition and condition != reply.etag):
        return reply
    start, total = int(found[1]), len(reply.body)
    if start >= total:
        return replace(reply, status=416, body=b"", headers=(("Content-Range", f"bytes */{total}"),))
    cut = None if reply.cut_after is None else max(reply.cut_after - start, 0)
    spoken = ("Content-Range", f"bytes {start}-{total - 1}/{total}")
    return replace(reply, status=206, body=reply.body[start:], headers=(*reply.headers, spoken), cut_after=cut)


def wait_until(claim: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a state that another thread or process brings about."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.01)
