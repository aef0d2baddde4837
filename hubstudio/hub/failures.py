"""What can go wrong on the way to a module, each as its own sentence with the next step."""

from __future__ import annotations

import errno
import shutil
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from hubstudio.core import addresses, path_kinds
from hubstudio.core.catalogue import load_catalogue_safely
from hubstudio.core.errors import BackboneError
from hubstudio.core.handles import nearest_name
from hubstudio.hub.requests import Answer, TooManyRedirects, proxy_for, shown_proxy

TRANSIENT_STATUS = frozenset((408, 425, 429, 500, 502, 503, 504))
TRANSIENT = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError, httpx.ReadTimeout,
             httpx.WriteTimeout, httpx.ConnectTimeout)  # fmt: skip
"""What is worth another try at once: a connection that was cut or slept. A wrong name or certificate stays wrong."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_NETWORK = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)
_KAGGLE_SIGN_IN = (
    "Sign in at kaggle.com, accept the model's terms on its page, and give your key: KAGGLE_USERNAME and KAGGLE_KEY in "
    "the environment, or the file kaggle.json in ~/.kaggle."
)


def refused(answer: Answer, handle: str) -> BackboneError:
    """Return the error for an answer whose status says no."""
    status, said = answer.status, f"{answer.host} answered {answer.status}."
    if status == 407:
        return _proxy_wants_password(answer.proxy)
    if status in (401, 403):
        is_kaggle = bool(addresses.kaggle_parts(handle))
        step = f"{_KAGGLE_SIGN_IN} {other_ways(handle)}" if is_kaggle else other_ways(handle)
        return BackboneError(f"'{handle}' may not be fetched: access is denied.", found=said, next_step=step)
    if status in (404, 410):
        step = f"Check the handle and its version. {other_ways(handle)}"
        found = f"{said} {nearest_name(handle)}".strip()
        return BackboneError(f"There is no module at '{handle}', or no longer.", found=found, next_step=step)
    if status == 429:
        wait = retry_after(answer)
        pause = f"Wait {wait:.0f} s" if wait else "Wait some minutes"
        step = f"{pause} and try again; what has come so far is kept. {other_ways(handle)}"
        return BackboneError(f"{answer.host} takes no more requests from here for now.", found=said, next_step=step)
    if status >= 500:
        step = f"Try again later; what has come so far is kept. {other_ways(handle)}"
        return BackboneError(f"{answer.host} has trouble of its own.", found=said, next_step=step)
    return BackboneError(f"{answer.host} does not give '{handle}'.", found=said, next_step=other_ways(handle))


def explained(error: Exception, handle: str) -> BackboneError:
    """Return the error for a request that did not come to an answer, or to its end."""
    host, proxy = _asked(error, handle)
    causes = list(_causes(error))
    if isinstance(error, TooManyRedirects):
        return BackboneError(f"'{handle}' leads nowhere.", found=f"{error}.", next_step=other_ways(handle))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(host, cause)
    if isinstance(error, httpx.ProxyError) or (proxy and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)):
        return _proxy_failed(error, proxy)
    if isinstance(error, httpx.ConnectError):
        return _not_connected(host, causes, handle)
    if isinstance(error, httpx.TimeoutException):
        step = f"Check the network and try again; what has come so far is kept. {other_ways(handle)}"
        return BackboneError(f"{host} did not answer in time.", next_step=step)
    step = f"Try again: it goes on where it was cut, if the server can. {other_ways(handle)}"
    return BackboneError(f"The connection to {host} was cut again and again.", found=_sentence(error), next_step=step)


def not_a_module(handle: str, found: str) -> BackboneError:
    """Return the error for an answer, or a file, that is something else."""
    if "://" in handle:
        step = "Check that the handle is a TF Hub image feature vector; open it in a browser to see what is there."
        return BackboneError(f"What '{handle}' gives is no module.", found=found, next_step=step)
    step = "Give a TF Hub image feature vector, packed as .tar.gz, or the folder it is unpacked in."
    return BackboneError(f"'{handle}' is no module.", found=found, next_step=step)


def several_modules(handle: str, folders: Sequence[str]) -> BackboneError:
    """Return the error for an archive in which nobody can tell which module is meant."""
    more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
    named = ", ".join(f"'{folder}'" for folder in folders[:_NAMED])
    return BackboneError(
        f"'{handle}' holds more than one module.",
        found=f"There is one in each of the folders {named}{more}.",
        next_step="Unpack it and choose the folder of the one you want.",
    )


_NAMED = 5


class DamagedArchive(BackboneError):  # noqa: N818 - named for what it is
    """An archive that is not whole: another try may bring a whole one."""


def damaged(handle: str, found: str) -> DamagedArchive:
    """Return the error for an archive that is not whole."""
    again = f"Try again: it is fetched anew. {other_ways(handle)}" if "://" in handle else "Copy or download it again."
    return DamagedArchive(f"The archive of '{handle}' is damaged.", found=found, next_step=again)


def unsafe_archive(handle: str, found: str) -> BackboneError:
    """Return the error for an archive that no honest program packs."""
    return BackboneError(
        f"The archive of '{handle}' was refused: it is not safe to unpack.",
        found=found,
        next_step="Do not use it. Get the module from its maker, or choose another backbone.",
    )


class DiskFull(BackboneError):  # noqa: N818 - named for what it is
    """A module has no room; what came of it so far is good."""


def full_disk(folder: Path, needed: int | None) -> DiskFull:
    """Return the error for a disk on which the module has no room."""
    free = free_bytes(folder)
    need = f"{needed / 1e6:,.0f} MB are needed, " if needed else ""
    return DiskFull(
        "The disk is too full for this module.",
        found=f"{need}{free / 1e6:,.0f} MB are free in '{folder}'.",
        next_step="Free some space ('hubstudio backbones remove' removes modules), or let TFHUB_CACHE_DIR name a "
        "folder on another disk.",
    )


def unwritable(folder: Path, error: OSError) -> BackboneError:
    """Return the error for a cache that cannot be used; a full disk has its own."""
    if error.errno in _FULL:
        return full_disk(folder, None)
    return BackboneError(
        f"The module cache '{folder}' cannot be written to.",
        found=f"{path_kinds.reason(error)}: {error.filename or folder}.",
        next_step="Check that you may write there, or let TFHUB_CACHE_DIR name another folder.",
    )


def require_room(folder: Path, needed: int) -> None:
    """Raise ``BackboneError`` if fewer than ``needed`` bytes are free."""
    if needed > free_bytes(folder):
        raise full_disk(folder, needed)


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that holds ``folder``, or will."""
    while not path_kinds.is_folder(folder) and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def retry_after(answer: Answer) -> float | None:
    """Return for how many seconds a server asks to be left alone; None if it does not say, or names a date."""
    said = answer.headers.get("retry-after", "").strip()
    return float(said) if said.isdecimal() else None


