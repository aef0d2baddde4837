"""The one place where requests are made: offline switch, proxy, certificates, time limits, redirects."""

from __future__ import annotations

import re
import ssl
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import truststore

from hubstudio import __version__
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError
from hubstudio.core.settings import load_settings
from hubstudio.hub.exchange import Exchange

_MOST_REDIRECTS = 10


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for, and how often it is asked again."""

    connect_seconds: float = 15.0
    read_seconds: float = 30.0
    """Between two pieces of an answer."""
    tries: int = 4
    """In a row that brought nothing new."""
    first_pause: float = 1.0
    """Before the second try; doubled before each further one."""
    longest_pause: float = 30.0
    """What a server may ask for before the person is told instead."""


@dataclass(frozen=True)
class Address:
    """What is asked for."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Credentials among them: they are not sent to another host, whoever redirects there."""


@dataclass(frozen=True)
class Answer:
    """What a server answers."""

    status: int
    headers: httpx.Headers
    host: str
    proxy: str
    """Through which it came; empty if through none."""
    pieces: Iterator[bytes]


class TooManyRedirects(Exception):  # noqa: N818 - translated for the person by hub.failures
    """A server leads in a circle, or to a place that is no web address."""


@contextmanager
def get(address: Address, patience: Patience, cancel: CancelToken) -> Generator[Answer]:
    """Ask for an address and give the last answer behind all redirects, its body not yet read.

    Raises ``BackboneError`` where requests are forbidden, before any is made; what httpx raises; ``Cancelled``.
    """
    url, headers = httpx.URL(address.url), httpx.Headers({**_headers(), **address.headers})
    for _ in range(_MOST_REDIRECTS):
        proxy = _permitted_way(url)
        with Exchange(_client(proxy, patience), url, headers) as exchange:
            response = exchange.response(cancel)
            onward = response.next_request
            if onward is None:
                yield Answer(response.status_code, response.headers, url.host, proxy, exchange.pieces(cancel))
                return
        if url.scheme == "https" and onward.url.scheme != "https":
            raise TooManyRedirects(f"It leads from https to '{onward.url.scheme}://{onward.url.host}'")
        # httpx has taken the credentials out where the host is another.
        url, headers = onward.url, onward.headers
    raise TooManyRedirects(f"It leads on and on, last to '{url.host}'")


def require_online(what: str, meant: str = "") -> None:
    """Raise ``BackboneError`` if the settings forbid requests; ``meant`` is a sentence that may help then."""
    settings = load_settings()
    if settings.is_offline:
        raise BackboneError(
            f"{what} would have to be asked for, but Hub Studio is set to work offline.",
            found=" ".join(filter(None, (settings.problem, meant))),
            next_step="Switch 'Offline' off in the settings (or unset HUBSTUDIO_OFFLINE), or import the module as "
            "a .tar.gz or a folder.",
        )


def proxy_for(url: httpx.URL) -> str:
    """Return the proxy for an address: the one in the settings, else the environment's or the system's; or ''.

    NO_PROXY counts for all of them.
    """
    if urllib.request.proxy_bypass(url.host):
        return ""
    of_system = urllib.request.getproxies()
    proxy = load_settings().proxy.strip() or of_system.get(url.scheme) or of_system.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def shown_proxy(proxy: str) -> str:
    """Return a proxy without the name and password that its address may hold, badly written ones too."""
    return re.sub(r"//.*@", "//", proxy, flags=re.DOTALL)


def _permitted_way(url: httpx.URL) -> str:
    """Return the proxy to go through. Every request passes here, redirects and further tries too."""
    require_online(f"'{url.host}'")
    if url.scheme not in ("http", "https") or not url.host:
        raise TooManyRedirects(f"It leads to '{url.scheme}://', which is no web address")
    return proxy_for(url)


def _client(proxy: str, patience: Patience) -> httpx.Client:
    try:
        return httpx.Client(
            proxy=proxy or None,
            trust_env=False,  # what counts of the environment was read above
            verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            timeout=httpx.Timeout(patience.read_seconds, connect=patience.connect_seconds),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise BackboneError(
            f"The proxy '{shown_proxy(proxy)}' cannot be used.",
            found=_why_no_proxy(error, proxy),
            next_step="Give the proxy in the settings as http://host:port, or leave it empty.",
        ) from error


def _why_no_proxy(error: Exception, proxy: str) -> str:
    """Return what httpx says; nothing where that may repeat pieces of a name and password."""
    return f"{error}" if "@" not in proxy or isinstance(error, ImportError) else ""


def _headers() -> dict[str, str]:
    # Archives are compressed already; a second compression on the way would hide their length.
    return {"User-Agent": f"hubstudio/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