def other_ways(handle: str) -> str:
    """Return where else the module may be had: the twin of its catalogue row, or a file."""
    kaggle = "/".join(addresses.kaggle_parts(handle))
    row = load_catalogue_safely()[0].find(kaggle or handle)
    twin = ""
    if row:
        twin = row.handle if kaggle else row.kaggle
    elsewhere = f"Get it as '{twin}' instead, or" if twin and twin != handle else "Or"
    return f"{elsewhere} import the module as a .tar.gz or a folder."


def _asked(error: Exception, handle: str) -> tuple[str, str]:
    """Return the host that was asked and the proxy it was asked through."""
    try:
        url = error.request.url if isinstance(error, httpx.RequestError) else httpx.URL(handle)
        return url.host, proxy_for(url)
    except (RuntimeError, httpx.InvalidURL):
        return urlsplit(handle).hostname or handle, ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__


def _untrusted(host: str, error: ssl.SSLCertVerificationError) -> BackboneError:
    return BackboneError(
        f"The certificate of {host} is not trusted, so nothing was fetched.",
        found=f"{(error.verify_message or str(error)).rstrip('.')}.",
        next_step="Check this computer's clock. If your network reads encrypted traffic (firms, schools), its "
        "certificate must be in the system's store; ask who runs it. Or import the module as a .tar.gz or a folder.",
    )


def _proxy_failed(error: Exception, proxy: str) -> BackboneError:
    if "407" in str(error):
        return _proxy_wants_password(proxy)
    return BackboneError(
        f"The proxy '{shown_proxy(proxy)}' does not let Hub Studio through.",
        found=_sentence(error),
        next_step="Check the proxy in the settings, or HTTPS_PROXY and NO_PROXY in the environment.",
    )


def _proxy_wants_password(proxy: str) -> BackboneError:
    return BackboneError(
        f"The proxy '{shown_proxy(proxy)}' asks for a name and a password.",
        found="It answered 407.",
        next_step="Give them in the settings or in HTTPS_PROXY, as http://name:password@host:port.",
    )


def _not_connected(host: str, causes: list[BaseException], handle: str) -> BackboneError:
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    found = _sentence(causes[-1])
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        step = f"Check that this computer is connected to the internet, and the spelling. {other_ways(handle)}"
        found = f"{found} {nearest_name(handle)}".strip()
        return BackboneError(f"The address of '{host}' was not found.", found=found, next_step=step)
    if numbers & set(_NO_NETWORK):
        step = f"Connect this computer to the internet and try again. {other_ways(handle)}"
        return BackboneError(f"There is no network that leads to {host}.", found=found, next_step=step)
    if errno.ECONNREFUSED in numbers:
        step = f"Check the address; the server may be down, so try again later. {other_ways(handle)}"
        return BackboneError(f"{host} accepts no connections.", found=found, next_step=step)
    step = f"Check the network, a firewall or the proxy in the settings. {other_ways(handle)}"
    return BackboneError(f"No connection to {host} came about.", found=found, next_step=step)


def _sentence(error: BaseException) -> str:
    text = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return f"{text.splitlines()[0].rstrip('.')[:200]}."
